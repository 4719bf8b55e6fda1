import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from foreign_files import FIELDS, ROW, csv_file, events_of, json_file, mapping, replayed

from simulator.errors import ExitCode, OutputFailed
from simulator.generation.partition_keys import partition_key
from simulator.replay.errors import TooManyBadRows
from simulator.replay.mapping import ReplayMapping
from simulator.replay.mapping_reading import parse_mapping
from simulator.replay.replaying import Anchor, Replay, ReplayOptions, ShiftTo

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at_hours(*hours: int | str) -> list[dict[str, Any]]:
    """Return rows at some hours of one day, the text of hours that are none."""
    return [
        {**ROW, "id": f"p{number}", "time": f"2026-01-31T{hour:02}:00:00Z"}
        if isinstance(hour, int)
        else {**ROW, "id": f"p{number}", "time": hour}
        for number, hour in enumerate(hours)
    ]


def test_times_stay_as_they_are_by_default(tmp_path: Path) -> None:
    events, replay = replayed(csv_file(tmp_path, at_hours(3, 1)), mapping())
    assert [event["event_time"][11:13] for event in events] == ["03", "01"]
    assert replay.summary.shift == timedelta()


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        (Anchor.newest, ["2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z", "2026-03-01T09:00:00Z"]),
        (Anchor.oldest, ["2026-03-01T13:00:00Z", "2026-03-01T15:00:00Z", "2026-03-01T12:00:00Z"]),
    ],
)
def test_all_events_move_alike_with_their_anchor(
    tmp_path: Path, anchor: Anchor, expected: list[str]
) -> None:
    rows = at_hours(2, 4, "bad", 1, 9)
    rows[-1]["id"] = "skip"
    mapped = mapping(skip_when=[{"column": "id", "equals": ["skip"]}])
    path = csv_file(tmp_path, rows)
    events, replay = replayed(path, mapped, shift_to=ShiftTo(NOON, anchor))
    assert [event["event_time"] for event in events] == expected
    assert replay.bytes_read == replay.total_bytes == 2 * path.stat().st_size
    assert replay.summary.bad == {"invalid_event_time": 1}


def test_anchor_is_the_newest_within_the_limit(tmp_path: Path) -> None:
    rows = at_hours(2, 4, 3, 9)
    rows[1]["amount"] = "bad"
    path = csv_file(tmp_path, rows)
    events, _ = replayed(path, mapping(), shift_to=ShiftTo(NOON), limit=2)
    assert [event["event_time"] for event in events] == [
        "2026-03-01T11:00:00Z",
        "2026-03-01T12:00:00Z",
    ]


def test_file_without_times_is_not_moved(tmp_path: Path) -> None:
    path = csv_file(tmp_path, at_hours("bad"))
    events, replay = replayed(path, mapping(), shift_to=ShiftTo(NOON))
    assert (events, replay.summary.shift) == ([], timedelta())


def test_event_moved_beyond_all_calendars_is_a_bad_row(tmp_path: Path) -> None:
    rows = [{**ROW, "time": "9999-12-31T00:00:00Z"}, {**ROW, "time": "0001-01-02T00:00:00Z"}]
    _, replay = replayed(csv_file(tmp_path, rows), mapping(), shift_to=ShiftTo(NOON))
    assert replay.summary.bad == {"invalid_event_time": 1}
    assert replay.summary.events == 1


@pytest.mark.parametrize(("limit", "ids"), [(0, []), (2, ["p0", "p2"]), (3, ["p0", "p2", "p0"])])
def test_limit_counts_events_over_all_files(tmp_path: Path, limit: int, ids: list[str]) -> None:
    rows = at_hours(1, "bad", 3)
    files = [csv_file(tmp_path, rows, "a.csv"), csv_file(tmp_path, rows, "b.csv")]
    events, _ = replayed(files, mapping(), limit=limit)
    assert [event["transaction_id"] for event in events] == ids


