"""How loud the assistant plays, changed without a click.  Pure."""

from typing import Final

import numpy as np

from voiced.audio.pcm import Floats, frames_of, ms_to_frames

RAMP_MS: Final = 20
RAMP_FRAMES: Final = ms_to_frames(RAMP_MS)


class Gain:
    """A level that moves to another one along a raised cosine of 20 ms."""

    def __init__(self) -> None:
        self._from = 1.0
        self._to = 1.0
        self._done_frames = RAMP_FRAMES

    def turn(self, gain_db: float) -> None:
        """Move to another level, from wherever the level is now; 0 dB is full."""
        self._from = float(self._levels(1)[0])
        self._to = 10.0 ** (gain_db / 20.0)
        self._done_frames = 0

    def arrive(self) -> None:
        """Be where the ramp leads: nothing sounds meanwhile."""
        self._done_frames = RAMP_FRAMES

    def reset(self) -> None:
        """Be at full level at once."""
        self._from = self._to = 1.0
        self._done_frames = RAMP_FRAMES

    def apply(self, pcm: bytes) -> bytes:
        """Return the next samples at their level."""
        if self._done_frames >= RAMP_FRAMES and self._to == 1.0:
            return pcm
        frames = frames_of(pcm)
        samples = np.frombuffer(pcm, dtype="<i2") * self._levels(frames)
        self._done_frames = min(RAMP_FRAMES, self._done_frames + frames)
        return np.clip(np.rint(samples), -32_768, 32_767).astype("<i2").tobytes()

    def _levels(self, frames: int) -> Floats:
        """Return the factors of the next frames."""
        steps = (np.arange(frames) + self._done_frames + 0.5) / RAMP_FRAMES
        risen = 0.5 * (1.0 - np.cos(np.pi * np.minimum(steps, 1.0)))
        levels: Floats = self._from + (self._to - self._from) * risen
        return levels
