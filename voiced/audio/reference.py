"""What the loudspeaker was given, paired with what the microphone captured.  Pure.

An echo canceller is shown two streams side by side: the microphone's, and the samples that
sound in it as an echo.  They come from two threads and two clocks.

Rules
1. One time line, counted in frames of the microphone.  What is played gets its place there
   when it is handed to the device; what the microphone delivers takes what lies there.
2. The first sample after a start lies where the microphone is at that moment, between two
   of its buffers too.  The device plays it at least 5 ms later, so the reference leads its
   echo, and by the same time at every start.
3. What follows lies behind it without gaps, as the device plays it.  What comes when the
   microphone is past its place is dropped: the pairing does not move.
4. Each stream's clock is the lowest of (time of a call - frames before it) over the last
   second: late calls are seen through.  The microphone's is steady besides: steps of a few
   milliseconds come and go with the sound server, and nothing has moved.
5. The canceller notices a shift of a millisecond, so nothing is shifted without need.  When
   the echo comes 20 ms later than at the start, or 6 ms earlier, a stream has a hole, and
   everything is shifted by exactly that.  Less is drift, and followed frame by frame, as
   slowly as clocks drift.  A device that says that it ran dry is believed after a tenth of
   a second, and in less than 20 ms.
"""

import threading
from collections import deque
from typing import Final

from voiced.audio.pcm import BYTES_PER_FRAME, RATE_HZ, frames_of, ms_to_frames, silence

HOLE_FRAMES: Final = ms_to_frames(20)
"""Streams that moved apart by more than this have lost something.  A sound server that
changes its buffers moves them by 10 to 15 ms for a while, and nothing is lost."""
EARLY_FRAMES: Final = ms_to_frames(6)
"""An echo that comes so much earlier is close to coming before its reference."""
DRY_FRAMES: Final = ms_to_frames(10)
"""So little is enough where the device says that it ran dry."""
DRIFT_FRAMES: Final = ms_to_frames(2)
"""Less than this is the uncertainty of the clocks."""
DRIFT_S: Final = 0.8
"""One frame of drift is followed in so long: 50 ppm."""
STEP_S: Final = 0.008
"""A microphone's clock that moved by more has lost samples."""
SLEW: Final = 100e-6
"""How quickly it is followed otherwise, in seconds per second."""
NEW_COUNT_S: Final = 0.5
"""A microphone that delivers nothing for so much longer than it should was closed."""
KEPT_FRAMES: Final = RATE_HZ
"""So much waits for the microphone at most; more than any device holds."""
BUCKET_S: Final = 0.25
BUCKETS: Final = 4
REFILLED_S: Final = 0.1
"""How long after it ran dry a device's clock is known again."""
FEWEST: Final = 5
"""A bucket is not closed before: a machine that stalls makes all of a few calls late."""
SETTLED_S: Final = BUCKET_S * BUCKETS
"""How long after a start the device's clock is known: it takes its first buffers at once."""

FILLED_PULLS: Final = 3
"""With so many the device is filled; its figure is no good before the next."""


class Floor:
    """The lowest of some figures over the last second or a bit more.

    Attributes:
        value: The lowest; 0 before the first.
    """

    def __init__(self) -> None:
        self.value = 0.0
        self._closed: deque[float] = deque(maxlen=BUCKETS)
        self._lowest = 0.0
        self._began_s = 0.0
        self._count = 0

    def note(self, figure: float, now_s: float) -> None:
        """Take one more."""
        if self._count >= FEWEST and now_s - self._began_s >= BUCKET_S:
            self._closed.append(self._lowest)
            self._count = 0
        if self._count == 0:
            self._lowest, self._began_s = figure, now_s
        self._count += 1
        self._lowest = min(self._lowest, figure)
        self.value = min(self._lowest, *self._closed) if self._closed else self._lowest


