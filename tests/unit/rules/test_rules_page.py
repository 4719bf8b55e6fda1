"""Every example of docs/rules.md says what the rules really find."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from unit.rules.rule_samples import columns_of, payment

from shared_code.rules.compiler import compile_document
from shared_code.rules.document_text import parse_document, yaml_text
from shared_code.rules.dry_run import DryRun, dry_run
from shared_code.rules.findings import alert_subject
from shared_code.rules.outcomes import MATCHED

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def example_run(example: Any) -> tuple[DryRun, Any]:
    document = {
        "version": "1.0.0",
        **{key: example[key] for key in ("lists", "rates", "rules") if key in example},
    }
    rules = compile_document(yaml_text(document).encode())
    payments = [payment(**at) for at in map(with_time, example["payments"])]
    return dry_run(rules, columns_of(payments)), rules


def with_time(fields: Mapping[str, Any]) -> dict[str, Any]:
    given = {name.replace(".", "_", 1): value for name, value in fields.items()}
    if "event_time" in given:
        given["event_time"] = datetime.fromisoformat(given["event_time"])
    return given


def matches_found(run: DryRun, rules: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for rule, rows, values, outcome, _ in run.matches:
        source = rules.document.rules[rule]
        names = {each.number: each.name for at, each in rules.outcomes() if at == rule}
        for row, value in zip(rows, values, strict=True):
            payment_id = run.columns.values("transaction_id")[row]
            told = names[outcome]
            shows_value = outcome == MATCHED and source.value is not None and not source.bands
            found[source.id][payment_id] = value if shows_value else told
    return found


def plain(value: Any) -> Any:
    """Return numbers as Decimal, whatever they were."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) else value


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split("id: ")[1].split("\n")[0])
def test_an_example_finds_what_it_says(text: str) -> None:
    example = parse_document(text.encode())
    run, rules = example_run(example)
    found: dict[str, Any] = dict(matches_found(run, rules))
    alerts = []
    for judgement in run.judgements:
        for finding in judgement.findings:
            rule = rules.document.rules[finding.rule]
            names = {each.number: each.name for at, each in rules.outcomes() if at == finding.rule}
            shown: dict[str, Any] = {**finding.dimensions, "value": finding.value}
            if finding.outcome != MATCHED:
                shown["outcome"] = names[finding.outcome]
            if rule.scope != "transaction":
                found.setdefault(rule.id, []).append(shown)
            if finding.exceeded:
                alerts.append((rule, finding))
    ids = set(example["finds"])
    assert {key: value for key, value in found.items() if key in ids} == plain(example["finds"])
    told = [
        {"rule": rule.id, "subject": alert_subject(rule, finding), "value": finding.value}
        for rule, finding in alerts
    ]
    assert told == plain(example.get("alerts", []))


def test_every_construct_of_the_page_has_an_example() -> None:
    assert len(EXAMPLES) >= 12
