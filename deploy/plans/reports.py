"""What people read of plans: a comment on a pull request, a job's summary, an issue about drift."""

import re
from collections.abc import Sequence
from itertools import chain
from typing import Final

from deploy.plans.terraform import Plan

# GitHub takes 65,536 characters; what stands around the texts needs some.
_LONGEST: Final = 60_000
_CUT: Final = "\n... cut here: the job's log has the rest"
_WHAT_TO_DO: Final = (
    "Somebody changed it by hand, or Azure did, or a merged change was not applied. Put the change"
    " into the code, or apply the code; this issue is closed when nothing differs."
)
_FENCE: Final = re.compile("`{3,}")


def comment(plans: Sequence[tuple[Plan, str]]) -> str:
    """Return all plans as Markdown: what would be lost first, and each text to be unfolded.

    Args:
        plans: each with the text that terraform shows of it.
    """
    room = _LONGEST // len(plans)
    parts = ["### Terraform plan", "", *(f"- {plan.told}" for plan, _ in plans), ""]
    parts += chain.from_iterable(_lost(plan) for plan, _ in plans)
    for plan, text in plans:
        if plan.changes:
            parts += ["<details>", f"<summary>{plan.environment}</summary>", ""]
            parts += [*_fenced(text.strip(), room), "", "</details>", ""]
    return "\n".join(parts)


def summary(plan: Plan) -> str:
    """Return what somebody who approves a plan has to know, as Markdown."""
    return "\n".join([f"### {plan.told}", "", *_lost(plan)])


def drift(plan: Plan, text: str) -> str:
    """Return the body of an issue about an environment that is not what the code says."""
    return "\n".join(
        [
            f"**{plan.told}** to make {plan.environment} what the code says.",
            "",
            _WHAT_TO_DO,
            "",
            *_lost(plan),
            *_fenced(text.strip(), _LONGEST),
        ]
    )


def _lost(plan: Plan) -> Sequence[str]:
    if not plan.addresses_lost:
        return []
    return [
        f"**Would be destroyed or replaced in {plan.environment}:**",
        "",
        *(f"- `{address}`" for address in plan.addresses_lost),
        "",
    ]


def _fenced(text: str, room: int) -> Sequence[str]:
    """Return text as a block that nothing within it can end."""
    shown = text if len(text) <= room else text[:room] + _CUT
    longest = max(map(len, _FENCE.findall(shown)), default=2)
    fence = "`" * (longest + 1)
    return [f"{fence}text", shown, fence]
