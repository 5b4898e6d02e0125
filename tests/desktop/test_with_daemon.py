"""The daemon as a process on a desktop of its own: lock, sleep, players, no bus."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.rig.daemon import ANSWERS_WITHIN_S, Daemon, configuration
from tests.rig.desktop import FakeLogind, FakePlayer, PrivateBus, on_bus
from tests.rig.provider import ScriptedProvider
from tests.rig.soundcard import VirtualSoundCard

PLAYER = "org.mpris.MediaPlayer2.music"

pytestmark = pytest.mark.timeout(120)


@dataclass
class Desk:
    """A daemon, and the desktop around it."""

    daemon: Daemon
    provider: ScriptedProvider
    logind: FakeLogind
    card: VirtualSoundCard

    async def ask(self, verb: str) -> None:
        """Ask the daemon for something."""
        await asyncio.to_thread(self.daemon.ask, verb)

    async def until(self, state: str, **fields: object) -> None:
        """Wait until the daemon is next in a state."""
        until = self.daemon.until
        await asyncio.to_thread(until, "state", ANSWERS_WITHIN_S, state=state, **fields)

    async def start(self) -> None:
        """Have a conversation that listens."""
        await self.ask("start")
        await self.until("listening", mic_open=True)

    async def recorders(self) -> str:
        """Return who records, as the sound server sees it."""
        return await asyncio.to_thread(self.card.pactl, "list", "short", "source-outputs")


@asynccontextmanager
async def desk(card: VirtualSoundCard, bus: PrivateBus, **desktop: object) -> AsyncIterator[Desk]:
    """Give a daemon that has met logind."""
    async with ScriptedProvider() as provider, on_bus(bus.address) as connection:
        logind = FakeLogind(connection)
        await connection.request_name(FakeLogind.NAME)
        buses = {"DBUS_SYSTEM_BUS_ADDRESS": bus.address, "DBUS_SESSION_BUS_ADDRESS": bus.address}
        config = configuration(provider.base_url, log={"level": "debug"}, desktop=desktop)
        daemon = Daemon(card.environment(), config, buses)
        await asyncio.to_thread(daemon.start)
        try:
            await logind.until(lambda: "ListSessions" in logind.calls)
            yield Desk(daemon, provider, logind, card)
        finally:
            status = await asyncio.to_thread(daemon.stop)
            logind.close()
        assert status == 0, daemon.log


async def test_the_microphone_closes_for_a_lock_and_before_sleep(
    card: VirtualSoundCard, bus: PrivateBus
) -> None:
    async with desk(card, bus) as it:
        await it.start()
        wire = await it.provider.wire()
        it.logind.hint(is_locked=True)
        await it.until("idle", mic_open=False, paused="locked")
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            await wire.closed.wait()
            while await it.recorders():
                continue  # the device is let go of on a thread of its own, a moment later

        done = await asyncio.to_thread(it.daemon.ctl, "start", check=False)
        assert done.returncode == 1
        assert "the screen is locked" in done.stderr

        it.logind.hint(is_locked=False)
        await it.until("listening", mic_open=True, paused=None)
        await it.provider.wire(1)
        await it.logind.inhibited(1)
        assert await it.recorders() != ""

        it.logind.prepare(sleep=True)
        await it.logind.released()
        recorders = await it.recorders()
        await it.until("idle", mic_open=False, paused="suspended")
        it.logind.prepare(sleep=False)
        await it.until("listening", mic_open=True, paused=None)
        await it.logind.inhibited(2)

    assert recorders == ""


async def test_a_player_pauses_for_a_conversation_and_goes_on_after_it(
    card: VirtualSoundCard, bus: PrivateBus
) -> None:
    """Once it ends by a wish, once it ends with the daemon."""
    async with on_bus(bus.address, PLAYER) as first, on_bus(bus.address, f"{PLAYER}2") as second:
        music, film = FakePlayer(first), FakePlayer(second, "Paused")
        async with desk(card, bus, pause_players=True) as it:
            await it.start()
            await music.until(lambda: music.calls == ["Pause"])
            film.become("Playing")
            await it.ask("stop")
            await music.until(lambda: music.calls == ["Pause", "Play"])
            assert film.calls == []

            film.become("Paused")
            await it.start()
            await music.until(lambda: music.calls == ["Pause", "Play", "Pause"])

        assert music.calls == ["Pause", "Play"] * 2
        assert film.calls == []


async def test_a_player_goes_on_after_a_crash(card: VirtualSoundCard, bus: PrivateBus) -> None:
    async with (
        on_bus(bus.address, PLAYER) as connection,
        desk(card, bus, pause_players=True) as it,
    ):
        music = FakePlayer(connection)
        await it.start()
        await music.until(lambda: music.calls == ["Pause"])
        await asyncio.to_thread(it.daemon.stop, signal.SIGKILL)
        assert music.status == "Paused"

        await asyncio.to_thread(it.daemon.start)
        await music.until(lambda: music.calls == ["Pause", "Play"])


@pytest.mark.long
async def test_a_bus_that_goes_and_comes_is_borne(card: VirtualSoundCard, bus: PrivateBus) -> None:
    async with desk(card, bus) as it:
        await it.start()
        await asyncio.to_thread(bus.stop)
        await asyncio.to_thread(bus.start)
        async with on_bus(bus.address) as connection:
            logind = FakeLogind(connection)
            await connection.request_name(FakeLogind.NAME)
            await logind.until(lambda: "ListSessions" in logind.calls)
            logind.hint(is_locked=True)
            await it.until("idle", paused="locked")
            logind.close()

        assert it.daemon.log.count("nothing is heard from the system bus") == 1
