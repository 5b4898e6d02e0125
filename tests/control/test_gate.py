"""The gate: who gets in, seen from the socket it guards."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import zmq
import zmq.asyncio

from tests.rig import zmtp
from voiced.control.complaints import Complaints
from voiced.control.gate import MOST_CONNECTIONS, Gate, give_back, guard, is_ours

NOBODY = 65534
STRANGER = """
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[4]))
os.setuid(int(sys.argv[4]))
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(20)
peer.connect(sys.argv[1])
peer.sendall(bytes.fromhex(sys.argv[2]))
got = b""
while len(got) < 64:
    got += peer.recv(64)
try:
    peer.sendall(bytes.fromhex(sys.argv[3]))
    while part := peer.recv(4096):
        got += part
except (BrokenPipeError, ConnectionResetError):
    pass
print(got[64:].hex())
"""
"""Becomes another user, begins to shake hands, and prints what comes to the end."""


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vg", dir="/tmp") as name:
        yield Path(name)


@asynccontextmanager
async def guarded(
    place: Path, *, most: int = MOST_CONNECTIONS, has_gate: bool = True
) -> AsyncIterator[zmq.asyncio.Socket]:
    """Give a guarded socket that serves at ``place / "s"``."""
    context = zmq.asyncio.Context()
    complaints = Complaints(logging.getLogger("voiced.control.server"))
    running: asyncio.Task[None] | None = None
    try:
        serving = context.socket(zmq.ROUTER)
        guard(serving)
        if has_gate:
            gate = Gate(context, complaints, most)
            gate.open()
            running = asyncio.create_task(gate.run())
        serving.bind(f"ipc://{place}/s")
        yield serving
    finally:
        if running is not None:
            running.cancel()
        complaints.close()
        context.destroy(linger=0)


def is_sent_away(path: Path) -> bool:
    """Shake hands, and tell whether the connection is closed instead of served."""
    with zmtp.connected(path) as peer:
        peer.sendall(zmtp.GREETING)
        zmtp.receive(peer, zmtp.GREETING_BYTES)
        peer.sendall(zmtp.ready(b"DEALER"))
        flags, body = zmtp.receive_frame(peer)
        return not (flags & 4 and body.startswith(b"\x05READY"))


async def test_whoever_runs_the_daemon_comes_in_and_is_known(place: Path) -> None:
    async with guarded(place) as serving:
        assert not await asyncio.to_thread(is_sent_away, place / "s")
        with zmtp.connected(place / "s") as peer:
            await asyncio.to_thread(zmtp.greet, peer, b"DEALER")
            peer.sendall(zmtp.frame(b"hello"))
            async with asyncio.timeout(20):
                frames = await serving.recv_multipart(copy=False)

    assert frames[-1].bytes == b"hello"
    assert frames[-1].get("Peer-Address") == f"localhost:{os.getuid()}:{os.getgid()}:{os.getpid()}"


async def test_without_a_gate_nobody_comes_in(place: Path) -> None:
    async with guarded(place, has_gate=False):
        assert await asyncio.to_thread(is_sent_away, place / "s")


async def test_when_there_are_too_many_one_more_is_sent_away(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with guarded(place, most=0):
        assert await asyncio.to_thread(is_sent_away, place / "s")

    assert f"too many connections; one of localhost:{os.getuid()}:" in caplog.text


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"\x01\x00\x06\x00hello", id="ZMTP 1.0"),
        pytest.param(b"\xff" + bytes(8) + b"\x7f\x01\x05\x00\x00\x00\x05hello", id="ZMTP 2.0"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="HTTP"),
        pytest.param(zmtp.GREETING.replace(b"NULL\0", b"PLAIN"), id="ZMTP 3, PLAIN"),
        pytest.param(zmtp.GREETING + b"\x00\x05hello", id="ZMTP 3, a message for a READY"),
    ],
)
async def test_whoever_speaks_something_else_is_shown_out(place: Path, said: bytes) -> None:
    def closed_after() -> None:
        with zmtp.connected(place / "s") as peer:
            peer.sendall(said)
            try:
                while peer.recv(4096):
                    continue
            except ConnectionResetError:
                return

    async with guarded(place) as serving:
        await asyncio.to_thread(closed_after)
        assert not await serving.poll(0)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_another_user_is_sent_away(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    said = [zmtp.GREETING.hex(), zmtp.ready(b"DEALER").hex()]
    command = [sys.executable, "-I", "-S", "-c", STRANGER, str(place / "s"), *said, str(NOBODY)]
    async with guarded(place) as serving:
        os.chmod(place, 0o711)  # noqa: PTH101, S103 - pathlib counts as blocking, and it is a test
        os.chmod(place / "s", 0o666)  # noqa: PTH101, S103 - the same
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert not await serving.poll(0)

    assert not bytes.fromhex(done.stdout).startswith(b"\x04\x19\x05READY")
    assert f"somebody else was sent away: localhost:{NOBODY}:{NOBODY}:" in caplog.text


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (f"localhost:{os.getuid()}:0:1", True),
        (f"localhost:{os.getuid() + 1}:0:1", False),
        ("", False),
        ("127.0.0.1", False),
        (f"localhost:{os.getuid()}", False),
    ],
)
def test_only_the_kernel_is_believed(address: str, *, expected: bool) -> None:
    assert is_ours(address) is expected


async def test_it_is_tidied_when_a_crowd_comes_and_when_it_has_gone() -> None:
    """Also where the crowd stays for long: what it took is given back once it goes."""
    tidied = threading.Semaphore(0)

    def tidy() -> None:
        give_back()
        tidied.release()

    def is_tidied() -> bool:
        return tidied.acquire(timeout=zmtp.ANSWERS_WITHIN_S)

    context = zmq.asyncio.Context()
    gate = Gate(context, Complaints(logging.getLogger("voiced.control.server")), tidy=tidy)
    question = [b"1.0", b"1", b"voiced", f"localhost:{os.getuid()}:0:1".encode(), b"", b"NULL"]
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(50)]
    for _ in crowd:
        assert gate._answer(question)[2] == b"200"
    # Those who leave first leave the low numbers free, and most of the crowd is still there.
    crowd.pop(0).close()
    tidying = asyncio.create_task(gate.tidy(crowd=40, every_s=0.01))
    assert await asyncio.to_thread(is_tidied)
    for each in crowd:
        each.close()
    assert await asyncio.to_thread(is_tidied)
    tidying.cancel()
    context.destroy(linger=0)


async def test_whoever_says_nothing_is_shown_out(place: Path) -> None:
    def read_to_the_end() -> bytes:
        with zmtp.connected(place / "s") as peer:
            return zmtp.receive(peer, 1000)

    async with guarded(place):
        assert len(await asyncio.to_thread(read_to_the_end)) < zmtp.GREETING_BYTES
