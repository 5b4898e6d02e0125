"""The connection to a message bus: it is kept, and nothing it does ends the daemon."""

import asyncio
import logging
from pathlib import Path

import pytest
from dbus_fast import Message, Variant

from tests.desktop.listener import running
from tests.rig.desktop import ANSWERS_WITHIN_S, FakePeer, PrivateBus, on_bus
from voiced.desktop import bus as module
from voiced.desktop.bus import (
    SIGNALS_QUEUED,
    Bus,
    Peer,
    attend,
    connected,
    session_address,
    system_address,
)
from voiced.errors import BusError

NAME, PATH = "org.example.Friend", "/friend"
FRIEND = Peer(NAME, PATH, NAME)


class Visits:
    """Counts the connections, and does nothing with them."""

    def __init__(self) -> None:
        self.count = 0
        self.losses = 0
        self._came = asyncio.Condition()

    async def __call__(self, bus: Bus) -> None:
        async with self._came:
            self.count += 1
            self._came.notify_all()
        await bus.signal()

    def lost(self) -> None:
        self.losses += 1

    async def until(self, count: int) -> None:
        async with asyncio.timeout(ANSWERS_WITHIN_S), self._came:
            await self._came.wait_for(lambda: self.count >= count)


async def test_a_call_is_answered_and_a_refusal_is_told(bus: PrivateBus) -> None:
    async with on_bus(bus.address, NAME) as theirs, connected(bus.address) as ours:
        peer = FakePeer(theirs)
        peer.methods[PATH, NAME, "Add"] = lambda message: ("i", [sum(message.body)])
        peer.properties[PATH, NAME, "Mood"] = Variant("s", "good")

        assert await ours.call(FRIEND, "Add", "i", "ii", 2, 3) == [5]
        assert await ours.get(FRIEND, "Mood", "s") == "good"
        assert NAME in await ours.names()
        assert await ours.owner(NAME) == theirs.unique_name
        with pytest.raises(BusError, match=r"org\.example\.Friend refuses Sing"):
            await ours.call(FRIEND, "Sing", "")
        with pytest.raises(BusError, match="refuses Get: no"):
            await ours.get(FRIEND, "Age", "i")


async def test_an_answer_of_another_kind_is_no_answer(bus: PrivateBus) -> None:
    async with on_bus(bus.address, NAME) as theirs, connected(bus.address) as ours:
        peer = FakePeer(theirs)
        peer.methods[PATH, NAME, "Add"] = lambda _: ("", [])
        peer.properties[PATH, NAME, "Mood"] = Variant("i", 7)

        with pytest.raises(BusError, match="answers Add with something else"):
            await ours.call(FRIEND, "Add", "i", "ii", 2, 3)
        with pytest.raises(BusError, match=r"Mood of .* is something else"):
            await ours.get(FRIEND, "Mood", "s")
        with pytest.raises(BusError, match="gave no descriptor"):
            await ours.call_for_descriptor(FRIEND, "Add", "ii", 2, 3)


async def test_whoever_hangs_is_not_waited_for(
    bus: PrivateBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_WITHIN_S", 0.05)

    def say_nothing(message: Message) -> bool:
        return message.member == "Add"

    async with on_bus(bus.address, NAME) as theirs, connected(bus.address) as ours:
        theirs.add_message_handler(say_nothing)
        with pytest.raises(BusError, match="does not answer Add"):
            await ours.call(FRIEND, "Add", "")


async def test_signals_are_delivered_where_they_are_asked_for(bus: PrivateBus) -> None:
    async with on_bus(bus.address, NAME) as theirs, connected(bus.address) as ours:
        peer = FakePeer(theirs)
        await ours.listen(interface=NAME, member="Sang")
        peer.say(PATH, NAME, "Spoke", "")
        peer.say(PATH, NAME, "Sang", "s", "la")
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            signal = await ours.signal()
            while signal.sender != theirs.unique_name:
                signal = await ours.signal()  # the bus itself greets whoever comes

    assert (signal.member, signal.signature, signal.body) == ("Sang", "s", ["la"])


async def test_more_signals_than_anybody_takes_end_the_connection(bus: PrivateBus) -> None:
    async with on_bus(bus.address, NAME) as theirs, connected(bus.address) as ours:
        peer = FakePeer(theirs)
        await ours.listen(interface=NAME)
        for number in range(SIGNALS_QUEUED + 2):
            peer.say(PATH, NAME, "Sang", "")
            if number % 50 == 0:
                # D-Bus drops whoever sends more at once than the bus has read.
                await theirs.request_name(f"{NAME}.Again")
        with pytest.raises(BusError, match="the connection is lost"):
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                await ours.gone()


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a little less before the next try."""
    monkeypatch.setattr(module, "RETRY_AFTER_S", 0.02)


@pytest.mark.usefixtures("hurry")
async def test_a_lost_connection_is_made_again_and_told_once(
    bus: PrivateBus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    visits = Visits()
    async with running(attend("system", bus.address, visits, visits.lost)):
        for count in (1, 2, 3):
            await visits.until(count)
            await asyncio.to_thread(bus.stop)
            await asyncio.to_thread(bus.start)
        await visits.until(4)

    assert visits.losses >= 3
    assert caplog.text.count("nothing is heard from the system bus") == 1


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("unix:path={place}/absent", "there is no unix:path="),
        ("unix:path={place}/file", "Connection refused"),
        ("nonsense", "nonsense"),
        ("tcp:host=127.0.0.1,port=9", "Connect call failed"),
    ],
)
async def test_a_bus_that_cannot_be_had_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, address: str, complaint: str
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "file").touch()
    visits = Visits()
    tries = asyncio.Event()

    def lost() -> None:
        visits.lost()
        if visits.losses == 3:
            tries.set()

    async with running(attend("session", address.format(place=tmp_path), visits, lost)):
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            await tries.wait()

    told = [record for record in caplog.records if record.name == "voiced.desktop.bus"]
    assert len(told) == 1
    assert told[0].levelno == logging.INFO
    assert complaint in told[0].getMessage()
    assert visits.count == 0


async def test_an_end_is_heeded_also_when_the_connection_breaks_at_that_moment(
    bus: PrivateBus,
) -> None:
    began = asyncio.Event()

    async def visit(ours: Bus) -> None:
        began.set()
        try:
            await ours.signal()
        except asyncio.CancelledError:
            raise BusError("it broke") from None

    attending = asyncio.create_task(attend("test", bus.address, visit, lambda: None))
    async with asyncio.timeout(ANSWERS_WITHIN_S):
        await began.wait()
        attending.cancel()

        with pytest.raises(asyncio.CancelledError):
            await attending


def test_the_addresses_come_from_the_environment_or_custom() -> None:
    runtime = Path("/run/user/1")

    assert system_address({}) == "unix:path=/run/dbus/system_bus_socket"
    assert system_address({"DBUS_SYSTEM_BUS_ADDRESS": "x"}) == "x"
    assert session_address({}, runtime) == "unix:path=/run/user/1/bus"
    assert session_address({"DBUS_SESSION_BUS_ADDRESS": "y"}, runtime) == "y"
