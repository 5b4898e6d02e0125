"""Screen savers, on a bus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.desktop.listener import Listener, running
from tests.rig.desktop import FakeSaver, PrivateBus, on_bus
from voiced.conversation import events as ev
from voiced.desktop.bus import Bus, connected
from voiced.desktop.presence import Presence
from voiced.desktop.savers import SAVERS, Savers

SURE, OPEN = ev.Away("locked"), ev.Back("locked")
GNOME = "org.gnome.ScreenSaver"


class House:
    """The shell, and what it reported."""

    def __init__(self) -> None:
        self.heard = Listener()
        self.has_begun = asyncio.Event()
        self._presence = Presence()
        self.savers = Savers(self._presence)

    async def listen(self, bus: Bus) -> None:
        await self.savers.begin(bus)
        self.has_begun.set()
        while True:
            self.tell()
            self.savers.take(await bus.signal())

    def tell(self) -> None:
        for event in self._presence.news():
            self.heard(event)


@asynccontextmanager
async def listening(bus: PrivateBus) -> AsyncIterator[House]:
    made = House()
    async with connected(bus.address) as ours, running(made.listen(ours)):
        await made.has_begun.wait()
        yield made


@pytest.mark.parametrize("name", SAVERS)
async def test_a_screen_that_is_covered_is_locked(bus: PrivateBus, name: str) -> None:
    async with on_bus(bus.address, name) as theirs:
        saver = FakeSaver(theirs, name)
        async with listening(bus) as made:
            saver.cover(is_active=True)
            assert await made.heard.next() == SURE

            saver.cover(is_active=False)
            assert await made.heard.next() == OPEN


async def test_a_screen_that_is_covered_already_is_locked_at_once(bus: PrivateBus) -> None:
    async with on_bus(bus.address, GNOME, "org.mate.ScreenSaver") as theirs:
        saver = FakeSaver(theirs, GNOME)
        saver.is_active = True
        async with listening(bus) as made:
            assert await made.heard.next() == SURE


async def test_a_screen_saver_that_goes_away_covers_nothing(bus: PrivateBus) -> None:
    async with listening(bus) as made:
        async with on_bus(bus.address, GNOME) as theirs:
            FakeSaver(theirs, GNOME).cover(is_active=True)
            assert await made.heard.next() == SURE
        assert await made.heard.next() == OPEN


async def test_without_a_bus_nothing_is_sure(bus: PrivateBus) -> None:
    async with on_bus(bus.address, GNOME) as theirs:
        saver = FakeSaver(theirs, GNOME)
        saver.is_active = True
        async with listening(bus) as made:
            assert await made.heard.next() == SURE
        made.savers.lost()
        made.tell()

        assert await made.heard.next() == ev.Away("locked", is_sure=False)


async def test_what_is_not_about_the_screen_means_nothing(bus: PrivateBus) -> None:
    async with on_bus(bus.address, GNOME) as theirs:
        saver = FakeSaver(theirs, GNOME)
        async with listening(bus) as made:
            saver.say(saver.path, GNOME, "ActiveChanged", "s", "yes")
            saver.say(saver.path, GNOME, "ActiveChanged", "")
            saver.cover(is_active=True)

            assert await made.heard.next() == SURE
            assert not made.heard.has_more()
