"""The interruptions of the day, and what was around the last of them.

Rules
1. What is kept of the sound are levels; its loudest samples too, while the flight recorder
   is on, until it is cleared.
2. An interruption is complete when the time after it has passed: until then whoever asks
   for it waits.
3. Times are those of the monotonic clock, which is the event loop's.
"""

import asyncio
import time
from array import array
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from voiced.audio.recorder import CHANNELS, STRETCH_S, Recorder, Samples, captured_s, joined, peaks
from voiced.audio.trace import Frame, Trace
from voiced.control.figures import FramesReport, MarkReport, SoundReport, StatsReport
from voiced.control.protocol import VERSION
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.status import Interruption
from voiced.errors import ConfigError
from voiced.report import interruption_report
from voiced.tally import Tally

KEPT: Final = 50
BEFORE_S: Final = 1.5
AFTER_S: Final = 1.5
LONGEST_S: Final = 15.0
"""An interruption that took longer is shown from its end."""
MOST_MARKS: Final = 500
PEAKS_HZ: Final = 1000
SAME_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened; see ``control.figures.MarkReport``."""

    at_s: float
    name: str
    gain_db: float | None = None


@dataclass(slots=True)
class Columns:
    """Levels, as few bytes as they need."""

    at_ms: "array[float]" = field(default_factory=lambda: array("f"))
    microphone: "array[float]" = field(default_factory=lambda: array("f"))
    cancelled: "array[float]" = field(default_factory=lambda: array("f"))
    loudspeaker: "array[float]" = field(default_factory=lambda: array("f"))
    voice: bytearray = field(default_factory=bytearray)
    probability: "array[float]" = field(default_factory=lambda: array("f"))
    """Less than 0 where there is none."""

    def take(self, frames: Iterable[Frame], first_s: float) -> None:
        """Add frames; their time is told from ``first_s``."""
        for frame in frames:
            self.at_ms.append((frame.at_s - first_s) * 1000)
            self.microphone.append(frame.microphone_dbfs)
            self.cancelled.append(frame.cancelled_dbfs)
            self.loudspeaker.append(frame.loudspeaker_dbfs)
            self.voice.append(frame.is_voice)
            self.probability.append(-1.0 if frame.probability is None else frame.probability)

    def report(self) -> FramesReport:
        """Return the columns as they travel."""
        return {
            "at_ms": _rounded(self.at_ms),
            "microphone_dbfs": _rounded(self.microphone),
            "cancelled_dbfs": _rounded(self.cancelled),
            "loudspeaker_dbfs": _rounded(self.loudspeaker),
            "voice": list(self.voice),
            "probability": [None if it < 0 else round(it, 3) for it in self.probability],
        }


@dataclass(slots=True)
class Record:
    """One interruption, and what was around it.

    Attributes:
        interruption: Its figures.
        unix_s: When it began.
        first_s: The user's first sound, or when it was noticed.
        start_s: Where what is shown begins.
        end_s: Where it ends.
    """

    interruption: Interruption
    unix_s: float
    first_s: float
    start_s: float
    end_s: float
    marks: list[Mark] = field(default_factory=list)
    columns: Columns = field(default_factory=Columns)
    sound: SoundReport | None = None
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def ms(self, at_s: float) -> float:
        """Return a time as it is told."""
        return round((at_s - self.first_s) * 1000, 1)


class Interruptions:
    """Keeps them.  Used on the event loop.

    Args:
        trace: The levels.
        recorder: The sound, where the user wants it to be kept.
        speech_probability: What the second stage must reach.

    Attributes:
        speech_probability: The same.
    """

    def __init__(self, trace: Trace, recorder: Recorder, speech_probability: float) -> None:
        self.speech_probability = speech_probability
        self._trace = trace
        self._recorder = recorder
        self._loop = asyncio.get_running_loop()
        self._tally = Tally(time.time())
        self._marks: deque[Mark] = deque(maxlen=MOST_MARKS)
        self._records: dict[int, Record] = {}
        self._is_cut = False
        """What was made quieter is gone: it does not become louder again."""
        recorder.when_cleared(self._forget_sound)

    @property
    def recorder_s(self) -> int:
        """Return how much sound is kept."""
        return self._recorder.seconds

    # --- what the runner tells ---------------------------------------------------------

    def happened(self, event: ev.Event) -> None:
        """Take note of an event."""
        match event:
            case se.VoiceSuspected():
                self._note("suspected")
            case se.VoiceConfirmed():
                self._note("confirmed")
            case se.VoiceDismissed():
                self._note("dismissed")
            case se.PlaybackCut(silent_at_s=at_s) | se.PlaybackHeld(silent_at_s=at_s):
                self._marks.append(Mark(at_s, "silent"))
            case ev.Received(event=ev.SpeechStarted()):
                self._note("server_heard")
            case ev.NewDay():
                self._tally.begin(time.time())
            case _:
                return

    def ducked(self, gain_db: float) -> None:
        """Note that the assistant was made quieter, or as loud as ever."""
        if gain_db < 0:
            self._is_cut = False
            self._tally.duck()
            self._note("ducked", gain_db)
        elif not self._is_cut:
            self._note("restored", gain_db)

    def silenced(self, *, is_held: bool) -> None:
        """Note that the loudspeaker was told to be silent, for good or for a while."""
        self._is_cut = not is_held
        self._note("held" if is_held else "cut")

    def resumed(self) -> None:
        """Note that the assistant was told to go on."""
        self._note("resumed")

    def told(self, interruption: Interruption) -> None:
        """Keep an interruption; what comes after it is added when it has passed."""
        self._tally.take(interruption)
        if not interruption.confirmed:
            self._note("given_back")
        now_s = self._loop.time()
        first_s = interruption.at_s or now_s
        record = Record(
            interruption,
            unix_s=time.time() - (now_s - first_s),
            first_s=first_s,
            start_s=max(first_s - BEFORE_S, now_s - LONGEST_S),
            end_s=now_s + AFTER_S,
        )
        self._records.pop(interruption.number, None)
        self._records[interruption.number] = record
        while len(self._records) > KEPT:
            del self._records[next(iter(self._records))]
        self._loop.call_later(AFTER_S, self._complete, record)

    # --- what people ask ---------------------------------------------------------------

    def stats(self) -> StatsReport:
        """Return the figures of the day."""
        return self._tally.report()

    async def timeline(self, args: Mapping[str, str]) -> dict[str, Any]:
        """Return what was around an interruption, when it is complete.

        Args:
            args: ``number``; without it, the last.

        Raises:
            ConfigError: There is none of that number.
        """
        record = self._find(args.get("number"))
        await record.complete.wait()
        return {
            "v": VERSION,
            "t": round(record.unix_s, 3),
            "interruption": interruption_report(record.interruption),
            "start_ms": record.ms(record.start_s),
            "end_ms": record.ms(record.end_s),
            "speech_probability": self.speech_probability,
            "marks": [_mark_report(record, mark) for mark in record.marks],
            "frames": record.columns.report(),
            "sound": record.sound,
        }

    def _find(self, number: str | None) -> Record:
        if not self._records:
            raise ConfigError("nobody has interrupted yet")
        if number is None:
            return next(reversed(self._records.values()))
        for key, record in self._records.items():
            if str(key) == number:
                return record
        raise ConfigError(f"there is no interruption {number}; there is: {runs(self._records)}")

    # --- how it is kept ----------------------------------------------------------------

    def _note(self, name: str, gain_db: float | None = None) -> None:
        self._marks.append(Mark(self._loop.time(), name, gain_db))

    def _forget_sound(self) -> None:
        for record in self._records.values():
            record.sound = None

    def _complete(self, record: Record) -> None:
        try:
            self._gather(record)
        finally:
            # Whoever waits for it is answered in any case.
            record.complete.set()

    def _gather(self, record: Record) -> None:
        start_s, end_s = record.start_s, record.end_s
        figures = record.interruption
        known = (figures.sound_to_duck_ms, figures.sound_to_cut_ms, figures.sound_to_silent_ms)
        is_known = any(each is not None for each in known)
        marks = [mark for mark in self._marks if start_s <= mark.at_s <= end_s]
        if is_known:
            marks.append(Mark(record.first_s, "first_sound"))
        elif not any(abs(mark.at_s - record.first_s) < SAME_S for mark in marks):
            # What tells it says when, too.
            marks.append(Mark(record.first_s, "noticed"))
        record.marks = sorted(marks, key=lambda mark: mark.at_s)
        record.columns.take(self._trace.between(start_s, end_s), record.first_s)
        stretches = self._recorder.between(start_s, end_s)
        if stretches:
            began_s = captured_s([each.at_s for each in stretches])[0] - STRETCH_S
            start_ms = record.ms(began_s)
            record.sound = sound_report(peaks(joined(stretches), PEAKS_HZ), start_ms)


def sound_report(loudest: Samples, start_ms: float) -> SoundReport:
    """Return the loudest samples as they travel."""
    rows = (b64encode(row.astype("<i2").tobytes()).decode() for row in loudest)
    microphone, cancelled, loudspeaker = (row for _, row in zip(CHANNELS, rows, strict=True))
    return {
        "rate_hz": PEAKS_HZ,
        "start_ms": start_ms,
        "microphone": microphone,
        "cancelled": cancelled,
        "loudspeaker": loudspeaker,
    }


def runs(numbers: Iterable[int]) -> str:
    """Return numbers as people write them: "1 to 3, 7"."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][-1] + 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ", ".join(" to ".join(map(str, run)) for run in found)


def _mark_report(record: Record, mark: Mark) -> MarkReport:
    return {"at_ms": record.ms(mark.at_s), "name": mark.name, "gain_db": mark.gain_db}


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(value, 1) for value in values]
