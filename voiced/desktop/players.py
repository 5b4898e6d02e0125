"""Other players, by MPRIS: paused while a conversation runs, and let go on after it.

Rules
1. Only what plays is paused, and only what was paused here goes on: the same program, on
   the same bus, and still paused.
2. A player that somebody starts meanwhile is his again.
3. What is to be paused is written down before it is asked to, and is not asked to where
   that fails: a daemon that comes after a crash lets it go on.
4. A player that hangs keeps neither the others nor us waiting.  It stays written down
   until it has gone on, or nothing is left to go on.
"""

import asyncio
import json
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from voiced.desktop.bus import PROPERTIES, Bus, Peer, Signal
from voiced.errors import AnswerError, BusError

logger = logging.getLogger(__name__)

PREFIX: Final = "org.mpris.MediaPlayer2."
PROXIES: Final = frozenset({"org.mpris.MediaPlayer2.playerctld"})
"""They are the player that was used last, once more."""
PATH: Final = "/org/mpris/MediaPlayer2"
PLAYER: Final = "org.mpris.MediaPlayer2.Player"


@dataclass(frozen=True, slots=True)
class Paused:
    """A player that was paused here."""

    name: str
    owner: str
    """The unique name of the program; a program that is started again has another."""


@dataclass(slots=True)
class Undo:
    """What was paused and on which bus, kept in a file.

    Args:
        path: The file; it is there only while something is paused.
    """

    path: Path
    bus: str = ""
    players: list[Paused] = field(default_factory=list)
    _is_told: bool = False
    """That it cannot be written; again only after it could."""

    def read(self) -> None:
        """Take what an earlier daemon left; a file that makes no sense is nothing."""
        try:
            kept = json.loads(self.path.read_bytes())
            self.bus = str(kept["bus"])
            self.players = [Paused(str(name), str(owner)) for name, owner in kept["players"]]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s cannot be used: %s", self.path, error)

    def write(self) -> bool:
        """Keep it, in one piece or not at all; false where that cannot be done."""
        try:
            self._write()
        except OSError as error:
            if not self._is_told:
                text = "%s cannot be written, so no player is paused: %s"
                logger.warning(text, self.path, error.strerror)
            self._is_told = True
            return False
        return True

    def without(self, owners: set[str]) -> list[Paused]:
        """Return the players of everybody else."""
        return [each for each in self.players if each.owner not in owners]

    def _write(self) -> None:
        if not self.players:
            self.path.unlink(missing_ok=True)
            return
        kept = {"bus": self.bus, "players": [[each.name, each.owner] for each in self.players]}
        fresh = self.path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(kept, file)
        fresh.replace(self.path)
        self._is_told = False


class Players:
    """Pauses other players, and lets them go on.

    Args:
        path: Where to keep what was paused.
    """

    def __init__(self, path: Path) -> None:
        self._undo = Undo(path)
        self._is_read = False
        self._is_wanted = False
        """They shall be paused."""
        self._pausing: set[str] = set()
        """Owners that were asked to pause and have not answered."""
        self._is_attended = self._is_listening = False
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    def want(self, *, paused: bool) -> None:
        """Say how it shall be; it becomes so while there is a bus."""
        self._is_wanted = paused
        self._changed.set()
        if self._is_attended:
            self._settled.clear()

    async def attend(self, bus: Bus) -> None:
        """Do what is wanted, until cancelled.

        Raises:
            BusError: The bus does not answer.
        """
        self._is_attended, self._is_listening = True, False
        self._settled.clear()
        try:
            await self._begin(await bus.id())
            while True:
                self._changed.clear()
                await (self._pause(bus) if self._is_wanted else self._resume(bus))
                if not self._changed.is_set():
                    self._settled.set()
                await self._changed.wait()
        finally:
            self._is_attended = False
            self._settled.set()

    async def settled(self) -> None:
        """Wait until it is as wanted, or there is no bus."""
        await self._settled.wait()

    def take(self, signal: Signal) -> None:
        """Take a signal: a player that somebody starts is his again."""
        match signal.member, signal.signature, signal.body:
            case "PropertiesChanged", "sa{sv}as", [str(kind), changed, _] if kind == PLAYER:
                status, owner = changed.get("PlaybackStatus"), signal.sender
            case _:
                return
        # What plays on while it is asked to pause has not been started by anybody.
        if status is not None and status.value == "Playing" and owner not in self._pausing:
            self._undo.players = self._undo.without({owner})

    async def _begin(self, bus: str) -> None:
        if not self._is_read:
            await asyncio.to_thread(self._undo.read)
            self._is_read = True
        if self._undo.bus != bus:
            self._undo.bus, self._undo.players = bus, []

    async def _pause(self, bus: Bus) -> None:
        if not self._is_listening:
            # Not before: players say a lot, and most people never have them paused.
            changes = {"interface": PROPERTIES, "member": "PropertiesChanged"}
            await bus.listen(**changes, path=PATH, arg0=PLAYER)
            self._is_listening = True
        names = [each for each in await bus.names() if each.startswith(PREFIX)]
        playing = await asyncio.gather(
            *(_playing(bus, each) for each in names if each not in PROXIES)
        )
        known = {each.owner for each in self._undo.players}
        fresh = {each.owner: each for each in playing if each is not None}
        new = [each for owner, each in fresh.items() if owner not in known]
        self._undo.players += new
        self._pausing = {each.owner for each in new}
        try:
            if await asyncio.to_thread(self._undo.write):
                await asyncio.gather(*(_ask(bus, each, "Pause") for each in new))
            else:
                self._undo.players = self._undo.without(self._pausing)
        finally:
            self._pausing = set()

    async def _resume(self, bus: Bus) -> None:
        players = self._undo.players
        settled = await asyncio.gather(*(_go_on(bus, each) for each in players))
        over = {each.owner for each, is_over in zip(players, settled, strict=True) if is_over}
        self._undo.players = self._undo.without(over)
        await asyncio.to_thread(self._undo.write)


async def _playing(bus: Bus, name: str) -> Paused | None:
    """Return a player, if it plays."""
    try:
        owner = await bus.owner(name)
        status = await bus.get(Peer(owner, PATH, PLAYER), "PlaybackStatus", "s")
    except BusError:
        return None
    return Paused(name, owner) if status == "Playing" else None


async def _go_on(bus: Bus, player: Paused) -> bool:
    """Let a player go on, if it is the same and still paused; false to try again later."""
    peer = Peer(player.owner, PATH, PLAYER)
    try:
        is_same = await bus.owner(player.name) == player.owner
        if is_same and await bus.get(peer, "PlaybackStatus", "s") == "Paused":
            await bus.call(peer, "Play", "")
    except AnswerError as error:
        # It is gone, or it does not want to: that does not change by asking again.
        logger.info("%s: %s", player.name, error)
    except BusError as error:
        logger.info("%s: %s; it is asked again later", player.name, error)
        return False
    return True


async def _ask(bus: Bus, player: Paused, member: str) -> None:
    try:
        await bus.call(Peer(player.owner, PATH, PLAYER), member, "")
    except BusError as error:
        logger.info("%s: %s", player.name, error)
