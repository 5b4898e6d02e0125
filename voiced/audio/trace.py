"""How loud everything was, 10 ms at a time, for the pictures of interruptions.

Levels only: the sound itself is not kept here.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from voiced.audio.pcm import level_dbfs

KEPT_FRAMES: Final = 6000
"""A minute."""


@dataclass(frozen=True, slots=True)
class Frame:
    """10 ms of the sound."""

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
    """The last minute, in levels.  Written on the thread of the microphone."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque(maxlen=KEPT_FRAMES)

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
        levels = (level_dbfs(microphone), level_dbfs(cancelled), level_dbfs(loudspeaker))
        self._frames.append(Frame(at_s, *levels, is_voice, probability))

    def between(self, start_s: float, end_s: float) -> list[Frame]:
        """Return what there is of a stretch of time, oldest first."""
        return [frame for frame in tuple(self._frames) if start_s <= frame.at_s <= end_s]
