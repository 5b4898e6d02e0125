"""The flight recorder: the last seconds of the sound, in memory, if the user wants that.

Rules
1. While it is off it keeps nothing, and what it had is gone, with what was made of it.
2. Nothing here reaches a disk: whoever asked for the sound writes it.
3. The thread of the microphone only leaves the samples here, as they are.
"""

import wave
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from voiced.audio.pcm import BYTES_PER_FRAME, RATE_HZ, frames_of

CHANNELS: Final = ("microphone", "cancelled", "loudspeaker")
STRETCH_S: Final = 0.01
STRETCHES_PER_S: Final = 100
GAP_S: Final = 0.05
"""The microphone was closed, or lost, where two stretches are farther apart."""
MOST_GAP_S: Final = 60.0
"""A longer one is told by no more zeros than this."""

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Stretch:
    """10 ms of the sound."""

    at_s: float
    """When it ended, on the monotonic clock."""
    microphone: bytes
    cancelled: bytes
    loudspeaker: bytes


class Recorder:
    """The ring of the last seconds.  Written on the thread of the microphone.

    Attributes:
        is_on: Something is kept.
        seconds: How much is kept; 0 is nothing.
    """

    def __init__(self, seconds: int = 0) -> None:
        self.is_on = False
        self.seconds = 0
        self._forget: list[Callable[[], None]] = []
        # Its appends are atomic, on whatever thread.
        self._ring: deque[Stretch] = deque(maxlen=0)
        self.resize(seconds)

    def resize(self, seconds: int) -> None:
        """Keep so much from now on; what fits of what is there stays."""
        if seconds != self.seconds:
            self._ring = deque(self._ring, maxlen=seconds * STRETCHES_PER_S)
        self.seconds, self.is_on = seconds, seconds > 0
        if not seconds:
            self.clear()

    def clear(self) -> None:
        """Forget what was kept."""
        self._ring.clear()
        for forget in self._forget:
            forget()

    def when_cleared(self, forget: Callable[[], None]) -> None:
        """Call back whenever what was made of the sound is to be forgotten, too."""
        self._forget.append(forget)

    def note(self, at_s: float, microphone: bytes, cancelled: bytes, loudspeaker: bytes) -> None:
        """Take 10 ms: three stretches of samples at 24 kHz, of the same length."""
        self._ring.append(Stretch(at_s, microphone, cancelled, loudspeaker))

    @property
    def kept_s(self) -> float:
        """Return how much sound is there."""
        return len(self._ring) / STRETCHES_PER_S

    def between(self, start_s: float, end_s: float) -> list[Stretch]:
        """Return what there is of a stretch of time, oldest first."""
        return [each for each in tuple(self._ring) if start_s <= each.at_s <= end_s]


def captured_s(delivered_s: Sequence[float]) -> list[float]:
    """Return when stretches of sound ended, of which some were delivered late.

    A busy machine delivers several at once, and none too early: each ended at the latest
    when the next one began.
    """
    found = list(delivered_s)
    for number in range(len(found) - 2, -1, -1):
        found[number] = min(found[number], found[number + 1] - STRETCH_S)
    return found


def joined(stretches: Sequence[Stretch]) -> Samples:
    """Return one row of samples for each channel, with zeros where nothing was captured."""
    parts: list[Samples] = [np.zeros((len(CHANNELS), 0), np.int16)]
    before_s: float | None = None
    for each, at_s in zip(stretches, captured_s([it.at_s for it in stretches]), strict=True):
        frames = frames_of(each.microphone)
        missing_s = 0.0 if before_s is None else at_s - before_s - frames / RATE_HZ
        if missing_s > GAP_S:
            zeros = round(min(missing_s, MOST_GAP_S) * RATE_HZ)
            parts.append(np.zeros((len(CHANNELS), zeros), np.int16))
        rows = (each.microphone, each.cancelled, each.loudspeaker)
        parts.append(np.stack([np.frombuffer(row, "<i2", count=frames) for row in rows]))
        before_s = at_s
    return np.concatenate(parts, axis=1)


def peaks(samples: Samples, rate_hz: int) -> Samples:
    """Return the loudest sample of each stretch of time, ``rate_hz`` of them a second."""
    step = RATE_HZ // rate_hz
    whole = samples[:, : samples.shape[1] // step * step]
    loudest = np.abs(whole.astype(np.int32)).reshape(len(whole), -1, step).max(axis=2, initial=0)
    found: Samples = np.minimum(loudest, np.iinfo(np.int16).max).astype(np.int16)
    return found


def write_wav(file: BinaryIO, samples: Samples) -> None:
    """Write a WAV file with a channel for each row."""
    with wave.open(file, "wb") as wav:
        wav.setnchannels(len(samples))
        wav.setsampwidth(BYTES_PER_FRAME)
        wav.setframerate(RATE_HZ)
        wav.writeframes(np.ascontiguousarray(samples.T, "<i2").tobytes())
