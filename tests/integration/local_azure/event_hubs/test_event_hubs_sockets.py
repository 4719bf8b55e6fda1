"""Sockets that misbehave, against a server that goes on serving."""

import asyncio
import socket
from pathlib import Path

import pytest

from local_azure.event_hubs import EventHubsConfig, EventHubsServer, HubConfig
from local_azure.event_hubs.amqp.frames import AMQP_HEADER, encode_frame
from local_azure.event_hubs.amqp.performatives import Begin, Open

CONFIG = EventHubsConfig((HubConfig("hub", 1),), idle_timeout_seconds=0.4)
GREETING = AMQP_HEADER + encode_frame(0, Open("peer", max_frame_size=65_536).encode())


async def greeted(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GREETING)
    async with asyncio.timeout(5):
        assert await reader.readexactly(8) == AMQP_HEADER
    return reader, writer


async def bye(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff" * 64,
        encode_frame(0, b"\x00\x53\x10\xd0" + b"\xff" * 8),
        encode_frame(3, b"\x00\x53\x14\xc0\x01\x00"),
        encode_frame(0, b"\x00" * 5000),
    ],
)
def test_garbage_ends_its_connection_and_the_next_client_is_served(
    tmp_path: Path, garbage: bytes
) -> None:
    async def scenario() -> None:
        async with EventHubsServer(CONFIG, tmp_path) as server:
            reader, writer = await greeted(server.port)
            writer.write(garbage)
            async with asyncio.timeout(5):
                answer = await reader.read(-1)
            # A close with an error comes before the end of the stream.
            assert b"\x00\x53\x18" in answer
            assert b"amqp:" in answer
            await bye(writer)
            _, other = await greeted(server.port)
            await bye(other)

    asyncio.run(scenario())


def test_a_silent_client_is_disconnected(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with EventHubsServer(CONFIG, tmp_path) as server:
            reader, writer = await greeted(server.port)
            async with asyncio.timeout(5):
                assert b"amqp:connection:forced" in await reader.read(-1)
            await bye(writer)

    asyncio.run(scenario())


def test_a_client_that_reads_nothing_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    async def scenario() -> None:
        config = EventHubsConfig((HubConfig("hub", 1),))
        async with EventHubsServer(config, tmp_path) as server:
            _, writer = await greeted(server.port)
            for channel in range(1, 4000):
                writer.write(encode_frame(channel, Begin(None, 0, 1, 1).encode()))
            await writer.drain()
            async with asyncio.timeout(5):
                await server.stop()
            await bye(writer)

    asyncio.run(scenario())


def test_a_client_that_vanishes_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with EventHubsServer(CONFIG, tmp_path) as server:
            reader, writer = await greeted(server.port)
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            writer.close()
            async with asyncio.timeout(5):
                while server._connections:  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.01)
            del reader

    asyncio.run(scenario())


def test_a_stopped_server_frees_its_port_for_the_next(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with EventHubsServer(CONFIG, tmp_path) as first:
            port = first.port
            _, writer = await greeted(port)
        async with EventHubsServer(CONFIG, tmp_path, port=port) as second:
            assert second.connection_string.startswith(f"Endpoint=sb://localhost:{port};")
        await bye(writer)

    asyncio.run(scenario())
