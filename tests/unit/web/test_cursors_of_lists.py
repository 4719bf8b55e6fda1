"""A cursor goes on where a page ended, and fits nothing else."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared_code.store.read.paging import Span
from shared_code.web.cursors import (
    Cursor,
    Moment,
    Place,
    Small,
    Word,
    query_digest,
    read_cursor,
    write_cursor,
)
from shared_code.web.problems import Problem

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
END = datetime(2026, 2, 1, 12, tzinfo=UTC)
QUERY = [("method", "a"), ("limit", "3")]
DIGEST = query_digest("windows", QUERY)


def written(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("types", "key"),
    [((Moment, Small), (START, -3)), ((Word,), ("customer é",)), ((Moment, Place), (END, "(0,1)"))],
)
@pytest.mark.parametrize("span", [None, Span(START, END)])
def test_what_is_written_is_read(types: Any, key: Any, span: Span | None) -> None:
    cursor = Cursor(span, key)
    assert read_cursor(write_cursor(cursor, DIGEST), DIGEST, types) == cursor


def test_paging_may_change_from_page_to_page_and_filters_may_not() -> None:
    assert query_digest("windows", [("limit", "9"), ("code", "k"), ("method", "a")]) == DIGEST
    assert query_digest("windows", [("method", "b"), ("limit", "3")]) != DIGEST
    assert query_digest("metrics", QUERY) != DIGEST
    cursor = write_cursor(Cursor(None, (1,)), DIGEST)
    with pytest.raises(Problem, match="another query"):
        read_cursor(cursor, query_digest("metrics", QUERY), (Small,))


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "AAAA",
        "____",
        written([]),
        written([DIGEST, None, ["2026-01-31T12:00:00Z"]]),
        written([DIGEST, None, ["2026-01-31T12:00:00", 1]]),
        written([DIGEST, None, ["2026-01-31T12:00:00Z", 40_000]]),
        written([DIGEST, None, ["2026-01-31T12:00:00Z", "1; DROP TABLE alerts"]]),
        written([DIGEST, None, ["2026-01-31T12:00:00Z", 1, 2]]),
        written([DIGEST, ["2026-01-31T12:00:00Z"], ["2026-01-31T12:00:00Z", 1]]),
        written({"digest": DIGEST}),
    ],
)
def test_what_no_page_gave_is_refused(text: str) -> None:
    with pytest.raises(Problem) as raised:
        read_cursor(text, DIGEST, (Moment, Small))
    assert raised.value.status == 422
    assert [each.parameter for each in raised.value.errors] == ["cursor"]


@pytest.mark.parametrize("text", ["nul\0", "x" * 257])
def test_texts_that_no_key_has_are_refused(text: str) -> None:
    with pytest.raises(Problem):
        read_cursor(written([DIGEST, None, [text]]), DIGEST, (Word,))


@pytest.mark.parametrize("place", ["(1)", "(0,1);", "(99999999999,1)", "0,1", "(0,1)\n"])
def test_places_that_no_row_has_are_refused(place: str) -> None:
    with pytest.raises(Problem):
        read_cursor(written([DIGEST, None, [place]]), DIGEST, (Place,))


@pytest.mark.parametrize(
    ("span", "moment"),
    [
        (None, "0001-01-01T00:00:00Z"),
        (None, "0001-01-01T00:00:00+05:00"),
        (None, "9999-12-31T23:59:59Z"),
        (["0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z"], "2026-01-31T12:00:00Z"),
        (["9999-12-31T12:00:00Z", "9999-12-31T23:59:59Z"], "2026-01-31T12:00:00Z"),
    ],
)
def test_moments_next_to_which_there_are_none_are_refused(
    span: list[str] | None, moment: str
) -> None:
    with pytest.raises(Problem) as raised:
        read_cursor(written([DIGEST, span, [moment]]), DIGEST, (Moment,))
    assert raised.value.status == 422
