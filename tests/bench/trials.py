"""Trials over open loudspeakers: a whole daemon in a room, and a server that hears.

Definitions
1. The user's first sound is the first 5 ms of the clean signal that are less than 20 dB
   below its active level (``acoustics.onset``).
2. The loudspeaker is silent where its recording is nothing but zeros from then on for
   100 ms.  No sample of a reply is zero, so neither a pause nor a duck is silence.
3. An interruption is missed when the loudspeaker is not silent half a second after the
   user's last sound, or when it is only silent for a while and the same reply goes on.
4. A trial in which the rig lost a sample of the microphone is repeated.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.rig.acoustics import RATE_HZ, Floats, as_floats, as_pcm, onset
from tests.rig.alignment import Played, judge
from tests.rig.daemon import Daemon, configuration
from tests.rig.hearing import Ear, HearingProvider
from tests.rig.noises import noise
from tests.rig.recorder import Samples
from tests.rig.room import Room
from tests.rig.scenarios import Scenario
from tests.rig.soundcard import VirtualSoundCard
from tests.rig.voices import assistant, user

MS = RATE_HZ // 1000
REPLY_S = 14.0
NOISE_REPLY_S = 8.0
LONGEST_LOOP_MS = 50.0
"""The rig's loop is part of the delay; the longer it may be, the less is lost."""
AFTERWARDS = 500 * MS
SOUND_PRIORITY, DAEMON_PRIORITY = 10, 5
SETTLES_WITHIN_S = 20.0
BEFORE, AFTER = 300 * MS, 400 * MS
"""What of the sound around a sentence is given to the recogniser."""
BEGINNING = 250 * MS


@dataclass
class Stage:
    """A daemon in a room."""

    card: VirtualSoundCard
    room: Room
    ear: Ear
    daemon: Daemon
    scenario: Scenario
    wire_offset: int = 0
    """Frame of the room -> frame of what the server received."""
    replies: int = 0
    answered: int = 0
    """Turns of the user that were over when the last reply began."""

    async def reply(self, pcm: Samples) -> "asyncio.Task[None]":
        """Have the server reply, as soon as nobody speaks; return once it sounds."""
        await self.quiet()
        ended = sum(1 for turn in self.ear.turns if turn.is_over)
        if ended == self.answered:
            await self.ear.end_turn()
        self.answered = ended
        self.replies += 1
        began = self.room.now
        task = asyncio.create_task(self.ear.reply(str(self.replies), pcm.tobytes()))
        async with asyncio.timeout(SETTLES_WITHIN_S):
            while not self.room.loudspeaker(began).any():
                await self.until(self.room.now + 10 * MS)
        return task

    async def quiet(self) -> None:
        """Wait until neither the loudspeaker nor, for the server, the user sounds."""
        async with asyncio.timeout(SETTLES_WITHIN_S):
            while self.ear.is_in_turn or self.room.loudspeaker(self.room.now - 300 * MS).any():
                await self.until(self.room.now + 20 * MS)

    async def until(self, frame: int) -> None:
        """Wait for a frame of the room."""
        await asyncio.to_thread(self.room.wait, frame)

    async def play(self, sound: Floats) -> int:
        """Have somebody make a sound now; return its first frame."""
        return await asyncio.to_thread(self.room.play, sound)

    async def interrupt(self, reply: "asyncio.Task[None]") -> None:
        """Stop what still sounds, as ``voicectl interrupt`` does."""
        if self.room.loudspeaker(self.room.now - 50 * MS).any():
            await asyncio.to_thread(self.daemon.ask, "interrupt")
        await reply

    def received(self, start: int, end: int) -> Floats:
        """Return what the server received of a stretch of the room's time."""
        pcm = np.frombuffer(bytes(self.ear.appended), "<i2")
        return as_floats(pcm[max(0, start + self.wire_offset) : end + self.wire_offset])


