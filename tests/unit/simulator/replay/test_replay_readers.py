import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from foreign_files import ROW, csv_file, json_file, mapping
from pyarrow import Table, array, decimal128, parquet

from simulator.replay.errors import UnreadableData
from simulator.replay.mapping import FileFormat
from simulator.replay.readers.csv_rows import CsvRows
from simulator.replay.readers.opening import file_type, open_rows
from simulator.replay.replaying import Replay, ReplayOptions
from simulator.replay.rows import BadRow, Row


def read(path: Path, **file_format: Any) -> list[Row | BadRow]:
    source = open_rows(path, FileFormat(**file_format))
    try:
        return list(source.rows())
    finally:
        source.close()


def written(folder: Path, content: bytes | str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines_and_cells(rows: list[Row | BadRow]) -> list[tuple[int, Any]]:
    return [(row.number, row.cells if isinstance(row, Row) else row.reason) for row in rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_is_read_however_it_is_written(
    tmp_path: Path, delimiter: str, encoding: str, end: str
) -> None:
    lines = ["id,Währung,sum", '1,EUR,"1,5"', '2,"a ""b"" ü",2'] * 20
    text = end.join(line.replace(",", delimiter) for line in lines[:3]) + end
    rows = read(written(tmp_path, text.encode(encoding)))
    assert lines_and_cells(rows) == [
        (2, {"id": "1", "Währung": "EUR", "sum": f"1{delimiter}5"}),
        (3, {"id": "2", "Währung": 'a "b" ü', "sum": "2"}),
    ]


def test_decimal_commas_are_not_taken_for_the_delimiter(tmp_path: Path) -> None:
    text = "01.02.2026;12,50;EUR\n02.02.2026;7,00;EUR\n"
    source = CsvRows(written(tmp_path, text), FileFormat())
    source.close()
    assert source.columns == ("column_1", "column_2", "column_3")


def test_single_quotes_are_detected(tmp_path: Path) -> None:
    rows = read(written(tmp_path, "'a','b'\n'x, y','z'\n"))
    assert lines_and_cells(rows) == [(2, {"a": "x, y", "b": "z"})]


@pytest.mark.parametrize("text", ["x;'y", "it's,'til", "a;'b';c"])
def test_apostrophes_are_not_taken_for_quotes(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, f'"a","b"\n"{text}","1"\n"say ""so""","2"\n')
    assert lines_and_cells(read(path)) == [
        (2, {"a": text, "b": "1"}),
        (3, {"a": 'say "so"', "b": "2"}),
    ]


def test_what_the_format_says_is_believed(tmp_path: Path) -> None:
    path = written(tmp_path, "exported today\n1;'x\n2;y\n")
    rows = read(path, delimiter=";", quote="", columns=("n", "t"), skip_lines=1, header=False)
    assert lines_and_cells(rows) == [(2, {"n": "1", "t": "'x"}), (3, {"n": "2", "t": "y"})]


def test_names_of_the_mapping_replace_those_of_the_header(tmp_path: Path) -> None:
    path = written(tmp_path, "a\tb\n1\t2\n")
    rows = read(path, delimiter="tab", columns=("n", "t"), header=True)
    assert lines_and_cells(rows) == [(2, {"n": "1", "t": "2"})]


def test_columns_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    rows = read(written(tmp_path, "a,,a,a_2\n1,2,3,4\n"), header=True)
    assert lines_and_cells(rows) == [(2, {"a": "1", "column_2": "2", "a_2": "3", "a_2_2": "4"})]


@pytest.mark.parametrize(
    ("first_row", "has_header"),
    [("id,amount", True), ("1,2.5", False), ("id,", True), ("x1,2026-01-01", False)],
)
def test_header_is_detected(tmp_path: Path, first_row: str, has_header: bool) -> None:  # noqa: FBT001
    source = CsvRows(written(tmp_path, f"{first_row}\n1,2.5\n"), FileFormat())
    source.close()
    assert source.dialect.has_header is has_header


def test_lines_are_counted_across_quoted_line_breaks(tmp_path: Path) -> None:
    text = 'a,b\n1,"x\ny\n\nz"\n\n2,w\nbad\n'
    assert lines_and_cells(read(written(tmp_path, text))) == [
        (2, {"a": "1", "b": "x\ny\n\nz"}),
        (7, {"a": "2", "b": "w"}),
        (8, "ragged"),
    ]


def test_bad_csv_rows_harm_no_others(tmp_path: Path) -> None:
    text = b'a,b\n1\n1,2,3\n"x"y,2\n\xfc,2\n3,4\n"never closed,5\n6,7\n'
    rows = read(written(tmp_path, text), encoding="utf-8")
    assert [number for number, _ in lines_and_cells(rows)] == [2, 3, 4, 5, 6, 7]
    reasons = ["ragged", "ragged", "unreadable", "unreadable", {"a": "3", "b": "4"}, "unreadable"]
    assert [cells for _, cells in lines_and_cells(rows)] == reasons
    assert isinstance(rows[3], BadRow)
    assert rows[3].content == ["\N{REPLACEMENT CHARACTER}", "2"]
    assert rows[3].detail == "it is not all utf-8"


def test_truncated_utf_16_is_a_bad_row(tmp_path: Path) -> None:
    rows = read(written(tmp_path, "a,b\n1,2\n3,4".encode("utf-16") + b"x"))
    assert lines_and_cells(rows) == [(2, {"a": "1", "b": "2"}), (3, "unreadable")]


def test_endless_line_is_one_bad_row(tmp_path: Path) -> None:
    rows = read(written(tmp_path, b"a,b\n1," + b"x" * (3 << 20) + b"\n3,4\n"))
    assert lines_and_cells(rows) == [(2, "unreadable"), (3, {"a": "3", "b": "4"})]


def test_header_that_cannot_be_read_names_no_columns(tmp_path: Path) -> None:
    source = CsvRows(written(tmp_path, '"a"x,b\n1,2\n'), FileFormat(header=True, quote='"'))
    assert source.columns == ()
    source.close()


def test_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert read(written(tmp_path, b"")) == []


def test_json_lines_become_columns_of_dotted_paths(tmp_path: Path) -> None:
    text = (
        '\ufeff{"customer": {"id": "c", "at": {"city": null}}, "n": 1.10,'
        ' "i": 12345678901234567890, "list": [1, {"x": 2.50}], "none": {}}\n\n  \n{"n": 2}'
    )
    rows = read(written(tmp_path, text, "rows.json"))
    assert lines_and_cells(rows) == [
        (
            1,
            {
                "customer.id": "c",
                "customer.at.city": None,
                "n": Decimal("1.10"),
                "i": 12345678901234567890,
                "list": '[1,{"x":2.50}]',
            },
        ),
        (4, {"n": 2}),
    ]
    assert str(rows[0].cells["n"]) == "1.10"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "line", ["{", "[1]", "7", '{"a": 1}x', "\xff", '{"a": 1e99999999999999999999}', "[" * 5000]
)
def test_bad_json_lines_harm_no_others(tmp_path: Path, line: str) -> None:
    text = b'{"a": 0}\n' + line.encode("latin-1") + b'\n{"a": 2}\n'
    assert lines_and_cells(read(written(tmp_path, text))) == [
        (1, {"a": 0}),
        (2, "unreadable"),
        (3, {"a": 2}),
    ]


def test_json_line_without_end_is_one_bad_row(tmp_path: Path) -> None:
    text = b'{"a": "' + b"x" * (5 << 20) + b'"}\n{"a": 2}\n'
    rows = read(written(tmp_path, text))
    assert lines_and_cells(rows) == [(1, "too_large"), (2, {"a": 2})]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", '{"a": "1", "b": "2"}\n'])
def test_packed_files_are_read_like_others(tmp_path: Path, text: str) -> None:
    rows = read(written(tmp_path, gzip.compress(text.encode()), "rows.gz"))
    assert [row.cells for row in rows if isinstance(row, Row)] == [{"a": "1", "b": "2"}]


def test_damaged_packed_file_stops_with_its_name(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n" + b"".join(b"%d,2\n" % n for n in range(100_000)))
    path = written(tmp_path, packed[: len(packed) // 2])
    source = open_rows(path, FileFormat())
    with pytest.raises(UnreadableData, match=r"rows\.csv: it is damaged"):
        list(source.rows())
    source.close()


@pytest.mark.parametrize("content", [b"\x1f\x8b" + b"x" * 30, b"\x1f\x8b\x08\x00"])
def test_file_that_only_looks_packed_stops_with_its_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableData, match=r"rows\.csv"):
        read(written(tmp_path, content), type="csv")


def test_file_that_is_not_there_stops_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableData, match=r"none\.csv: No such file"):
        file_type(tmp_path / "none.csv")


def test_parquet_keeps_numbers_exact_and_flattens_structures(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    columns = {
        "who": array([{"id": "c", "at": {"city": "Bonn"}}]),
        "amount": array([Decimal("12345678901234567.89")], decimal128(20, 2)),
        "count": array([2**63 - 1]),
        "raw": array([b"abc"]),
        "tags": array([["x", "y"]]),
        "kind": array(["a"]).dictionary_encode(),
        "ok": array([True]),
    }
    parquet.write_table(Table.from_pydict(columns), path)
    assert lines_and_cells(read(path)) == [
        (
            1,
            {
                "who.id": "c",
                "who.at.city": "Bonn",
                "amount": Decimal("12345678901234567.89"),
                "count": 2**63 - 1,
                "raw": "abc",
                "tags": "['x', 'y']",
                "kind": "a",
                "ok": True,
            },
        )
    ]


def test_parquet_is_read_batch_by_batch_with_progress(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    parquet.write_table(Table.from_pydict({"a": list(range(10_000))}), path)
    source = open_rows(path, FileFormat())
    seen = [source.bytes_read for row in source.rows() if row.number % 2500 == 0]
    source.close()
    size = path.stat().st_size
    assert seen == [size // 4, size // 2, size * 3 // 4, size]


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1", b"nothing"])
def test_damaged_parquet_stops_with_its_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableData, match=r"rows\.csv"):
        read(written(tmp_path, content), type="parquet")


def test_parquet_damaged_further_on_stops_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    parquet.write_table(Table.from_pydict({"a": [str(n) * 20 for n in range(10_000)]}), path)
    content = bytearray(path.read_bytes())
    content[100 : len(content) // 2] = b"\xff" * (len(content) // 2 - 100)
    path.write_bytes(content)
    with pytest.raises(UnreadableData, match=r"rows\.parquet"):
        read(path)


@pytest.mark.parametrize("write", [csv_file, json_file])
def test_progress_goes_from_nothing_to_the_whole_file(tmp_path: Path, write: Any) -> None:
    path = write(tmp_path, [{**ROW, "note": "x" * 500}] * 2000)
    replay = Replay([path], mapping(), ReplayOptions(pack=1))
    seen = [replay.bytes_read for _ in replay.messages()]
    assert 0 < seen[0] < seen[1000] < replay.total_bytes
    assert replay.bytes_read == replay.total_bytes == path.stat().st_size
