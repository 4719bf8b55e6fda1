"""Simulator, SDK, AMQP endpoint, worker runtime and PostgreSQL, together."""

import json
import random
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hub_reader import messages_in_hub
from oracle import expected_of
from payment_messages import payment_event
from pipeline_probe import (
    await_processed,
    close_windows,
    database,
    differences_to,
    everything_stored,
    query,
    send,
    traffic,
    wait_for_a_window_that_lasts,
)
from stored_state import assert_closed, assert_metrics, assert_stored

from local_azure.environment import LocalAzure
from local_azure.services.errors import ServiceFailed
from local_azure.services.postgresql import StopMode
from shared_code.domain.card_numbers import find_card_numbers
from simulator.message import Message

# Nothing else that is simulated has so many digits in a row.
CARD_NUMBER = re.compile(rb"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")

# Tests that count revisions want nobody else to close windows for so long.
UNDISTURBED_SECONDS = 60


def masked(number: re.Match[bytes]) -> bytes:
    """Return a card number as it is stored."""
    digits = re.sub(rb"\D", b"", number[0])
    return digits[:6] + b"*" * (len(digits) - 10) + digits[-4:]


def bad_messages() -> Iterator[Message]:
    """Bad events between good ones, as far as the oracle knows them."""
    changes: list[dict[str, Any]] = [
        {"currency": "XYZ"},
        {"payment_method": "barter"},
        {"payment_status": "lost"},
        {"amount": "-1.00"},
        {"amount": "1.001"},
        {"amount": "ten"},
        {"event_time": "yesterday"},
        {"event_time": "2001-01-01T00:00:00Z"},
    ]
    ended = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
    for number, change in enumerate(changes):
        events = [payment_event(f"good-{number}-{turn}", event_time=ended) for turn in range(3)]
        events[1].update(change)
        yield Message("1", json.dumps(events).encode(), len(events))
    yield Message("2", b"no JSON", 1)


def test_every_sum_equals_what_was_sent(local_azure: LocalAzure) -> None:
    local_azure.start_host()
    wait_for_a_window_that_lasts(UNDISTURBED_SECONDS)
    simulation = traffic(payments=3000, seed=11)
    send(local_azure, simulation)
    await_processed(local_azure)
    close_windows(local_azure)
    assert differences_to(local_azure, simulation.ledger) == []
    assert query(local_azure, "SELECT count(*), max(revision) FROM window_revisions") == [(6, 1)]


def assert_every_table_equals_the_oracle(local: LocalAzure) -> None:
    """Compare the database with an oracle over the messages that the hub holds."""
    sent = [
        message._replace(body=CARD_NUMBER.sub(masked, message.body))
        for message in messages_in_hub(local)
    ]
    expected = expected_of(sent, datetime.now(UTC))
    with database(local) as connection:
        assert_stored(connection, expected)
        assert_closed(connection, expected)
        assert_metrics(connection, expected)


def test_every_table_equals_an_oracle_over_the_same_messages(local_azure: LocalAzure) -> None:
    local_azure.start_host()
    send(local_azure, [*traffic(payments=2500, seed=17, bad_share=0), *bad_messages()])
    await_processed(local_azure)
    close_windows(local_azure)
    assert_every_table_equals_the_oracle(local_azure)


def test_messages_sent_again_change_no_payment_metric_or_sum(local_azure: LocalAzure) -> None:
    simulation = traffic(payments=600, seed=12)
    messages = list(simulation)
    local_azure.start_host()
    send(local_azure, messages)
    await_processed(local_azure)
    close_windows(local_azure)
    before = everything_stored(local_azure)
    send(local_azure, messages)
    send(local_azure, random.Random(3).sample(messages, len(messages)))
    await_processed(local_azure)
    close_windows(local_azure)
    assert everything_stored(local_azure) == before


def test_killed_host_loses_nothing_and_counts_nothing_twice(local_azure: LocalAzure) -> None:
    simulation = traffic(payments=4000, seed=13, bad_share=0)
    moments = random.Random(13)
    local_azure.start_host()
    sending = threading.Thread(target=send, args=(local_azure, simulation))
    sending.start()
    for _ in range(4):
        time.sleep(moments.uniform(0.2, 1.5))
        local_azure.kill_host()
        local_azure.start_host()
    sending.join()
    await_processed(local_azure)
    close_windows(local_azure)
    assert differences_to(local_azure, simulation.ledger) == []
    assert_every_table_equals_the_oracle(local_azure)


def test_database_outage_only_delays(local_azure: LocalAzure) -> None:
    simulation = traffic(payments=4000, seed=14, bad_share=0)
    local_azure.start_host()
    sending = threading.Thread(target=send, args=(local_azure, simulation))
    sending.start()
    for mode in (StopMode.IMMEDIATE, StopMode.FAST):
        time.sleep(0.7)
        local_azure.postgresql.stop(mode)
        time.sleep(2.0)
        local_azure.postgresql.start()
    sending.join()
    await_processed(local_azure)
    close_windows(local_azure)
    assert differences_to(local_azure, simulation.ledger) == []
    assert_every_table_equals_the_oracle(local_azure)


def test_late_payments_make_a_new_revision(local_azure: LocalAzure) -> None:
    local_azure.start_host()
    wait_for_a_window_that_lasts(UNDISTURBED_SECONDS)
    simulation = traffic(payments=1200, seed=15)
    messages = list(simulation)
    for part in (messages[:30], messages[30:]):
        send(local_azure, part)
        await_processed(local_azure)
        close_windows(local_azure)
    assert differences_to(local_azure, simulation.ledger) == []
    [(latest, all_of_them)] = query(
        local_azure, "SELECT max(revision), count(*) FROM window_revisions"
    )
    assert latest == 2
    assert all_of_them > 6


def test_no_full_card_number_is_stored_or_logged(local_azure: LocalAzure) -> None:
    simulation = traffic(payments=2000, seed=16)
    local_azure.start_host()
    send(local_azure, simulation)
    await_processed(local_azure)
    assert simulation.ledger.qualities["card_number_present"] > 0
    sent = b"".join(message.body for message in simulation).decode("utf-8", "replace")
    assert find_card_numbers(sent)
    stored = "\n".join(str(rows) for rows in everything_stored(local_azure).values())
    log = local_azure.host.log.read_text("utf-8")
    assert find_card_numbers(stored) == []
    assert find_card_numbers(log) == []


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("PII_HASH_KEY", "", "app setting PII_HASH_KEY is missing; for example PII_HASH_KEY="),
        (
            "RETENTION_DAYS",
            "a month",
            "app setting RETENTION_DAYS is expected to be a whole number",
        ),
    ],
)
def test_wrong_setting_stops_the_host_with_a_sentence(
    local_azure: LocalAzure, setting: str, value: str, sentence: str
) -> None:
    # `alembic upgrade` needs the database only, so that the functions are what fails.
    with pytest.raises(ServiceFailed) as failure:
        local_azure.start_host({setting: value})
    assert sentence in str(failure.value)