def put_ahead(pid: int, priority: int) -> None:
    """Have a program go before all others, with every thread, where that is allowed.

    What is measured is voiced, not how busy the machine is with somebody else's work.
    """
    with suppress(PermissionError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(task.name), os.SCHED_RR, os.sched_param(priority))


@asynccontextmanager
async def stage(
    scenario: Scenario,
    tables: Mapping[str, Mapping[str, object]],
    *,
    one_way_ms: float = 0.0,
    is_deaf: bool = False,
) -> AsyncIterator[Stage]:
    """Give a daemon that has been spoken to once, in a room."""
    provider = HearingProvider(one_way_ms, is_deaf=is_deaf)
    path = scenario.set_up()
    loop_ms = min(LONGEST_LOOP_MS, path.delay_ms)
    everything = {"session": {"idle_hangup_s": 0}, **tables}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(provider.provider)
        card = stack.enter_context(VirtualSoundCard())
        put_ahead(card.pid, SOUND_PRIORITY)
        room = stack.enter_context(Room(card, path, loop_ms=loop_ms))
        put_ahead(room.pid, SOUND_PRIORITY)
        config = configuration(provider.provider.base_url, **everything)
        daemon = await asyncio.to_thread(stack.enter_context, Daemon(card.environment(), config))
        await asyncio.to_thread(daemon.ask, "start")
        ear = await provider.ear()
        await asyncio.to_thread(daemon.until, "state", state="listening", mic_open=True)
        # Threads it starts later inherit this.
        put_ahead(daemon.pid, DAEMON_PRIORITY)
        made = Stage(card, room, ear, daemon, scenario)
        await _align(made)
        yield made


async def _align(made: Stage) -> None:
    """Say something while the assistant is silent, and find it in what the server got."""
    _, sound = user(0, ("slt",))
    await asyncio.sleep(0.5)
    at = await made.play(sound)
    await made.until(at + sound.size + 1200 * MS)
    received = as_floats(np.frombuffer(bytes(made.ear.appended), "<i2"))
    size = 1 << (received.size + sound.size).bit_length()
    product = np.fft.rfft(received, size) * np.conj(np.fft.rfft(sound, size))
    overlap = np.abs(np.fft.irfft(product, size)[: received.size])
    made.wire_offset = int(np.argmax(overlap)) - at


@dataclass
class Interruption:
    """One trial of an interruption."""

    reaction_ms: float | None = None
    """From the user's first sound to the silent loudspeaker; None: missed."""
    is_cut_before: bool = False
    """The assistant had fallen silent before anybody spoke."""
    lost_frames: int = 0
    """Of the rig."""
    text: str = ""
    clean: Floats = field(default_factory=lambda: np.zeros(0))
    received: Floats = field(default_factory=lambda: np.zeros(0))
    turn_before_ms: float | None = None
    """So much before the user's first sound the server's turn begins."""
    beginning_db: float = 0.0
    """Level of the first 250 ms as received, against the same when spoken."""
    told: dict[str, object] | None = None
    """What the daemon says of it."""


