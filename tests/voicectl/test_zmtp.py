"""The small ZMTP client, against libzmq and against whatever else may sit on a socket."""

import threading
import time
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SHUT_WR, socket, socketpair
from typing import Final

import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rig.pretender import Scripted, saying
from voicectl.zmtp import GREETING, ClosedError, Exchange, ZmtpError

READY: Final = b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06ROUTER"
REPLY: Final = b"\x01\x00" + b"\x00\x04done"
LIMIT: Final = 100_000


def ask(path: Path, request: bytes = b"question", within_s: float = 20.0) -> bytes:
    return Exchange(str(path), time.monotonic() + within_s, LIMIT).run(request)


def read(connection: socket, size: int) -> bytes:
    """Read exactly so much."""
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def welcome(connection: socket) -> bytes:
    """Shake hands, and return the request as it came."""
    read(connection, 64 + 27)
    connection.sendall(GREETING + READY)
    return read(connection, 2 + 2 + len(b"question"))


class Echo:
    """A ROUTER of libzmq that sends every request back."""

    def __init__(self, path: Path, **options: int) -> None:
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        for name, value in {"LINGER": 0, **options}.items():
            self._router.setsockopt(getattr(zmq, name), value)
        self._router.bind(f"ipc://{path}")
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Echo":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # This wakes the thread, and waits until it has closed its socket.
        self._context.term()
        self._thread.join()

    def _run(self) -> None:
        with self._router, suppress(zmq.ContextTerminated):
            while True:
                self._router.send_multipart(self._router.recv_multipart())


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_535, 65_536, 90_000])
def test_libzmq_takes_a_request_of_any_size_and_its_reply_arrives(runtime: Path, size: int) -> None:
    request = b"x" * size
    with Echo(runtime / "s"):
        assert ask(runtime / "s", request) == request


def test_libzmq_takes_a_thousand_requests_in_turn(runtime: Path) -> None:
    with Echo(runtime / "s"):
        for number in range(1000):
            request = b"%d" % number
            assert ask(runtime / "s", request) == request


def test_a_reply_may_come_in_any_pieces(runtime: Path) -> None:
    def serve(connection: socket) -> None:
        read(connection, 64 + 27)
        for byte in GREETING + READY:
            connection.sendall(bytes([byte]))
        assert read(connection, 12) == b"\x01\x00\x00\x08question"
        for byte in REPLY:
            connection.sendall(bytes([byte]))

    with Scripted(runtime / "s", serve):
        assert ask(runtime / "s") == b"done"


def test_the_request_waits_for_the_servers_ready(runtime: Path) -> None:
    early: list[bytes] = []

    def serve(connection: socket) -> None:
        read(connection, 64 + 27)
        connection.sendall(GREETING)
        connection.settimeout(0.05)
        try:
            early.append(connection.recv(1))
        except TimeoutError:
            connection.sendall(READY)
        read(connection, 12)
        connection.sendall(REPLY)

    with Scripted(runtime / "s", serve):
        assert ask(runtime / "s") == b"done"
    assert early == []


def test_a_ping_is_answered_with_its_context_and_other_commands_are_let_go(runtime: Path) -> None:
    ponged: list[bytes] = []

    def serve(connection: socket) -> None:
        welcome(connection)
        connection.sendall(b"\x04\x09\x04PING\x00\x0aab" + b"\x04\x04\x03NEW")
        ponged.append(read(connection, 9))
        connection.sendall(READY + REPLY)

    with Scripted(runtime / "s", serve):
        assert ask(runtime / "s") == b"done"
    assert ponged == [b"\x04\x07\x04PONGab"]


def test_libzmq_that_pings_is_satisfied(runtime: Path) -> None:
    with Echo(runtime / "s", HEARTBEAT_IVL=1, HEARTBEAT_TIMEOUT=20_000):
        assert ask(runtime / "s") == b"question"


