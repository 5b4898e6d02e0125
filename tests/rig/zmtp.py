"""ZMTP by hand, over a plain socket: what a well-behaved peer says, and pieces of it.

A peer made of this does only what the test has it do: it reads when it is told to, it
does not come back, and it can stop in the middle of a word.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

GREETING: Final = b"\xff" + bytes(7) + b"\x01\x7f\x03\x01NULL" + bytes(16 + 1 + 31)
GREETING_BYTES: Final = 64
SUBSCRIBE_ALL: Final = b"\x00\x01\x01"
ANSWERS_WITHIN_S: Final = 20.0
"""What is waited for comes at once; this only ends a test that would hang."""
MORE, LONG = 1, 2


def ready(kind: bytes) -> bytes:
    """Return the command with which a peer says what kind of socket it is."""
    body = b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind
    return b"\x04" + bytes((len(body),)) + body


def frame(body: bytes, *, more: bool = False) -> bytes:
    """Return one frame of a message."""
    flags = MORE if more else 0
    if len(body) < 256:
        return bytes((flags, len(body))) + body
    return bytes((flags | LONG,)) + len(body).to_bytes(8, "big") + body


def request(body: bytes) -> bytes:
    """Return a request as a REQ socket sends it."""
    return frame(b"", more=True) + frame(body)


def receive(peer: socket.socket, size: int) -> bytes:
    """Return exactly so many bytes, or fewer where the other end closes before."""
    parts: list[bytes] = []
    while size > 0:
        part = peer.recv(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive_frame(peer: socket.socket) -> tuple[int, bytes]:
    """Return the flags and the body of the next frame; nothing at the end."""
    flags = receive(peer, 1)
    if not flags:
        return 0, b""
    size = receive(peer, 8 if flags[0] & LONG else 1)
    return flags[0], receive(peer, int.from_bytes(size, "big"))


def receive_message(peer: socket.socket) -> list[bytes]:
    """Return the next message; commands are passed over."""
    frames: list[bytes] = []
    while True:
        flags, body = receive_frame(peer)
        if flags & 4:
            continue
        frames.append(body)
        if not flags & MORE:
            return frames


def greet(peer: socket.socket, kind: bytes) -> None:
    """Shake hands as a peer of some kind, to the end."""
    peer.sendall(GREETING)
    receive(peer, GREETING_BYTES)
    peer.sendall(ready(kind))
    receive_frame(peer)


@contextmanager
def connected(path: Path, kind: bytes = b"") -> Iterator[socket.socket]:
    """Give a plain connection, that has shaken hands where a kind is given."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(ANSWERS_WITHIN_S)
        peer.connect(str(path))
        if kind:
            greet(peer, kind)
        yield peer