async def interruption(
    made: Stage, trial: int, text: str, sound: Floats, *, reply_s: float = REPLY_S
) -> Interruption:
    """Have the user speak over the assistant once."""
    random = np.random.default_rng(trial)
    before, turns = len(made.daemon.notices("interruption")), len(made.ear.turns)
    reply = await made.reply(as_pcm(assistant(reply_s)))
    began = made.room.now
    later = made.scenario.set_up_later()
    if later is not None:
        await made.until(began + 1000 * MS)
        await asyncio.to_thread(made.room.change, later)
    await made.until(began + round(random.uniform(2000, 4000) * MS))
    at = await made.play(sound)
    first, last = at + onset(sound), at + sound.size
    await made.until(last + AFTERWARDS)
    told = made.daemon.notices("interruption")[before:]
    await made.interrupt(reply)
    await made.quiet()
    if later is not None:
        await asyncio.to_thread(made.room.change, made.scenario.set_up())

    result = Interruption(text=text, clean=sound, told=told[0] if told else None)
    result.lost_frames = await asyncio.to_thread(made.room.lost_frames, began, last)
    result.is_cut_before = not made.room.loudspeaker(first - 5 * MS, first).any()
    silent = made.room.silent_from(first, last + AFTERWARDS)
    stays = silent is not None and not made.room.loudspeaker(silent, last + AFTERWARDS).any()
    if silent is not None and stays and not result.is_cut_before:
        result.reaction_ms = made.room.reaction_ms(first, silent)
    result.received = made.received(at - BEFORE, last + AFTER)
    begun = made.received(first, first + BEGINNING)
    spoken = sound[onset(sound) :][:BEGINNING]
    if begun.size:
        result.beginning_db = 10 * float(np.log10(np.mean(begun**2) / np.mean(spoken**2) + 1e-9))
    if len(made.ear.turns) > turns:
        started = made.ear.turns[turns].started_frame
        result.turn_before_ms = (first + made.wire_offset - started) / MS
    return result


@dataclass
class Disturbance:
    """One trial of a noise while the assistant speaks."""

    played: Played
    lost_frames: int
    told: list[dict[str, object]]
    turns: int


async def disturbance(
    made: Stage, trial: int, *, name: str = "", reply_s: float = NOISE_REPLY_S
) -> Disturbance:
    """Have something make a noise while the assistant speaks, and hear the reply out."""
    random = np.random.default_rng(trial)
    before, turns = len(made.daemon.notices("interruption")), len(made.ear.turns)
    pcm = as_pcm(assistant(reply_s))
    began = made.room.now
    reply = await made.reply(pcm)
    await made.until(made.room.now + round(random.uniform(2000, 3500) * MS))
    await made.play(noise(name or made.scenario.sound, trial, made.scenario.dbfs))
    await made.until(made.room.now + 2500 * MS)
    await reply
    await made.quiet()
    # A pause may be followed by more of the reply.
    await asyncio.sleep(1.2)
    await made.quiet()
    end = made.room.now
    return Disturbance(
        judge(made.room.loudspeaker(began, end), pcm),
        await asyncio.to_thread(made.room.lost_frames, began, end - 50 * MS),
        made.daemon.notices("interruption")[before:],
        len(made.ear.turns) - turns,
    )


@dataclass
class Monologue:
    """The assistant talks, nobody else does."""

    minutes: float
    cuts: int
    turns: int
    """What the server took for a turn of the user."""
    ducks: int
    """Stretches in which the loudspeaker was quieter."""
    ducked_s: float
    lost_frames: int
    told: list[dict[str, object]]


async def monologue(made: Stage, minutes: float, reply_s: float = 60.0) -> Monologue:
    """Have the assistant talk for some minutes."""
    total = Monologue(0.0, 0, 0, 0, 0.0, 0, [])
    before, turns = len(made.daemon.notices("interruption")), len(made.ear.turns)
    pcm = as_pcm(assistant(reply_s))
    while total.minutes < minutes:
        began = made.room.now
        reply = await made.reply(pcm)
        sounding = made.room.now
        while made.room.loudspeaker(made.room.now - 1500 * MS).any():
            await made.until(made.room.now + 200 * MS)
        end = made.room.now
        await reply
        played = judge(made.room.loudspeaker(began, end), pcm)
        starts = np.array([start for start, _ in played.ducked])
        total.ducks += int(np.count_nonzero(np.diff(starts) > 2400)) + 1 if starts.size else 0
        total.ducked_s += played.ducked_ms / 1000
        total.cuts += played.rest_ms > 100
        total.lost_frames += await asyncio.to_thread(made.room.lost_frames, began, end - 50 * MS)
        total.minutes += (end - sounding - 1500 * MS) / RATE_HZ / 60
    total.turns = len(made.ear.turns) - turns
    total.told = made.daemon.notices("interruption")[before:]
    return total
