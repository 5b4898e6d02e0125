"""Samples waiting for the loudspeaker, which item each belongs to, and the playhead.

Rules
1. One lock.  The loop pushes, finishes and cuts; PortAudio's thread pulls.  Nobody holds
   the lock longer than it takes to move one buffer of samples.
2. A cut is one critical section: take the playhead, empty the buffer (R2).  What is
   pulled afterwards was pushed afterwards.
3. Heard is what the device has played, rounded towards less (R3): see ``playhead``.
4. Words are never dropped.  The buffer is bounded at half an hour and refuses beyond.
5. Where the samples are still ours, sound ends in a fade (R12): when the buffer runs dry
   in the middle of a reply, and at a cut or a hold that leaves the device its samples.
6. A hold keeps every word (R10): what the device dropped unheard is put back in front, from
   a copy, and 10 ms more.  Some ms are said twice, and none is lost.
7. A cut ends a hold and gives back full level: both are about the reply that is cut.  A hold
   and a resume leave the level as it was ordered.
"""

import threading
from collections import deque
from typing import Final

from voiced.audio.gain import Gain
from voiced.audio.pcm import (
    BYTES_PER_FRAME,
    FADE_FRAMES,
    RATE_HZ,
    fade_in,
    fade_out,
    frames_of,
    ms_to_frames,
    silence,
)
from voiced.audio.playhead import SETTLING_PULLS, DeviceClock, Key, Track

MAX_FRAMES: Final = 30 * 60 * RATE_HZ
AGAIN_FRAMES: Final = ms_to_frames(10)
"""So much before the playhead is said again after a hold: a sound server that was late had
not played it."""
COPIED_FRAMES: Final = RATE_HZ
"""So much before the playhead is copied still: a device may find that it holds more."""


class PlaybackBuffer:
    """What the loudspeaker has to play, in order.

    Args:
        prebuffer_frames: So much is collected before sound starts or starts again.
        silent_pulls: A device that was started gets so many buffers of silence first.

    Attributes:
        starvations: How often the buffer ran dry in the middle of a piece.
    """

    def __init__(self, *, prebuffer_frames: int, silent_pulls: int = 0) -> None:
        self.prebuffer_frames = prebuffer_frames
        self._silent_pulls = silent_pulls
        self._pulls = 0
        """Since the device was started."""
        self.starvations = 0
        self._lock = threading.Lock()
        self._clock = DeviceClock(0.0)
        self._gain = Gain()
        self._chunks: deque[tuple[Track, bytes]] = deque()
        self._offset = 0
        self._waiting_frames = 0
        self._tracks: dict[Key, Track] = {}
        self._is_flowing = False
        self._is_paused = False
        self._must_rise = False
        self._is_held = False
        self._keeps_unheard = False
        """What the device drops will be put back."""
        self._pulled: deque[tuple[int, Track, bytes]] = deque()
        """What was pulled and may not have been heard: where it lies, and what it was."""
        self._tail = b""
        self._pushes = 0

    @property
    def is_flowing(self) -> bool:
        """Tell whether there is something to play now."""
        return self._is_flowing and not self._is_held

    @property
    def is_settled(self) -> bool:
        """Tell whether the device has played for long enough to know how late it is."""
        return self._clock.settling == 0

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
            self._forget_heard(now_s)
            pcm = tail = self._take_tail(frames)
            wanted = frames - frames_of(tail)
            self._pulls += 1
            is_filled = self._pulls > self._silent_pulls
            if self.is_flowing and not self._is_paused and is_filled:
                pcm = self._round_off(self._take(wanted, start + frames_of(tail)))
                pcm = tail + self._gain.apply(pcm + silence(wanted - frames_of(pcm)))
            else:
                self._gain.arrive()
            return pcm + silence(frames - frames_of(pcm))

    def ran_dry(self) -> None:
        """Note that the device had nothing to play and begins anew."""
        with self._lock:
            self._clock.settling = SETTLING_PULLS

    def drained(self, now_s: float) -> int | None:
        """Return how many pushes there were, once, when the last sample has been played."""
        with self._lock:
            if not self._tracks or self._chunks or self._is_held:
                return None
            played = self._clock.played(now_s)
            for track in self._tracks.values():
                if not track.is_finished or track.heard_frames(played) < track.pushed_frames:
                    return None
            self._tracks.clear()
            self._pulled.clear()
            return self._pushes

    def duck(self, gain_db: float) -> None:
        """Play at another level from the next buffer on; the playhead does not mind."""
        with self._lock:
            self._gain.turn(gain_db)

    def hold(self, *, device_keeps: bool) -> None:
        """Hand out silence until ``resume`` and keep every word; more may be pushed.

        Args:
            device_keeps: The device will still play what it holds, and the sound ends in a
                fade.  Otherwise the device is about to be stopped, and ``stopped`` puts
                back what it drops.
        """
        with self._lock:
            if self._is_held:
                return
            if device_keeps:
                self._tail = self._fading_tail()
            else:
                self._tail = b""
                self._is_paused = self._keeps_unheard = True
            self._is_held = True

    def resume(self) -> None:
        """Let the words that were held flow again, out of silence; harmless without a hold."""
        with self._lock:
            if self._is_held:
                self._is_held = False
                self._must_rise |= bool(self._chunks) or self._keeps_unheard

    def stopped(self, now_s: float) -> int:
        """Note that the device was stopped or lost; it gets silence until ``restarted``.

        Returns:
            How many frames it dropped unheard.
        """
        with self._lock:
            self._is_paused = True
            return self._end_time_line(now_s)

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
            self._pulled.clear()
            self._offset = self._waiting_frames = 0
            self._is_flowing = self._must_rise = self._is_held = self._keeps_unheard = False
            self._gain.reset()
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
            self._end_time_line(now_s)
            self._clock = DeviceClock(buffer_s)
            self._gain.arrive()
            self._pulls = 0
            self._is_paused = False
            self._tail = b""

    def _end_time_line(self, now_s: float) -> int:
        """Settle what was heard of each piece, and put back what is kept."""
        played = self._clock.played(now_s)
        dropped = self._clock.handed_frames - played
        again = AGAIN_FRAMES if self._keeps_unheard or self._is_held else 0
        for track in self._tracks.values():
            track.move_on(played, again)
        if again:
            self._put_back(played - again)
        self._keeps_unheard = False
        self._pulled.clear()
        self._clock = DeviceClock(self._clock.buffer_s)
        return dropped

    def _put_back(self, since: int) -> None:
        """Put what was pulled from a place on in front of what waits."""
        if self._offset:
            track, pcm = self._chunks[0]
            self._chunks[0] = (track, pcm[self._offset :])
            self._offset = 0
        for start, track, pcm in reversed(self._pulled):
            unheard = pcm[max(0, since - start) * BYTES_PER_FRAME :]
            if unheard:
                self._chunks.appendleft((track, unheard))
                self._waiting_frames += frames_of(unheard)
                track.pushed_frames += frames_of(unheard)
                self._is_flowing = True

    def _forget_heard(self, now_s: float) -> None:
        """Let go of the copies of what was heard so long ago that it will not be said again."""
        heard = self._clock.played(now_s) - COPIED_FRAMES
        while self._pulled and self._pulled[0][0] + frames_of(self._pulled[0][2]) <= heard:
            self._pulled.popleft()

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
            self._pulled.append((start + taken, track, part))
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
        if not self.is_flowing:
            return b""
        self._must_rise = False
        tail = self._take(FADE_FRAMES, self._clock.handed_frames)
        return self._gain.apply(fade_out(tail))
