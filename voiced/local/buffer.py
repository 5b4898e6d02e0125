"""The input audio buffer: what the user said since the last turn, and the turns in it.

Rules
1. Positions are frames of 24 kHz audio since the session began, so they never jump.
2. With turn detection on, only the last stretch before speech is kept.
3. The buffer is bounded: what is older than the longest turn is dropped, oldest first.
"""

from collections.abc import Callable
from typing import Final

from voiced.audio.pcm import Resampler
from voiced.audio.vad import RATE_HZ as DETECTOR_RATE_HZ
from voiced.audio.vad import Detector
from voiced.local.formats import BYTES_PER_FRAME, PCM_RATE_HZ
from voiced.local.turns import TurnEnded, TurnRules, TurnStarted, TurnTracker

SILENCE_KEPT_FRAMES: Final = 30 * PCM_RATE_HZ
"""How much is kept while nobody speaks."""
LONGEST_TURN_FRAMES: Final = 600 * PCM_RATE_HZ


class InputBuffer:
    """One session's input audio.

    Args:
        make_detector: Called when there is first something to detect turns in.
    """

    def __init__(self, make_detector: Callable[[], Detector]) -> None:
        self.appended_frames = 0
        """Everything ever appended: the time base of the session."""
        self.dropped_frames = 0
        """What was dropped of turns that grew too long."""
        self._make_detector = make_detector
        self._detector: Detector | None = None
        self._tracker: TurnTracker | None = None
        self._audio = bytearray()
        self._resampler = Resampler(PCM_RATE_HZ, DETECTOR_RATE_HZ)
        self._windows = bytearray()
        """Samples that wait for the detector's next window."""
        self._window_frame = 0
        """Position of the first of them."""

    @property
    def frames(self) -> int:
        """Return how much a commit would take."""
        return self.appended_frames - self._commit_start()

    @property
    def is_detecting(self) -> bool:
        """Tell whether turns are detected here."""
        return self._tracker is not None

    @property
    def is_speaking(self) -> bool:
        """Tell whether a detected turn is running."""
        return self._tracker is not None and self._tracker.started_frame is not None

    def detect(self, rules: TurnRules | None) -> None:
        """Start, change or stop the detection of turns."""
        if rules is None:
            self._tracker = None
        elif self._tracker is not None:
            self._tracker.rules = rules
        else:
            self._tracker = TurnTracker(rules)
            self._listen_from(self.appended_frames, earliest_frame=self._first_frame())

    def append(self, pcm: bytes) -> list[TurnStarted | TurnEnded]:
        """Add samples and return the turns that begin or end in them."""
        self._audio += pcm
        self.appended_frames += len(pcm) // BYTES_PER_FRAME
        changes = self._look_for_turns(pcm)
        self._trim()
        return changes

    def since(self, frame: int) -> bytes:
        """Return the audio from a position on."""
        skipped = max(0, frame - self._first_frame())
        return bytes(self._audio[skipped * BYTES_PER_FRAME :])

    def take(self, start_frame: int, end_frame: int) -> bytes:
        """Return a turn, and forget everything up to its end."""
        first = self._first_frame()
        start = max(0, start_frame - first) * BYTES_PER_FRAME
        end = max(0, end_frame - first) * BYTES_PER_FRAME
        turn = bytes(self._audio[start:end])
        del self._audio[:end]
        return turn

    def commit(self) -> bytes:
        """Return the buffered turn, as far as it goes, and begin anew."""
        turn = self.take(self._commit_start(), self.appended_frames)
        self._begin_anew()
        return turn

    def clear(self) -> None:
        """Drop what is buffered and forget a running turn."""
        self._audio.clear()
        self._begin_anew()

    def close(self) -> None:
        """Let go of the audio and the detector."""
        self._audio.clear()
        self._detector = None

    def _begin_anew(self) -> None:
        if self._tracker is not None:
            self._listen_from(self.appended_frames, earliest_frame=self.appended_frames)

    def _listen_from(self, frame: int, *, earliest_frame: int) -> None:
        """Detect from a position on, with a detector that remembers nothing of before."""
        if self._tracker is not None:
            self._tracker.reset(earliest_frame)
        self._windows.clear()
        self._window_frame = frame
        self._detector = None
        self._resampler = Resampler(PCM_RATE_HZ, DETECTOR_RATE_HZ)

    def _look_for_turns(self, pcm: bytes) -> list[TurnStarted | TurnEnded]:
        tracker = self._tracker
        if tracker is None:
            return []
        detector = self._detector = self._detector or self._make_detector()
        self._windows += self._resampler.process(pcm)
        window_bytes = detector.window_frames * BYTES_PER_FRAME
        step = detector.window_frames * PCM_RATE_HZ // DETECTOR_RATE_HZ
        changes = []
        while len(self._windows) >= window_bytes:
            probability = detector.speech(bytes(self._windows[:window_bytes]))
            del self._windows[:window_bytes]
            start, self._window_frame = self._window_frame, self._window_frame + step
            change = tracker.hear(probability, start, self._window_frame)
            if change is not None:
                changes.append(change)
        return changes

    def _trim(self) -> None:
        is_idle = self._tracker is not None and self._tracker.started_frame is None
        limit = SILENCE_KEPT_FRAMES if is_idle else LONGEST_TURN_FRAMES
        excess = len(self._audio) // BYTES_PER_FRAME - limit
        if excess > 0:
            del self._audio[: excess * BYTES_PER_FRAME]
            self.dropped_frames += 0 if is_idle else excess

    def _first_frame(self) -> int:
        return self.appended_frames - len(self._audio) // BYTES_PER_FRAME

    def _commit_start(self) -> int:
        first = self._first_frame()
        if self._tracker is None or self._tracker.started_frame is None:
            return first
        return max(first, self._tracker.started_frame)
