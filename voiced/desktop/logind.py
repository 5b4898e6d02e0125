"""Sleep and the lock of the screen, as logind knows them, on the system's bus.

Rules
1. A service of the user belongs to no session, so every session of this user counts.
2. Sleep is delayed, for 2 s at most, until the microphone is closed.
3. Signals are asked for before the state is read: nothing is missed in between.
4. Anybody may send us a signal; only logind's own are believed.  One that is started
   again is met anew.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Final

from voiced.desktop.bus import DRIVER, PROPERTIES, Bus, Peer, Signal
from voiced.desktop.presence import Presence
from voiced.errors import BusError

logger = logging.getLogger(__name__)

NAME: Final = "org.freedesktop.login1"
MANAGER: Final = "org.freedesktop.login1.Manager"
SESSION: Final = "org.freedesktop.login1.Session"
SESSIONS_PATH: Final = "/org/freedesktop/login1/session"
_MANAGER: Final = Peer(NAME, "/org/freedesktop/login1", MANAGER)
SLEEP_AFTER_S: Final = 2.0
"""logind itself waits for 5 s, unless it is told otherwise."""


class Logind:
    """Listens to logind, and keeps the machine awake until it may sleep.

    Args:
        presence: Takes what is heard.
        tell: Called when something was.
    """

    def __init__(self, presence: Presence, tell: Callable[[], None]) -> None:
        self._presence = presence
        self._tell = tell
        self._owner = ""
        """The unique name of logind."""
        self._inhibitor: int | None = None
        self._late: asyncio.TimerHandle | None = None
        self._ours: set[str] = set()
        """Sessions of this user."""

    async def visit(self, bus: Bus) -> None:
        """Listen until cancelled.

        Raises:
            BusError: logind does not answer.
        """
        try:
            await self._begin(bus)
            while True:
                await self._take(bus, await bus.signal())
                self._tell()
        finally:
            self._release()

    def lost(self) -> None:
        """Note that nothing is heard any more."""
        self._presence.knows_sessions = False
        self._tell()

    def allow_sleep(self) -> None:
        """Let the machine sleep, where it is about to."""
        if self._presence.is_sleeping:
            self._release()

    async def _begin(self, bus: Bus) -> None:
        await bus.listen(sender=DRIVER, member="NameOwnerChanged", arg0=NAME)
        self._owner = await bus.owner(NAME)
        await bus.listen(sender=NAME, interface=MANAGER)
        await bus.listen(sender=NAME, interface=SESSION)
        await bus.listen(
            sender=NAME,
            interface=PROPERTIES,
            member="PropertiesChanged",
            path_namespace=SESSIONS_PATH,
            arg0=SESSION,
        )
        await self._delay_sleep(bus)
        presence = self._presence
        presence.is_sleeping = bool(await bus.get(_MANAGER, "PreparingForSleep", "b"))
        (sessions,) = await bus.call(_MANAGER, "ListSessions", "a(susso)")
        self._ours = {path for _, uid, _, _, path in sessions if uid == os.getuid()}
        presence.asked &= self._ours
        presence.locked.clear()
        for path in self._ours:
            if await _is_locked(bus, path):
                presence.session_says(path, is_locked=True)
        presence.knows_sessions = True
        self._tell()

    async def _delay_sleep(self, bus: Bus) -> None:
        self._release()
        why = ("sleep", "voiced", "Closes the microphone", "delay")
        try:
            self._inhibitor = await bus.call_for_descriptor(_MANAGER, "Inhibit", "ssss", *why)
        except BusError as error:
            logger.info("sleep is not delayed until the microphone is closed: %s", error)

    async def _meet(self, bus: Bus, session: str) -> None:
        try:
            uid, _ = await bus.get(Peer(NAME, session, SESSION), "User", "(uo)")
        except BusError:
            return  # it has ended by now
        if uid == os.getuid():
            self._ours.add(session)

    def _release(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        inhibitor, self._inhibitor = self._inhibitor, None
        if inhibitor is not None:
            os.close(inhibitor)

    async def _take(self, bus: Bus, signal: Signal) -> None:
        if signal.sender == DRIVER and signal.member == "NameOwnerChanged":
            raise BusError("logind was started again")
        if signal.sender != self._owner:
            return
        match signal.member, signal.signature, signal.body:
            case "PrepareForSleep", "b", [bool(is_near)]:
                await self._sleep(bus, is_near=is_near)
            case "SessionNew", "so", [_, str(new)]:
                await self._meet(bus, new)
            case "SessionRemoved", "so", [_, str(old)]:
                self._ours.discard(old)
                self._presence.session_ended(old)
            case _ if signal.path in self._ours:
                self._hear(signal)
            case _:
                return

    async def _sleep(self, bus: Bus, *, is_near: bool) -> None:
        self._presence.is_sleeping = is_near
        if not is_near:
            await self._delay_sleep(bus)
        elif self._inhibitor is not None:
            loop = asyncio.get_running_loop()
            self._late = loop.call_later(SLEEP_AFTER_S, self._release)

    def _hear(self, signal: Signal) -> None:
        """Take what a session of ours says of itself."""
        presence, path = self._presence, signal.path
        match signal.member, signal.signature, signal.body:
            case "Lock", _, _:
                presence.lock_asked(path)
            case "Unlock", _, _:
                presence.unlock_asked(path)
            case "PropertiesChanged", "sa{sv}as", [_, changed, _] if "LockedHint" in changed:
                presence.session_says(path, is_locked=bool(changed["LockedHint"].value))
            case _:
                return


async def _is_locked(bus: Bus, session: str) -> bool:
    try:
        return bool(await bus.get(Peer(NAME, session, SESSION), "LockedHint", "b"))
    except BusError:
        return False  # it has ended by now
