"""How loud everything was, 10 ms at a time, for the pictures of interruptions.

Rules
1. The thread of the microphone only adds up; the logarithms are taken by the reader.
2. Levels only: the sound itself goes on to the flight recorder, which keeps it if it is on.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from voiced.audio.meter import FLOOR_DBFS
from voiced.audio.pcm import FULL_SCALE, frames_of
from voiced.audio.recorder import Recorder, captured_s

KEPT_FRAMES: Final = 6000
"""A minute."""
_SAMPLE: Final = np.dtype("<i2")

Row = tuple[float, float, float, float, int, bool, float | None]
"""As ``Frame``, but with the sum of the squares for each level, and how many were added up."""


@dataclass(frozen=True, slots=True)
class Frame:
    """10 ms of the sound; silence is ``FLOOR_DBFS``."""

    at_s: float
    """When it ended, on the monotonic clock."""
    microphone_dbfs: float
    cancelled_dbfs: float
    """The microphone without the assistant's voice."""
    loudspeaker_dbfs: float
    is_voice: bool
    """The first stage takes it for a voice."""
    probability: float | None
    """How sure the second stage was last; None while it does not listen."""


class Trace:
    """The last minute, in levels.  Written on the thread of the microphone.

    Args:
        recorder: Is given the sound.
    """

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = recorder or Recorder()
        self._rows: deque[Row] = deque(maxlen=KEPT_FRAMES)

    def note(
        self,
        at_s: float,
        microphone: bytes,
        cancelled: bytes,
        loudspeaker: bytes,
        *,
        is_voice: bool,
        probability: float | None,
    ) -> None:
        """Take 10 ms: three stretches of samples at 24 kHz, of the same length."""
        self._rows.append(
            (
                at_s,
                _energy(microphone),
                _energy(cancelled),
                _energy(loudspeaker),
                frames_of(microphone),
                is_voice,
                probability,
            )
        )
        if self._recorder.is_on:
            self._recorder.note(at_s, microphone, cancelled, loudspeaker)

    def between(self, start_s: float, end_s: float) -> list[Frame]:
        """Return what there is of a stretch of time, oldest first."""
        rows = [row for row in tuple(self._rows) if start_s <= row[0] <= end_s]
        times = captured_s([row[0] for row in rows])
        return [_frame(row, at_s) for row, at_s in zip(rows, times, strict=True)]


def _energy(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, _SAMPLE).astype(np.float32)
    return float(samples.dot(samples))


def _frame(row: Row, at_s: float) -> Frame:
    _, microphone, cancelled, loudspeaker, count, is_voice, probability = row
    return Frame(
        at_s,
        _dbfs(microphone, count),
        _dbfs(cancelled, count),
        _dbfs(loudspeaker, count),
        is_voice,
        probability,
    )


def _dbfs(energy: float, count: int) -> float:
    if not energy or not count:
        return FLOOR_DBFS
    level = 10.0 * math.log10(energy / count) - 20.0 * math.log10(FULL_SCALE)
    return round(max(FLOOR_DBFS, level), 1)
