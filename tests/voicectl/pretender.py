"""A daemon that says what it is told to, and voicectl as a process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

import zmq

from voiced.control.messages import decode_request
from voiced.control.protocol import CONTROL_SOCKET, EVENTS_SOCKET

ROOT = Path(__file__).resolve().parents[2]


class Pretender:
    """Serves the two sockets, and answers what it was told to."""

    def __init__(self, runtime: Path) -> None:
        self.directory = runtime / "voiced"
        self.directory.mkdir(parents=True, exist_ok=True)
        self._context = zmq.Context()
        self.router = self._context.socket(zmq.ROUTER)
        self.events = self._context.socket(zmq.XPUB)
        for socket, name in ((self.router, CONTROL_SOCKET), (self.events, EVENTS_SOCKET)):
            socket.setsockopt(zmq.LINGER, 0)
            socket.bind(f"ipc://{self.directory / name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def answer(self, data: bytes) -> str:
        """Take one request, answer it, and return its verb."""
        assert self.router.poll(20_000)
        *envelope, request = self.router.recv_multipart()
        self.router.send_multipart([*envelope, data])
        return decode_request(request).verb

    def publish(self, data: bytes) -> None:
        """Wait until somebody listens, and say something."""
        assert self.events.poll(20_000)
        self.events.recv()
        self.events.send(data)

    def die(self) -> None:
        """End as a process does that is killed: the files stay."""
        self._context.destroy(linger=0)


def voicectl(runtime: Path, *arguments: str | bytes) -> "subprocess.Popen[bytes]":
    """Start voicectl."""
    return subprocess.Popen(
        [sys.executable, "-m", "voicectl", *arguments],
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def line(process: "subprocess.Popen[bytes]") -> str:
    """Return the next line that is printed."""
    assert process.stdout is not None
    return process.stdout.readline().decode().rstrip("\n")


def outcome(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    """Return the exit status and what was said on stderr."""
    _, said = process.communicate(timeout=60)
    return process.returncode, said.decode()
