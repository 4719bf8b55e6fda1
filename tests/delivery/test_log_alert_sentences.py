"""The alerts of Terraform look for sentences that the code logs, as it logs them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from log_sentences import ROOT, expected_of_sentences, is_said, sentences
from terraform_plans import PREMIUM, planned, text

from shared_code.telemetry.spans import BatchPlace

# Whoever calls over HTTP sees a failure himself.
FUNCTIONS = {
    file.parent.name
    for file in ROOT.glob("*/function.json")
    if "httpTrigger" not in file.read_text("utf-8")
}
FIGURES = {"%d": "7", "%s": "x"}


def queries() -> dict[str, str]:
    """Return the queries of the functions' log alerts by name."""
    made = planned("production", PREMIUM).of("monitor_scheduled_query_rules_alert_v2")
    found = {each["name"]: text(each["criteria"][0]["query"]) for each in made}
    return {name: query for name, query in found.items() if "AzureMetrics" not in query}


QUERIES = queries()


@pytest.mark.parametrize("name", QUERIES)
def test_what_an_alert_looks_for_is_said_by_the_code(name: str) -> None:
    looked_for = list(expected_of_sentences(QUERIES[name]))
    assert looked_for
    for parts in looked_for:
        assert is_said(parts), parts


def test_a_lag_is_read_from_the_place_of_a_batch_stored_or_not() -> None:
    (pattern,) = re.findall(r'extract\(@"([^"]+)"', QUERIES["alert-lag"])
    place = BatchPlace("3", 7, 9, datetime.now(UTC) - timedelta(seconds=95))
    for said in (f"rule set 2.1.0; {place}", f"ProcessTransaction failed: x; {place}"):
        found = re.search(pattern, said)
        assert found is not None
        assert float(found[1]) == pytest.approx(95, abs=1)


def test_the_share_of_rejected_is_parsed_from_the_sentence_of_a_batch() -> None:
    (pattern,) = re.findall(r"parse message with ([^\n]+)", QUERIES["alert-rejected-share"])
    (sentence,) = [each for each in sentences() if "payments stored" in each]
    said = sentence
    for of, figure in FIGURES.items():
        said = said.replace(of, figure)
    # As KQL reads it: * takes anything, name:long a number.
    texts = re.split(r'"([^"]*)"', pattern)
    as_expression = "".join(
        re.escape(each)
        if at % 2
        else re.sub(r"\s*\*\s*", ".*", re.sub(r"\s*(\w+):long\s*", r"(?P<\1>\\d+)", each))
        for at, each in enumerate(texts)
    )
    found = re.fullmatch(as_expression.strip(), said)
    assert found is not None
    assert found.groupdict() == {"stored": "7", "rejected": "7"}


def test_failures_are_those_of_every_function() -> None:
    (names,) = re.findall(r"name in \(([^)]*)\)", QUERIES["alert-failures"])
    assert set(re.findall(r'"(\w+)"', names)) == FUNCTIONS
