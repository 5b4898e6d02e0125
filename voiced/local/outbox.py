"""What waits to be sent to one client, in order.

Rules
1. ``put`` never waits, so that what belongs together leaves together.
2. Whoever makes more waits for ``room`` first: a client that does not read stops the
   replies and, after that, the reading of its own events.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from voiced.local.events import Event, encode

LIMIT_BYTES: Final = 1024 * 1024


class Outbox:
    """Events on their way to the client."""

    def __init__(self, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._has_some = asyncio.Event()
        self._has_room = asyncio.Event()
        self._is_empty = asyncio.Event()
        self._has_room.set()
        self._is_empty.set()

    def put(self, *events: Event) -> None:
        """Add events."""
        for event in events:
            data = encode(event)
            self._waiting.append(data)
            self._size += len(data)
        self._update()

    async def room(self) -> None:
        """Wait until the client has caught up."""
        await self._has_room.wait()

    async def drain(self) -> None:
        """Wait until everything has been handed to the connection."""
        await self._is_empty.wait()

    async def pump(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Send what comes, until cancelled.

        Args:
            send: Sends one message and waits while the connection is full.
        """
        while True:
            await self._has_some.wait()
            data = self._waiting[0]
            await send(data)
            self._waiting.popleft()
            self._size -= len(data)
            self._update()

    def _update(self) -> None:
        _set(self._has_some, is_set=bool(self._waiting))
        _set(self._has_room, is_set=self._size < self._limit_bytes)
        _set(self._is_empty, is_set=not self._waiting)


def _set(event: asyncio.Event, *, is_set: bool) -> None:
    if is_set:
        event.set()
    else:
        event.clear()