def test_bad_rows_are_kept_with_file_line_and_reason(tmp_path: Path) -> None:
    rows = at_hours(1, "bad", 3)
    rows[2]["amount"] = "x"
    rejects = tmp_path / "rejects.jsonl"
    events, replay = replayed(csv_file(tmp_path, rows), mapping(), rejects=rejects)
    assert len(events) == 1
    assert [json.loads(line) for line in rejects.read_text().splitlines()] == [
        {
            "file": "rows.csv",
            "line": 3,
            "reason": "invalid_event_time",
            "detail": "event_time: bad is no time as described (rfc3339)",
            "row": {"id": "p1", "time": "bad", "amount": "10.50"},
        },
        {
            "file": "rows.csv",
            "line": 4,
            "reason": "invalid_amount",
            "detail": "amount: x is no number as described",
            "row": {"id": "p2", "time": "2026-01-31T03:00:00Z", "amount": "x"},
        },
    ]
    assert list(replay.summary.lines()) == [
        "1 events in 1 messages, of 3 rows",
        "event times from 2026-01-31T01:00:00+00:00 to 2026-01-31T01:00:00+00:00",
        "1 bad rows: invalid_amount",
        "1 bad rows: invalid_event_time",
    ]


def test_too_many_bad_rows_stop_the_run(tmp_path: Path) -> None:
    path = csv_file(tmp_path, at_hours(1, "bad", "4111111111111111", 4))
    assert len(replayed(path, mapping(), max_rejects=2)[0]) == 2
    with pytest.raises(TooManyBadRows, match=r"rows\.csv:4: invalid_event_time") as caught:
        replayed(path, mapping(), max_rejects=1)
    assert caught.value.exit_code is ExitCode.BAD_ROWS
    assert "4111111111111111" not in str(caught.value)


def test_json_cells_of_bad_rows_are_kept_as_text(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    path = json_file(tmp_path, [ROW, {**ROW, "amount": -1, "none": None, "yes": True}, [7]])
    replayed(path, mapping(), rejects=rejects)
    rows = [json.loads(line)["row"] for line in rejects.read_text().splitlines()]
    assert rows == [{**ROW, "amount": "-1", "none": None, "yes": "true"}, "[7]"]


def test_rejects_that_cannot_be_written_stop_the_run(tmp_path: Path) -> None:
    path = csv_file(tmp_path, at_hours("bad"))
    with pytest.raises(OutputFailed, match="--rejects"):
        replayed(path, mapping(), rejects=tmp_path / "none" / "rejects.jsonl")


def test_full_disk_stops_the_run(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [{**ROW, "amount": "x" * 200}] * 100)
    with pytest.raises(OutputFailed, match="No space left"):
        replayed(path, mapping(), rejects=Path("/dev/full"))
    with pytest.raises(OutputFailed, match="No space left"):
        replayed(csv_file(tmp_path, at_hours("bad")), mapping(), rejects=Path("/dev/full"))


def test_customer_decides_on_the_key_else_the_payment(tmp_path: Path) -> None:
    rows = [{**ROW, "id": "p1", "who": "cus-1"}, {**ROW, "id": "p2", "who": ""}]
    fields = {"customer": {"id": {"column": "who"}}}
    replay = Replay([csv_file(tmp_path, rows)], mapping(fields), ReplayOptions(pack=1))
    assert [message.partition_key for message in replay.messages()] == [
        partition_key("cus-1"),
        partition_key("p2"),
    ]


def test_messages_carry_the_time_of_their_events(tmp_path: Path) -> None:
    replay = Replay([csv_file(tmp_path, at_hours(3, 1, 5))], mapping(), ReplayOptions(pack=1))
    hour = 3_600_000_000
    first, *others = [message.at for message in replay.messages()]
    assert datetime.fromtimestamp(first / 1e6, UTC) == datetime(2026, 1, 31, 3, tzinfo=UTC)
    assert [at - first for at in others] == [0, 2 * hour]


def test_rows_that_were_skipped_are_summed_up(tmp_path: Path) -> None:
    mapped = mapping(skip_when=[{"column": "id", "equals": ["p0"]}])
    _, replay = replayed(csv_file(tmp_path, at_hours(1, 2)), mapped)
    assert "1 rows skipped, being no payments" in replay.summary.lines()


def own_event(**fields: Any) -> dict[str, Any]:
    return {
        "transaction_id": "t",
        "event_time": "2026-01-31T12:00:00.123456789+01:00",
        "amount": 10.50,
        "currency": "EUR",
        "payment_method": "bank_transfer",
        "payment_status": "completed",
        **fields,
    }


def test_own_events_are_replayed_letter_by_letter(tmp_path: Path) -> None:
    lines = [
        b'{"transaction_id": "a",  "event_time":"2026-01-31T12:00:00Z", "amount": 10.50}',
        b'{"anything": [1.0, "\\u00e9"], "customer": 7}',
    ]
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(lines))
    replay = Replay([path], ReplayMapping(), ReplayOptions(pack=1))
    assert [message.body for message in replay.messages()] == lines


