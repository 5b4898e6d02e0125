"""An interruption as it is drawn: what was around it, on one axis; pure.

Times are in ms from the user's first sound.
"""

import time
from base64 import b64decode
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from voicectl.outcome import VersionError

ROWS: Final = {
    "microphone": "microphone",
    "cancelled": "without echo",
    "loudspeaker": "loudspeaker",
}
"""Name of a row of sound -> what people read beside it."""
LABELS: Final = {
    "first_sound": "your first sound",
    "noticed": "noticed",
    "suspected": "suspected here",
    "confirmed": "confirmed here",
    "dismissed": "no speech after all",
    "server_heard": "the server hears you",
    "ducked": "quieter",
    "restored": "as loud as before",
    "cut": "told to be silent",
    "held": "told to wait",
    "silent": "silent",
    "resumed": "goes on",
    "given_back": "words given back",
}
"""Name of a mark -> what people read beside it."""
FRAME_MS: Final = 10.0
FIGURES: Final = (
    ("sound_to_duck_ms", "quieter"),
    ("sound_to_cut_ms", "told to be silent"),
    ("sound_to_silent_ms", "silent"),
)
STEPS_MS: Final = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
WIDEST: Final = 0.6
"""Share of the axis that a label may take; what is longer goes beyond the edge."""
SILENCE: Final = ("cut", "held")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened."""

    at_ms: float
    name: str
    gain_db: float | None = None

    @property
    def is_origin(self) -> bool:
        """Tell whether the times are counted from it."""
        return self.name in {"first_sound", "noticed"}

    @property
    def label(self) -> str:
        """Return what people read beside it."""
        label = LABELS.get(self.name, self.name.replace("_", " "))
        if self.name == "ducked" and self.gain_db is not None:
            label += f" by {-self.gain_db:g} dB"
        return label if self.is_origin else f"{label}, {round(self.at_ms)} ms"


@dataclass(frozen=True, slots=True)
class Sound:
    """The loudest samples of each row, 1 being full scale."""

    rate_hz: int
    start_ms: float
    peaks: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One interruption."""

    number: int
    unix_s: float
    source: str
    is_confirmed: bool
    heard_ms: int | None
    figures: tuple[tuple[str, float], ...]
    """What was done -> how long after the user's first sound."""
    start_ms: float
    end_ms: float
    threshold: float
    """What the probability must reach."""
    marks: tuple[Mark, ...]
    at_ms: Sequence[float]
    """When each frame ended; the rows below have as many entries."""
    levels_dbfs: Mapping[str, Sequence[float]]
    is_voice: Sequence[bool]
    probability: Sequence[float | None]
    sound: Sound | None

    @property
    def origin(self) -> str:
        """Return what the times are counted from."""
        is_known = any(mark.name == "first_sound" for mark in self.marks)
        return "your first sound" if is_known else "the moment it was noticed"

    @property
    def title(self) -> str:
        """Return who interrupted, and what became of it."""
        who = {"local": "noticed here", "server": "noticed by the server", "control": "by voicectl"}
        at = time.strftime("%d %b %H:%M:%S", time.localtime(self.unix_s))
        became = "confirmed" if self.is_confirmed else "words given back"
        heard = "" if self.heard_ms is None else f", {self.heard_ms / 1000:.1f} s heard"
        source = who.get(self.source, self.source)
        return f"Interruption {self.number}, {at}: {source}, {became}{heard}"

    @property
    def subtitle(self) -> str:
        """Return how long everything took; empty where it is not known."""
        if not self.figures:
            return ""
        return "your first sound → " + " → ".join(
            f"{name} {ms:.0f} ms" for name, ms in self.figures
        )

    def gain(self) -> list[tuple[float, float | None]]:
        """Return from when on the assistant was how loud, in dB; None is silent."""
        steps: list[tuple[float, float | None]] = [(self.start_ms, 0.0)]
        level_db = 0.0
        for mark in self.marks:
            if mark.gain_db is not None:
                level_db = mark.gain_db
            if mark.name in SILENCE:
                steps.append((mark.at_ms, None))
            elif mark.name == "resumed" or (mark.gain_db is not None and steps[-1][1] is not None):
                steps.append((mark.at_ms, level_db))
        return steps

    def gain_at(self, at_ms: float) -> float | None:
        """Return how loud the assistant was, in dB; None is silent."""
        steps = self.gain()
        return steps[max(0, bisect_right([step[0] for step in steps], at_ms) - 1)][1]

    def between(self, start_ms: float, end_ms: float) -> slice:
        """Return where the frames are of which some lies in a stretch of time."""
        begin = bisect_right(self.at_ms, start_ms)
        return slice(begin, bisect_left(self.at_ms, end_ms + FRAME_MS, begin))

    def voice_spans(self) -> list[tuple[float, float]]:
        """Return from when to when the first stage took it for a voice."""
        spans: list[list[float]] = []
        for at_ms, is_voice in zip(self.at_ms, self.is_voice, strict=True):
            if not is_voice:
                continue
            begin_ms = at_ms - FRAME_MS
            if spans and begin_ms - spans[-1][1] < FRAME_MS:
                spans[-1][1] = at_ms
            else:
                spans.append([begin_ms, at_ms])
        return [(begin_ms, end_ms) for begin_ms, end_ms in spans]


