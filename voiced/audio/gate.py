"""Keeps the scraps that a canceller leaves of the assistant's voice from being heard.  Pure.

A canceller takes the echo out by 40 dB and more, and now and then lets a scrap of it through
for a twentieth of a second: far weaker than the echo, and enough for a detector of speech.
Somebody who speaks over the assistant is nearly as loud as it, and lasts.

Rules
1. While the loudspeaker sounds, what is much weaker than the microphone was a moment ago is
   silence, and so is what has only just become louder than that.
2. Once open it stays open for a moment: the ends of words are weak.
3. While the loudspeaker is silent everything passes.
"""

from collections import deque
from typing import Final

import numpy as np

WEAKER_DB: Final = 24.0
"""A scrap is weaker than the echo by so much; a user at a tenth of its loudness is not."""
ECHO_FRAMES: Final = 25
"""The echo is as loud as the loudest of so many frames: rooms ring."""
LASTING_FRAMES: Final = 3
LAST_FRAMES: Final = 4
"""So many of the last few are louder when somebody speaks."""
OPEN_FRAMES: Final = 15
"""So long it stays open."""


class Gate:
    """Lets pass what is loud and lasts.  Takes 10 ms at a time.

    Attributes:
        is_open: Everything passes.
    """

    def __init__(self) -> None:
        self.is_open = True
        self._share = 10 ** (-WEAKER_DB / 10)
        self._echo: deque[float] = deque(maxlen=ECHO_FRAMES)
        self._louder: deque[bool] = deque(maxlen=LAST_FRAMES)
        self._open_frames = 0

    def process(self, microphone: bytes, cancelled: bytes, *, sounds: bool) -> bytes:
        """Return what is left of 10 ms, or silence in its place.

        Args:
            microphone: What was captured.
            cancelled: What the canceller made of it.
            sounds: The loudspeaker sounds, or did a moment ago.
        """
        self._echo.append(_energy(microphone))
        self._louder.append(_energy(cancelled) >= max(self._echo) * self._share)
        if sum(self._louder) >= LASTING_FRAMES:
            self._open_frames = OPEN_FRAMES
        self.is_open = not sounds or self._open_frames > 0
        self._open_frames = max(0, self._open_frames - 1)
        return cancelled if self.is_open else bytes(len(cancelled))


def _energy(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    return float(samples @ samples)
