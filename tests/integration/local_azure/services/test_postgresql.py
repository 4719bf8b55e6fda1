import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pytest

from local_azure.services.errors import (
    FolderInUse,
    PortTaken,
    ServiceError,
    ServiceFailed,
    ServiceMissing,
)
from local_azure.services.postgresql import PostgreSQL, StopMode

OTHER_INSTALLATIONS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))

STARTS_AND_SLEEPS = """
import sys, time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from local_azure.services.postgresql import PostgreSQL
server = PostgreSQL(Path(sys.argv[1]))
server.start()
print(server.url(), flush=True)
time.sleep(600)
"""


def ask(url: str, query: str) -> object:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def until(condition: Callable[[], bool], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def server_pid(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> PostgreSQL:
    """Data made once; every test starts and stops it as it needs."""
    made = PostgreSQL(tmp_path_factory.mktemp("postgresql"))
    with made:
        made.ensure_database("payments")
        ask(made.url("payments"), "CREATE TABLE kept (n integer)")
    return made


@pytest.mark.parametrize("mode", StopMode)
def test_what_was_committed_outlives_a_stop_and_the_port_stays(
    server: PostgreSQL, mode: StopMode
) -> None:
    with server:
        url = server.url("payments")
        ask(url, f"INSERT INTO kept VALUES ({mode.value})")
        open_connection = psycopg2.connect(url)
        server.stop(mode)
        assert not server.running
        with pytest.raises(psycopg2.OperationalError, match="refused"):
            psycopg2.connect(url)
        server.start()
        server.restart()
        open_connection.close()
        assert server.url("payments") == url
        assert ask(url, f"SELECT count(*) FROM kept WHERE n = {mode.value}") == 1
        recovered = "database system was not properly shut down" in server.log.read_text()
        assert recovered == (mode is StopMode.IMMEDIATE)


def test_the_socket_leads_to_the_same_server_and_fsync_is_on(server: PostgreSQL) -> None:
    with server:
        started = "SELECT pg_postmaster_start_time()"
        over_socket = server.url("payments", over_socket=True)
        assert ask(over_socket, "SELECT inet_server_addr() IS NULL") is True
        assert ask(over_socket, started) == ask(server.url(), started)
        assert ask(over_socket, "SHOW fsync") == "on"
        assert ask(over_socket, "SHOW synchronous_commit") == "on"


def test_starting_stopping_and_creating_twice_is_the_same_as_once(server: PostgreSQL) -> None:
    with server:
        pid = ask(server.url(), "SELECT pg_postmaster_start_time()")
        server.start()
        assert server.ensure_database("payments") == server.url("payments")
        assert ask(server.url(), "SELECT pg_postmaster_start_time()") == pid
        server.stop()
        server.stop()


def test_a_second_owner_of_the_same_folder_is_refused_and_harms_nothing(
    server: PostgreSQL, tmp_path: Path
) -> None:
    with server:
        with pytest.raises(FolderInUse, match=f"in use by process {os.getpid()}"):
            PostgreSQL(server.log.parent).start()
        with pytest.raises(
            PortTaken, match=rf"PostgreSQL: port {server.port} on 127.0.0.1 is already in use"
        ):
            PostgreSQL(tmp_path / "other", port=server.port).start()
        assert ask(server.url(), "SELECT 1") == 1


def test_a_killed_owner_and_a_killed_guard_do_not_block_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "left"
    owner = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_SLEEPS, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    with owner.stdout:
        url = owner.stdout.readline().strip()
    ask(url, "CREATE TABLE kept ()")
    pid = server_pid(folder)
    guard = int(re.findall(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])
    os.kill(guard, signal.SIGKILL)
    owner.kill()
    owner.wait()
    with PostgreSQL(folder) as successor:
        assert not alive(pid)
        assert ask(successor.url(), "SELECT count(*) FROM kept") == 0


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_with_its_owner_however_that_ends(
    server: PostgreSQL, ending: signal.Signals
) -> None:
    folder = server.log.parent
    owner = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_SLEEPS, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert owner.stdout is not None
    with owner.stdout:
        url = owner.stdout.readline().strip()
    assert ask(url, "SELECT 1") == 1
    pid = server_pid(folder)
    owner.send_signal(ending)
    owner.wait()
    until(lambda: not alive(pid))


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_stranger(server: PostgreSQL) -> None:
    pid_file = server.log.parent / "data" / "postmaster.pid"
    with subprocess.Popen(["sleep", "600"]) as stranger:
        try:
            pid_file.write_text(f"{stranger.pid}\n{pid_file.parent}\n1\n1\n\n\n\nready\n")
            with server:
                assert ask(server.url(), "SELECT 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_crash_of_the_server_shows_and_the_next_start_recovers(server: PostgreSQL) -> None:
    with server:
        os.kill(server_pid(server.log.parent), signal.SIGKILL)
        until(lambda: not server.running)
        server.start()
        assert ask(server.url(), "SELECT 1") == 1


def test_an_initialisation_that_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "data.unfinished" / "base").mkdir(parents=True)
    (tmp_path / "data.unfinished" / "PG_VERSION").write_text("18\n")
    with PostgreSQL(tmp_path) as server:
        assert ask(server.url(), "SELECT 1") == 1


def test_children_of_a_killed_server_are_awaited(server: PostgreSQL) -> None:
    with server, closing(psycopg2.connect(server.url())) as busy:
        with busy.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            row = cursor.fetchone()
        assert row is not None
        child = int(row[0])
        # A stopped child notices the death of its server only when it goes on.
        os.kill(child, signal.SIGSTOP)
        server.kill()
        threading.Timer(0.5, os.kill, (child, signal.SIGCONT)).start()
        before = time.monotonic()
        server.start()
        assert time.monotonic() - before > 0.4
        assert ask(server.url(), "SELECT 1") == 1


def test_a_setting_that_the_server_refuses_is_told_in_its_own_words(server: PostgreSQL) -> None:
    refused = PostgreSQL(server.log.parent, settings={"no_such_thing": "1"})
    with pytest.raises(ServiceFailed, match=r'(?s)exit code 1.*"no_such_thing"'):
        refused.start()
    with PostgreSQL(server.log.parent, settings={"work_mem": "5MB"}) as other:
        assert ask(other.url(), "SHOW work_mem") == "5MB"


def test_a_long_path_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    with PostgreSQL(tmp_path / ("long" * 30)) as server:
        url = server.url(over_socket=True)
        assert ask(url, "SELECT 1") == 1
    assert not Path(parse_qs(urlsplit(url).query)["host"][0]).exists()


def test_a_temporary_server_leaves_nothing_behind() -> None:
    with PostgreSQL() as server:
        folder = server.log.parent
        pid = server_pid(folder)
    assert not folder.exists()
    assert not alive(pid)


def test_a_server_that_never_started_has_no_url(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="no port before its first start"):
        PostgreSQL(tmp_path).url()


def test_a_folder_without_binaries_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("18\n")
    with pytest.raises(ServiceMissing, match="nowhere/postgres cannot be run"):
        PostgreSQL(tmp_path, bin_folder=Path("nowhere")).start()


def test_data_of_another_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServiceMissing, match=r"written by version 9, .* is version \d\d\. Delete"):
        PostgreSQL(tmp_path).start()
    (tmp_path / "data" / "PG_VERSION").unlink()
    with pytest.raises(ServiceMissing, match="written by version unknown"):
        PostgreSQL(tmp_path).start()


@pytest.mark.skipif(not OTHER_INSTALLATIONS, reason="no other PostgreSQL is installed")
def test_another_installation_serves_as_well() -> None:
    binaries = OTHER_INSTALLATIONS[0]
    with PostgreSQL(bin_folder=binaries) as server:
        assert str(ask(server.url(), "SHOW server_version_num")).startswith(binaries.parent.name)
