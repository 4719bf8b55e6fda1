"""An answer that the client holds is not sent again, and CSV is for who prefers it."""

import pytest

from shared_code.web.exchange import Request
from shared_code.web.representation import conditional, etag_of, prefers_csv

TAG = etag_of(b"one")


def asked(**headers: str) -> Request:
    return Request("GET", "windows", (), {n.replace("_", "-"): v for n, v in headers.items()})


@pytest.mark.parametrize("held", [TAG, TAG.removeprefix("W/"), f'"other", {TAG}', "*", f" {TAG} "])
def test_what_is_held_is_not_sent(held: str) -> None:
    answer = conditional(asked(if_none_match=held), TAG, "text/plain", b"body", {})
    assert (answer.status, answer.body, answer.media_type) == (304, b"", None)
    assert answer.headers["ETag"] == TAG


@pytest.mark.parametrize("held", ["", '"other"', TAG[:-2], "W/", '"'])
def test_anything_else_is_sent(held: str) -> None:
    answer = conditional(asked(if_none_match=held), TAG, "text/plain", b"body", {})
    assert (answer.status, answer.body) == (200, b"body")
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_tags_tell_parts_apart_wherever_they_are_cut() -> None:
    assert etag_of(b"ab", b"c") != etag_of(b"a", b"bc")
    assert etag_of(b"a") == etag_of(b"a")


@pytest.mark.parametrize(
    ("accept", "csv"),
    [
        ("text/csv", True),
        ("text/csv, application/json;q=0.9", True),
        ("application/json, text/csv;q=0.5", False),
        ("text/csv, */*;q=0.1", True),
        ("*/*", False),
        ("", False),
        ("text/csv;q=0", False),
        ("text/csv;q=nonsense", False),
        ("text/html,application/xhtml+xml", False),
    ],
)
def test_csv_is_for_who_prefers_it(accept: str, *, csv: bool) -> None:
    assert prefers_csv(asked(accept=accept)) is csv
