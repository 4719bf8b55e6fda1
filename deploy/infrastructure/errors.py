"""What keeps a check from being made at all; mistakes that a check finds are findings."""

from pathlib import Path

from shared_code.errors import PaymentsError


class FileUnreadable(PaymentsError):
    """A file is missing, or is not in the language that its name says."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(f"{file.as_posix()}: {problem}")
        self.file = file
        self.problem = problem


class ToolFailed(PaymentsError):
    """A program that a check starts is not installed, or failed."""

    def __init__(self, tool: str, problem: str) -> None:
        super().__init__(f"{tool}: {problem}")
        self.tool = tool
        self.problem = problem


class NotEvaluated(PaymentsError):
    """An expression has no value that can be told here."""

    def __init__(self, what: str) -> None:
        super().__init__(f"cannot be evaluated: {what}")
        self.what = what
