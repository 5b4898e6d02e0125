import asyncio
import json

import pytest

from voiced.local import events as ev
from voiced.local.outbox import Outbox


class Slow:
    """A connection that takes one message when it is told to.

    Attributes:
        sent: Ids of the items whose deletion was told.
    """

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.turns = asyncio.Semaphore(0)

    async def send(self, message: bytes) -> None:
        await self.turns.acquire()
        self.sent.append(json.loads(message)["item_id"])


def deleted(*ids: str) -> list[ev.Event]:
    return [ev.ItemDeleted(item_id=item_id) for item_id in ids]


async def test_events_leave_in_the_order_they_came() -> None:
    outbox, connection = Outbox(), Slow()
    async with asyncio.TaskGroup() as tasks:
        pump = tasks.create_task(outbox.pump(connection.send))
        outbox.put(*deleted("a", "b"))
        outbox.put(*deleted("c"))
        for _ in range(3):
            connection.turns.release()
        await outbox.drain()
        pump.cancel()

    assert connection.sent == ["a", "b", "c"]


async def test_there_is_no_room_until_the_client_has_caught_up() -> None:
    outbox, connection = Outbox(limit_bytes=100), Slow()
    await outbox.room()
    outbox.put(*deleted("a" * 100))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await outbox.room()

    async with asyncio.TaskGroup() as tasks:
        pump = tasks.create_task(outbox.pump(connection.send))
        connection.turns.release()
        await outbox.room()
        pump.cancel()
    assert len(connection.sent) == 1


async def test_nothing_waiting_is_drained_at_once() -> None:
    await Outbox().drain()
