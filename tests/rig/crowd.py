"""Peers of the control sockets that nobody would want: idle, stuck, rude, in a hurry.

Each kind is a program of its own, so that the test's own process keeps its time::

    python -m tests.rig.crowd idle|stuck|garbage|flood|probe DIRECTORY NUMBER SEED

It works until its standard input is closed, and then prints what it did as one JSON
object.  ``probe`` is the one who behaves: it asks for the status, each time by a new
connection as voicectl does, and notes how long that took.
"""

import json
import random
import select
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.rig import zmtp
from voiced.control.messages import Request, decode_reply
from voiced.control.protocol import CONTROL_SOCKET, EVENTS_SOCKET, MAX_REQUEST_BYTES

PROBE_EVERY_S: Final = 0.02
WINDOW: Final = 32
"""Requests that a flooding peer has on their way at any time."""
HARMLESS: Final = (
    Request("status"),
    Request("version"),
    Request("interrupt"),
    Request("start"),
    Request("toggle", t=1),
    Request("mute", {"wish": "off"}),
    Request("ptt", {"edge": "release"}),
)
"""Valid, and without a consequence while a conversation listens."""
Figures = dict[str, Any]


def is_over() -> bool:
    """Tell whether whoever started this wants it to end."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def idle(directory: Path, number: int, _: random.Random) -> Figures:
    """Connect, shake hands, and say nothing more."""
    peers = [shaken(directory / CONTROL_SOCKET, b"DEALER") for _ in range(number)]
    announce()
    sys.stdin.read()
    return {"kept": sum(is_open(peer) for peer in peers)}


def stuck(directory: Path, number: int, _: random.Random) -> Figures:
    """Subscribe to everything, and never read a line."""
    peers = [shaken(directory / EVENTS_SOCKET, b"SUB") for _ in range(number)]
    for peer in peers:
        peer.sendall(zmtp.SUBSCRIBE_ALL)
    announce()
    sys.stdin.read()
    return {"subscribed": len(peers)}


def garbage(directory: Path, _: int, chance: random.Random) -> Figures:
    """Say all that should not be said, to both sockets."""
    announce()
    counts = dict.fromkeys((kind.__name__ for kind in GARBAGE), 0)
    while not any(counts.values()) or not is_over():
        kind = chance.choice(GARBAGE)
        name = chance.choice((CONTROL_SOCKET, EVENTS_SOCKET))
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(1.0)
            try:
                peer.connect(str(directory / name))
                kind(peer, chance)
            except OSError:
                pass  # shown out in the middle of a word: that is what is hoped for
        counts[kind.__name__] += 1
    return {"connections": sum(counts.values()), "kinds": counts}


def flood(directory: Path, _: int, chance: random.Random) -> Figures:
    """Ask for what is allowed, as fast as there are answers."""
    peer = shaken(directory / CONTROL_SOCKET, b"DEALER")
    announce()
    answered = 0
    with peer:
        for _ in range(WINDOW):
            peer.sendall(zmtp.frame(chance.choice(HARMLESS).encode()))
        while not answered or answered % WINDOW or not is_over():
            zmtp.receive_message(peer)
            answered += 1
            peer.sendall(zmtp.frame(chance.choice(HARMLESS).encode()))
    return {"answered": answered}


def probe(directory: Path, _: int, __: random.Random) -> Figures:
    """Ask for the status again and again."""
    announce()
    took_ms: list[float] = []
    states: set[str] = set()
    failures: list[str] = []
    while not took_ms or not is_over():
        began_s = time.monotonic()
        try:
            states.add(ask(directory))
        except (OSError, IndexError, ValueError) as error:
            failures.append(f"{type(error).__name__}: {error}")
        took_ms.append((time.monotonic() - began_s) * 1000)
        time.sleep(max(0.0, began_s + PROBE_EVERY_S - time.monotonic()))
    took_ms.sort()
    return {
        "asked": len(took_ms),
        "failures": failures,
        "states": sorted(states),
        "p50_ms": round(took_ms[len(took_ms) // 2], 2),
        "p99_ms": round(took_ms[len(took_ms) * 99 // 100], 2),
        "max_ms": round(took_ms[-1], 2),
    }


def ask(directory: Path) -> str:
    """Return the state that the daemon says it is in."""
    with shaken(directory / CONTROL_SOCKET, b"REQ") as peer:
        peer.sendall(zmtp.request(Request("status").encode()))
        reply = decode_reply(zmtp.receive_message(peer)[-1])
    return str((reply.result or {})["state"])


def shaken(path: Path, kind: bytes) -> socket.socket:
    """Return a connection that has shaken hands."""
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(zmtp.ANSWERS_WITHIN_S)
    peer.connect(str(path))
    zmtp.greet(peer, kind)
    return peer


def is_open(peer: socket.socket) -> bool:
    """Tell whether the other end is still there."""
    peer.setblocking(False)
    try:
        return peer.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def announce() -> None:
    """Say that the work begins."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


