"""A daemon that only pretends, for what voicectl does with whatever comes back."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SHUT_RDWR, socket
from typing import Any, Self

import zmq

from voiced.control.messages import Request, decode_request
from voiced.control.protocol import CONTROL_SOCKET, EVENTS_SOCKET

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 60
"""What is waited for comes at once; this only ends a test that would hang."""


class Pretender:
    """Serves the two sockets, and answers what it was told to.

    Args:
        runtime: The runtime directory.
    """

    def __init__(self, runtime: Path) -> None:
        self.directory = runtime / "voiced"
        self.directory.mkdir(exist_ok=True)
        self._context = zmq.Context()
        self.router = self._context.socket(zmq.ROUTER)
        self.events = self._context.socket(zmq.XPUB)
        for socket_, name in ((self.router, CONTROL_SOCKET), (self.events, EVENTS_SOCKET)):
            socket_.setsockopt(zmq.LINGER, 0)
            socket_.bind(f"ipc://{self.directory / name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def answer(self, data: bytes) -> Request:
        """Take one request, answer it, and return it."""
        assert self.router.poll(WITHIN_S * 1000)
        *envelope, request = self.router.recv_multipart()
        self.router.send_multipart([*envelope, data])
        return decode_request(request)

    def publish(self, data: bytes) -> None:
        """Wait until somebody listens, and say something."""
        assert self.events.poll(WITHIN_S * 1000)
        self.events.recv()
        self.events.send(data)

    def die(self) -> None:
        """End as a process does that is killed: the files stay."""
        self._context.destroy(linger=0)


def result(voiced: str = "", /, **fields: object) -> bytes:
    """Return a reply that is a result."""
    reply: dict[str, Any] = {"v": 1, "id": "1", "ok": True, "result": fields}
    return json.dumps(reply | ({"voiced": voiced} if voiced else {})).encode()


def refusal(code: str, message: str, hint: str = "") -> bytes:
    """Return a reply that is a refusal."""
    error = {"code": code, "message": message, "hint": hint}
    return json.dumps({"v": 1, "id": "1", "ok": False, "error": error}).encode()


class Scripted:
    """Serves a socket with what a function does to every connection, on a thread.

    Args:
        path: The socket.
        serve: Gets each connection; it is closed when the function returns.
        backlog: How many may wait.
    """

    def __init__(self, path: Path, serve: Callable[[socket], object], *, backlog: int = 16) -> None:
        self._serve = serve
        self.visits = 0
        """How many connections there were."""
        path.parent.mkdir(exist_ok=True)
        self._listening = socket(AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen(backlog)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # What waits in accept is woken by this, and finds that it is over.
        self._listening.shutdown(SHUT_RDWR)
        self._thread.join(WITHIN_S)
        self._listening.close()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.visits += 1
                with connection, suppress(OSError):
                    connection.settimeout(WITHIN_S)
                    self._serve(connection)


def saying(answer: bytes) -> Callable[[socket], None]:
    """Return what says something to a visitor, and then hears whatever comes."""

    def serve(connection: socket) -> None:
        connection.sendall(answer)
        while connection.recv(65_536):
            continue

    return serve


def voicectl(runtime: Path, *arguments: str | bytes, **variables: str) -> "subprocess.Popen[bytes]":
    """Start voicectl where there is no desktop."""
    return subprocess.Popen(
        [sys.executable, "-m", "voicectl", *arguments],
        env=environment(runtime, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def environment(runtime: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a voicectl that finds its daemon in a directory."""
    absent = {"DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"}
    kept = {name: value for name, value in os.environ.items() if name not in absent}
    return kept | {"XDG_RUNTIME_DIR": str(runtime), "PYTHONPATH": str(ROOT)} | variables


def line(process: "subprocess.Popen[bytes]") -> str:
    """Return the next line that is printed."""
    assert process.stdout is not None
    return process.stdout.readline().decode().rstrip("\n")


def outcome(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    """Return the exit status and what was said on stderr."""
    _, said = process.communicate(timeout=WITHIN_S)
    return process.returncode, said.decode()
