"""How loud it is, for whoever wants to see it.

Rules
1. PortAudio's thread only leaves the samples here; the arithmetic is done by the reader.
2. While nobody asks, nothing is kept and nothing is computed.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from voiced.audio.pcm import level_dbfs, peak_dbfs

FLOOR_DBFS: Final = -96.0
"""Quieter than one step of a sample: silence."""
MOST_BUFFERS: Final = 100
"""At least a second of sound; a reader that is later than that misses the oldest."""


@dataclass(frozen=True, slots=True)
class Level:
    """The loudness of a stretch of sound."""

    rms_dbfs: float
    peak_dbfs: float


class Meter:
    """The loudness of one direction of the sound.

    Attributes:
        is_on: Somebody asks.
    """

    def __init__(self) -> None:
        self.is_on = False
        # Its appends and pops are atomic, on whatever thread.
        self._buffers: deque[bytes] = deque(maxlen=MOST_BUFFERS)

    def note(self, pcm: bytes) -> None:
        """Take some samples; called for each buffer, on PortAudio's thread."""
        if self.is_on:
            self._buffers.append(pcm)

    def turn(self, *, on: bool) -> None:
        """Begin to measure, or let it be."""
        self.is_on = on
        self._buffers.clear()

    def take(self) -> Level | None:
        """Return the loudness since the last time; None where no sound passed."""
        pcm = b"".join(self._buffers.popleft() for _ in range(len(self._buffers)))
        if not pcm:
            return None
        return Level(_floored(level_dbfs(pcm)), _floored(peak_dbfs(pcm)))


def _floored(dbfs: float) -> float:
    return round(max(FLOOR_DBFS, dbfs), 1)
