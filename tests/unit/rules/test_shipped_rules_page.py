"""The tables of docs/shipped-rules.md are what the rule document says."""

from collections.abc import Iterator
from pathlib import Path

from unit.rules.shipped_samples import RULES_FILE

from shared_code.rules.compiler import compile_document
from shared_code.rules.document import AlertThreshold, Rule

PAGE = Path(__file__).parents[3] / "docs" / "shipped-rules.md"
HEADING = "## The rules\n\n"
CATEGORIES = {
    "operations": "Operations",
    "aml": "Money laundering",
    "fraud": "Fraud",
    "kyc": "Know your customer",
    "pci": "Card data",
    "data_quality": "Data quality",
}
COMPARISONS = {"gt": "above", "gte": "from", "lt": "below", "lte": "up to"}


def page_tables(rules: tuple[Rule, ...]) -> Iterator[str]:
    """Yield the lines below the heading: a table for each category."""
    for category, title in CATEGORIES.items():
        yield f"### {title}"
        yield ""
        yield "| rule | scope | severity | alert | what it finds |"
        yield "|---|---|---|---|---|"
        for rule in rules:
            if rule.category == category:
                yield (
                    f"| `{rule.id}` | {rule.scope} | {rule.severity} | {alert_words(rule.alert)}"
                    f" | {rule.description} |"
                )
        yield ""


def alert_words(alert: AlertThreshold | None) -> str:
    if alert is None:
        return "none"
    words = f"{COMPARISONS[alert.operator]} {alert.value:,}"
    return words if alert.minimum_payments == 1 else f"{words} of {alert.minimum_payments} payments"


def test_the_page_shows_the_rules_as_they_are() -> None:
    rules = compile_document(RULES_FILE.read_bytes()).document.rules
    expected = "\n".join(page_tables(rules))
    _, _, tables = PAGE.read_text("utf-8").partition(HEADING)
    assert tables == expected, f"paste below {HEADING.strip()!r}:\n\n{expected}"


def test_every_category_of_the_rules_has_a_table() -> None:
    rules = compile_document(RULES_FILE.read_bytes()).document.rules
    assert {rule.category for rule in rules} == set(CATEGORIES)
