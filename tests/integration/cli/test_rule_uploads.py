"""Uploads and rollbacks by the command line: nobody overwrites another, and all is told."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient
from rule_documents import document, rule, use_rules
from rules_shell import FAILED, HIGH, LOWER, Reloading, Shell, active_version, service_of, waiting
from store_fixtures import Store

from shared_code.__main__ import main
from shared_code.rules.document_text import parse_document
from shared_code.store.rule_archive import (
    ACTIVE_BLOB,
    BlobRuleArchive,
    KeptDocument,
    VersionTaken,
    publish_active,
)
from shared_code.store.rule_store import document_hash


def test_an_upload_is_followed_until_it_is_active(
    used: Store, container: ContainerClient, shell: Shell
) -> None:
    file = shell.file(document("1.1.0", rule("high", when=LOWER), based_on="1.0.0"))
    by = ("--by", "Zoë")
    with Reloading(used, container):
        exit_code, said, complaint = shell(
            "upload", file, "--wait", "20", "--reason", "agreed", *by
        )
    assert exit_code == 0
    assert said.startswith("version 1.1.0 active after ")
    assert "warning" not in complaint
    assert active_version(used) == "1.1.0"
    exit_code, said, _ = shell("history")
    assert exit_code == 0
    assert "Zoë, upload of incoming/1.1.0.json" in said
    assert "agreed" in said
    # Once more is no mistake, and changes nothing.
    exit_code, said, _ = shell("upload", file, "--reason", "agreed")
    assert (exit_code, len(waiting(container))) == (0, 1)
    assert "is active already" in said


def test_a_document_that_was_a_shadow_is_uploaded_with_a_reason_as_it_stands(
    used: Store, container: ContainerClient, shell: Shell
) -> None:
    content = document("1.1.0", rule("high", when=LOWER), description="lower")
    file = shell.file(content)
    assert shell("shadow", file, "--reason", "a trial")[0] == 0
    with Reloading(used, container):
        exit_code, said, complaint = shell("upload", file, "--wait", "20", "--reason", "it is good")
    assert exit_code == 0, said + complaint
    assert waiting(container) == {"incoming/1.1.0.json": content}
    activated = json.loads(shell("history", "--json")[1])["activations"]
    assert "it is good" in {each["reason"] for each in activated if each["role"] == "active"}


def test_who_uploaded_and_why_is_told_of_just_that_document(container: ContainerClient) -> None:
    archive = BlobRuleArchive(service_of(container), container.container_name)
    archive.offer("1.1.0", b"a document", "Zo\0ë", "\0hé")
    name = f"{container.container_name}/incoming/1.1.0.json"
    assert archive.handed_in(name, b"a document") == ("Zoë", "hé")
    assert archive.handed_in(name, b"another one") == ("", "")
    assert archive.handed_in("incoming/1.2.0.json", b"a document") == ("", "")


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


def test_history_shows_the_start_of_a_long_reason(used: Store, shell: Shell) -> None:
    reason = "A description of many words. " * 20
    use_rules(used, rule("high", when=LOWER), version="1.1.0")
    assert shell("rollback", "1.0.0", "--reason", reason)[0] == 0
    said = shell("history")[1]
    assert "A description of many words. A description" in said
    assert max(map(len, said.splitlines())) < 200
    whole = json.loads(shell("history", "--json")[1])["activations"][0]["reason"]
    assert whole == reason
