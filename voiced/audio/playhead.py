"""Where the device is on its time line, and which piece of a reply lies there.  Pure.

Heard is what the device has played: frames handed over, minus what the device says it still
holds, rounded towards less.  Between two pulls the playhead moves with the clock, but never
further than one buffer: a device that had played more would have pulled again.
"""

from dataclasses import dataclass, field
from typing import Final

from voiced.audio.pcm import RATE_HZ

SETTLING_PULLS: Final = 8
"""So many buffers after a start, or after it ran dry, the device's own figure for its delay
is still too small."""
SETTLING_BUFFERS: Final = 3
"""What PortAudio's ALSA device can hold, in buffers: the delay assumed until then, and where
the device claims to hold less than one."""
MARGIN_S: Final = 0.002
"""Taken off the playhead: under-report rather than over-report.  A sound server that
resamples holds up to a millisecond that it does not tell of."""

Key = tuple[str, int]
"""A piece of a reply: (item_id, content_index)."""


@dataclass(slots=True)
class Track:
    """One piece of a reply and where it lies on the device's time line."""

    key: Key
    pushed_frames: int = 0
    is_finished: bool = False
    """No more samples will come."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Stretches of the device's time line, as (first frame, frame after the last)."""
    heard_before: int = 0
    """Frames heard on earlier time lines."""
    heard_at_least: int = 0
    """Frames heard once, some of which are played again."""

    def place(self, start: int, frames: int) -> None:
        """Note that ``frames`` of this piece were handed over from ``start`` on."""
        if self.spans and self.spans[-1][1] == start:
            self.spans[-1] = (self.spans[-1][0], start + frames)
        else:
            self.spans.append((start, start + frames))

    def heard_frames(self, played: int) -> int:
        """Return how many frames of this piece lie before the playhead."""
        heard = sum(max(0, min(end, played) - start) for start, end in self.spans)
        return max(self.heard_at_least, self.heard_before + heard)

    def move_on(self, played: int, again: int = 0) -> None:
        """Leave this time line; what the device held of it and did not play is lost.

        Args:
            played: The playhead.
            again: So many frames before it are lost too, and heard nevertheless.
        """
        self.heard_at_least = self.heard_frames(played)
        for start, end in self.spans:
            kept = max(0, min(end, played - again) - start)
            self.heard_before += kept
            self.pushed_frames -= end - start - kept
        self.spans.clear()


@dataclass(slots=True)
class DeviceClock:
    """Where the device is on its own time line, as far as can be known.

    Args:
        buffer_s: Length of one device buffer, in seconds.
    """

    buffer_s: float
    handed_frames: int = 0
    """Frames handed to the device since it was started."""
    pulls: int = 0
    settling: int = SETTLING_PULLS
    """So many buffers yet the device's figure is not believed."""
    at_s: float = 0.0
    """When the newest buffer was pulled."""
    before_frames: int = 0
    """Frames handed over before that one."""
    delay_s: float = 0.0
    """How long after ``at_s`` its first frame is played."""

    def pulled(self, frames: int, now_s: float, delay_s: float, held_s: float = 0.0) -> None:
        """Note that the device took one buffer and said how far ahead of itself it is.

        Args:
            frames: How many it took.
            now_s: The monotonic time.
            delay_s: How long until it plays the first of them, as it says.
            held_s: How much of what was handed over before has not reached it yet.
        """
        self.pulls += 1
        if self.settling or delay_s < self.buffer_s:
            delay_s = max(delay_s, SETTLING_BUFFERS * self.buffer_s)
        self.settling = max(0, self.settling - 1)
        self.at_s = now_s
        self.delay_s = delay_s + held_s
        self.before_frames = self.handed_frames
        self.handed_frames += frames

    def played(self, now_s: float) -> int:
        """Return how many frames have been played, never more than is certain."""
        if self.pulls == 0:
            return 0
        ahead_s = min(now_s - self.at_s, self.buffer_s) - self.delay_s - MARGIN_S
        return max(0, self.before_frames + int(ahead_s * RATE_HZ))
