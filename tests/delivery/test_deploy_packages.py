"""A package holds what runs and nothing else, and the same commit gives the same bytes."""

import json
import os
import sysconfig
import zipfile
from pathlib import Path

import pytest
from deploy_checkouts import ROOT, checkout, git

from deploy.__main__ import main
from deploy.errors import DeployError, ToolFailed
from deploy.packaging.loading import check_loading
from deploy.packaging.package import Package, build, read_package
from deploy.packaging.sources import EVENT_GRID, POLLING

SITE_PACKAGES = ".python_packages/lib/site-packages"
FUNCTIONS = sorted(file.parent.name for file in ROOT.glob("*/function.json"))
LIBRARIES = ["--libraries", sysconfig.get_path("purelib")]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of this project with few dependencies, and something lying about in it."""
    folder = checkout(tmp_path_factory.mktemp("checkout"))
    (folder / "notes.txt").write_text("not tracked")
    (folder / "shared_code" / "draft.py").write_text("not tracked either")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def package(release: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    output = tmp_path_factory.mktemp("output") / "payments.zip"
    return build(release, output, blob_source=EVENT_GRID, cache=cache)


def names(package: Package) -> list[str]:
    with zipfile.ZipFile(package.file) as archive:
        return archive.namelist()


def test_the_same_commit_gives_the_same_bytes_in_another_place_at_another_time(
    release: Path, package: Package, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    git(release, "clone", "--quiet", str(release), str(elsewhere))
    for file in elsewhere.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
        file.chmod(0o700)
    again = build(
        elsewhere, tmp_path / "again.zip", blob_source=EVENT_GRID, cache=tmp_path / "new cache"
    )
    assert again.file.read_bytes() == package.file.read_bytes()


def test_another_content_gives_another_hash(package: Package, cache: Path, tmp_path: Path) -> None:
    changed = checkout(tmp_path / "changed", {"host.json": '{"version": "2.0"}'})
    output = tmp_path / "changed.zip"
    other = build(changed, output, blob_source=EVENT_GRID, cache=cache)
    assert other.note.sha256 != package.note.sha256


def test_what_is_excluded_or_not_tracked_is_left_out(package: Package) -> None:
    found = names(package)
    assert {"host.json", "ProcessTransaction/function.json", "shared_code/settings.py"} <= {*found}
    for absent in ("README.md", "notes.txt", "shared_code/draft.py", "local.settings.json.example"):
        assert absent not in found


def test_libraries_lie_where_the_worker_looks_for_them(package: Package) -> None:
    found = names(package)
    assert f"{SITE_PACKAGES}/threadpoolctl.py" in found
    assert f"{SITE_PACKAGES}/threadpoolctl-3.8.0.dist-info/METADATA" in found


def test_nothing_tells_how_or_where_it_was_installed(package: Package) -> None:
    for name in names(package):
        assert not name.endswith((".pyc", "/RECORD", "/INSTALLER", "/REQUESTED"))
        assert not name.startswith(f"{SITE_PACKAGES}/bin/")


@pytest.mark.parametrize("source", [EVENT_GRID, POLLING])
def test_the_blob_trigger_learns_of_uploads_as_told_in_the_package_only(
    release: Path, cache: Path, tmp_path: Path, source: str
) -> None:
    package = build(release, tmp_path / "release.zip", blob_source=source, cache=cache)
    with zipfile.ZipFile(package.file) as archive:
        packed = json.loads(archive.read("ReloadRules/function.json"))
    in_tree = json.loads((release / "ReloadRules" / "function.json").read_bytes())
    trigger, *others = packed["bindings"]
    assert trigger.pop("source") == source
    assert {**packed, "bindings": [trigger, *others]} == in_tree


def test_the_note_says_what_is_in_the_package(release: Path, package: Package) -> None:
    note = read_package(package.file).note
    assert note.commit == git(release, "rev-parse", "HEAD").strip()
    assert note.dependencies == {"threadpoolctl": "3.8.0"}
    assert note.revision == max(
        file.name[:4] for file in (ROOT / "alembic" / "versions").glob("0*.py")
    )
    rules = json.loads((ROOT / "rules" / "metric_derivation_rules.json").read_bytes())
    assert note.rules_version == rules["version"]


def test_a_checkout_with_changes_is_called_dirty(cache: Path, tmp_path: Path) -> None:
    changed = checkout(tmp_path / "changed")
    (changed / "host.json").write_text("{}")
    output = tmp_path / "changed.zip"
    package = build(changed, output, blob_source=EVENT_GRID, cache=cache)
    assert package.note.commit.endswith("-dirty")


def test_a_package_that_was_cut_short_is_refused(package: Package, tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    cut.write_bytes(package.file.read_bytes()[:-1])
    (tmp_path / "cut.zip.json").write_bytes(Path(f"{package.file}.json").read_bytes())
    with pytest.raises(DeployError, match="changed or cut short"):
        read_package(cut)


def test_a_package_without_its_note_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lonely.zip").write_bytes(b"")
    with pytest.raises(DeployError, match=r"lonely\.zip\.json is missing"):
        read_package(tmp_path / "lonely.zip")


def test_a_library_without_a_wheel_stops_the_build(tmp_path: Path) -> None:
    wanted = "threadpoolctl==0.0.0"
    release = checkout(tmp_path / "release", requirements=wanted)
    output = tmp_path / "release.zip"
    with pytest.raises(ToolFailed, match=r"threadpoolctl==0\.0\.0.*needs a wheel"):
        build(release, output, blob_source=EVENT_GRID, cache=tmp_path)
    assert not output.exists()
    assert [file.name for file in tmp_path.iterdir()] == ["release"]


def test_every_function_of_a_package_is_imported(
    package: Package, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-package", "--package", str(package.file), *LIBRARIES]) == 0
    assert f"{len(FUNCTIONS)} functions load: {', '.join(FUNCTIONS)}" in capsys.readouterr().out


def test_libraries_of_this_machine_do_not_help_a_package_that_lacks_them(
    package: Package, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-package", "--package", str(package.file)]) == 1
    said = capsys.readouterr().err
    for name in FUNCTIONS:
        assert f"\n  {name}: ModuleNotFoundError: No module named" in said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise ImportError('no such library')", "ImportError: no such library"),
        ("def other(): ...", "AttributeError: module 'AggregateMetrics' has no attribute 'main'"),
        ("import os; os._exit(3)", "the interpreter ended without a word"),
    ],
)
def test_a_function_that_does_not_load_is_named_with_the_reason(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, said: str
) -> None:
    changed = checkout(tmp_path / "changed", {"AggregateMetrics/__init__.py": source})
    output = tmp_path / "changed.zip"
    build(changed, output, blob_source=EVENT_GRID, cache=cache)
    assert main(["check-package", "--package", str(output), *LIBRARIES]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: functions of the package that do not load:",
        f"  AggregateMetrics: {said}",
    ]


def test_a_package_without_functions_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("host.json", "{}")
    with pytest.raises(DeployError, match=r"no folder with a function\.json"):
        check_loading(tmp_path / "empty.zip", ROOT / "local.settings.json.example")


@pytest.mark.skipif(os.environ.get("DELIVERY") != "full", reason="takes minutes: DELIVERY=full")
@pytest.mark.timeout(1200)
def test_the_whole_project_is_reproducible_and_loads_with_nothing_but_its_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = ROOT / ".local" / "cache"
    first, second = (
        build(ROOT, tmp_path / name, blob_source=EVENT_GRID, cache=folder)
        for name, folder in (("first.zip", cache), ("second.zip", tmp_path / "cache"))
    )
    assert first.note.sha256 == second.note.sha256
    command = ["check-package", "--package", str(first.file)]
    assert main(command) == 0, capsys.readouterr().err
    assert f"functions load: {', '.join(FUNCTIONS)}" in capsys.readouterr().out
