"""``python -m shared_code rules``, against a real database and real blob storage."""

import json
import re
import shlex
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from payment_messages import NOW, WINDOW_START, messages, payment_event
from rule_documents import document, rapid_fire, rule, use_rules
from store_fixtures import Store

from shared_code.__main__ import command_line, main
from shared_code.engine.metric_engine import SHIPPED_RULES
from shared_code.rules.document_text import parse_document
from shared_code.store.rule_archive import (
    ACTIVE_BLOB,
    BlobRuleArchive,
    KeptDocument,
    VersionTaken,
    publish_active,
)
from shared_code.store.rule_store import document_hash

HIGH = {"field": "amount", "operator": "gte", "value": 1000}
LOWER = {"field": "amount", "operator": "gte", "value": 500}
FAILED = {"field": "payment_status", "operator": "eq", "value": "failed"}


class Shell:
    """Runs commands and keeps what they say."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capsys = capsys
        self._folder = folder

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit code of a command, what it says, and what it complains of."""
        self._capsys.readouterr()
        exit_code = main(["rules", *arguments])
        said = self._capsys.readouterr()
        return exit_code, said.out.strip(), said.err.strip()

    def file(self, content: bytes, name: str = "rules.json") -> str:
        """Write a file and return its path."""
        path = self._folder / name
        path.write_bytes(content)
        return str(path)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    return Shell(capsys, tmp_path)