NO_REPLIES: Final = {
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n" + b" " * 64,
    "ZMTP 2": b"\xff" + bytes(8) + b"\x7f\x01" + bytes(53),
    "a server that wants keys": GREETING.replace(b"NULL", b"CURV"),
    "an error": GREETING + b"\x04\x0d\x05ERROR\x06go off",
    "unknown flags": GREETING + READY + b"\x80",
    "a command in parts": GREETING + READY + b"\x05\x00",
    "no envelope": GREETING + READY + b"\x00\x04done",
    "three frames": GREETING + READY + b"\x01\x00\x01\x00\x00\x01x",
    "a frame above the limit": GREETING + READY + b"\x02" + (LIMIT + 1).to_bytes(8, "big"),
    "a frame of any length": GREETING + READY + b"\x02" + b"\xff" * 8,
    "a reply before the request": GREETING + REPLY,
    "frames without end": GREETING + READY + b"\x01\x00" * LIMIT,
    "commands without end": GREETING + READY + b"\x04\x00" * LIMIT,
}


@pytest.mark.parametrize("answer", NO_REPLIES.values(), ids=NO_REPLIES)
def test_what_is_no_reply_is_told_at_once(runtime: Path, answer: bytes) -> None:
    with Scripted(runtime / "s", saying(answer)), pytest.raises(ZmtpError):
        ask(runtime / "s")


def crowd_at(path: Path) -> list[socket]:
    """Connect until there is no room for one more."""
    crowd: list[socket] = []
    while True:
        visitor = socket(AF_UNIX)
        visitor.setblocking(False)
        try:
            visitor.connect(str(path))
        except BlockingIOError:
            visitor.close()
            return crowd
        crowd.append(visitor)


@given(noise=st.binary(max_size=300), is_polite=st.booleans())
@settings(max_examples=100)
def test_garbage_ends_in_one_of_three_ways(noise: bytes, is_polite: bool) -> None:
    answer = GREETING + READY + noise if is_polite else noise
    exchange = Exchange("unused", time.monotonic() + 20, LIMIT)
    exchange._socket.close()
    exchange._socket, theirs = socketpair()
    with exchange._socket, theirs:
        theirs.sendall(answer)
        theirs.shutdown(SHUT_WR)

        with pytest.raises((ZmtpError, ClosedError)):
            exchange._converse(b"question")


@pytest.mark.parametrize("sent", [b"", GREETING[:10], GREETING, GREETING + READY], ids=len)
def test_silence_at_any_point_ends_at_the_time_limit(runtime: Path, sent: bytes) -> None:
    with Scripted(runtime / "s", saying(sent)), pytest.raises(TimeoutError):
        ask(runtime / "s", within_s=0.05)


def test_a_trickle_does_not_stretch_the_time_limit(runtime: Path) -> None:
    def serve(connection: socket) -> None:
        connection.sendall(GREETING)
        while True:
            connection.sendall(b"\x04\x07\x04PING\x00\x00")

    with Scripted(runtime / "s", serve), pytest.raises((TimeoutError, ZmtpError)):
        ask(runtime / "s", within_s=0.1)


@pytest.mark.parametrize(
    ("sent", "is_sent"),
    [(b"", False), (GREETING, False), (GREETING + READY, True)],
    ids=["before the greeting", "after it", "after the request"],
)
def test_who_hangs_up_is_told_from_who_may_have_done_it(
    runtime: Path,
    sent: bytes,
    is_sent: bool,
) -> None:
    def serve(connection: socket) -> None:
        read(connection, 64 + 27)
        connection.sendall(sent)
        if is_sent:
            read(connection, 12)

    with Scripted(runtime / "s", serve), pytest.raises(ClosedError) as caught:
        ask(runtime / "s")

    assert caught.value.is_sent is is_sent


def test_a_crowd_before_the_door_is_waited_for_until_the_time_limit(runtime: Path) -> None:
    go = threading.Event()

    def serve(connection: socket) -> None:
        go.wait(20)
        welcome(connection)
        connection.sendall(REPLY)

    with Scripted(runtime / "s", serve, backlog=0):
        crowd = crowd_at(runtime / "s")
        with pytest.raises(TimeoutError):
            ask(runtime / "s", within_s=0.05)

        for waiting in crowd:
            waiting.close()
        go.set()
        assert ask(runtime / "s") == b"done"


def test_a_socket_that_is_not_there_is_told_by_the_system(runtime: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ask(runtime / "s")
