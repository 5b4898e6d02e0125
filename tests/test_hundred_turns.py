"""A conversation of many turns, every second one interrupted at some moment.

The server keeps the protocol; the judge of the wire looks at every event of the client.
"""

import asyncio
import random
import time

import pytest

from tests.audio.probe import noise, sounding, until
from tests.rig.daemon import Daemon
from tests.rig.provider import Piece, Wire, split
from tests.rig.recorder import Recorder
from tests.rig.soundcard import VirtualSoundCard
from tests.test_daemon import conversation, state

pytestmark = pytest.mark.timeout(120)

MOMENTS = (
    "before created, never created",
    "before created, created late",
    "before created, ended unannounced",
    "before the first sample",
    "while generating",
    "in the tail",
    "right at the end",
    "on request",
    "by a text",
)
IN_THE_MIDDLE = ("while generating", "in the tail", "on request", "by a text")


class Talk:
    """Plays the server's part, turn by turn."""

    def __init__(self, daemon: Daemon, wire: Wire, recorder: Recorder, seed: int) -> None:
        self.daemon = daemon
        self.wire = wire
        self.recorder = recorder
        self.chance = random.Random(seed)
        self.number = 0
        self.turns = 0
        self.response = ""
        self.pieces: list[Piece] = []

    async def turn(self, moment: str | None) -> None:
        """Let the user say something and answer it, or be interrupted on the way."""
        self.number += 1
        self.response = f"resp_{self.number}"
        # What is interrupted in the middle must not be over before that.
        length_ms = (1500, 2500) if moment in IN_THE_MIDDLE else (100, 400)
        self.pieces = [
            Piece(f"item_{self.number}_{index}", noise(self.chance.randint(*length_ms)))
            for index in range(self.chance.choice((1, 1, 2)))
        ]
        await self.wire.speech_started(f"user_{self.number}")
        await self.turn_ended(f"user_{self.number}")
        if moment is None:
            await self.wire.reply(self.response, self.pieces)
        elif moment.startswith("before created"):
            await self.before_created(moment)
        else:
            await self.during(moment)
        if moment != "on request":
            await state(self.daemon, "speaking", session={"turns": self.turns})
        await state(self.daemon, "listening")

    async def turn_ended(self, item_id: str) -> None:
        self.turns += 1
        await self.wire.turn_ended(item_id)

    async def before_created(self, moment: str) -> None:
        """Interrupt a reply that the server has not announced."""
        await asyncio.sleep(self.chance.uniform(0.0, 0.05))
        await self.wire.speech_started(f"again_{self.number}")
        if moment.endswith("created late"):
            await self.wire.created(self.response)
            await self.wire.item_added(self.response, self.pieces[0])
            await self.say_something_late(2)
            await self.wire.done(self.response, "cancelled")
        elif moment.endswith("ended unannounced"):
            await self.wire.done(self.response, "cancelled")
        await self.answer_the_interruption()

    async def during(self, moment: str) -> None:
        """Interrupt a reply that has begun."""
        await self.wire.created(self.response)
        await self.wire.item_added(self.response, self.pieces[0])
        if moment == "before the first sample":
            await self.interrupt_and_cancel()
            return
        so_far = self.recorder.samples().size
        is_whole = moment in ("in the tail", "right at the end")
        await self.send_audio(self.pieces if is_whole else self.pieces[:1], is_whole=is_whole)
        await until(self.recorder, lambda it: sounding(it[so_far:]).size > 480)
        sounds_since_s = time.monotonic() - 0.02
        if moment == "right at the end":
            length_s = sum(len(piece.pcm) for piece in self.pieces) / 48_000
            ends_s = sounds_since_s + length_s + self.chance.uniform(-0.04, 0.06)
            await asyncio.sleep(max(0.0, ends_s - time.monotonic()))
        else:
            await asyncio.sleep(self.chance.uniform(0.03, 0.8))
        if moment in ("on request", "by a text"):
            await self.by_control(moment)
        elif is_whole:
            await self.wire.speech_started(f"again_{self.number}")
            await self.answer_the_interruption()
        else:
            await self.interrupt_and_cancel()

    async def send_audio(self, pieces: list[Piece], *, is_whole: bool) -> None:
        for index, piece in enumerate(pieces):
            if index:
                await self.wire.item_added(self.response, piece, index)
            for part in split(piece.pcm, 100):
                await self.wire.delta(self.response, piece.item_id, part, index)
            if is_whole:
                await self.wire.audio_done(self.response, piece.item_id, index)
        if is_whole:
            await self.wire.done(self.response)

    async def interrupt_and_cancel(self) -> None:
        """Hear the user, cancel, and still say something of the dead response."""
        await self.wire.speech_started(f"again_{self.number}")
        await self.say_something_late(self.chance.randint(0, 6))
        await self.wire.done(self.response, "cancelled")
        await self.say_something_late(self.chance.randint(0, 2))
        await self.answer_the_interruption()

    async def by_control(self, moment: str) -> None:
        """Let a person interrupt through the control socket; the client cancels."""
        before = len(self.wire.received)
        if moment == "on request":
            await asyncio.to_thread(self.daemon.ask, "interrupt")
            await self.wire.expect("response.cancel", after=before)
            await self.wire.done(self.response, "cancelled")
            return
        self.turns += 1
        await asyncio.to_thread(self.daemon.ask, "say", text="listen to me")
        await self.wire.expect("response.cancel", after=before)
        await self.wire.done(self.response, "cancelled")
        create = (await self.wire.expect("response.create", after=before)).event
        await self.reply_to(create["response"]["metadata"])

    async def reply_to(self, metadata: dict[str, str]) -> None:
        """Answer a request of the client."""
        response, piece = f"{self.response}_asked", Piece(f"asked_{self.number}", noise(150))
        await self.wire.created(response, metadata)
        await self.wire.item_added(response, piece)
        await self.wire.delta(response, piece.item_id, piece.pcm)
        await self.wire.audio_done(response, piece.item_id)
        await self.wire.done(response)

    async def say_something_late(self, deltas: int) -> None:
        for number in range(deltas):
            await self.wire.delta(self.response, self.pieces[0].item_id, noise(100, seed=number))

    async def answer_the_interruption(self) -> None:
        """End the user's second turn and answer that."""
        await asyncio.sleep(0.05)
        await self.turn_ended(f"again_{self.number}")
        await self.wire.reply(f"{self.response}_b", [Piece(f"b_{self.number}", noise(150))])


async def hold(card: VirtualSoundCard, turns: int, seed: int) -> Wire:
    """Hold a conversation, interrupt every second turn, and return its wire.

    Raises:
        DaemonError: The daemon broke a rule.
    """
    async with conversation(card) as (daemon, wire):
        with Recorder(card) as recorder:
            talk = Talk(daemon, wire, recorder, seed)
            for number in range(turns):
                interrupted = number % 2 == 1
                await talk.turn(MOMENTS[number // 2 % len(MOMENTS)] if interrupted else None)
        report = await asyncio.to_thread(daemon.status)
    assert report["state"] == "listening"
    assert report["error"] is None
    assert "Traceback" not in daemon.log
    assert "ERROR" not in daemon.log
    return wire


async def test_every_moment_of_interruption_keeps_the_rules(card: VirtualSoundCard) -> None:
    wire = await hold(card, 2 * len(MOMENTS), seed=1)

    assert len(wire.rules.truncated) >= 4


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_hundred_turns_with_fifty_interruptions_keep_the_rules(
    card: VirtualSoundCard,
) -> None:
    wire = await hold(card, 100, seed=2)

    assert len(wire.rules.truncated) >= 20
