"""Somebody who hears what the desktop reports, and can wait for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress

from tests.rig.desktop import ANSWERS_WITHIN_S
from voiced.conversation.events import DesktopEvent


class Listener:
    """Keeps the events of a shell."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[DesktopEvent] = asyncio.Queue()

    def __call__(self, event: DesktopEvent) -> None:
        self._events.put_nowait(event)

    async def next(self) -> DesktopEvent:
        """Wait for the next event."""
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            return await self._events.get()

    def has_more(self) -> bool:
        """Tell whether there is an event that nobody has asked for."""
        return not self._events.empty()


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[None]:
    """Have something run meanwhile; what it raises is raised at the end."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        if not task.done():
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task
