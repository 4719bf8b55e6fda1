"""What changes in meaning between two rule documents, as data."""

import msgspec

from shared_code.rules.compiler import compile_document
from shared_code.rules.diff import Change, diff_documents, version_advice


class RuleName(msgspec.Struct, frozen=True):
    """A rule that only one of the documents has."""

    rule_id: str
    scope: str


class PartChange(msgspec.Struct, frozen=True):
    """One thing that changes, in words; null where there is nothing."""

    where: str
    before: str | None
    after: str | None


class ChangedRule(msgspec.Struct, frozen=True):
    """What changes in a rule that both documents have."""

    rule_id: str
    changes: list[PartChange]


class ChangedShared(msgspec.Struct, frozen=True):
    """What changes in a named list, or in the rates, and the rules that use it."""

    name: str
    changes: list[PartChange]
    used_by: list[str]


class RuleSetChanges(msgspec.Struct, frozen=True):
    """What changes in meaning; ``advice`` tells of a version that is raised too little or much."""

    old_version: str
    new_version: str
    is_empty: bool
    advice: str | None
    added: list[RuleName]
    removed: list[RuleName]
    changed: list[ChangedRule]
    shared: list[ChangedShared]


def rule_set_changes(old_content: bytes, new_content: bytes) -> RuleSetChanges:
    """Return what changes from one accepted document to another."""
    old, new = (compile_document(each).document for each in (old_content, new_content))
    found = diff_documents(old, new)
    return RuleSetChanges(
        old_version=old.version,
        new_version=new.version,
        is_empty=found.is_empty,
        advice=version_advice(old.version, new.version, found),
        added=[RuleName(*each) for each in found.added],
        removed=[RuleName(*each) for each in found.removed],
        changed=[ChangedRule(rule.rule_id, _parts(rule.changes)) for rule in found.changed],
        shared=[
            ChangedShared(each.name, _parts(each.changes), list(each.used_by))
            for each in found.shared
        ],
    )


def _parts(changes: tuple[Change, ...]) -> list[PartChange]:
    return [PartChange(*change) for change in changes]
