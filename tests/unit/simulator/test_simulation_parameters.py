from datetime import UTC, datetime, timedelta, timezone

import pytest

from simulator.errors import InvalidParameters
from simulator.parameters import Parameters

END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("payments", 0),
        ("payments", 10_000_001),
        ("windows", 0),
        ("pack", 0),
        ("pack", 5_001),
        ("bad_share", -0.1),
        ("duplicate_share", 0.51),
        ("late_share", float("nan")),
        ("conflict_share", 1.0),
        ("end", datetime(2026, 3, 1, 12, 1, tzinfo=UTC)),
        ("end", datetime(2026, 3, 1, 12, 0)),  # noqa: DTZ001 - the lack of an offset is the point
    ],
)
def test_a_parameter_out_of_range_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidParameters, match=f"^{name} must be ") as caught:
        Parameters(**{"end": END, name: value})
    assert caught.value.parameter == name


def test_end_may_stand_in_another_offset() -> None:
    parameters = Parameters(end=END.astimezone(timezone(timedelta(hours=5, minutes=30))), windows=2)
    assert parameters.start == END - timedelta(minutes=10)
