import socket

import pytest

from local_azure.services import ports
from local_azure.services.errors import PortTaken, ServiceError


def test_free_ports_are_all_different_and_outside_the_range_of_outgoing_connections() -> None:
    found = [ports.free_port() for _ in range(50)]
    assert len(set(found)) == 50
    assert all(20000 <= port <= 32767 for port in found)


def test_a_fixed_port_stays_and_zero_becomes_a_free_one() -> None:
    port = ports.free_port()
    assert ports.claim_port("Thing", port) == port
    assert ports.claim_port("Thing", 0) not in {0, port}


def test_a_taken_port_is_named_with_the_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            ports.claim_port("Thing", port)
    assert str(caught.value) == (
        f"Thing: port {port} on 127.0.0.1 is already in use. Stop what listens there "
        f"(`ss -ltnp 'sport = :{port}'` names it), choose another port, "
        "or choose 0 for any free one."
    )
    assert (caught.value.service, caught.value.port) == ("Thing", port)


def test_a_machine_without_a_free_port_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_can_bind", lambda _: False)
    with pytest.raises(ServiceError, match=r"no free port on 127.0.0.1 between 20000 and 32767"):
        ports.free_port()