@pytest.fixture
def container(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContainerClient]:
    name = f"rules-{uuid.uuid4().hex}"
    monkeypatch.setenv("RulesStorage", azurite)
    monkeypatch.setenv("RULES_CONTAINER", name)
    with BlobServiceClient.from_connection_string(azurite) as service:
        yield service.create_container(name)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but those that a test asks for: an operator needs no key to personal data."""
    for name in ("DATABASE_URL", "DATABASE_HOST", "RulesStorage", "PII_HASH_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def used(store: Store, monkeypatch: pytest.MonkeyPatch, environment: None) -> Store:  # noqa: ARG001
    """A database that the commands reach, with version 1.0.0 active."""
    monkeypatch.setenv("DATABASE_URL", store.url)
    use_rules(store, rule("high", when=HIGH))
    return store


class Reloading:
    """Does what ReloadRules does, whenever a document waits."""

    def __init__(self, store: Store, container: ContainerClient) -> None:
        self._metrics = store.engine()
        self._container = container
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        seen: set[str] = set()
        archive = BlobRuleArchive(service_of(self._container), self._container.container_name)
        while not self._ended.wait(0.05):
            for blob in self._container.list_blobs("incoming/"):
                if blob.etag not in seen:
                    seen.add(blob.etag)
                    content = self._container.download_blob(blob.name).readall()
                    outcome = self._metrics.reload_rules(content, blob.name, archive)
                    if outcome.report:
                        rejected = blob.name.replace("incoming/", "rejected/")
                        self._container.upload_blob(rejected, outcome.report, overwrite=True)


def service_of(container: ContainerClient) -> BlobServiceClient:
    return BlobServiceClient(container.url.rsplit("/", 1)[0], credential=container.credential)


def waiting(container: ContainerClient) -> dict[str, bytes]:
    return {
        blob.name: container.download_blob(blob.name).readall()
        for blob in container.list_blobs("incoming/")
    }


def active_version(store: Store) -> str:
    return str(
        store.value("""
            SELECT version FROM rule_set_activations JOIN rule_sets USING (rule_set)
            WHERE role = 'active' ORDER BY activation_id DESC LIMIT 1
        """)
    )


def test_a_right_document_is_told_by_version_scopes_and_hash(shell: Shell) -> None:
    content = document("1.2.0", rule("high", when=HIGH), rapid_fire())
    exit_code, said, _ = shell("validate", shell.file(content))
    assert exit_code == 0
    assert "version 1.2.0 is right: 2 rules (1 transaction, 1 velocity)" in said
    assert document_hash(content).hex() in said


def test_a_wrong_document_is_told_by_every_mistake(shell: Shell) -> None:
    wrong = rule("high", when={"field": "amuont", "operator": "gte", "value": 1}, severity="hihg")
    file = shell.file(json.dumps({"version": "1.0.0", "rules": [wrong]}).encode())
    exit_code, said, complaint = shell("validate", file)
    assert (exit_code, said) == (1, "")
    assert "$.rules[0].when.field: there is no field" in complaint
    assert "Did you mean 'amount'?" in complaint
    assert complaint.endswith(f"2 mistakes in {file}")
    exit_code, said, _ = shell("validate", file, "--json")
    found = json.loads(said)
    assert (exit_code, found["valid"], len(found["errors"])) == (1, False, 2)
    assert set(found["errors"][0]) == {"path", "message", "suggestion"}


def test_a_missing_file_is_told_with_what_to_do(shell: Shell) -> None:
    exit_code, _, complaint = shell("validate", "no-such.json")
    assert exit_code == 1
    assert complaint == (
        "error: cannot read no-such.json: No such file or directory;"
        " name another file, or - for stdin"
    )


@pytest.mark.parametrize(
    ("old", "amount", "exit_code", "told"),
    [
        ("active", 1000, 0, "both mean the same"),
        ("active", 500, 1, "~ high\n    when: amount gte: 1000 -> 500"),
        ("1.0.0", 500, 1, "note: version 1.0.0 -> 2.0.0 is raised more than needed"),
    ],
)
@pytest.mark.usefixtures("used")
def test_a_diff_takes_files_and_versions_and_tells_by_its_exit_code(
    shell: Shell, old: str, amount: int, exit_code: int, told: str
) -> None:
    new = rule("high", when=HIGH | {"value": amount})
    version = "1.0.0" if amount == 1000 else "2.0.0"
    content = f"version: {version}\nrules:\n- {json.dumps(new)}\n".encode()
    found, said, _ = shell("diff", old, shell.file(content, "rules.yaml"))
    assert found == exit_code
    assert told in said


def test_a_diff_with_trouble_ends_with_two(used: Store, shell: Shell) -> None:
    assert active_version(used) == "1.0.0"
    exit_code, _, complaint = shell("diff", "active", "7.7.7")
    assert exit_code == 2
    assert "no rule set of version 7.7.7 was ever accepted" in complaint


def test_a_document_is_tried_on_events_of_any_time(shell: Shell) -> None:
    rules = document("1.0.0", rule("high", when=HIGH), rule("abroad", when=ABROAD), rapid_fire())
    old = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
    events = [payment_event(f"t{at}", event_time=old, amount="2000.00") for at in range(3)]
    events.append(payment_event("t9", event_time=old, merchant={"id": "m"}))
    lines = [*map(json.dumps, events), json.dumps(events[0]), json.dumps([payment_event("t8")])]
    wrong = json.dumps(payment_event("t7", currency="XXQ"))
    file = shell.file("\n".join([*lines, wrong, "{"]).encode(), "events.jsonl")
    exit_code, said, _ = shell("test", shell.file(rules), "--events", file, "--examples", "1")
    assert exit_code == 0
    assert said.startswith("5 payments, 1 repeated, 2 rejected; nothing was stored")
    assert "rejected at 7: unknown_currency" in said
    assert "rejected at 8: not_json" in said
    assert "high: transaction_id t0" in said
    exit_code, said, _ = shell("test", shell.file(rules), "--events", file, "--json")
    found = {each["rule_id"]: each for each in json.loads(said)["rules"]}
    assert found["high"]["outcomes"] == {"matched": 3}
    assert found["abroad"]["outcomes"] == {"indeterminate": 1}
    assert (found["rapid_fire"]["outcomes"], found["rapid_fire"]["alerts"]) == ({"matched": 1}, 1)


ABROAD = {"field": "merchant.country", "operator": "ne", "value": "DE"}


@pytest.mark.parametrize("layout", ["array", "object"])
def test_events_come_as_an_array_or_as_one_object(shell: Shell, layout: str) -> None:
    event = payment_event(amount="2000.00")
    content = json.dumps([event] if layout == "array" else event, indent=2).encode()
    rules = shell.file(document("1.0.0", rule("high", when=HIGH)))
    exit_code, said, _ = shell("test", rules, "--events", shell.file(content, "e.json"))
    assert exit_code == 0
    assert said.startswith("1 payments, 0 repeated, 0 rejected")


def test_an_upload_is_followed_until_it_is_active(
    used: Store, container: ContainerClient, shell: Shell
) -> None:
    file = shell.file(document("1.1.0", rule("high", when=LOWER), based_on="1.0.0"))
    with Reloading(used, container):
        exit_code, said, complaint = shell("upload", file, "--wait", "20", "--reason", "agreed")
    assert exit_code == 0
    assert said.startswith("version 1.1.0 active after ")
    assert "warning" not in complaint
    assert active_version(used) == "1.1.0"
    exit_code, said, _ = shell("history")
    assert exit_code == 0
    assert "upload of incoming/1.1.0.json" in said
    assert "agreed" in said
    # Once more is no mistake, and changes nothing.
    exit_code, said, _ = shell("upload", file, "--reason", "agreed")
    assert (exit_code, len(waiting(container))) == (0, 1)
    assert "is active already" in said


def test_an_upload_that_is_refused_meanwhile_is_told_with_its_errors(
    used: Store, container: ContainerClient, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shell.file(document("1.1.0", rule("high", when=LOWER), based_on="1.0.0"))
    offer = BlobRuleArchive.offer

    def offer_and_lose(archive: BlobRuleArchive, *arguments: Any) -> bool:
        use_rules(used, rule("high", when=FAILED), version="1.2.0")
        return offer(archive, *arguments)

    monkeypatch.setattr(BlobRuleArchive, "offer", offer_and_lose)
    with Reloading(used, container):
        exit_code, said, complaint = shell("upload", file, "--wait", "20")
    assert (exit_code, said) == (1, "")
    assert "version 1.1.0 refused after " in complaint
    assert "it is based on version 1.0.0, but 1.2.0 is active" in complaint
    monkeypatch.setattr(BlobRuleArchive, "offer", offer)
    # What was refused has left its place to a better document.
    better = document("1.3.0", rule("high", when=LOWER), based_on="1.2.0")
    container.upload_blob("incoming/1.3.0.json", b"refused once")
    report = {"sha256": document_hash(b"refused once").hex(), "errors": []}
    container.upload_blob("rejected/1.3.0.json", json.dumps(report).encode())
    assert shell("upload", shell.file(better))[0] == 0
    assert waiting(container)["incoming/1.3.0.json"] == better


def test_an_upload_that_would_be_refused_never_leaves_the_desk(
    used: Store, container: ContainerClient, shell: Shell
) -> None:
    use_rules(used, rule("high", when=LOWER), version="1.1.0")
    for version, based_on, told in (
        ("1.0.5", None, "version 1.0.5 is not above 1.1.0"),
        ("1.1.0", None, "version 1.1.0 is taken by another document"),
        ("1.2.0", "1.0.0", "it is based on version 1.0.0, but 1.1.0 is active"),
    ):
        changes = {} if based_on is None else {"based_on": based_on}
        content = document(version, rule("high", when=FAILED), **changes)
        exit_code, said, complaint = shell("upload", shell.file(content))
        assert (exit_code, said) == (1, "")
        assert told in complaint
    assert waiting(container) == {}
    assert used.value("SELECT count(*) FROM rule_sets") == 2


def test_a_document_that_does_not_say_what_it_is_based_on_is_warned_of(
    used: Store, container: ContainerClient, shell: Shell
) -> None:
    assert active_version(used) == "1.0.0"
    content = document("1.1.0", rule("high", when=LOWER))
    exit_code, _, complaint = shell("upload", shell.file(content))
    assert (exit_code, waiting(container)) == (0, {"incoming/1.1.0.json": content})
    assert complaint.startswith("warning: the document does not say by 'based_on'")
    assert "from version 1.0.0" in complaint


@pytest.mark.usefixtures("used")
def test_an_upload_that_nobody_takes_up_is_told_when_patience_ends(
    container: ContainerClient, shell: Shell
) -> None:
    content = document("1.1.0", rule("high", when=LOWER))
    exit_code, said, complaint = shell("upload", shell.file(content), "--wait", "1")
    assert (exit_code, said, len(waiting(container))) == (1, "", 1)
    assert "neither active nor refused after 1 s" in complaint


def test_of_two_uploads_of_one_version_one_wins_and_the_other_is_told(
    container: ContainerClient, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = [tmp_path / f"by-{at}.yaml" for at in range(2)]
    for at, file in enumerate(files):
        file.write_bytes(document("1.1.0", rule("high", when=HIGH), description=f"by {at}"))
    start = threading.Barrier(len(files))

    def send(at: int) -> int:
        start.wait()
        return main(["rules", "upload", str(files[at]), "--by", f"person-{at}"])

    with ThreadPoolExecutor(len(files)) as pool:
        exit_codes = list(pool.map(send, range(len(files))))
    assert sorted(exit_codes) == [0, 1]
    winner = exit_codes.index(0)
    assert waiting(container)["incoming/1.1.0.json"] == files[winner].read_bytes()
    complaint = capsys.readouterr().err
    assert f"version 1.1.0 was uploaded already by person-{winner} at " in complaint
    assert "raise the version" in complaint


@pytest.mark.usefixtures("container")
def test_the_same_content_uploaded_by_two_people_is_fine(shell: Shell) -> None:
    file = shell.file(document("1.1.0", rule("high", when=HIGH)))
    assert shell("upload", file, "--by", "ada")[0] == 0
    exit_code, said, _ = shell("upload", file, "--by", "bob")
    assert exit_code == 0
    assert "waits already, with just this content" in said


def test_of_many_who_replace_a_refused_document_at_once_one_wins(
    container: ContainerClient,
) -> None:
    container.upload_blob("incoming/1.1.0.json", b"wrong")
    report = {"sha256": document_hash(b"wrong").hex(), "errors": []}
    container.upload_blob("rejected/1.1.0.json", json.dumps(report).encode())
    start = threading.Barrier(4)

    def offer(at: int) -> bool:
        archive = BlobRuleArchive(service_of(container), container.container_name)
        start.wait()
        try:
            return archive.offer("1.1.0", b"right %d" % at, f"person {at}")
        except VersionTaken:
            return False

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(offer, range(4)))
    assert sum(won) == 1
    assert waiting(container)["incoming/1.1.0.json"] == b"right %d" % won.index(True)


def test_a_rollback_counts_in_the_database_and_in_blob_storage(
    used: Store, container: ContainerClient, shell: Shell
) -> None:
    use_rules(used, rule("high", when=LOWER), version="1.1.0")
    exit_code, said, _ = shell("rollback", "1.0.0", "--reason", "floods", "--by", "ada")
    assert exit_code == 0
    assert "version 1.0.0 is active instead of 1.1.0, in the database; and in blob storage" in said
    assert "when: amount gte: 500 -> 1000" in said
    assert active_version(used) == "1.0.0"
    found = container.download_blob(ACTIVE_BLOB).readall()
    assert found == document("1.0.0", rule("high", when=HIGH))
    listed = json.loads(shell("history", "--json")[1])["activations"]
    assert [(each["version"], each["by"], each["reason"]) for each in listed] == [
        ("1.0.0", "ada", "floods"),
        ("1.1.0", "a test", "a test"),
        ("1.0.0", "a test", "a test"),
    ]
    exit_code, _, complaint = shell("rollback", "1.0.0", "--reason", "again")
    assert exit_code == 1
    assert "active already" in complaint


def test_publishing_heals_a_blob_that_an_older_upload_wrote_meanwhile(
    used: Store, container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = BlobRuleArchive(service_of(container), container.container_name)
    look, intrusions = BlobRuleArchive.active, iter(range(2))

    def look_and_be_overtaken(self: BlobRuleArchive) -> KeptDocument | None:
        found = look(self)
        if next(intrusions, None) is not None:
            container.upload_blob(ACTIVE_BLOB, b"an older document", overwrite=True)
        return found

    monkeypatch.setattr(BlobRuleArchive, "active", look_and_be_overtaken)
    assert publish_active(archive, used.database) == "1.0.0"
    found = container.download_blob(ACTIVE_BLOB).readall()
    assert found == document("1.0.0", rule("high", when=HIGH))


def test_publishing_after_many_rollbacks_at_once_agrees_with_the_database(
    used: Store, container: ContainerClient
) -> None:
    versions = ["1.1.0", "1.2.0", "1.3.0"]
    for at, version in enumerate(versions):
        use_rules(used, rule("high", value=at), version=version)
    start = threading.Barrier(3)

    def roll(version: str) -> int:
        start.wait()
        return main(["rules", "rollback", version, "--reason", "a race"])

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(roll, ["1.0.0", "1.1.0", "1.2.0"])) == [0, 0, 0]
    stored = parse_document(container.download_blob(ACTIVE_BLOB).readall())
    assert stored["version"] == active_version(used)


@pytest.mark.parametrize("name", ["rules.yaml", "rules.json"])
def test_what_is_exported_can_be_edited_and_uploaded(used: Store, shell: Shell, name: str) -> None:
    use_rules(used, rule("high", when=LOWER), version="1.1.0")
    path = shell._folder / name
    exit_code, said, _ = shell("export", "-o", str(path))
    assert exit_code == 0
    assert "raise 'version' before you upload it" in said
    found = parse_document(path.read_bytes())
    assert (found["version"], found["based_on"]) == ("1.1.0", "1.1.0")
    assert path.read_bytes().lstrip(b"{\n ").strip(b'"').startswith(b"version")
    assert shell("diff", "active", str(path))[0] == 0


def test_an_older_version_is_exported_as_based_on_the_active_one(used: Store, shell: Shell) -> None:
    use_rules(used, rule("high", when=LOWER), version="1.1.0")
    exit_code, said, complaint = shell("export", "--version", "1.0.0", "--format", "json")
    found = json.loads(said)
    assert (exit_code, found["version"], found["based_on"]) == (0, "1.0.0", "1.1.0")
    assert "raise 'version'" in complaint


@pytest.mark.parametrize(
    ("start", "stop"),
    [(("shadow", "{}"), ("shadow", "stop")), (("shadow", "start", "{}"), ("shadow", "--stop"))],
)
def test_a_shadow_is_started_and_stopped(
    used: Store, shell: Shell, start: tuple[str, ...], stop: tuple[str, ...]
) -> None:
    file = shell.file(document("2.0.0", rule("high", when=LOWER)))
    command = [part.format(file) for part in start]
    exit_code, said, _ = shell(*command, "--reason", "a week", "--by", "ada")
    assert exit_code == 0
    assert said.startswith("version 2.0.0 runs as a shadow")
    assert active_version(used) == "1.0.0"
    assert shell(*stop, "--by", "bob")[:2] == (
        0,
        "the shadow 2.0.0 has ended; 'rules shadow report' still compares it",
    )
    exit_code, _, complaint = shell(*stop)
    assert exit_code == 1
    assert "no shadow runs" in complaint
    listed = json.loads(shell("history", "--json")[1])["activations"]
    told = [(each["role"], each["by"], each["reason"]) for each in listed[:2]]
    assert told == [("shadow_ended", "bob", "ended"), ("shadow", "ada", "a week")]


def test_a_shadow_is_compared_payment_by_payment_window_by_window_and_alert_by_alert(
    used: Store, shell: Shell
) -> None:
    count = {"function": "count"}
    active = (
        rule("high", when=HIGH),
        rule("failed", "window", when=FAILED, measure=count),
        rapid_fire(times=3),
        rule("gone", when=FAILED),
    )
    use_rules(used, *active, version="1.1.0")
    before = [payment_event(f"before-{at}", amount="2000.00") for at in range(5)]
    used.metrics.process_batch(messages(*before), now=NOW)
    candidate = (
        rule("high", when=LOWER, value={"field": "amount"}),
        rule("failed", "window", measure=count),
        rapid_fire(times=4),
        rule("abroad", when=ABROAD),
    )
    assert shell("shadow", shell.file(document("2.0.0", *candidate)))[0] == 0
    assert "no window was judged by it yet" in shell("shadow", "report")[1]
    amounts = ["100.00", "600.00", "1000.00", "2000.00", "3000.00"]
    after = [
        payment_event(
            f"after-{at}",
            amount=amount,
            event_time=WINDOW_START + timedelta(minutes=15, seconds=at),
            payment_status="failed" if at < 2 else "completed",
            customer={"id": "ada" if at < 3 else "bob"},
            merchant=None if at == 4 else {"id": "m", "country": "DE"},
        )
        for at, amount in enumerate(amounts)
    ]
    used.metrics.process_batch(messages(*after), now=NOW)
    used.metrics.aggregate(NOW)
    exit_code, said, _ = shell("shadow", "report", "--json")
    assert exit_code == 0
    found = json.loads(said)
    assert (found["shadow"]["version"], found["windows"]) == ("2.0.0", 2)
    matches = {each.pop("rule_id"): tuple(each.values()) for each in found["matches"]}
    # Payments that were stored before the shadow started say nothing about it.
    assert matches == {
        "abroad": (0, 0, 0, 0, 1, 0),
        "gone": (0, 2, 0, 0, 0, 0),
        "high": (3, 0, 1, 0, 0, 3),
    }
    values = {each.pop("rule_id"): tuple(each.values()) for each in found["values"]}
    assert values == {"failed": (0, 1, 0, 1), "rapid_fire": (1, 0, 1, 0)}
    alerts = {each.pop("rule_id"): tuple(each.values()) for each in found["alerts"]}
    assert alerts == {"rapid_fire": (1, 1, 0)}
    text = shell("shadow", "report")[1]
    assert "failed" in text
    assert "2 -> 5" in text
    assert shell("shadow", "report", "--hours", "1")[1].endswith("once they are closed")


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize("arguments", [["start"], [], ["stop", "x"], ["report", "--stop"]])
def test_a_shadow_command_without_sense_is_wrong_usage(shell: Shell, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        shell("shadow", *arguments)
    assert ended.value.code == 2


def test_a_suppression_is_recorded_with_its_end_reason_and_author(
    used: Store, shell: Shell
) -> None:
    command = ("suppress", "high", "cus-1", "--until", "+8h", "--reason", "load test")
    exit_code, said, _ = shell(*command, "--by", "ada")
    assert exit_code == 0
    assert "new alerts of high for cus-1 until " in said
    found = used.rows("""
        SELECT rule_id, subject, reason, created_by, until - created_at BETWEEN
               interval '7 hours 59 minutes' AND interval '8 hours' FROM rule_suppressions
    """)
    assert found == [("high", "cus-1", "load test", "ada", True)]
    exit_code, said, _ = shell("suppressions")
    assert exit_code == 0
    assert "load test" in said
    ((listed,),) = (json.loads(shell("suppressions", "--json")[1]),)
    assert (listed["rule_id"], listed["by"]) == ("high", "ada")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("hihg", "--until", "+8h"), "has no rule 'hihg'; did you mean 'high'?"),
        (("high", "--until", "2020-01-01T00:00Z"), "ends within 365 days from now"),
        (("high", "--until", "+53w"), "ends within 365 days from now"),
    ],
)
def test_a_suppression_without_sense_is_refused(
    used: Store, shell: Shell, arguments: tuple[str, ...], told: str
) -> None:
    exit_code, said, complaint = shell("suppress", *arguments, "--reason", "a test")
    assert (exit_code, said) == (1, "")
    assert told in complaint
    assert used.value("SELECT count(*) FROM rule_suppressions") == 0
    assert shell("suppressions")[1] == "no suppression is in force"


@pytest.mark.parametrize(
    "arguments",
    [
        ["suppress", "high", "--until", "soon", "--reason", "x"],
        ["suppress", "high", "--until", "+8h"],
        ["suppress", "high", "--until", "+8h", "--reason", " "],
        ["rollback", "1.0.0"],
        ["nonsense"],
        [],
    ],
)
def test_wrong_usage_ends_with_two(shell: Shell, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        shell(*arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (("history",), "DATABASE_URL"),
        (("upload", str(SHIPPED_RULES)), "RulesStorage"),
        (("upload", str(SHIPPED_RULES), "--wait", "1"), "DATABASE_URL"),
    ],
)
def test_a_setting_that_a_command_needs_is_named(
    shell: Shell, command: tuple[str, ...], setting: str
) -> None:
    exit_code, _, complaint = shell(*command)
    assert exit_code == 1
    assert complaint.startswith(f"error: app setting {setting} is missing")


@pytest.mark.parametrize("command", ["validate", "diff", "test", "upload", "rollback", "shadow"])
def test_help_teaches_by_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rules", command, "--help"])
    assert ended.value.code == 0
    assert f"example:\n  python -m shared_code rules {command}" in capsys.readouterr().out


def test_the_rules_page_shows_commands_as_they_work() -> None:
    page = (Path(__file__).parents[3] / "docs" / "rules.md").read_text("utf-8")
    shown = re.findall(r"^    python -m shared_code (rules .+)$", page, re.MULTILINE)
    assert len(shown) >= 15
    for command in shown:
        assert command_line().parse_args(shlex.split(command)).group is not None


@pytest.mark.usefixtures("used")
def test_a_document_may_come_from_standard_input(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Callable[[], bytes] = lambda: document("1.0.0", rule("high", when=HIGH))  # noqa: E731
    stdin = type("Stdin", (), {"buffer": type("Buffer", (), {"read": staticmethod(read)})})
    monkeypatch.setattr("sys.stdin", stdin)
    assert shell("validate", "-")[0] == 0
