"""What the tests of the loudspeaker and the microphone share."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from tests.rig.recorder import Recorder, Samples
from voiced.conversation.events import SoundEvent

Kind = TypeVar("Kind", bound=SoundEvent)


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

    async def until(self, kind: type[Kind], count: int = 1, within_s: float = 5.0) -> Kind:
        """Wait for the nth event of a kind."""
        async with asyncio.timeout(within_s):
            while len(self.of(kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.of(kind)[count - 1]


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
    async with asyncio.timeout(5):
        while True:
            recording = await asyncio.to_thread(recorder.after_next_block)
            if condition(recording):
                return recording