# --- kinds of garbage ----------------------------------------------------------------------

OLD_GREETINGS: Final = (
    b"\x01\x00\x06\x00hello",
    b"\xff" + bytes(8) + b"\x7f\x01\x05\x00\x00\x00\x05hello",
    b"\xff" + bytes(8) + b"\x7f\x00\x05\x00",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
)
NONSENSE: Final = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"v": 1}',
    b'{"v": 2, "verb": "status"}',
    b'{"v": 1, "verb": "fly"}',
    b'{"v": 1, "verb": ["status"]}',
    b'{"v": 1, "verb": "status", "args": [1]}',
    b'{"v": 1, "verb": "status", "t": 1e400}',
    b'{"v": 1, "verb": "status", "t": ' + b"9" * 5000 + b"}",
    b'{"v": 1, "verb": "mute", "args": {"wish": "perhaps"}}',
    b'{"v": 1, "verb": "say", "args": {"text": "\\ud800"}}',
    b"[" * 60_000,
    b"\xff\xfe" * 1000,
)


def bytes_at_random(peer: socket.socket, chance: random.Random) -> None:
    peer.sendall(chance.randbytes(chance.randrange(1, 5000)))


def old_greeting(peer: socket.socket, chance: random.Random) -> None:
    peer.sendall(chance.choice(OLD_GREETINGS) + chance.randbytes(chance.randrange(100)))


def greeting_cut_off(peer: socket.socket, chance: random.Random) -> None:
    whole = zmtp.GREETING + zmtp.ready(b"DEALER") + zmtp.frame(b"hello")
    peer.sendall(whole[: chance.randrange(len(whole))])


def greeting_with_a_wrong_byte(peer: socket.socket, chance: random.Random) -> None:
    whole = bytearray(zmtp.GREETING + zmtp.ready(b"DEALER"))
    whole[chance.randrange(len(whole))] = chance.randrange(256)
    peer.sendall(whole)


def bytes_after_the_greeting(peer: socket.socket, chance: random.Random) -> None:
    zmtp.greet(peer, chance.choice((b"DEALER", b"REQ", b"SUB", b"PUB", b"NONE")))
    peer.sendall(chance.randbytes(chance.randrange(1, 5000)))


def frame_too_long(peer: socket.socket, chance: random.Random) -> None:
    zmtp.greet(peer, b"DEALER")
    size = chance.choice((MAX_REQUEST_BYTES + 1, 1 << 31, 1 << 62, (1 << 64) - 1))
    peer.sendall(b"\x02" + size.to_bytes(8, "big") + bytes(MAX_REQUEST_BYTES + 1))


def nonsense(peer: socket.socket, chance: random.Random) -> None:
    zmtp.greet(peer, b"DEALER")
    for _ in range(chance.randrange(1, 20)):
        peer.sendall(zmtp.frame(chance.choice(NONSENSE)))
    if chance.random() < 0.5:
        peer.recv(4096)


def many_frames(peer: socket.socket, chance: random.Random) -> None:
    zmtp.greet(peer, b"DEALER")
    part = zmtp.frame(chance.randbytes(chance.randrange(200)), more=True)
    peer.sendall(part * chance.randrange(1, 500))
    if chance.random() < 0.5:
        peer.sendall(zmtp.frame(Request("status").encode()))


def commands(peer: socket.socket, chance: random.Random) -> None:
    zmtp.greet(peer, b"SUB")
    for name in (b"\x04PING\x00\x01", b"\x09SUBSCRIBE", b"\x05READY", b"\x05ERROR\xff", b"\xff"):
        body = name + chance.randbytes(chance.randrange(20))
        peer.sendall(b"\x04" + bytes((len(body),)) + body)


def subscriptions(peer: socket.socket, chance: random.Random) -> None:
    zmtp.greet(peer, b"SUB")
    for _ in range(chance.randrange(1, 50)):
        peer.sendall(zmtp.frame(b"\x01" + chance.randbytes(chance.randrange(50))))


Kind = Callable[[socket.socket, random.Random], None]
GARBAGE: Final[tuple[Kind, ...]] = (
    bytes_at_random,
    old_greeting,
    greeting_cut_off,
    greeting_with_a_wrong_byte,
    bytes_after_the_greeting,
    frame_too_long,
    nonsense,
    many_frames,
    commands,
    subscriptions,
)
PEERS: Final[dict[str, Callable[[Path, int, random.Random], Figures]]] = {
    "idle": idle,
    "stuck": stuck,
    "garbage": garbage,
    "flood": flood,
    "probe": probe,
}


def main() -> None:
    """Be one of the crowd."""
    kind, directory, number, seed = sys.argv[1:]
    figures = PEERS[kind](Path(directory), int(number), random.Random(int(seed)))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
