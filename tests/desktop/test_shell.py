"""The desktop as the daemon has it: both buses, or neither."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.desktop.listener import Listener, running
from tests.rig.desktop import (
    ANSWERS_WITHIN_S,
    FakeLogind,
    FakePlayer,
    FakeSaver,
    PrivateBus,
    on_bus,
)
from voiced.conversation import events as ev
from voiced.desktop.shell import PLAYERS_FILE, Desktop
from voiced.settings import Desktop as Settings

NOTHING = Settings(on_lock="ignore", on_suspend="ignore")


def environment(bus: PrivateBus) -> dict[str, str]:
    """Return an environment in which one bus is both."""
    return {"DBUS_SYSTEM_BUS_ADDRESS": bus.address, "DBUS_SESSION_BUS_ADDRESS": bus.address}


async def test_everything_is_heard_and_done(bus: PrivateBus, tmp_path: Path) -> None:
    names = (FakeLogind.NAME, "org.gnome.ScreenSaver", "org.mpris.MediaPlayer2.one")
    heard = Listener()
    desktop = Desktop(tmp_path, Settings(), heard, environment(bus))
    async with on_bus(bus.address) as first, on_bus(bus.address, *names[1:2]) as second:
        logind, saver = FakeLogind(first), FakeSaver(second)
        await first.request_name(names[0])
        async with on_bus(bus.address, names[2]) as third, running(desktop.run()):
            player = FakePlayer(third)
            await logind.inhibited()
            await logind.until(lambda: "ListSessions" in logind.calls)
            logind.prepare(sleep=True)
            assert await heard.next() == ev.Away("suspended")
            desktop.allow_sleep()
            await logind.released()

            await saver.until(lambda: "GetActive" in saver.calls)
            saver.cover(is_active=True)
            assert await heard.next() == ev.Away("locked")

            desktop.pause_players()
            assert await desktop.finish(ANSWERS_WITHIN_S)
            await player.until(lambda: player.status == "Paused")
            desktop.resume_players()
            assert await desktop.finish(ANSWERS_WITHIN_S)
            assert player.calls == ["Pause", "Play"]
        logind.close()


async def test_a_bus_that_goes_away_is_not_sure_of_anything(
    bus: PrivateBus, tmp_path: Path
) -> None:
    heard = Listener()
    desktop = Desktop(tmp_path, Settings(), heard, environment(bus))
    async with on_bus(bus.address, "org.gnome.ScreenSaver") as theirs:
        saver = FakeSaver(theirs)
        saver.is_active = True
        async with running(desktop.run()):
            assert await heard.next() == ev.Away("locked")
            await asyncio.to_thread(bus.stop)

            assert await heard.next() == ev.Away("locked", is_sure=False)


async def test_what_is_known_of_the_user_is_told_before_anybody_goes_on(
    bus: PrivateBus, tmp_path: Path
) -> None:
    heard = Listener()
    desktop = Desktop(tmp_path, Settings(), heard, environment(bus))
    async with on_bus(bus.address, "org.gnome.ScreenSaver") as theirs:
        FakeSaver(theirs).is_active = True
        async with running(desktop.run()):
            await desktop.met(ANSWERS_WITHIN_S)

            assert heard.has_more()


async def test_a_desktop_that_cannot_be_met_is_not_waited_for(tmp_path: Path) -> None:
    buses = ("DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS")
    absent = dict.fromkeys(buses, f"unix:path={tmp_path}/absent")
    desktop = Desktop(tmp_path, Settings(), Listener(), absent)
    await desktop.met(0.01)
    async with running(desktop.run()), asyncio.timeout(ANSWERS_WITHIN_S):
        await desktop.met(3600.0)
    await Desktop(tmp_path, NOTHING, Listener(), absent).met(3600.0)


async def test_a_desktop_that_nobody_wants_is_left_alone(bus: PrivateBus, tmp_path: Path) -> None:
    heard = Listener()
    desktop = Desktop(tmp_path, NOTHING, heard, environment(bus))
    async with on_bus(bus.address, "org.gnome.ScreenSaver") as theirs:
        saver = FakeSaver(theirs)
        saver.is_active = True
        async with running(desktop.run()):
            desktop.configure(NOTHING)
            await asyncio.sleep(0)
            assert saver.calls == []

            desktop.configure(Settings(on_lock="ignore", on_suspend="ignore", pause_players=True))
            assert await heard.next() == ev.Away("locked")


async def test_what_a_crash_left_is_seen_to_whatever_is_wanted_now(
    bus: PrivateBus, tmp_path: Path
) -> None:
    (tmp_path / PLAYERS_FILE).write_text("{}")
    desktop = Desktop(tmp_path, NOTHING, Listener(), environment(bus))
    async with on_bus(bus.address, "org.gnome.ScreenSaver") as theirs, running(desktop.run()):
        saver = FakeSaver(theirs)

        await saver.until(lambda: "GetActive" in saver.calls)


async def test_it_gives_up_on_players_that_take_too_long(bus: PrivateBus, tmp_path: Path) -> None:
    desktop = Desktop(tmp_path, Settings(), Listener(), environment(bus))
    async with running(desktop.run()):
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            while await desktop.finish(0.0):
                desktop.pause_players()
                await asyncio.sleep(0)


def test_the_library_is_not_imported_before_there_is_a_bus() -> None:
    """The daemon is up before a quarter of a second of imports."""
    code = "import sys, voiced.daemon; sys.exit('dbus_fast' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
