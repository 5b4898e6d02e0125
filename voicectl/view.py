"""What the monitor knows: pure."""

from dataclasses import dataclass, field
from typing import Any, Final

from voicectl import picture
from voiced.control.messages import LineReport
from voiced.control.transcript import Transcript

FALL_DB_S: Final = 40.0
"""How fast a needle falls back."""
PEAK_HOLD_S: Final = 1.5
KEEP_S: Final = 0.3
"""A level that is this old is none any more."""


@dataclass(slots=True)
class Needle:
    """One level, as an eye can follow it: it rises at once and falls in its time."""

    rms_dbfs: float | None = None
    peak_dbfs: float | None = None
    _level_dbfs: float = 0.0
    """The loudness that came last; it does not fall below that."""
    _fresh_s: float = 0.0
    """When that was."""
    _peaked_s: float = 0.0
    _moved_s: float = 0.0

    @property
    def is_moving(self) -> bool:
        """Tell whether it falls by itself."""
        return self.rms_dbfs is not None

    def take(self, level: dict[str, float] | None, now_s: float) -> None:
        """Take a level; None where no sound passed."""
        if level is None:
            self.settle(now_s)
            return
        self._level_dbfs = level["rms_dbfs"]
        self.settle(now_s)
        self._fresh_s = now_s
        before_dbfs = self._level_dbfs if self.rms_dbfs is None else self.rms_dbfs
        self.rms_dbfs = max(self._level_dbfs, before_dbfs)
        if self.peak_dbfs is None or level["peak_dbfs"] >= self.peak_dbfs:
            self.peak_dbfs, self._peaked_s = level["peak_dbfs"], now_s

    def settle(self, now_s: float) -> None:
        """Let time pass."""
        fallen_db = (now_s - self._moved_s) * FALL_DB_S
        self._moved_s = now_s
        if self.rms_dbfs is None or self.peak_dbfs is None:
            return
        if now_s - self._fresh_s > KEEP_S:
            self.rms_dbfs = self.peak_dbfs = None
            return
        self.rms_dbfs = max(self._level_dbfs, self.rms_dbfs - fallen_db)
        if now_s - self._peaked_s > PEAK_HOLD_S:
            self.peak_dbfs = max(self.rms_dbfs, self.peak_dbfs - fallen_db)


@dataclass(slots=True)
class View:
    """Everything that is shown."""

    report: dict[str, Any] = field(default_factory=lambda: {"state": "starting"})
    transcript: Transcript = field(default_factory=Transcript)
    microphone: Needle = field(default_factory=Needle)
    loudspeaker: Needle = field(default_factory=Needle)
    complaint: str = ""
    """The last thing that went wrong."""
    complained_s: float = 0.0
    """When, in unix time."""
    _remembered_s: float = 0.0

    def take(self, notice: dict[str, Any]) -> None:
        """Take what the daemon says."""
        self.report = picture.updated(self.report, notice)
        match notice["event"]:
            case "transcript":
                self._take_words(notice)
            case "error":
                self.complain(notice["message"], notice["t"])
            case _:
                pass

    def take_levels(self, levels: dict[str, Any], now_s: float) -> None:
        """Take how loud it is.

        Args:
            levels: The levels.
            now_s: The monotonic time.
        """
        self.microphone.take(levels.get("microphone"), now_s)
        self.loudspeaker.take(levels.get("loudspeaker"), now_s)

    def remember(self, lines: list[LineReport], unix_s: float) -> None:
        """Take what another daemon remembers, instead of what the last one said.

        Args:
            lines: What was said.
            unix_s: Until when; words that were told before are among them.
        """
        self.transcript = Transcript()
        self._remembered_s = unix_s
        for line in lines:
            self.transcript.keep(line)

    def complain(self, message: str, unix_s: float) -> None:
        """Take something that went wrong."""
        self.complaint, self.complained_s = message, unix_s

    @property
    def started_s(self) -> float | None:
        """Return the unix time at which the conversation began."""
        started: float | None = (self.report.get("session") or {}).get("started")
        return started

    def _take_words(self, notice: dict[str, Any]) -> None:
        line = picture.line_of(notice)
        if line["t"] <= self._remembered_s:
            return
        if line["cut"]:
            self.transcript.keep(line)
        else:
            self.transcript.said(
                line["role"], line["item_id"], line["text"], line["t"], is_final=line["final"]
            )
