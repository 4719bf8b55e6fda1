"""What delivery refuses or fails at; the message says what, where and what to do."""

from collections.abc import Sequence
from typing import Final

from shared_code.errors import PaymentsError


class DeployError(PaymentsError):
    """A step of the delivery failed or was refused."""


class ToolFailed(DeployError):
    """A program that a step runs ended with an error, or is not there.

    Attributes:
        command: program and arguments.
        said: the end of what it wrote.
    """

    def __init__(self, command: Sequence[str], said: str, advice: str = "") -> None:
        shown = " ".join(command[:4])
        super().__init__(f"{shown} failed: {said.strip()}{f'; {advice}' if advice else ''}")
        self.command = command
        self.said = said


_SHOWN: Final = 40


class NotAsExpected(DeployError):
    """What was checked is not as it has to be; a finding is a line.

    Attributes:
        findings: one sentence each.
    """

    def __init__(self, what: str, findings: Sequence[str]) -> None:
        more = len(findings) - _SHOWN
        left_out = [f"and {more} more"] if more > 0 else []
        super().__init__("\n  ".join([f"{what}:", *findings[:_SHOWN], *left_out]))
        self.findings = findings
