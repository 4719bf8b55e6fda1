import sys

import pytest

from simulator.publishing.connection import ProducerSettings
from simulator.publishing.errors import MissingLibrary
from simulator.publishing.kafka import KafkaPublisher
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
