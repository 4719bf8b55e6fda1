"""Publishing, swapping and going back: what runs where, whatever happens in between."""

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from deploy.__main__ import COMMANDS, command_line, main
from deploy.errors import DeployError
from deploy.packaging.package import Package, PackageNote, read_package, sha256_of
from deploy.release.event_grid import subscribe
from deploy.release.hub import Progress
from deploy.release.steps import publish, roll_back, swap, take_back
from deploy.release.watch import Limits, Reading, Taken, judge
from deploy.targets.azure import AzureTarget
from deploy.targets.shelf import BlobShelf, FolderShelf, Releases, Shelf
from deploy.targets.target import AzureAddress, Outcomes, Place, parse_address

SLOT = AzureAddress("rg", "app", "staging")
ALL_WELL = Outcomes(100, 0)
# Answers what Azure's command line would, and keeps the arguments that it was given.
AZ = """#!/bin/sh
for argument in "$@"; do
    printf '%s\\n' "$argument" >> "$AZ_CALLS"
    case "$argument" in @*) cat "${argument#@}" > "$AZ_CALLS.file" ;; esac
done
printf -- '--\\n' >> "$AZ_CALLS"
case "$*" in
    *"functionapp show"*) echo '{"name": "app", "state": "Running", "id": "/site", "defaultHostName": "app.example"}' ;;
    *"keys list"*) echo '{"systemKeys": {"blobs_extension": "s3cret"}}' ;;
    *"/query"*) echo '{"tables": [{"rows": [[20, 3]]}]}' ;;
    *"/functions"*) echo '{"value": [{"name": "app/staging/B"}, {"name": "app/staging/A"}]}' ;;
    *refuse*) echo 'no such app' >&2; exit 3 ;;
esac
"""  # noqa: E501 - one answer a line


class Stand:
    """A target that keeps which package is where; deploying may be made to fail."""

    def __init__(self, *, has_slot: bool) -> None:
        self.has_slot = has_slot
        self.runs: dict[Place, str] = {}
        self.broken = False

    def deploy(self, package: Package, place: Place) -> None:
        if self.broken:
            raise DeployError("cut short")
        self.runs[place] = package.note.sha256

    def exchange(self) -> None:
        self.runs = {
            Place.PRODUCTION: self.runs[Place.STAGING],
            Place.STAGING: self.runs.get(Place.PRODUCTION, ""),
        }

    def functions(self, _place: Place) -> Sequence[str]:
        return []

    def outcomes(self, _since: datetime) -> Outcomes:
        return Outcomes(0, 0)


def package(folder: Path, content: str) -> Package:
    file = folder / f"{content}.zip"
    file.write_text(content)
    note = PackageNote(sha256_of(file), "commit", "0001", "1.0.0", {})
    Path(f"{file}.json").write_text(
        json.dumps({name: getattr(note, name) for name in note.__struct_fields__})
    )
    return Package(file, note)


def test_a_release_goes_by_staging_and_back(tmp_path: Path) -> None:
    stand, shelf = Stand(has_slot=True), FolderShelf(tmp_path / "kept")
    old, new = package(tmp_path, "old"), package(tmp_path, "new")
    for each in (old, new):
        publish(stand, shelf, each)
        swap(stand, shelf)
    assert stand.runs == {Place.PRODUCTION: new.note.sha256, Place.STAGING: old.note.sha256}
    roll_back(stand, shelf)
    assert stand.runs[Place.PRODUCTION] == old.note.sha256
    with pytest.raises(DeployError, match="no way back"):
        roll_back(stand, shelf)


def test_what_was_published_meanwhile_does_not_stand_in_the_way_back(tmp_path: Path) -> None:
    stand, shelf = Stand(has_slot=True), FolderShelf(tmp_path / "kept")
    old, new, bad = (package(tmp_path, name) for name in ("old", "new", "bad"))
    for each in (old, new):
        publish(stand, shelf, each)
        swap(stand, shelf)
    publish(stand, shelf, bad)
    roll_back(stand, shelf)
    assert stand.runs[Place.PRODUCTION] == old.note.sha256


def test_a_release_that_failed_in_staging_changes_nothing_in_production(tmp_path: Path) -> None:
    stand, shelf = Stand(has_slot=True), FolderShelf(tmp_path / "kept")
    old, bad = package(tmp_path, "old"), package(tmp_path, "bad")
    publish(stand, shelf, old)
    swap(stand, shelf)
    publish(stand, shelf, bad)
    assert "nothing has to be taken back" in take_back(stand, shelf, bad)
    assert stand.runs[Place.PRODUCTION] == old.note.sha256


def test_nothing_is_swapped_before_it_is_published(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="nothing was published"):
        swap(Stand(has_slot=True), FolderShelf(tmp_path))


@pytest.mark.parametrize("cut_short", [False, True])
def test_without_a_slot_the_kept_package_is_deployed_again(
    tmp_path: Path, *, cut_short: bool
) -> None:
    stand, shelf = Stand(has_slot=False), FolderShelf(tmp_path / "kept")
    old, bad = package(tmp_path, "old"), package(tmp_path, "bad")
    publish(stand, shelf, old)
    assert "already" in swap(stand, shelf)
    stand.broken = cut_short
    if cut_short:
        with pytest.raises(DeployError, match="cut short"):
            publish(stand, shelf, bad)
        stand.runs, stand.broken = {}, False
    else:
        publish(stand, shelf, bad)
    take_back(stand, shelf, bad)
    assert stand.runs[Place.PRODUCTION] == old.note.sha256
    assert shelf.releases() == Releases(old.note.sha256)


