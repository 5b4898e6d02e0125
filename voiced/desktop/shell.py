"""The desktop, as the rest of the daemon uses it."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from voiced.conversation.absence import IGNORE
from voiced.conversation.events import DesktopEvent
from voiced.desktop.bus import Bus, attend, session_address, system_address
from voiced.desktop.logind import Logind
from voiced.desktop.players import Players
from voiced.desktop.presence import Presence
from voiced.desktop.savers import Savers
from voiced.settings import Desktop as Settings

PLAYERS_FILE: Final = "players.json"
SYSTEM: Final = "system"
SESSION: Final = "session"


class Desktop:
    """Says when the user leaves and comes back, and pauses other players.

    Args:
        directory: Private to the daemon; what was paused is kept there.
        settings: Whether anything of it is wanted.
        emit: Takes the events, on the event loop.
        environment: Says where the buses are.
    """

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        emit: Callable[[DesktopEvent], None],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._emit = emit
        self._presence = Presence()
        self._logind = Logind(self._presence, self._tell_of_system)
        self._savers = Savers(self._presence)
        self._undo = directory / PLAYERS_FILE
        self._players = Players(self._undo)
        self._addresses = (
            system_address(environment),
            session_address(environment, directory.parent),
        )
        self._is_needed = asyncio.Event()
        self._unmet = {SYSTEM, SESSION}
        """Buses of which nothing is known yet, not even that they are not there."""
        self._has_met = asyncio.Event()
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Take new settings; a bus that is not needed is not visited."""
        if {settings.on_lock, settings.on_suspend} != {IGNORE} or settings.pause_players:
            self._is_needed.set()

    async def run(self) -> None:
        """Attend to the buses until cancelled."""
        # Left by a daemon that crashed: somebody waits for his music.
        if not await asyncio.to_thread(self._undo.exists):
            await self._is_needed.wait()
        system, session = self._addresses
        async with asyncio.TaskGroup() as tasks:
            work = attend(SYSTEM, system, self._logind.visit, self._logind.lost)
            tasks.create_task(work, name="system bus")
            work = attend(SESSION, session, self._visit_session, self._session_lost)
            tasks.create_task(work, name="session bus")

    async def met(self, within_s: float) -> None:
        """Wait until it is known whether the user is there, or cannot be known so soon."""
        if self._is_needed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._has_met.wait()

    def allow_sleep(self) -> None:
        """Let the machine sleep: the microphone is closed."""
        self._logind.allow_sleep()

    def pause_players(self) -> None:
        """Have other players pause."""
        self._players.want(paused=True)

    def resume_players(self) -> None:
        """Have those go on that were paused here."""
        self._players.want(paused=False)

    async def finish(self, within_s: float) -> bool:
        """Wait until the players are as wanted; false when that takes too long."""
        try:
            async with asyncio.timeout(within_s):
                await self._players.settled()
        except TimeoutError:
            return False
        return True

    async def _visit_session(self, bus: Bus) -> None:
        await self._savers.begin(bus)
        self._tell_of(SESSION)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._players.attend(bus), name="players")
            while True:
                signal = await bus.signal()
                self._savers.take(signal)
                self._players.take(signal)
                self._tell_of(SESSION)

    def _session_lost(self) -> None:
        self._savers.lost()
        self._tell_of(SESSION)

    def _tell_of_system(self) -> None:
        self._tell_of(SYSTEM)

    def _tell_of(self, bus: str) -> None:
        for event in self._presence.news():
            self._emit(event)
        self._unmet.discard(bus)
        if not self._unmet:
            self._has_met.set()
