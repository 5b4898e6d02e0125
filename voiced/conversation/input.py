"""What of the microphone reaches the server, and when silence takes its place.

Rules (R11)
1. While a session listens, audio flows at real time without gaps: the server measures
   its silences in samples, not in seconds.
2. A microphone that is muted, closed, still opening or dead is replaced by zeros.
3. Without turn detection at the server, audio flows only while the key is held.  A held
   key opens a muted microphone.
4. No append is longer than 40 ms.
5. What was heard just before a press is kept for it, and nothing from before a mute or the
   end of a hold.
6. What was filled in for is not taken back when the microphone delivers it late: the
   flow goes on from there.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

RATE_HZ = 24_000
BYTES_PER_FRAME = 2
MAX_APPEND_FRAMES = RATE_HZ * 40 // 1000
STALL_S = 0.2
"""A live microphone that says nothing for so long is filled in for."""
MAX_FILL_S = 2.0
"""More than this is not made up for: the machine slept, and nobody spoke meanwhile."""
MAX_LEAD_S = 0.1
"""The flow may be ahead of real time by so much."""
LONGEST_SPEECH_S = 600.0
"""Nobody speaks for longer: the server forgot to say that the user stopped."""
LATE_PRESS_S = 0.5
"""A press may take so long from the key to us."""
MIN_TURN_FRAMES = RATE_HZ // 10
"""The service refuses to commit less than 100 ms."""


@dataclass(slots=True)
class Input:
    """The input side of a session, on the clock of ``now``."""

    is_muted: bool = False
    is_held: bool = False
    """The push-to-talk key is down."""
    is_waiting: bool = False
    """A turn was said into the key before the session was ready, and waits for it."""
    held_since_s: float = 0.0
    """When the key went down last."""
    held_frames: int = 0
    """Frames of the held turn so far."""
    early: list[bytes] = field(default_factory=list)
    """What was said into the key before the session was ready."""
    preroll_s: float = 0.0
    """So much of what was heard before a press belongs to the turn."""
    recent: deque[tuple[float, bytes]] = field(default_factory=deque)
    """What was heard lately while no key was down, and when it came."""
    speaking_since_s: float | None = None
    """Since when the server hears the user."""
    is_open: bool = False
    """The capture stream runs."""
    origin_s: float | None = None
    """When the flow began; nothing flows without one."""
    sent_frames: int = 0
    """Frames sent since ``origin_s``."""
    fresh_s: float = 0.0
    """When the microphone last delivered, or was opened."""

    @property
    def is_user_speaking(self) -> bool:
        """Tell whether the server hears the user."""
        return self.speaking_since_s is not None

    @property
    def is_heard(self) -> bool:
        """Tell whether what the microphone delivers counts."""
        return self.is_held or not self.is_muted

    @property
    def is_holding(self) -> bool:
        """Tell whether a held turn is under way, or waits for a session."""
        return self.is_held or self.is_waiting

    def hold(self, now: float) -> None:
        """Note that the key went down; a turn that waits for the session goes on."""
        if not self.is_waiting:
            self.let_go()
            self.held_since_s = now
            self.held_frames = 0
        self.is_held, self.is_waiting = True, False

    def wait(self) -> None:
        """Note that the key came up before the session was ready; the words are kept."""
        self.is_held, self.is_waiting = False, True

    def let_go(self) -> None:
        """Note that the hold is over; what was not sent by now is not sent any more."""
        self.is_held = self.is_waiting = False
        self.early.clear()
        self.recent.clear()

    def take_early(self) -> Iterator[bytes]:
        """Yield what was said before the session was ready."""
        early, self.early = b"".join(self.early), []
        yield from _parts(early)

    def take_recent(self, pressed_s: float) -> list[bytes]:
        """Return what was heard just before a press, and since."""
        since_s = pressed_s - self.preroll_s
        recent = b"".join(pcm for came_s, pcm in self.recent if came_s > since_s)
        self.recent.clear()
        return list(_parts(recent))

    def begin(self, now: float) -> None:
        """Let audio flow from now on."""
        self.origin_s = self.fresh_s = now
        self.sent_frames = 0

    def end(self) -> None:
        """Stop the flow, and whoever was speaking."""
        self.origin_s = self.speaking_since_s = None
        self.let_go()

    def opened(self, now: float) -> None:
        """Note that the capture stream runs."""
        self.is_open = True
        self.fresh_s = now

    def closed(self) -> None:
        """Note that the capture stream does not run."""
        self.is_open = False
        self.recent.clear()

    def captured(self, pcm: bytes, now: float, *, is_deaf: bool = False) -> Iterator[bytes]:
        """Yield what to send for samples of the microphone.

        Args:
            pcm: What it delivered.
            now: The time.
            is_deaf: Zeros take the place of what it delivered.
        """
        if not self.is_heard:
            return
        self.fresh_s = now
        if is_deaf:
            pcm = bytes(len(pcm))
        self._keep(pcm, now)
        if self.origin_s is None:
            if self.is_held:
                self.held_frames += len(pcm) // BYTES_PER_FRAME
                self.early.append(pcm)
            return
        yield from self._send(pcm)
        lead_s = self.origin_s + self.sent_frames / RATE_HZ - now
        if lead_s > MAX_LEAD_S:
            self.origin_s -= lead_s - MAX_LEAD_S

    def speech_ends_s(self) -> float | None:
        """Return when speech that goes on is no longer believed."""
        return None if self.speaking_since_s is None else self.speaking_since_s + LONGEST_SPEECH_S

    def fill(self, now: float) -> Iterator[bytes]:
        """Yield the zeros that are due."""
        due_s = self.due_s()
        if self.origin_s is None or due_s is None or now < due_s:
            return
        owed_s = now - self.origin_s - self.sent_frames / RATE_HZ
        if owed_s > MAX_FILL_S:
            self.origin_s += owed_s - MAX_FILL_S
            owed_s = MAX_FILL_S
        owed_frames = round(owed_s * RATE_HZ)
        yield from self._send(bytes(owed_frames * BYTES_PER_FRAME))

    def due_s(self) -> float | None:
        """Return when ``fill`` has something to yield next."""
        if self.origin_s is None:
            return None
        behind_s = self.origin_s + (self.sent_frames + MAX_APPEND_FRAMES) / RATE_HZ
        if self.is_open and self.is_heard:
            return max(behind_s, self.fresh_s + STALL_S)
        return behind_s

    def has_turn(self) -> bool:
        """Tell whether enough was said into the key to be committed."""
        return self.held_frames >= MIN_TURN_FRAMES

    def _keep(self, pcm: bytes, now: float) -> None:
        if self.is_held:
            return
        self.recent.append((now, pcm))
        while self.recent[0][0] <= now - self.preroll_s - LATE_PRESS_S:
            self.recent.popleft()

    def _send(self, pcm: bytes) -> Iterator[bytes]:
        frames = len(pcm) // BYTES_PER_FRAME
        self.sent_frames += frames
        if self.is_held:
            self.held_frames += frames
        yield from _parts(pcm)


def _parts(pcm: bytes) -> Iterator[bytes]:
    size = MAX_APPEND_FRAMES * BYTES_PER_FRAME
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size]
