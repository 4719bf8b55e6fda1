"""The workbook asks for what the code tells, and for all that it measures."""

import json
import re

import pytest
from log_sentences import ROOT, expected_instruments, expected_of_sentences, instruments, is_said
from payment_messages import NOW

from shared_code.telemetry import measurements
from shared_code.telemetry.spans import BatchPlace

WORKBOOK = json.loads((ROOT / "docs" / "telemetry" / "workbook.json").read_text("utf-8"))
QUERIES = {
    item["name"]: item["content"]["query"] for item in WORKBOOK["items"] if item["type"] == 3
}
PAGE = (ROOT / "docs" / "telemetry.md").read_text("utf-8")


def attributes() -> set[str]:
    """Return the names of all attributes of measurements and batches."""
    named = {
        value for name, value in vars(measurements).items() if name.isupper() and "." in str(value)
    }
    return named | set(BatchPlace("3", 7, 9, NOW).attributes()) | {"_MS.links"}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_names_only_what_the_code_tells(name: str) -> None:
    query = QUERIES[name]
    named = expected_instruments(query)
    parts = list(expected_of_sentences(query))
    assert named or parts or "payments.enqueued_at" in query
    assert named <= instruments()
    assert all(is_said(each) for each in parts)
    assert set(re.findall(r'customDimensions\["([^"]+)"\]', query)) <= attributes()


def test_whatever_is_measured_is_shown() -> None:
    shown = set().union(*(expected_instruments(query) for query in QUERIES.values()))
    assert shown == instruments()


def test_whatever_is_measured_is_described() -> None:
    described = set(re.findall(r"^\| `(payments\.[a-z_.]+)` \|", PAGE, re.MULTILINE))
    assert described == instruments()


def test_every_item_of_the_workbook_has_a_name_of_its_own() -> None:
    names = [item["name"] for item in WORKBOOK["items"]]
    assert len(names) == len(set(names))
