"""The control sockets among peers that are many, stuck or in a hurry."""

import asyncio
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.rig import zmtp
from voiced.control.listeners import listen
from voiced.control.messages import Request
from voiced.control.protocol import CONTROL_SOCKET, EVENTS_SOCKET
from voiced.control.server import EVENTS_QUEUED, ControlServer
from voiced.conversation import events as ev

REQUESTS = 200


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vc", dir="/tmp") as name:
        yield Path(name)


def refuse(wish: ev.Wish) -> None:
    """Take no wish: none is sent here."""
    raise AssertionError(wish)


@asynccontextmanager
async def serving(
    place: Path, status: Callable[[], dict[str, Any]], on_subscriber: Callable[[], None]
) -> AsyncIterator[ControlServer]:
    """Run a control server that answers ``status``."""
    server = ControlServer(refuse, {"status": status}, on_subscriber)
    sockets = [listen(place / name) for name in (CONTROL_SOCKET, EVENTS_SOCKET)]
    server.bind(*sockets)
    running = asyncio.create_task(server.run())
    try:
        yield server
    finally:
        running.cancel()
        server.close()
        for each in sockets:
            each.close()


async def test_the_loop_turns_between_two_requests(place: Path) -> None:
    """Whoever asks as fast as he can does not keep the loop from the sound."""
    turns = 0
    seen: list[int] = []

    def status() -> dict[str, Any]:
        seen.append(turns)
        return {}

    async with serving(place, status, lambda: None):
        with zmtp.connected(place / CONTROL_SOCKET) as peer:
            await asyncio.to_thread(zmtp.greet, peer, b"DEALER")
            flood = zmtp.frame(Request("status").encode()) * REQUESTS
            await asyncio.to_thread(peer.sendall, flood)
            async with asyncio.timeout(zmtp.ANSWERS_WITHIN_S):
                while len(seen) < REQUESTS:
                    turns += 1
                    await asyncio.sleep(0)

    assert len(set(seen)) == REQUESTS


async def test_a_crowd_that_subscribes_at_once_is_told_the_state_together(place: Path) -> None:
    """Whoever subscribes again and again does not set the daemon talking to everybody."""
    tells = 0
    crowd = 5000

    def tell() -> None:
        nonlocal tells
        tells += 1
        server.publish("state", {"tells": tells})

    async with serving(place, dict, tell) as server:
        with zmtp.connected(place / EVENTS_SOCKET) as peer:
            await asyncio.to_thread(zmtp.greet, peer, b"SUB")
            await asyncio.to_thread(peer.sendall, zmtp.SUBSCRIBE_ALL * crowd)
            with zmtp.connected(place / EVENTS_SOCKET) as late:
                await asyncio.to_thread(zmtp.greet, late, b"SUB")
                late.sendall(zmtp.SUBSCRIBE_ALL)
                first = json.loads((await asyncio.to_thread(zmtp.receive_message, late))[-1])

    assert first["event"] == "state"
    assert tells < crowd


async def test_a_stuck_subscriber_gets_the_state_once_it_listens_again(place: Path) -> None:
    was_told = asyncio.Event()

    def tell() -> None:
        server.publish("state", {"state": "idle"})
        was_told.set()

    def read_up_to_the_state(peer: socket.socket) -> list[dict[str, Any]]:
        notices = [json.loads(zmtp.receive_message(peer)[-1])]
        while notices[-1]["event"] != "state":
            notices.append(json.loads(zmtp.receive_message(peer)[-1]))
        return notices

    async with serving(place, dict, tell) as server:
        with zmtp.connected(place / EVENTS_SOCKET) as peer:
            await asyncio.to_thread(zmtp.greet, peer, b"SUB")
            peer.sendall(zmtp.SUBSCRIBE_ALL)
            async with asyncio.timeout(zmtp.ANSWERS_WITHIN_S):
                await was_told.wait()
            await asyncio.to_thread(read_up_to_the_state, peer)
            for number in range(8 * EVENTS_QUEUED):
                server.publish("error", {"number": number, "message": "x" * 1000})
            missed = await asyncio.to_thread(read_up_to_the_state, peer)

    numbers = [notice["number"] for notice in missed[:-1]]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) < 8 * EVENTS_QUEUED
