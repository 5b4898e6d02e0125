"""Draws an interruption with characters, for a terminal or a pipe; pure."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from voicectl.timeline import ROWS, Mark, Timeline, end_with_labels, lanes, ticks

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
FULL: Final = len(BLOCKS) - 1
LABEL: Final = 14
"""Columns in front of the drawing."""
NARROWEST: Final = 20
"""Columns that are drawn however narrow the terminal is."""
QUIETEST_DBFS: Final = -60.0
HEIGHT: Final = 2
"""Lines of a row of levels."""
TICK: Final = 8
"""Columns that a figure on the axis needs."""
QUIETEST_GAIN_DB: Final = -28.0
CLOSED: Final = "(no levels: the microphone was closed)"

Column = tuple[float, float]
"""From when to when, in ms."""


def draw(timeline: Timeline, width: int) -> str:
    """Return the drawing, in lines of at most ``width`` columns where that is not too narrow."""
    columns = max(NARROWEST, width - LABEL)
    end_ms = end_with_labels(timeline, [len(_label(mark)) / columns for mark in timeline.marks])
    span_ms = (end_ms - timeline.start_ms) / columns
    edges = [timeline.start_ms + number * span_ms for number in range(columns + 1)]
    stretches = list(pairwise(edges))
    lines = [timeline.title, timeline.subtitle, ""]
    if not timeline.at_ms:
        lines.append(CLOSED)
    else:
        for row, name in ROWS.items():
            lines += _level(timeline, row, name, stretches)
    lines.append(_labelled("gain", _gain(timeline, stretches)))
    if timeline.at_ms:
        lines.append(_labelled("voice?", _voice(timeline, stretches)))
        lines.append(_labelled("probability", _probability(timeline, stretches)))

    def place(at_ms: float) -> int:
        return min(columns - 1, max(0, int((at_ms - timeline.start_ms) / span_ms)))

    axis, times = _axis(ticks(timeline.start_ms, end_ms, columns // TICK), columns, place)
    lines += [_labelled("", axis), _labelled(f"{'ms':>{LABEL - 2}}", times)]
    lines += [_labelled("", line) for line in _marks(timeline.marks, place)]
    return "\n".join(line.rstrip() for line in lines)


def _labelled(label: str, line: str) -> str:
    return f"{label:{LABEL}}{line}"


def _level(timeline: Timeline, row: str, name: str, stretches: Sequence[Column]) -> list[str]:
    """Return the lines of a row of levels, the upper one first."""
    levels = timeline.levels_dbfs[row]
    heights = []
    for start_ms, end_ms in stretches:
        loudest = max(levels[timeline.between(start_ms, end_ms)], default=QUIETEST_DBFS)
        share = min(1.0, max(0.0, 1.0 - loudest / QUIETEST_DBFS))
        heights.append(round(share * FULL * HEIGHT))
    labels = [name, f" max {max(levels):.0f} dB", *[""] * HEIGHT]
    return [
        _labelled(labels[line], "".join(_block(it - (HEIGHT - 1 - line) * FULL) for it in heights))
        for line in range(HEIGHT)
    ]


def _gain(timeline: Timeline, stretches: Sequence[Column]) -> str:
    drawn = ""
    for start_ms, _ in stretches:
        gain_db = None if start_ms > timeline.end_ms else timeline.gain_at(start_ms)
        # Quieter is never drawn as silent.
        drawn += " " if gain_db is None else _block(max(1, _gain_height(gain_db)))
    return drawn


def _gain_height(gain_db: float) -> int:
    return round((1.0 - gain_db / QUIETEST_GAIN_DB) * FULL)


def _voice(timeline: Timeline, stretches: Sequence[Column]) -> str:
    found = (any(timeline.is_voice[timeline.between(*each)]) for each in stretches)
    return "".join("▬" if is_voice else " " for is_voice in found)


def _probability(timeline: Timeline, stretches: Sequence[Column]) -> str:
    drawn = ""
    for each in stretches:
        known = [it for it in timeline.probability[timeline.between(*each)] if it is not None]
        drawn += _block(max(1, round(max(known) * FULL))) if known else " "
    return drawn


def _block(height: int) -> str:
    return BLOCKS[min(FULL, max(0, height))]


def _axis(times_ms: Sequence[int], columns: int, place: Callable[[float], int]) -> tuple[str, str]:
    """Return the axis and its figures."""
    line, figures = ["─"] * columns, [" "] * columns
    for at_ms in times_ms:
        column, figure = place(at_ms), str(at_ms)
        line[column] = "┼"
        begin = min(max(0, column - len(figure) // 2), columns - len(figure))
        figures[begin : begin + len(figure)] = figure
    return "".join(line), "".join(figures)


def _marks(marks: Sequence[Mark], place: Callable[[float], int]) -> list[str]:
    """Return the lines with what happened; a line of its own leads to each of them."""
    starts, labels = [place(mark.at_ms) for mark in marks], [_label(mark) for mark in marks]
    # Two columns apart, so that one can be told from the next.
    chosen = lanes(starts, [len(label) + 2 for label in labels])
    ends = [start + len(label) for start, label in zip(starts, labels, strict=True)]
    lines = [[" "] * max(ends) for _ in range(max(chosen, default=-1) + 1)]
    for start, label, lane in zip(starts, labels, chosen, strict=True):
        for line in lines[:lane]:
            line[start] = "│"
        lines[lane][start : start + len(label)] = label
    return ["".join(line) for line in lines]


def _label(mark: Mark) -> str:
    return f"╰ {mark.label}"
