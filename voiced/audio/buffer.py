"""Samples waiting for the loudspeaker, which item each belongs to, and the playhead.

Rules
1. One lock.  The loop pushes, finishes and cuts; PortAudio's thread pulls.  Nobody holds
   the lock longer than it takes to move one buffer of samples.
2. A cut is one critical section: take the playhead, empty the buffer (R2).  What is
   pulled afterwards was pushed afterwards.
3. Heard is what the device has played: frames handed over, minus what the device says it
   still holds, rounded towards less (R3).  Between two pulls the playhead moves with the
   clock, but never further than one buffer: a device that had played more would have
   pulled again.
4. Words are never dropped.  The buffer is bounded at half an hour and refuses beyond.
5. Where the samples are still ours, sound ends in a fade (R12): when the buffer runs dry
   in the middle of a reply, and at a cut that leaves the device its samples.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from voiced.audio.pcm import (
    BYTES_PER_FRAME,
    FADE_FRAMES,
    RATE_HZ,
    fade_in,
    fade_out,
    frames_of,
    silence,
)

MAX_FRAMES: Final = 30 * 60 * RATE_HZ
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

    def place(self, start: int, frames: int) -> None:
        """Note that ``frames`` of this piece were handed over from ``start`` on."""
        if self.spans and self.spans[-1][1] == start:
            self.spans[-1] = (self.spans[-1][0], start + frames)
        else:
            self.spans.append((start, start + frames))

    def heard_frames(self, played: int) -> int:
        """Return how many frames of this piece lie before the playhead."""
        heard = sum(max(0, min(end, played) - start) for start, end in self.spans)
        return self.heard_before + heard

    def move_on(self, played: int) -> None:
        """Leave this time line; what the device held of it and did not play is lost."""
        handed = sum(end - start for start, end in self.spans)
        heard_before = self.heard_before
        self.heard_before = self.heard_frames(played)
        self.pushed_frames -= handed - (self.heard_before - heard_before)
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


class PlaybackBuffer:
    """What the loudspeaker has to play, in order.

    Args:
        prebuffer_frames: So much is collected before sound starts or starts again.

    Attributes:
        starvations: How often the buffer ran dry in the middle of a piece.
    """

    def __init__(self, *, prebuffer_frames: int) -> None:
        self.prebuffer_frames = prebuffer_frames
        self.starvations = 0
        self._lock = threading.Lock()
        self._clock = DeviceClock(0.0)
        self._chunks: deque[tuple[Track, bytes]] = deque()
        self._offset = 0
        self._waiting_frames = 0
        self._tracks: dict[Key, Track] = {}
        self._is_flowing = False
        self._is_paused = False
        self._must_rise = False
        self._tail = b""
        self._pushes = 0

    @property
    def is_flowing(self) -> bool:
        """Tell whether there is something to play now."""
        return self._is_flowing

    @property
    def waiting_s(self) -> float:
        """Return how much sound waits, in seconds."""
        return self._waiting_frames / RATE_HZ

    def push(self, key: Key, pcm: bytes) -> bool:
        """Add samples to a piece; false means the buffer is full and took nothing."""
        with self._lock:
            frames = frames_of(pcm)
            self._pushes += 1
            if self._waiting_frames + frames > MAX_FRAMES:
                return False
            track = self._tracks.setdefault(key, Track(key))
            track.pushed_frames += frames
            self._chunks.append((track, pcm[: frames * BYTES_PER_FRAME]))
            self._waiting_frames += frames
            if self._waiting_frames >= self.prebuffer_frames:
                self._is_flowing = True
            return True

    def finish(self, key: Key) -> None:
        """Note that a piece is complete; a short one need not fill the prebuffer."""
        with self._lock:
            if key in self._tracks:
                self._tracks[key].is_finished = True
            self._is_flowing |= bool(self._chunks)

    def pull(self, frames: int, now_s: float, delay_s: float, held_s: float = 0.0) -> bytes:
        """Return exactly so many frames for the device; called once for each of its buffers.

        Args:
            frames: How many the device wants.
            now_s: The monotonic time.
            delay_s: How long until the device plays the first of them, as it says.
            held_s: How much of what was pulled before is still on its way to the device,
                in a converter of the sample rate.
        """
        with self._lock:
            start = self._clock.handed_frames
            self._clock.pulled(frames, now_s, delay_s, held_s)
            pcm = self._take_tail(frames)
            if self._is_flowing and not self._is_paused:
                pcm += self._round_off(self._take(frames - frames_of(pcm), start + frames_of(pcm)))
            return pcm + silence(frames - frames_of(pcm))

    def ran_dry(self) -> None:
        """Note that the device had nothing to play and begins anew."""
        with self._lock:
            self._clock.settling = SETTLING_PULLS

    def drained(self, now_s: float) -> int | None:
        """Return how many pushes there were, once, when the last sample has been played."""
        with self._lock:
            if not self._tracks or self._chunks:
                return None
            played = self._clock.played(now_s)
            for track in self._tracks.values():
                if not track.is_finished or track.heard_frames(played) < track.pushed_frames:
                    return None
            self._tracks.clear()
            return self._pushes

    def cut(self, now_s: float, *, device_keeps: bool) -> tuple[tuple[Key, int], ...]:
        """Empty the buffer and return the frames heard of each piece.

        Args:
            now_s: The monotonic time.
            device_keeps: The device will still play what it holds.  Then that counts as
                heard, and the sound ends in a fade.  Otherwise the device is about to
                be stopped and to drop it, and gets only silence until ``restarted``.
        """
        with self._lock:
            self._tail = b""
            if device_keeps:
                self._tail = self._fading_tail()
                played = self._clock.handed_frames + frames_of(self._tail)
            else:
                played = self._clock.played(now_s)
                self._is_paused = True
            heard = tuple((key, track.heard_frames(played)) for key, track in self._tracks.items())
            self._chunks.clear()
            self._tracks.clear()
            self._offset = self._waiting_frames = 0
            self._is_flowing = self._must_rise = False
            return heard

    def pause(self) -> bool:
        """Hand out silence until ``restarted``; false when something is being played."""
        with self._lock:
            if self._tracks:
                return False
            self._is_paused = True
            return True

    def restarted(self, now_s: float, buffer_s: float) -> None:
        """Begin a new time line: the device is about to start and holds nothing.

        Args:
            now_s: The monotonic time.
            buffer_s: Length of one device buffer, in seconds.
        """
        with self._lock:
            played = self._clock.played(now_s)
            for track in self._tracks.values():
                track.move_on(played)
            self._clock = DeviceClock(buffer_s)
            self._is_paused = False
            self._tail = b""

    def _take(self, frames: int, start: int) -> bytes:
        """Take samples off the front and place them on the time line."""
        parts: list[bytes] = []
        taken = 0
        while taken < frames and self._chunks:
            track, pcm = self._chunks[0]
            wanted = (frames - taken) * BYTES_PER_FRAME
            part = pcm[self._offset : self._offset + wanted]
            self._offset += len(part)
            if self._offset >= len(pcm):
                self._chunks.popleft()
                self._offset = 0
            track.place(start + taken, frames_of(part))
            taken += frames_of(part)
            parts.append(part)
        self._waiting_frames -= taken
        return b"".join(parts)

    def _round_off(self, pcm: bytes) -> bytes:
        """Fade where the sound breaks off for want of samples, and where it resumes."""
        if self._must_rise and pcm:
            pcm = fade_in(pcm)
            self._must_rise = False
        if not self._chunks:
            self._is_flowing = False
            if not all(track.is_finished for track in self._tracks.values()):
                self.starvations += 1
                self._must_rise = True
                pcm = fade_out(pcm)
        return pcm

    def _take_tail(self, frames: int) -> bytes:
        part = self._tail[: frames * BYTES_PER_FRAME]
        self._tail = self._tail[len(part) :]
        return part

    def _fading_tail(self) -> bytes:
        """Return the next 5 ms, faded, and place them on the time line."""
        if not self._is_flowing:
            return b""
        self._must_rise = False
        tail = self._take(FADE_FRAMES, self._clock.handed_frames)
        return fade_out(tail)
