"""Who may come in: asked by libzmq before a connection can say or hear anything.

Rules
1. Only this user comes in.  The kernel says who the peer is; nothing is believed.
2. Without an answer from here nobody comes in, and neither does who speaks a protocol
   older than ZMTP 3: libzmq would pass on the bytes of anybody.
3. Who says nothing is shown out after two seconds.
4. The room is bounded, because libzmq ends the process when it has no descriptor for one
   more.  A program of this user that connects tens of thousands of times in those two
   seconds, and says nothing, still ends the daemon; but it could as well kill it.
5. What a crowd took is given back when it has gone: the allocator would keep it for good.

The question and its answer are those of ZAP, https://rfc.zeromq.org/spec/27.
"""

import asyncio
import ctypes
import os
import resource
from collections.abc import Callable
from typing import Final

import zmq
import zmq.asyncio

from voiced.control.complaints import Complaints

QUESTIONS: Final = "inproc://zeromq.zap.01"
DOMAIN: Final = b"voiced"
ZAP_VERSION: Final = b"1.0"
MAY_COME: Final = (b"200", b"")
MAY_NOT: Final = (b"400", b"this is the daemon of another user")
NO_ROOM: Final = (b"400", b"too many connections")

GREET_WITHIN_MS: Final = 2000
MOST_CONNECTIONS: Final = 4096
"""Each takes 25 kB here; a desktop has a dozen."""
CROWD: Final = 200
TIDY_EVERY_S: Final = 10.0


def guard(socket: zmq.asyncio.Socket) -> None:
    """Have every peer of a socket asked about here; before it is bound."""
    socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)
    socket.setsockopt(zmq.HANDSHAKE_IVL, GREET_WITHIN_MS)


def is_ours(address: str) -> bool:
    """Tell whether a peer is of this user; libzmq says "localhost:UID:GID:PID"."""
    parts = address.split(":")
    return len(parts) == 4 and parts[1] == str(os.getuid())  # noqa: PLR2004 - the four of the form


def give_back() -> None:
    """Return memory that nobody uses to the system, where the C library can do that."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def open_descriptors() -> int:
    """Return how many descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - they are counted, not used


class Gate:
    """Answers who may come in.

    Args:
        context: That of the sockets it answers for.
        complaints: Takes what is wrong with those who are sent away.
        most: How many descriptors may be open in this process before nobody else comes in.
        tidy: Called, on a thread, when a crowd has gone.
    """

    def __init__(
        self,
        context: zmq.asyncio.Context,
        complaints: Complaints,
        most: int = MOST_CONNECTIONS,
        tidy: Callable[[], None] = give_back,
    ) -> None:
        self._complaints = complaints
        self._socket = context.socket(zmq.REP)
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = min(most, soft // 2)
        self._came = 0
        """How many came in since the last look."""
        self._peak = 0
        """The most descriptors that any look found open since it was tidied."""
        self._tidy = tidy

    def open(self) -> None:
        """Take questions; what is asked before ``run`` waits for it."""
        self._socket.bind(QUESTIONS)

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            frames = await self._socket.recv_multipart()
            await self._socket.send_multipart(self._answer(frames))
            # What is there is received without waiting, and others need the loop, too.
            await asyncio.sleep(0)

    async def tidy(self, crowd: int = CROWD, every_s: float = TIDY_EVERY_S) -> None:
        """Tidy up after each crowd, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            came, self._came = self._came, 0
            if came < crowd and self._peak < crowd:
                continue
            open_now = await asyncio.to_thread(open_descriptors)
            self._peak = max(self._peak, open_now)
            # Of those who came, some may have gone before anybody looked.
            if came >= crowd or self._peak - open_now >= crowd:
                self._peak = open_now
                await asyncio.to_thread(self._tidy)

    def _answer(self, question: list[bytes]) -> list[bytes]:
        # libzmq asks, so the form is right: version, number, domain, address and more.
        number, address = question[1], question[3].decode(errors="replace")
        if not is_ours(address):
            self._complaints.note("somebody else was sent away: %s", address)
            code, reason = MAY_NOT
        elif self._is_full():
            self._complaints.note("too many connections; one of %s was sent away", address)
            code, reason = NO_ROOM
        else:
            self._came += 1
            code, reason = MAY_COME
        return [ZAP_VERSION, number, code, reason, b"", b""]

    def _is_full(self) -> bool:
        """Tell whether so many descriptors are open: a new one gets the lowest free number."""
        try:
            number = os.dup(self._socket.FD)
        except OSError:
            return True  # none is free
        os.close(number)
        return number > self._most
