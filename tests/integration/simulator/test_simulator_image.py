"""The steps of the simulator's image, run without an engine: what is installed works."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
IMAGE = ROOT / "simulator" / "image"
NOBODY = 65534


def instructions(keyword: str) -> list[str]:
    text = (IMAGE / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{keyword} (.+)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """What the build stage copies and installs, under /tmp, where every user may read."""
    folder = Path("/tmp") / f"simulator-image-{os.getpid()}"
    source, target = folder / "source", folder / "installed"
    source.mkdir(parents=True)
    for copied in instructions("COPY"):
        if copied.startswith("--from"):
            continue
        *names, to = copied.split()
        for name in names:
            place = folder / to.lstrip("/")
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, place)
            else:
                shutil.copy(ROOT / name, place)
    [command] = [each for each in instructions("RUN") if "install.sh" in each]
    script, *arguments = command.replace("sh ", "", 1).split()
    assert arguments == ["/source", "/opt/simulator"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(
        ["sh", folder / script.lstrip("/"), source, target],
        check=True,
        env=environment,
        timeout=280,
    )
    yield target
    shutil.rmtree(folder)


def for_anyone(path: Path) -> bool:
    """Tell whether every user may come to a file and run it."""
    folders = path.resolve().parents
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in folders)


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run what is installed as the entry point does.

    By a user without rights, unless the interpreter itself lies where only root may look.
    """
    entry = ["python", "-m", "simulator"]
    assert instructions("ENTRYPOINT") == ['["python", "-m", "simulator"]']
    folder.chmod(0o777)
    python = installed / "bin" / entry[0]
    return subprocess.run(
        [python, *entry[1:], *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "MPLCONFIGDIR": "/tmp"},
        user=NOBODY if os.getuid() == 0 and for_anyone(python) else None,
        timeout=120,
    )


@pytest.mark.timeout(400)
def test_what_the_image_installs_simulates(installed: Path) -> None:
    folder = Path("/tmp") / f"simulator-data-{os.getpid()}"
    folder.mkdir()
    try:
        done = run(
            installed,
            folder,
            *("run", "--payments", "200", "--file", "out.parquet", "--ledger", "ledger.json"),
        )
        assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
        assert (folder / "out.parquet").stat().st_size > 1000
        assert (folder / "ledger.json").exists()
    finally:
        shutil.rmtree(folder)


def test_the_image_runs_as_no_root_on_a_pinned_base() -> None:
    assert instructions("USER") == ["10001"]
    assert all(
        re.fullmatch(r"python:3\.13\.\d+-slim-[a-z]+( AS build)?", base)
        for base in instructions("FROM")
    )
