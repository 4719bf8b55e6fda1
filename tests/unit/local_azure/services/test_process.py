import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local_azure.services import account
from local_azure.services.account import Account, account_for, can_map_root
from local_azure.services.errors import ServiceFailed, ServiceMissing
from local_azure.services.process import Command, Process

READY = "import signal, sys, time; print('ready', flush=True); "
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('ready', flush=True); time.sleep(600)"
)
REPORTS_SIGNAL = (
    "import signal, sys, time\n"
    "def end(number, frame):\n"
    "    print('got', signal.Signals(number).name, flush=True)\n"
    "    sys.exit(0)\n"
    "for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT): signal.signal(number, end)\n"
    "print('ready', flush=True)\n"
    "time.sleep(600)\n"
)
OWNS_ONE = """
import sys, time
from pathlib import Path
from local_azure.services.process import Command, Process
process = Process(Command("Thing", [sys.executable, "-c", sys.argv[1]], Path(sys.argv[2]), grace=1))
print(process.wait_until(lambda: process.line("ready"), 20), flush=True)
time.sleep(600)
"""


def command(tmp_path: Path, code: str, grace: float = 10.0) -> Command:
    return Command("Thing", [sys.executable, "-c", code], tmp_path / "log" / "it.log", grace=grace)


def ready(process: Process) -> str:
    return process.wait_until(lambda: process.line("ready"), 20)


