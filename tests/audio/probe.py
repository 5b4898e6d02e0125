"""What the tests of the loudspeaker and the microphone share."""

import asyncio
import functools
import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from tests.rig.recorder import Recorder, Samples
from tests.rig.soundcard import SoundCard
from voiced.conversation.sound_events import SoundEvent

Kind = TypeVar("Kind", bound=SoundEvent)
Arguments = ParamSpec("Arguments")

ANSWERS_WITHIN_S = 20.0
"""What is waited for comes at once; this only ends a test that would hang."""
MOST_TRIALS = 5
LATE_MS = 5.0
"""The sink renders every 5 ms; one that is late by a whole block was held up."""


class Reports:
    """Collects the events of a shell and lets a test wait for one."""

    def __init__(self) -> None:
        self.events: list[SoundEvent] = []
        self._changed = asyncio.Event()

    def __call__(self, event: SoundEvent) -> None:
        self.events.append(event)
        self._changed.set()

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(
        self, kind: type[Kind], count: int = 1, within_s: float = ANSWERS_WITHIN_S
    ) -> Kind:
        """Wait for the nth event of a kind."""
        async with asyncio.timeout(within_s):
            while len(self.of(kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.of(kind)[count - 1]


class Trial:
    """One trial on the sound card, and whether the machine let it have its time.

    A machine that is busy starves the sound server and those who play and record: gaps
    come into what no one has put a gap in.  That says nothing of voiced.

    Attributes:
        losses: How often a device ran dry or over, as counted by who uses it.
    """

    def __init__(self) -> None:
        self.losses = 0
        self.late_ms = 0.0

    @property
    def is_disturbed(self) -> bool:
        """Tell whether something was lost, or a sink was held up."""
        return self.losses > 0 or self.late_ms > LATE_MS

    @contextmanager
    def recorder(self, card: SoundCard, *, source: str | None = None) -> Iterator[Recorder]:
        """Record, and note how late the sink was meanwhile."""
        with Recorder(card, source=source) as made:
            began_s = time.monotonic()
            try:
                yield made
            finally:
                self.late_ms = max(self.late_ms, made.late_ms(began_s))


def repeated_if_disturbed(
    test: Callable[Concatenate[Trial, Arguments], Awaitable[None]],
) -> Callable[Arguments, Awaitable[None]]:
    """Give a test that failed in a disturbed trial another one, and take it at its word else.

    Nothing of what the test says is let go: it has to hold, all of it, in one trial.
    """

    @functools.wraps(test)
    async def run(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        for number in range(1, MOST_TRIALS + 1):
            trial = Trial()
            try:
                await test(trial, *arguments, **named)
            except AssertionError as error:
                error.add_note(f"trial {number}: late {trial.late_ms:.1f} ms, lost {trial.losses}")
                if number == MOST_TRIALS or not trial.is_disturbed:
                    raise
            else:
                return

    # pytest gives a test what its parameters name, and it cannot give a trial.
    signature = inspect.signature(test)
    others = list(signature.parameters.values())[1:]
    run.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined] # inspect reads it
    return run


def noise(milliseconds: int, seed: int = 1) -> bytes:
    """Return samples that are never zero and easy to find again."""
    random = np.random.default_rng(seed)
    return random.integers(1000, 8000, milliseconds * 24).astype("<i2").tobytes()


def find(recording: Samples, pcm: bytes, frames: int = 200) -> int | None:
    """Return where the first frames of some samples stand in a recording."""
    head = np.frombuffer(pcm, "<i2")[:frames]
    for start in np.nonzero(recording == head[0])[0]:
        if np.array_equal(recording[start : start + frames], head):
            return int(start)
    return None


def sounding(recording: Samples) -> Samples:
    """Return the stretch from the first sample that is not zero to the last."""
    places = np.nonzero(recording)[0]
    return recording[places[0] : places[-1] + 1] if places.size else recording[:0]


async def until(recorder: Recorder, condition: Callable[[Samples], bool]) -> Samples:
    """Wait until a recording fulfils a condition; blocks arrive every 5 ms."""
    async with asyncio.timeout(ANSWERS_WITHIN_S):
        while True:
            recording = await asyncio.to_thread(recorder.after_next_block)
            if condition(recording):
                return recording
