"""A scripted provider that hears: silence and speech are told apart as in real servers.

What the client sends arrives one network delay later; it goes through the turn detection
of the built-in server (silero, two windows, prefix padding, 500 ms of silence), and what
that finds is told the client another delay later.
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tests.rig.provider import ANSWERS_WITHIN_S, Piece, ScriptedProvider, Wire, split
from voiced.audio.vad import make_detector
from voiced.local.buffer import InputBuffer
from voiced.local.turns import TurnEnded, TurnRules, TurnStarted

LOOK_AGAIN_S: Final = 0.5
DELTA_MS: Final = 250
AHEAD: Final = 4.0
"""Replies are sent so many times faster than they are spoken, as real servers do."""


@dataclass
class Turn:
    """What the server takes for a turn of the user.

    Attributes:
        started_frame: Where it begins in what was appended, with the padding before it.
        pcm: What was said; nothing while the turn runs.
    """

    item_id: str
    started_frame: int
    told_s: float = 0.0
    """When the client was told of its beginning, or is going to be."""
    pcm: bytes = b""
    is_over: bool = False
    """The client was told of its end."""


@dataclass
class Ear:
    """What was heard on one connection.

    Attributes:
        turns: Those that have begun, oldest first.
        appended: Everything that has arrived.
    """

    wire: Wire
    turns: list[Turn] = field(default_factory=list)
    appended: bytearray = field(default_factory=bytearray)

    @property
    def is_in_turn(self) -> bool:
        """Tell whether the server thinks that the user speaks."""
        return bool(self.turns) and not self.turns[-1].is_over

    async def end_turn(self) -> None:
        """End a turn that nobody spoke, so that a reply can come."""
        await self.wire.turn_ended(f"nobody_{len(self.wire.sent)}")

    async def reply(self, name: str, pcm: bytes) -> None:
        """Send a reply at the pace of real servers; stop when it is cancelled."""
        response, item = f"resp_{name}", f"item_{name}"
        await self.wire.created(response)
        await self.wire.item_added(response, Piece(item, pcm))
        for number, part in enumerate(split(pcm, DELTA_MS)):
            if response in self.wire.rules.cancelled:
                await self.wire.done(response, "cancelled")
                return
            await self.wire.delta(response, item, part)
            # The first second comes at once.
            await asyncio.sleep(DELTA_MS / 1000 / AHEAD if number > 4 else 0)
        await self.wire.audio_done(response, item)
        await self.wire.done(response)


class HearingProvider:
    """The server.

    Args:
        one_way_ms: The network's delay, in each direction.
        is_deaf: It receives everything and never notices that somebody speaks.
    """

    def __init__(self, one_way_ms: float = 0.0, *, is_deaf: bool = False) -> None:
        self._one_way_s = one_way_ms / 1000
        self._is_deaf = is_deaf
        self._first: asyncio.Future[Ear] = asyncio.get_running_loop().create_future()
        self.provider = ScriptedProvider(self._serve)

    async def ear(self) -> Ear:
        """Wait for the first connection and return what is heard on it."""
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            return await asyncio.shield(self._first)

    async def _serve(self, wire: Wire) -> None:
        ear = Ear(wire)
        if not self._first.done():
            self._first.set_result(ear)
        told: deque[tuple[float, TurnStarted | TurnEnded, Turn]] = deque()
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self._tell(ear, told))
            await self._hear(ear, told)
            telling.cancel()

    async def _hear(
        self, ear: Ear, told: deque[tuple[float, TurnStarted | TurnEnded, Turn]]
    ) -> None:
        wire, taken = ear.wire, 0
        # The first one is looked for on the disk.
        await asyncio.to_thread(make_detector)
        buffer = InputBuffer(make_detector)
        buffer.detect(TurnRules())
        while not wire.closed.is_set():
            try:
                await wire.hear(taken + 1, LOOK_AGAIN_S)
            except TimeoutError:
                continue
            at_s, pcm = wire.appended[taken]
            taken += 1
            await asyncio.sleep(max(0.0, at_s + self._one_way_s - time.monotonic()))
            ear.appended += pcm
            if self._is_deaf:
                continue
            for change in buffer.append(pcm):
                due_s = time.monotonic() + self._one_way_s
                match change:
                    case TurnStarted(start_frame):
                        turn = Turn(f"user_{len(ear.turns)}", start_frame, due_s)
                        ear.turns.append(turn)
                        told.append((due_s, change, turn))
                    case TurnEnded(start_frame, end_frame):
                        turn = ear.turns[-1]
                        turn.pcm = buffer.take(start_frame, end_frame)
                        told.append((due_s, change, turn))

    async def _tell(
        self, ear: Ear, told: deque[tuple[float, TurnStarted | TurnEnded, Turn]]
    ) -> None:
        while True:
            await asyncio.sleep(0.002)
            while told and told[0][0] <= time.monotonic():
                _, change, turn = told.popleft()
                match change:
                    case TurnStarted():
                        await ear.wire.speech_started(turn.item_id)
                    case TurnEnded():
                        await ear.wire.turn_ended(turn.item_id)
                        turn.is_over = True
