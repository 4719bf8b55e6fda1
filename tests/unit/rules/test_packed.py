"""Packed columns mean what the same values in a list do."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.rules import packed
from shared_code.rules.joined_texts import JoinedTexts, in_both
from shared_code.rules.packed import Texts

TEXTS = st.lists(st.none() | st.text("abü", min_size=1, max_size=20), max_size=12)


def texts(values: Sequence[str | None], *, as_objects: bool = False) -> Texts:
    encoded = [(value or "").encode() for value in values]
    return Texts(np.array(encoded, dtype=np.object_ if as_objects else "S80"))


@given(TEXTS, st.booleans())
def test_labels_are_equal_where_texts_are(values: list[str | None], as_objects: bool) -> None:  # noqa: FBT001
    column = texts(values, as_objects=as_objects)
    labels = column.labels.tolist()
    assert list(column) == values
    assert [label == -1 for label in labels] == [value is None for value in values]
    for left, one in zip(labels, values, strict=True):
        assert [left == right for right in labels] == [one == two for two in values]


def test_texts_of_equal_hashes_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_mixed", lambda encoded: np.zeros(encoded.size, np.uint64))
    assert texts(["b", "a", "b"]).labels.tolist() == [1, 0, 1]


@given(TEXTS, TEXTS)
def test_texts_are_found_among_others(values: list[str | None], others: list[str | None]) -> None:
    among = texts(others)
    known = dict(zip(others, among.labels.tolist(), strict=True)) | {None: -1}
    assert in_both(texts(values), among).tolist() == [known.get(value, -1) for value in values]


@given(TEXTS, TEXTS, st.booleans(), st.data())
def test_joined_texts_read_like_one_column(
    values: list[str | None],
    others: list[str | None],
    as_objects: bool,  # noqa: FBT001
    data: st.DataObject,
) -> None:
    joined = JoinedTexts(texts(values, as_objects=as_objects), texts(others))
    whole = values + others
    labels = joined.labels.tolist()
    assert list(joined) == whole
    assert joined.present.tolist() == [value is not None for value in whole]
    assert [whole[row] for row in joined.examples.tolist()] == [
        whole[labels.index(label)] for label in range(len(set(whole) - {None}))
    ]
    for left, one in zip(labels, whole, strict=True):
        assert [left == right for right in labels] == [one == two for two in whole]
    rows = data.draw(st.lists(st.integers(-1, len(whole) - 1)))
    expected = [None if row == -1 else whole[row] for row in rows]
    assert list(joined.taken(np.array(rows, dtype=np.int64))) == expected


def test_texts_of_equal_hashes_are_found_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_mixed", lambda encoded: np.zeros(encoded.size, np.uint64))
    others = texts(["b", "a", "b"])
    assert in_both(texts(["a", "c", None, "b"]), others).tolist() == [0, -1, -1, 1]
    assert in_both(texts(["c"]), texts(["a"])).tolist() == [-1]


@given(st.text(min_size=1, max_size=90).filter(lambda text: "\0" not in text))
def test_a_hash_does_not_depend_on_the_width_of_its_column(text: str) -> None:
    encoded = text.encode()
    widths = [np.array([encoded], dtype=f"S{width}") for width in (len(encoded), 400)]
    narrow, wide = (Texts(column).hashes.tolist() for column in widths)
    assert narrow == wide == Texts(np.array([encoded], dtype=np.object_)).hashes.tolist()