def read(answer: Mapping[str, Any]) -> Timeline:
    """Read what the daemon answered.

    Raises:
        VersionError: It is of another version.
    """
    try:
        return _read(answer)
    except (KeyError, TypeError, ValueError) as error:
        raise VersionError("the daemon gave no timeline that can be read") from error


def _read(answer: Mapping[str, Any]) -> Timeline:
    told, frames, sound = answer["interruption"], answer["frames"], answer["sound"]
    at_ms = [float(each) for each in frames["at_ms"]]
    levels = {row: [float(each) for each in frames[f"{row}_dbfs"]] for row in ROWS}
    columns = (*levels.values(), frames["voice"], frames["probability"])
    if any(len(column) != len(at_ms) for column in columns):
        raise ValueError("columns of different lengths")
    return Timeline(
        number=int(told["number"]),
        unix_s=float(answer["t"]),
        source=str(told["source"]),
        is_confirmed=bool(told["confirmed"]),
        heard_ms=told["heard_ms"],
        figures=tuple((name, told[key]) for key, name in FIGURES if told[key] is not None),
        start_ms=float(answer["start_ms"]),
        end_ms=max(float(answer["end_ms"]), float(answer["start_ms"]) + FRAME_MS),
        threshold=float(answer["speech_probability"]),
        marks=tuple(
            Mark(float(each["at_ms"]), str(each["name"]), each["gain_db"])
            for each in answer["marks"]
        ),
        at_ms=at_ms,
        levels_dbfs=levels,
        is_voice=[bool(each) for each in frames["voice"]],
        probability=frames["probability"],
        sound=None if sound is None else _sound(sound),
    )


def _sound(answer: Mapping[str, Any]) -> Sound:
    rows = {row: memoryview(b64decode(answer[row])).cast("h") for row in ROWS}
    return Sound(
        rate_hz=int(answer["rate_hz"]),
        start_ms=float(answer["start_ms"]),
        peaks={row: [value / 32_768 for value in samples] for row, samples in rows.items()},
    )


def lanes(starts: Sequence[float], widths: Sequence[float]) -> list[int]:
    """Return a lane for each label, such that none is above another or crosses its line.

    A label begins at the line that leads to it and goes to the right; lane 0 is next to what
    the lines lead to.  So the later one is always nearer.

    Args:
        starts: Where each begins, in ascending order.
        widths: How long it is, in the same unit.
    """
    found = [0] * len(starts)
    for number in reversed(range(len(starts))):
        end = starts[number] + widths[number]
        below = [found[later] for later in range(number + 1, len(starts)) if starts[later] < end]
        found[number] = max(below, default=-1) + 1
    return found


def end_with_labels(timeline: Timeline, widths: Sequence[float]) -> float:
    """Return where the axis must end for each label to have room.

    Args:
        timeline: What is drawn.
        widths: How much of the axis each label takes.
    """
    ends = [
        timeline.start_ms + (mark.at_ms - timeline.start_ms) / (1.0 - min(WIDEST, width))
        for mark, width in zip(timeline.marks, widths, strict=True)
    ]
    return max([timeline.end_ms, *ends])


def ticks(start_ms: float, end_ms: float, most: int) -> list[int]:
    """Return round times for an axis, at most so many or those of the widest step."""
    found: list[int] = []
    for step_ms in STEPS_MS:
        found = list(range(-(-int(start_ms) // step_ms) * step_ms, int(end_ms) + 1, step_ms))
        if len(found) <= most:
            break
    return found


def stairs(steps: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """Return the corners of a line that goes from step to step."""
    corners: list[tuple[float, float]] = []
    for (x, y), (until, _) in pairwise([*steps, (end, 0.0)]):
        corners += [(x, y), (until, y)]
    return corners
