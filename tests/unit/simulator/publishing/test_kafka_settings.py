import sys

import pytest
from confluent_kafka import KafkaError

from simulator.errors import EventHubsRefused, EventHubsUnreachable, MissingLibrary
from simulator.message import Message
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.kafka import KafkaPublisher, _Entry
from simulator.publishing.kafka_settings import KafkaSettings
from simulator.publishing.parquet import _pyarrow

KEY = "a-secret-not-to-be-shown"
TEXT = f"Endpoint=sb://bank.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey={KEY}"
SETTINGS = KafkaSettings.of_event_hubs(ProducerSettings.of({}, connection_string=TEXT))


def test_a_connection_string_signs_in_at_the_kafka_endpoint() -> None:
    configuration = SETTINGS.configuration()
    assert configuration["bootstrap.servers"] == "bank.servicebus.windows.net:9093"
    assert configuration["security.protocol"] == "SASL_SSL"
    assert configuration["sasl.mechanisms"] == "PLAIN"
    assert configuration["sasl.username"] == "$ConnectionString"
    assert configuration["sasl.password"] == TEXT


def test_nothing_that_event_hubs_needs_is_left_at_librdkafkas_default() -> None:
    configuration = SETTINGS.configuration()
    assert configuration["enable.idempotence"] is True
    assert configuration["request.timeout.ms"] == 60_000
    assert configuration["socket.keepalive.enable"] is True
    for name in ("metadata.max.age.ms", "connections.max.idle.ms"):
        assert isinstance(configuration[name], int)
        assert int(str(configuration[name])) < 240_000


def test_the_emulator_has_no_tls_and_another_port() -> None:
    text = TEXT.replace("bank.servicebus.windows.net/", "localhost:5672")
    connection = ProducerSettings.of({}, connection_string=f"{text};UseDevelopmentEmulator=true;")
    configuration = KafkaSettings.of_event_hubs(connection).configuration()
    assert configuration["bootstrap.servers"] == "localhost:9092"
    assert configuration["security.protocol"] == "SASL_PLAINTEXT"


def test_a_kafka_of_ones_own_is_used_without_signing_in() -> None:
    configuration = KafkaSettings("payments", bootstrap="one:9092,two:9092").configuration()
    assert configuration["bootstrap.servers"] == "one:9092,two:9092"
    assert not [name for name in configuration if "sasl" in name or "security" in name]


def test_the_key_is_neither_in_the_representation_nor_in_cleaned_text() -> None:
    assert KEY not in repr(SETTINGS)
    assert SETTINGS.without_secrets(f"bad {KEY}") == "bad ***"
    assert KafkaSettings("payments").without_secrets("text") == "text"


def test_missing_libraries_are_named_with_what_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingLibrary, match=r"confluent-kafka.*requirements-simulator\.txt"):
        KafkaPublisher(SETTINGS).__enter__()
    with pytest.raises(MissingLibrary, match=r"pyarrow.*requirements-simulator\.txt"):
        _pyarrow()


@pytest.mark.parametrize(
    ("code", "expected", "text"),
    [
        (KafkaError.UNKNOWN_TOPIC_OR_PART, EventHubsRefused, "there is no event hub or topic"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, EventHubsRefused, "the right to send"),
        (KafkaError._AUTHENTICATION, EventHubsRefused, "the right to send"),
        (KafkaError.MSG_SIZE_TOO_LARGE, EventHubsRefused, "larger than"),
        (KafkaError.POLICY_VIOLATION, EventHubsUnreachable, r"is throttling.*--rate"),
        (KafkaError._MSG_TIMED_OUT, EventHubsUnreachable, r"cannot reach .*\(\*\*\* is wrong\)"),
    ],
)
def test_failures_say_what_to_do_without_the_key(
    code: int, expected: type[Exception], text: str
) -> None:
    publisher = KafkaPublisher(SETTINGS)
    publisher.counters.acknowledge(1, 1, 1, 0.1)
    publisher._on_trouble(KafkaError(KafkaError._TRANSPORT, f"{KEY} is wrong"))
    entry = _Entry(Message("1", b"{}", 1), 0.0)
    publisher._on_delivery(entry, KafkaError(code), None)
    with pytest.raises(expected, match=text) as caught:
        publisher._raise_failure()
    assert KEY not in str(caught.value)
    assert publisher.counters.failures == 2


def test_a_wrong_key_fails_at_once_but_one_that_was_good_is_given_time() -> None:
    trouble = KafkaError(KafkaError._AUTHENTICATION, "Unauthorized access")
    publisher = KafkaPublisher(SETTINGS)
    publisher._on_trouble(trouble)
    with pytest.raises(EventHubsRefused, match=r"the right to send\? Unauthorized access"):
        publisher._raise_failure()
    publisher = KafkaPublisher(SETTINGS)
    publisher.counters.acknowledge(1, 1, 1, 0.1)
    publisher._on_trouble(trouble)
    publisher._raise_failure()


def test_what_librdkafka_cannot_get_over_fails_at_once() -> None:
    publisher = KafkaPublisher(SETTINGS)
    publisher.counters.acknowledge(1, 1, 1, 0.1)
    publisher._on_trouble(KafkaError(KafkaError._FENCED, "fenced", fatal=True))
    with pytest.raises(EventHubsUnreachable, match="fenced"):
        publisher._raise_failure()


def test_messages_that_are_purged_after_a_failure_are_no_failures_of_their_own() -> None:
    publisher = KafkaPublisher(SETTINGS)
    entry = _Entry(Message("1", b"{}", 1), 0.0)
    publisher._on_delivery(entry, KafkaError(KafkaError._PURGE_QUEUE), None)
    publisher._raise_failure()
    assert publisher.counters.failures == 0
