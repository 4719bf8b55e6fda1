"""Nothing is dropped: an endpoint that dies and comes back, an impatient operator, a full disk."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from integration.simulator.publishing.hub import (
    HASTY,
    Endpoint,
    FaultyHub,
    Rejected,
    bodies_by_key,
    messages,
    received,
)

from simulator.errors import EventHubsRefused, EventHubsUnreachable, ExitCode
from simulator.message import Message
from simulator.publishing.errors import SpoolFailed
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.publish import publish
from simulator.publishing.spool import Spool

# The SDK does not close the socket of a connection that broke.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
TRIES = 2 * (HASTY.retries + 1)


@pytest.fixture(autouse=True)
def sockets_end_with_their_test() -> Iterator[None]:
    yield
    gc.collect()


def run(endpoint: Endpoint | FaultyHub, spool: Spool, numbers: Iterator[Message]) -> None:
    with EventHubsPublisher(endpoint.settings) as publisher:
        publish(numbers, publisher, spool=spool)


def dying_at(endpoint: Endpoint, number: int, stop: int) -> Iterator[Message]:
    for message in messages(range(stop)):
        if message.at == number:
            endpoint.kill()
        yield message


def test_an_outage_loses_nothing_and_the_next_run_restores_the_order(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    told: list[str] = []
    spool = Spool.of(tmp_path / "spool", endpoint.settings.address, "payments", told.append)
    with pytest.raises(EventHubsUnreachable, match="88 events in 88 messages") as caught:
        run(endpoint, spool, dying_at(endpoint, 590, 600))
    assert "cannot reach event hub 'payments'" in str(caught.value)
    assert "the next run to the same event hub sends them first" in str(caught.value)
    endpoint.start()
    run(endpoint, spool, messages(range(600, 1_000)))
    assert told == [t for t in told if t.startswith("sent 88 events in 88 messages spooled in")]
    assert list(spool.folder.iterdir()) == []
    found = received(endpoint.connection_string, 1_000)
    assert found.without_repetitions == bodies_by_key(messages(range(1_000)))


def test_the_rest_is_spooled_too_if_so_wished(endpoint: Endpoint, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    with (
        pytest.raises(EventHubsUnreachable, match=r"1000 events in 1000 messages .* first$"),
        EventHubsPublisher(endpoint.settings) as publisher,
    ):
        publish(dying_at(endpoint, 0, 1_000), publisher, spool=spool, spool_rest=True)
    assert len(list(spool.folder.iterdir())) == 2
    endpoint.start()
    run(endpoint, spool, messages(range(1_000, 1_010)))
    found = received(endpoint.connection_string, 1_010)
    assert found.without_repetitions == bodies_by_key(messages(range(1_010)))


def test_an_outage_while_the_spool_is_sent_repeats_it_and_loses_nothing(
    hub: FaultyHub, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool")
    spool.keep(list(messages(range(30))))
    spool.keep(list(messages(range(30, 60))))
    hub.faults.extend([Rejected("com.microsoft:server-busy")] * TRIES)
    with pytest.raises(EventHubsUnreachable, match=r"what earlier runs could not send; it stays"):
        run(hub, spool, messages(range(60, 90)))
    assert len(list(spool.folder.iterdir())) == 2
    run(hub, spool, messages(range(60, 90)))
    assert list(spool.folder.iterdir()) == []
    found = received(hub.connection_string, 90)
    assert found.without_repetitions == bodies_by_key(messages(range(90)))


def test_a_refusal_is_spooled_as_well(hub: FaultyHub, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    hub.faults.extend([Rejected("amqp:unauthorized-access", "Send claim is missing.")] * 2)
    with pytest.raises(EventHubsRefused, match=r"30 events in 30 messages .* are kept in"):
        run(hub, spool, messages(range(30)))
    run(hub, spool, messages([]))
    assert received(hub.connection_string, 30).bodies == bodies_by_key(messages(range(30)))


_SLOW_RUN = """
import sys
from pathlib import Path
from integration.simulator.publishing.hub import messages, settings_of
from simulator.errors import SimulatorError
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.publish import publish
from simulator.publishing.spool import Spool
try:
    with EventHubsPublisher(settings_of(sys.argv[1])) as publisher:
        print("started", flush=True)
        publish(messages(range(100_000)), publisher, rate=200, spool=Spool(Path(sys.argv[2])))
except SimulatorError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def test_ctrl_c_spools_what_was_taken_and_the_next_run_goes_on(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    root = Path(__file__).parents[4]
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW_RUN, endpoint.connection_string, str(tmp_path / "spool")],
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    before = received(endpoint.connection_string, 30).messages
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert error.startswith("interrupted; ")
    assert "Traceback" not in error
    spool = Spool(tmp_path / "spool")
    with EventHubsPublisher(endpoint.settings) as publisher:
        late = spool.drain(publisher).messages
    assert f"{late} events in {late} messages" in error or not late
    found = received(endpoint.connection_string, before + late)
    for key, bodies in found.without_repetitions.items():
        expected = bodies_by_key(messages(range(3 * len(bodies))))
        assert bodies == expected[key]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, where the right to mount one is given."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(["mount", *options], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode:
        pytest.skip("only root may mount a file system")
    yield folder
    with suppress(subprocess.CalledProcessError):
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_says_how_many_events_are_in_danger(hub: FaultyHub, tiny_disk: Path) -> None:
    hub.faults.extend([Rejected("amqp:unauthorized-access")] * 2)
    incompressible = [Message("1", os.urandom(2_000), 7) for _ in range(200)]
    with pytest.raises(
        SpoolFailed, match=r"No space left on device; 1400 events in 200 messages are in danger"
    ) as caught:
        run(hub, Spool(tiny_disk / "spool"), iter(incompressible))
    assert caught.value.exit_code == ExitCode.OUTPUT
    assert isinstance(caught.value.__context__, OSError)