def until(condition: Callable[[], bool], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def running(marker: str) -> bool:
    """Tell whether a process has the marker in its command line."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in file.read_bytes():
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


def test_a_service_is_ready_once_it_says_so(tmp_path: Path) -> None:
    process = Process(command(tmp_path, READY + "time.sleep(600)"))
    assert ready(process) == "ready"
    assert process.returncode is None
    process.kill()
    assert process.returncode is not None


def test_what_an_earlier_run_said_is_kept_but_does_not_count(tmp_path: Path) -> None:
    first = Process(command(tmp_path, READY))
    first.wait_for_exit(20)
    second = Process(command(tmp_path, "print('second')"))
    second.wait_for_exit(20)
    assert second.line("ready") is None
    assert second.said() == "second\n"
    assert (tmp_path / "log" / "it.log").read_text() == "ready\nsecond\n"


def test_half_a_line_is_not_an_answer(tmp_path: Path) -> None:
    process = Process(command(tmp_path, "print('ready', end='')"))
    process.wait_for_exit(20)
    assert process.line("ready") is None


def test_a_service_that_ends_early_fails_with_its_exit_code_and_last_words(tmp_path: Path) -> None:
    process = Process(command(tmp_path, "import sys; print('no disk left'); sys.exit(3)"))
    with pytest.raises(ServiceFailed) as caught:
        ready(process)
    log = tmp_path / "log" / "it.log"
    assert str(caught.value) == (
        "Thing: ended with exit code 3 instead of becoming ready. "
        f"Its log is {log}; the end of it:\n    no disk left"
    )
    assert caught.value.log == log


def test_a_silent_service_is_killed_when_its_time_is_over(tmp_path: Path) -> None:
    marker = str(tmp_path)
    process = Process(command(tmp_path, f"import time; time.sleep(600) # {marker}"))
    with pytest.raises(ServiceFailed, match=r"(?s)not ready within 0.3 seconds.*\(nothing\)"):
        process.wait_until(lambda: process.line("ready"), 0.3)
    until(lambda: not running(marker))


def test_a_command_that_should_end_by_itself_fails_by_code_or_by_time(tmp_path: Path) -> None:
    with pytest.raises(ServiceFailed, match="ended with exit code 7"):
        Process(command(tmp_path, "raise SystemExit(7)")).wait_for_exit(20)
    with pytest.raises(ServiceFailed, match=r"did not end within 0.2 seconds"):
        Process(command(tmp_path, "import time; time.sleep(600)")).wait_for_exit(0.2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_the_signal_asked_for_reaches_the_service(tmp_path: Path, number: signal.Signals) -> None:
    process = Process(command(tmp_path, REPORTS_SIGNAL))
    ready(process)
    process.stop(number)
    assert process.said() == f"ready\ngot {number.name}\n"
    assert process.returncode == 0
    process.stop()
    process.kill()


def test_a_service_that_does_not_listen_is_killed_after_its_grace(tmp_path: Path) -> None:
    marker = str(tmp_path)
    process = Process(command(tmp_path, f"{DEAF} # {marker}", grace=0.3))
    ready(process)
    before = time.monotonic()
    process.stop()
    assert 0.3 <= time.monotonic() - before < 5
    until(lambda: not running(marker))


def test_death_by_signal_shows_as_shells_show_it(tmp_path: Path) -> None:
    process = Process(command(tmp_path, "import os; os.kill(os.getpid(), 9)"))
    with pytest.raises(ServiceFailed, match="exit code 137"):
        process.wait_for_exit(20)


def test_environment_and_folder_are_the_commands_own(tmp_path: Path) -> None:
    process = Process(
        Command(
            "Thing",
            [sys.executable, "-c", "import os; print(os.environ['HUE'], os.getcwd())"],
            tmp_path / "it.log",
            environment={"HUE": "blue"},
            folder=tmp_path,
        )
    )
    process.wait_for_exit(20)
    assert process.said() == f"blue {tmp_path}\n"
    assert "HUE" not in os.environ


@pytest.mark.parametrize("code", [REPORTS_SIGNAL, DEAF], ids=["polite", "deaf"])
def test_a_service_ends_when_its_owner_is_killed(tmp_path: Path, code: str) -> None:
    log = tmp_path / "it.log"
    with subprocess.Popen(
        [sys.executable, "-c", OWNS_ONE, code, str(log)], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        owner.kill()
    until(lambda: not running(str(log)))
    until(lambda: not running(code))
    assert ("got SIGTERM" in log.read_text()) == (code is REPORTS_SIGNAL)


def test_ctrl_c_in_the_terminal_does_not_reach_the_service(tmp_path: Path) -> None:
    process = Process(command(tmp_path, "import os; print(os.getsid(0), os.getpgid(0))"))
    process.wait_for_exit(20)
    session, group = map(int, process.said().split())
    assert session != os.getsid(0)
    assert group != os.getpgid(0)


def test_an_ordinary_user_needs_no_other_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert account_for("Thing", tmp_path) is None


def test_root_gets_the_unprivileged_account_or_the_folders_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    nobody = pwd.getpwnam("nobody")
    expected = Account(nobody.pw_uid, nobody.pw_gid, mapped=can_map_root())
    assert account_for("Thing", tmp_path / "new") == expected
    if os.getuid() == 0:
        os.chown(tmp_path, 12345, 54321)
        assert account_for("Thing", tmp_path) == Account(12345, 54321)


def test_a_system_without_an_unprivileged_account_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(account, "_UNPRIVILEGED", "no-such-account")
    with pytest.raises(ServiceMissing, match="Run this as an ordinary user"):
        account_for("Thing", tmp_path / "new")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_another_account_still_passes_through_folders_of_root(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "inside").write_text("seen")
    process = Process(
        Command(
            "Thing",
            ["cat", "/proc/self/status", str(closed / "inside")],
            tmp_path / "it.log",
            account=Account(65534, 65534),
        )
    )
    process.wait_for_exit(20)
    said = process.said()
    assert "Uid:\t65534\t65534\t65534\t65534" in said
    assert said.endswith("seen")


@pytest.mark.skipif(
    os.geteuid() != 0 or not can_map_root(), reason="only root in a kernel that maps accounts"
)
def test_root_by_another_name_may_run_what_only_root_may_see(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    tool = closed / "tool"
    tool.write_text("#!/bin/sh\nid -u\n")
    tool.chmod(0o755)
    process = Process(
        Command(
            "Thing",
            # `test -x` asks as initdb does, by access(2), for which capabilities do not count.
            ["sh", "-c", f"test -x {tool} && {tool}"],
            tmp_path / "it.log",
            account=Account(65534, 65534, mapped=True),
        )
    )
    process.wait_for_exit(20)
    assert process.said().strip() == "65534"