def test_own_events_without_readable_time_are_told_when_moved(tmp_path: Path) -> None:
    rows = [
        own_event(customer={"id": "cus-1"}),
        own_event(event_time="yesterday"),
        own_event(event_time="0001-01-02T00:00:00Z"),
    ]
    path = json_file(tmp_path, rows)
    replay = Replay([path], ReplayMapping(), ReplayOptions(pack=1, shift_to=ShiftTo(NOON)))
    messages = list(replay.messages())
    events = events_of(messages)
    assert events[0] == {**rows[0], "event_time": "2026-03-01T12:00:00Z"}
    assert events[1] == rows[1]
    assert replay.summary.unmoved == 1
    assert messages[0].partition_key == partition_key("cus-1")
    assert "1 events have no time that can be read, and were not moved" in replay.summary.lines()


def test_own_event_that_would_leave_the_calendar_stays(tmp_path: Path) -> None:
    rows = [own_event(event_time="9999-12-31T00:00:00Z"), own_event(event_time=NOON.isoformat())]
    shift = ShiftTo(datetime(9999, 12, 31, tzinfo=UTC), Anchor.oldest)
    events, _ = replayed(json_file(tmp_path, rows), ReplayMapping(), shift_to=shift)
    assert events[0] == rows[0]
    assert events[1]["event_time"] == "9999-12-31T00:00:00Z"


def test_own_lines_that_are_no_objects_are_bad_rows(tmp_path: Path) -> None:
    path = json_file(tmp_path, [own_event(), 7, {"x": "y" * 1_000_000}])
    with path.open("a") as file:
        file.write('{"x": "' + "y" * 5_000_000 + '"}\n')
    events, replay = replayed(path, ReplayMapping(), shift_to=ShiftTo(NOON))
    assert len(events) == 1
    assert replay.summary.bad == {"unreadable": 1, "too_large": 2}


def test_own_events_are_masked_if_the_mapping_says_so(tmp_path: Path) -> None:
    path = json_file(tmp_path, [own_event(note="4111111111111111")])
    assert replayed(path, ReplayMapping())[0][0]["note"] == "4111111111111111"
    masked, _ = replayed(path, parse_mapping("card_numbers: mask"))
    assert masked[0]["note"] == "411111******1111"


def test_mapped_event_too_large_for_a_message_is_a_bad_row(tmp_path: Path) -> None:
    fields = {**FIELDS, "metadata": {f"n{number}": {"constant": "x" * 4000} for number in range(5)}}
    _, replay = replayed(csv_file(tmp_path, [ROW]), mapping(fields))
    assert replay.summary.bad == {"metadata_too_large": 1}