def folder_shelf(tmp_path: Path, _azurite: str) -> Shelf:
    return FolderShelf(tmp_path / "kept")


def blob_shelf(_tmp_path: Path, azurite: str) -> Shelf:
    service = BlobServiceClient.from_connection_string(azurite)
    container = f"deployment-{uuid.uuid4().hex[:8]}"
    service.create_container(container)
    return BlobShelf(service, container, "app")


@pytest.mark.parametrize("make", [folder_shelf, blob_shelf])
def test_a_shelf_gives_back_what_it_was_given(
    tmp_path: Path, azurite: str, make: Callable[[Path, str], Shelf]
) -> None:
    shelf, given = make(tmp_path, azurite), package(tmp_path, "given")
    assert shelf.releases() == Releases()
    shelf.keep(given)
    shelf.keep(given)
    shelf.note(Releases("a", None, "b"))
    back = tmp_path / "back"
    back.mkdir()
    found = shelf.fetch(given.note.sha256, back)
    assert (found.note, found.file.read_bytes()) == (given.note, given.file.read_bytes())
    assert read_package(found.file) == found
    assert shelf.releases() == Releases("a", None, "b")
    with pytest.raises(DeployError):
        shelf.fetch("0" * 64, back)


def reading(
    *done: int, last: int = 10, outcomes: Outcomes = ALL_WELL, rejected: int = 0
) -> Reading:
    partitions = {str(number): Progress(last, each) for number, each in enumerate(done)}
    return Reading(partitions, Taken(100, rejected), outcomes)


@pytest.mark.parametrize(
    ("readings", "complaint"),
    [
        ([reading(3), reading(10)], None),
        ([reading(10), reading(10)], None),
        ([reading(3), reading(3), reading(4)], None),
        ([reading(3), reading(3), reading(3)], "partition 0 stands still"),
        ([reading(0), reading(0, last=9_000)], "9,000 messages wait"),
        ([reading(0, last=9_500), reading(1_000, last=9_500)], None),
        ([reading(10, outcomes=Outcomes(100, 6))], "6 of 100 invocations failed"),
        ([reading(10, outcomes=Outcomes(19, 19))], None),
        ([reading(10, rejected=20)], "16.7% of payment events are rejected"),
    ],
)
def test_production_is_judged_against_before(
    readings: list[Reading], complaint: str | None
) -> None:
    found = list(judge(readings, Taken(900, 100), Limits()))
    assert [complaint in each for each in found if complaint] == [True] * (complaint is not None)
    assert bool(found) is (complaint is not None)


@pytest.fixture
def az_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[str]]]:
    """Put a stand-in of Azure's command line on the path; return what it was called with."""
    program = tmp_path / "bin" / "az"
    program.parent.mkdir()
    program.write_text(AZ)
    program.chmod(0o755)
    calls = tmp_path / "calls"
    monkeypatch.setenv("AZ_CALLS", str(calls))
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return lambda: [call.split("\n")[:-1] for call in calls.read_text().split("--\n")[:-1]]


def test_azure_is_told_which_slot_to_swap_and_asked_what_runs(
    az_calls: Callable[[], list[list[str]]],
) -> None:
    target = AzureTarget(SLOT, "workspace")
    target.exchange()
    (swapped,) = (" ".join(call) for call in az_calls())
    assert swapped.startswith(
        "functionapp deployment slot swap --resource-group rg --name app --slot staging"
        " --target-slot production"
    )
    assert target.functions(Place.STAGING) == ["A", "B"]
    assert target.outcomes(datetime.now(UTC)) == Outcomes(20, 3)


def test_the_key_of_the_subscription_is_no_argument_that_others_see(
    az_calls: Callable[[], list[list[str]]], tmp_path: Path
) -> None:
    subscribe(AzureTarget(SLOT, ""), "rg", "topic", "compliance-rules")
    assert "s3cret" not in str(az_calls())
    assert "code=s3cret" in (tmp_path / "calls.file").read_text()


def test_what_azure_refuses_is_told(az_calls: Callable[[], list[list[str]]]) -> None:
    with pytest.raises(DeployError, match="no such app"):
        AzureTarget(AzureAddress("rg", "refuse", "staging"), "").exchange()
    assert len(az_calls()) == 1


@pytest.mark.parametrize("text", ["app", "azure:rg", "local:", "azure:rg/app/slot/x", "azure:;/x"])
def test_what_is_no_target_is_refused_with_examples(text: str) -> None:
    with pytest.raises(DeployError, match="azure:GROUP/APP/SLOT"):
        parse_address(text)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_its_exit_codes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line(name).parse_args([name, "--help"])
    assert "exit codes: 0 done" in capsys.readouterr().out


def test_a_dry_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given, target = package(tmp_path, "given"), f"local:{tmp_path}/target"
    for command in (
        ["publish", "--package", str(given.file), "--target", target],
        ["swap", "--target", target],
        ["rollback", "--target", target],
        ["upload-rules", "rules/metric_derivation_rules.json"],
    ):
        assert main([*command, "--dry-run"]) == 0, capsys.readouterr().err
    assert not (tmp_path / "target").exists()
