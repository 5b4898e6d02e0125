"""Keeps the scraps that a canceller leaves of the assistant's voice from being heard.  Pure.

A canceller takes the echo out by 40 dB and more, and now and then lets a scrap of it through
for a twentieth of a second: far weaker than the echo, and enough for a detector of speech.
Somebody who speaks over the assistant is nearly as loud as it, and lasts.

Rules
1. While the loudspeaker sounds, what is much weaker than the microphone was a moment ago is
   silence.
2. For the server, so is what has only just become louder than that.  The ear has a rule of
   its own for what does not last, and 20 ms count there.
3. Once open it stays open for a moment: the ends of words are weak.
4. While the loudspeaker is silent everything passes.
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
    """Lets pass what is loud, and for the server what lasts besides.  Takes 10 ms at a time."""

    def __init__(self) -> None:
        self._share = 10 ** (-WEAKER_DB / 10)
        self._echo: deque[float] = deque(maxlen=ECHO_FRAMES)
        self._louder: deque[bool] = deque(maxlen=LAST_FRAMES)
        self._since_loud = OPEN_FRAMES
        self._since_lasting = OPEN_FRAMES

    def process(self, microphone: bytes, cancelled: bytes, *, sounds: bool) -> tuple[bytes, bytes]:
        """Return what is left of 10 ms for the ear, and for the server.

        Args:
            microphone: What was captured.
            cancelled: What the canceller made of it.
            sounds: The loudspeaker sounds, or did a moment ago.
        """
        self._echo.append(_energy(microphone))
        is_loud = _energy(cancelled) >= max(self._echo) * self._share
        self._louder.append(is_loud)
        self._since_loud = 0 if is_loud else self._since_loud + 1
        lasts = sum(self._louder) >= LASTING_FRAMES
        self._since_lasting = 0 if lasts else self._since_lasting + 1
        silent = bytes(len(cancelled))
        for_ear = cancelled if not sounds or self._since_loud < OPEN_FRAMES else silent
        for_server = cancelled if not sounds or self._since_lasting < OPEN_FRAMES else silent
        return for_ear, for_server


def _energy(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    return float(samples @ samples)
