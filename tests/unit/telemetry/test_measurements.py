"""What is measured is what the instruments take."""

import logging
from datetime import timedelta

import pytest
from payment_messages import NOW
from telemetry_probe import Told, told

from shared_code.telemetry.measurements import PARTITION, record_lag

__all__ = ["told"]


@pytest.mark.parametrize(("ahead", "waited"), [(-2, 2), (0, 0), (2, 0)])
def test_no_message_has_waited_less_than_not_at_all_however_far_the_clocks_are_apart(
    told: Told, caplog: pytest.LogCaptureFixture, ahead: int, waited: int
) -> None:
    with caplog.at_level(logging.WARNING):
        record_lag("3", NOW + timedelta(seconds=ahead), NOW)
    assert told.measured()["payments.lag"] == [({PARTITION: "3"}, (1, waited))]
    assert caplog.messages == []
