"""logind: sleep is delayed until the microphone is closed, and locks are heard of."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from dbus_fast import Variant

from tests.desktop.listener import Listener, running
from tests.rig.desktop import ANSWERS_WITHIN_S, FakeLogind, PrivateBus, on_bus
from voiced.conversation import events as ev
from voiced.desktop import logind as module
from voiced.desktop.bus import attend, connected
from voiced.desktop.logind import Logind
from voiced.desktop.presence import Presence
from voiced.errors import BusError

SURE, ASKED, OPEN = ev.Away("locked"), ev.Away("locked", is_sure=False), ev.Back("locked")
SLEEPS, WAKES = ev.Away("suspended"), ev.Back("suspended")


@dataclass
class House:
    """The shell, and what it reported."""

    logind: Logind
    heard: Listener


def house() -> House:
    """Return a shell that nobody has connected."""
    presence, heard = Presence(), Listener()

    def tell() -> None:
        for event in presence.news():
            heard(event)

    return House(Logind(presence, tell), heard)


@asynccontextmanager
async def fake(bus: PrivateBus) -> AsyncIterator[FakeLogind]:
    """Give a logind on the bus."""
    async with on_bus(bus.address) as connection:
        made = FakeLogind(connection)
        await connection.request_name(FakeLogind.NAME)
        try:
            yield made
        finally:
            made.close()


@asynccontextmanager
async def listening(bus: PrivateBus) -> AsyncIterator[tuple[FakeLogind, House]]:
    """Give a logind, and the shell that listens to it."""
    made = house()
    async with fake(bus) as logind:
        visit = attend("system", bus.address, made.logind.visit, made.logind.lost)
        async with running(visit):
            # The list comes last, when the signals have been asked for.
            await logind.until(lambda: "ListSessions" in logind.calls)
            yield logind, made


async def test_sleep_is_delayed_until_it_is_allowed_and_again_after_it(bus: PrivateBus) -> None:
    async with listening(bus) as (logind, made):
        await logind.inhibited(1)
        logind.prepare(sleep=True)
        assert await made.heard.next() == SLEEPS
        assert logind.is_inhibited()

        made.logind.allow_sleep()
        await logind.released()
        logind.prepare(sleep=False)
        assert await made.heard.next() == WAKES
        await logind.inhibited(2)
        assert logind.is_inhibited()


async def test_sleep_is_not_delayed_for_long(
    bus: PrivateBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLEEP_AFTER_S", 0.05)
    async with listening(bus) as (logind, _):
        await logind.inhibited(1)
        logind.prepare(sleep=True)

        await logind.released()


async def test_what_comes_late_does_not_spoil_the_next_sleep(bus: PrivateBus) -> None:
    """The machine did not sleep in the end, and the microphone was closed only then."""
    async with listening(bus) as (logind, made):
        logind.prepare(sleep=True)
        logind.prepare(sleep=False)
        await logind.inhibited(2)
        assert [await made.heard.next(), await made.heard.next()] == [SLEEPS, WAKES]
        made.logind.allow_sleep()

        assert logind.is_inhibited()


async def test_where_sleep_cannot_be_delayed_it_is_heard_of_all_the_same(bus: PrivateBus) -> None:
    made = house()
    async with fake(bus) as logind:
        del logind.methods[FakeLogind.PATH, FakeLogind.MANAGER, "Inhibit"]
        visit = attend("system", bus.address, made.logind.visit, made.logind.lost)
        async with running(visit):
            await logind.until(lambda: "ListSessions" in logind.calls)
            logind.prepare(sleep=True)

            assert await made.heard.next() == SLEEPS


async def test_a_session_of_ours_says_that_it_is_locked(bus: PrivateBus) -> None:
    async with listening(bus) as (logind, made):
        logind.hint(is_locked=True)
        assert await made.heard.next() == SURE

        logind.hint(is_locked=False)
        assert await made.heard.next() == OPEN


async def test_a_lock_that_is_asked_for_is_heard_of(bus: PrivateBus) -> None:
    async with listening(bus) as (logind, made):
        logind.lock()
        assert await made.heard.next() == ASKED

        logind.unlock()
        assert await made.heard.next() == OPEN


async def test_the_sessions_of_others_mean_nothing(bus: PrivateBus) -> None:
    async with listening(bus) as (logind, made):
        logind.lock(FakeLogind.THEIRS)
        logind.hint(FakeLogind.THEIRS, is_locked=True)
        logind.begin_session("/org/freedesktop/login1/session/_33", os.getuid() + 1)
        logind.lock("/org/freedesktop/login1/session/_33")
        logind.hint(is_locked=True)

        assert await made.heard.next() == SURE


async def test_a_session_that_begins_later_counts_until_it_ends(bus: PrivateBus) -> None:
    later = "/org/freedesktop/login1/session/_33"
    async with listening(bus) as (logind, made):
        logind.begin_session(later, os.getuid())
        logind.hint(later, is_locked=True)
        assert await made.heard.next() == SURE

        logind.end_session(later)
        assert await made.heard.next() == OPEN


async def test_how_things_are_is_read_at_the_beginning(bus: PrivateBus) -> None:
    made = house()
    async with fake(bus) as logind:
        ours, manager = FakeLogind.OURS, (FakeLogind.PATH, FakeLogind.MANAGER)
        logind.properties[ours, FakeLogind.SESSION, "LockedHint"] = Variant("b", True)
        logind.properties[*manager, "PreparingForSleep"] = Variant("b", True)
        del logind.properties[FakeLogind.THEIRS, FakeLogind.SESSION, "LockedHint"]
        visit = attend("system", bus.address, made.logind.visit, made.logind.lost)
        async with running(visit):
            assert [await made.heard.next(), await made.heard.next()] == [SURE, SLEEPS]


async def test_nobody_else_is_believed(bus: PrivateBus) -> None:
    """On the system's bus anybody may send a signal to anybody."""
    async with listening(bus) as (logind, made), on_bus(bus.address) as stranger:
        liar = FakeLogind(stranger)
        liar.hint(is_locked=True)
        liar.prepare(sleep=True)
        await stranger.request_name("org.example.Liar")
        logind.lock()

        assert await made.heard.next() == ASKED


async def test_a_logind_that_is_started_again_is_met_anew(bus: PrivateBus) -> None:
    async with listening(bus) as (logind, made):
        logind.hint(is_locked=True)
        assert await made.heard.next() == SURE
        await logind.connection.release_name(FakeLogind.NAME)
        # What nobody vouches for any more is not sure.
        assert await made.heard.next() == ASKED
        async with fake(bus):
            assert await made.heard.next() == OPEN


async def test_without_logind_the_visit_ends(bus: PrivateBus) -> None:
    made = house()
    async with connected(bus.address) as ours:
        with pytest.raises(BusError, match=r"org\.freedesktop\.login1|GetNameOwner"):
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                await made.logind.visit(ours)
