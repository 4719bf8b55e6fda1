"""The simulator's commands against a database, an event hub and a Kafka cluster that exist."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from pipeline_probe import traffic
from store_fixtures import NewStore, Store

from shared_code.domain.decoding import Message, Origin
from simulator.cli.main import main
from simulator.ledger import Ledger


@pytest.fixture(scope="module")
def scored(
    new_store: NewStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, Path]]:
    """A database that has processed a simulation, and the file of its ledger."""
    simulation = traffic(payments=2000, seed=51)
    messages = [
        Message(Origin("local", "payments", "0", number), message.body)
        for number, message in enumerate(simulation)
    ]
    path = tmp_path_factory.mktemp("scored") / "ledger.json"
    with new_store() as store:
        store.metrics.process_batch(messages)
        store.metrics.aggregate()
        simulation.ledger.save(path)
        yield store, path


def test_a_simulation_is_scored_by_the_rules_that_are_active(
    scored: tuple[Store, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, ledger = scored
    files = ["--json", str(tmp_path / "score.json"), "--chart", str(tmp_path / "score.svg")]
    kinds = ["--kinds", "negative_amount,missing_email"]
    database = ["--database-url", store.url]
    assert main(["score", str(ledger), *database, *kinds, *files]) == 0
    said = capsys.readouterr().out
    assert "negative_amount" in said
    assert "worst: recall 1.00" in said
    score = json.loads((tmp_path / "score.json").read_text("utf-8"))
    assert [each["kind"] for each in score["kinds"]] == ["missing_email", "negative_amount"]
    assert (tmp_path / "score.svg").read_text("utf-8").startswith("<?xml")


def test_a_score_below_what_is_asked_for_has_an_exit_code_of_its_own(
    scored: tuple[Store, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, file = scored
    ledger = Ledger.load(file)
    invented = [each for each in ledger.injected if each.violation == "negative_amount"]
    assert invented
    text = file.read_text("utf-8").replace(invented[0].refused[0].body_hash, "00" * 16)
    text = text.replace(invented[0].refused[0].transaction_id or "?", "pay_nobody")
    (tmp_path / "ledger.json").write_text(text, "utf-8")
    asked = ["--kinds", "negative_amount", "--minimum-recall", "1"]
    code = main(["score", str(tmp_path / "ledger.json"), "--database-url", store.url, *asked])
    assert code == 1
    assert "negative_amount: recall" in capsys.readouterr().out


def test_a_run_and_a_replay_go_to_a_kafka_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # librdkafka's own cluster lives as long as the producer that asks for it.
    cluster = Producer({"test.mock.num.brokers": 1})
    metadata = cluster.list_topics("payments", timeout=20)
    bootstrap = ",".join(f"{each.host}:{each.port}" for each in metadata.brokers.values())
    where = ["--bootstrap", bootstrap, "--quiet"]
    clean = ["--profile", "clean", "--payments", "300"]
    assert main(["run", *clean, "--ledger", "ledger.json", *where]) == 0
    assert main(["run", *clean, "--events", "events.jsonl", "--quiet", "--seed", "8"]) == 0
    assert main(["replay", "events.jsonl", *where]) == 0
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "test", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["payments"])
    ids: set[str] = set()
    while len(ids) < 600:
        message = consumer.poll(20)
        assert message is not None, f"only {len(ids)} events arrived"
        if message.error() is None:
            value = json.loads(message.value())
            events = value if isinstance(value, list) else [value]
            ids |= {event["transaction_id"] + event["payment_status"] for event in events}
    consumer.close()
    assert len(ids) == 600
