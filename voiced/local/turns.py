"""Decides from speech probabilities where a turn of the user begins and ends.

Rules
1. Time is the number of frames appended to the session, never a clock.
2. Speech begins with two windows in a row at or above the threshold; one is a click.
   The turn is dated back by the prefix padding, but never into the turn before.
3. Speech goes on while windows stay above a lower threshold, and ends when they have
   been below it for the whole silence length.  The silence belongs to the turn.
"""

from dataclasses import dataclass
from typing import Final

from voiced.local.formats import FRAMES_PER_MS

WINDOWS_TO_START: Final = 2
HYSTERESIS: Final = 0.15
"""How far below the threshold speech must fall to be over."""
LOWEST_THRESHOLD: Final = 0.01


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What counts as a turn."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_ms: int = 500


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The user began to speak."""

    start_frame: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The user has been silent for long enough."""

    start_frame: int
    end_frame: int


@dataclass(slots=True)
class TurnTracker:
    """Follows one stream of windows."""

    rules: TurnRules
    earliest_frame: int = 0
    """No turn begins before this."""
    started_frame: int | None = None
    """Where the running turn began."""
    onset_frame: int | None = None
    """Where the windows that may become speech began."""
    loud_windows: int = 0
    quiet_frame: int | None = None
    """Where the silence within the running turn began."""

    def hear(
        self, probability: float, start_frame: int, end_frame: int
    ) -> TurnStarted | TurnEnded | None:
        """Take the next window and return what it changed."""
        if self.started_frame is None:
            return self._wait(probability, start_frame)
        return self._follow(self.started_frame, probability, start_frame, end_frame)

    def reset(self, earliest_frame: int) -> None:
        """Forget the running turn; the next one begins at this frame or later."""
        self.earliest_frame = earliest_frame
        self.started_frame = self.onset_frame = self.quiet_frame = None
        self.loud_windows = 0

    def _wait(self, probability: float, start_frame: int) -> TurnStarted | None:
        if probability < self.rules.threshold:
            self.onset_frame, self.loud_windows = None, 0
            return None
        self.loud_windows += 1
        if self.onset_frame is None:
            self.onset_frame = start_frame
        if self.loud_windows < WINDOWS_TO_START:
            return None
        padded = self.onset_frame - self.rules.prefix_padding_ms * FRAMES_PER_MS
        self.started_frame = max(self.earliest_frame, padded)
        return TurnStarted(self.started_frame)

    def _follow(
        self, started_frame: int, probability: float, start_frame: int, end_frame: int
    ) -> TurnEnded | None:
        if probability >= max(self.rules.threshold - HYSTERESIS, LOWEST_THRESHOLD):
            self.quiet_frame = None
            return None
        if self.quiet_frame is None:
            self.quiet_frame = start_frame
        if end_frame - self.quiet_frame < self.rules.silence_ms * FRAMES_PER_MS:
            return None
        self.reset(end_frame)
        return TurnEnded(started_frame, end_frame)