class Reference:
    """Gives the echo canceller what the loudspeaker was given.

    The playback callback calls ``played``, the capture callback ``take``; each on its thread.

    Attributes:
        repaired: How often the streams were paired anew because one of them had a hole.
        starts: How often the device was started.
        sounded_at_s: When something other than silence was last played or taken.
    """

    def __init__(self) -> None:
        self.repaired = 0
        self.starts = 0
        self.sounded_at_s = float("-inf")
        self._lock = threading.Lock()
        self._waiting = bytearray()
        """What was played and not taken, up to ``_written``."""
        self._written = 0
        """Place of the next sample to be played."""
        self._taken = 0
        """Place of the next frame of the microphone."""
        self._microphone: Floor | None = None
        self._microphone_s = 0.0
        """Its clock, free of what comes and goes."""
        self._counts_from_s = 0.0
        self._device = Floor()
        self._handed = 0
        """Frames given to the device since it was started."""
        self._began_s = 0.0
        """When it took the first of them."""
        self._settled_s = 0.0
        """Its clock, as it was soon after that."""
        self._followed_s = 0.0
        self._unsure_until_s = 0.0
        self._pulls = 0
        """Since the start, as long as they are worth counting."""
        self._usual_s: float | None = None
        """How long after the first pull that was, the first time."""
        self._settling_until_s = 0.0
        self._is_refilled = False
        """It ran dry since it was started."""
        self._moved = 0
        """By how many frames this start was moved to be like the first."""
        self._hole_frames = HOLE_FRAMES
        """What counts as a hole now."""
        self._runs = False
        self._is_stopped = False
        """What the device still takes until it is started again, it will not play."""

    def started(self, now_s: float) -> None:
        """Note that the device begins a new time line and holds nothing."""
        with self._lock:
            self._device = Floor()
            self._handed = 0
            self._followed_s = now_s
            self._unsure_until_s = now_s
            self._runs = self._is_stopped = False

    def played(self, pcm: bytes, now_s: float, delay_s: float | None = None) -> None:
        """Take what was just handed to the device, as it will sound: 24 kHz s16 mono.

        Args:
            pcm: The samples.
            now_s: When they were handed over.
            delay_s: How long until the device plays the first of them, as it says.
        """
        with self._lock:
            if self._is_stopped:
                return
            if not self._runs:
                self._anchor(now_s)
            if delay_s is not None:
                self._hear_device(now_s + delay_s, now_s)
            self._device.note(now_s - self._handed / RATE_HZ, now_s)
            if now_s < self._settling_until_s:
                self._settled_s = self._device.value
            step = self._pair(now_s)
            if step > 0:
                self._waiting += pcm[:BYTES_PER_FRAME]
            self._waiting += pcm[BYTES_PER_FRAME * max(0, -step) :]
            self._written += frames_of(pcm) + step
            self._handed += frames_of(pcm)
            self._trim()
            if any(pcm):
                self.sounded_at_s = now_s

    def ran_dry(self, now_s: float) -> None:
        """Note that the device had nothing to play for a moment: what follows comes later."""
        with self._lock:
            self._is_refilled = self._runs
            self._pulls = 0
            if now_s - self._began_s >= SETTLED_S:
                self._device = Floor()
                self._unsure_until_s = now_s + REFILLED_S
                self._hole_frames = DRY_FRAMES

    def dropped(self, frames: int) -> None:
        """Note that the device was stopped and did not play the last so many frames."""
        with self._lock:
            size = min(frames * BYTES_PER_FRAME, len(self._waiting))
            self._waiting[len(self._waiting) - size :] = bytes(size)
            self._runs, self._is_stopped = False, True

    def listening(self) -> None:
        """Note that the microphone was opened and begins to count anew.

        One that was closed for longer than half a second is noticed without.
        """
        with self._lock:
            self._microphone = None

    def take(self, frames: int, now_s: float) -> bytes:
        """Return what belongs to the next frames of the microphone, delivered now."""
        with self._lock:
            self._count(frames, now_s)
            gap = min(frames, max(0, self._start() - self._taken))
            size = (frames - gap) * BYTES_PER_FRAME
            pcm = silence(gap) + bytes(self._waiting[:size])
            pcm += bytes(frames * BYTES_PER_FRAME - len(pcm))
            self._taken += frames
            self._trim()
            if any(pcm):
                self.sounded_at_s = now_s
            return pcm

    def _waits(self) -> int:
        return len(self._waiting) // BYTES_PER_FRAME

    def _start(self) -> int:
        """Return the place of the first sample that waits."""
        return self._written - self._waits()

    def _count(self, frames: int, now_s: float) -> None:
        """Set the microphone's clock, and pair anew when it is another's."""
        figure = now_s - (self._taken + frames) / RATE_HZ
        clock = self._microphone
        if clock is not None and figure - clock.value < NEW_COUNT_S:
            clock.note(figure, now_s)
            self._steady(clock.value, frames, now_s)
            return
        self._microphone = Floor()
        self._microphone.note(figure, now_s)
        self._microphone_s = figure
        self._counts_from_s = now_s
        if self._runs:
            self._written += self._apart()
            self._trim()

    def _steady(self, clock_s: float, frames: int, now_s: float) -> None:
        """Let the microphone's clock follow its calls, slowly where nothing was lost."""
        moved_s = clock_s - self._microphone_s
        if now_s - self._counts_from_s < 5 * SETTLED_S or abs(moved_s) > STEP_S:
            self._microphone_s = clock_s
            return
        most_s = SLEW * frames / RATE_HZ
        self._microphone_s += min(most_s, max(-most_s, moved_s))

    def _microphone_at(self, now_s: float) -> int:
        """Return the place of what the microphone would deliver now, had it no buffers."""
        return round((now_s - self._microphone_s) * RATE_HZ)

    def _anchor(self, now_s: float) -> None:
        """Give the first sample of a time line its place: where the microphone is now."""
        place = self._microphone_at(now_s)
        if place < self._written:
            # The device held this when it was stopped, and it was never heard.
            rest = max(0, self._waits() - (self._written - place))
            del self._waiting[rest * BYTES_PER_FRAME :]
        else:
            self._waiting += silence(min(place - self._written, KEPT_FRAMES))
        self._written = place
        self._began_s = self._settled_s = now_s
        self._settling_until_s = now_s + SETTLED_S
        self._is_refilled = False
        self._pulls = 0
        self._moved = 0
        self.starts += 1
        self._runs = True

    def _hear_device(self, plays_at_s: float, now_s: float) -> None:
        """Take the device's figure for the next sample; go by it when the device is filled.

        That is soon after a start, and after it ran dry.
        """
        self._pulls += 1
        if self._pulls != FILLED_PULLS + 1:
            return
        told_s = plays_at_s - self._handed / RATE_HZ - self._began_s
        is_other = self._usual_s is None or abs(told_s - self._usual_s) * RATE_HZ > HOLE_FRAMES
        if self._usual_s is None or (is_other and not self._is_refilled):
            # The first start, or another device.
            self._usual_s = told_s
        moved = round((told_s - self._usual_s) * RATE_HZ)
        # Only what the device says: a stall made the microphone's clock unsure as well.
        step, self._moved = moved - self._moved, moved
        self._written += step
        self._trim()
        if self._is_refilled:
            self.repaired += abs(step) > DRY_FRAMES
            self._device = Floor()
            self._settled_s = 0.0
            self._settling_until_s = now_s + SETTLED_S
            self._unsure_until_s = now_s + SETTLED_S + BUCKET_S
            # What the microphone lost in the same stall is made good in one step.
            self._hole_frames = DRIFT_FRAMES

    def _apart(self) -> int:
        """Return by how many frames the next sample comes later than it lies."""
        moved_s = self._device.value - self._settled_s
        first = self._microphone_at(self._began_s + moved_s) + self._moved
        return first + self._handed - self._written

    def _pair(self, now_s: float) -> int:
        """Close the hole when there is one; return the step by which to follow the drift."""
        if now_s < self._unsure_until_s:
            return 0
        apart = self._apart()
        hole_frames, self._hole_frames = self._hole_frames, HOLE_FRAMES
        if apart > hole_frames or apart < -min(hole_frames, EARLY_FRAMES):
            self.repaired += 1
            self._written += apart
            return 0
        if abs(apart) <= DRIFT_FRAMES or now_s - self._followed_s < DRIFT_S:
            return 0
        self._followed_s = now_s
        return 1 if apart > 0 else -1

    def _trim(self) -> None:
        """Drop what the microphone has passed, and what no device can still hold."""
        late = self._taken - self._start()
        late = max(late, self._waits() - KEPT_FRAMES)
        if late > 0:
            del self._waiting[: late * BYTES_PER_FRAME]
