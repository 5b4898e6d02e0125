"""Draws an interruption as a picture, with matplotlib."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from voicectl.timeline import ROWS, Timeline, end_with_labels, lanes, stairs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_IN: Final = (14.0, 9.0)
DPI: Final = 120
LEFT, RIGHT, BOTTOM, TOP = 0.075, 0.95, 0.06, 0.92
FONT_PT: Final = 9.0
LANE_IN: Final = 0.19
"""Height of a lane of labels."""
LETTER_EM: Final = 0.62
"""No word is wider than its letters at this width."""
FLOOR_DBFS: Final = -80.0
SILENT_DB: Final = -30.0
"""Where silence is drawn among the gains."""
QUIETEST_PEAK: Final = 0.01
"""A waveform that is smaller than this is drawn small."""
EXACT: Final = {"shrinkA": 0, "shrinkB": 0}
"""A line that is neither shorter nor longer than it is told."""
EARLIER: Final = 0.55
"""How strongly that is drawn which came before the user's first sound."""
COLOURS: Final = {"microphone": "#1f5fa8", "cancelled": "#12806a", "loudspeaker": "#b3541e"}
OURS: Final = ("ducked", "restored", "cut", "held", "silent", "resumed", "given_back")
ABOUT_US, ABOUT_YOU, ABOUT_SERVER = "#b3261e", "#1f5fa8", "#7b3fa0"
"""What the loudspeaker did, what was heard of the user here, and by the server."""


def picture(timeline: Timeline, kind: str) -> bytes:
    """Return the picture as a file: ``png`` or ``svg``."""
    with mpl.rc_context():
        # Not the user's own style: labels are placed for this one.
        mpl.rcdefaults()
        mpl.rcParams.update(
            {"font.size": FONT_PT, "axes.spines.top": False, "axes.spines.right": False}
        )
        file = io.BytesIO()
        draw(timeline).savefig(file, format=kind, dpi=DPI)
    return file.getvalue()


def draw(timeline: Timeline) -> Figure:
    """Return the picture."""
    figure = Figure(figsize=SIZE_IN)
    widths = [_width(mark.label) for mark in timeline.marks]
    end_ms = end_with_labels(timeline, widths)
    span_ms = end_ms - timeline.start_ms
    starts = [(mark.at_ms - timeline.start_ms) / span_ms for mark in timeline.marks]
    chosen = lanes(starts, widths)
    strip_in = LANE_IN * (max(chosen, default=0) + 1)
    top = TOP - strip_in / SIZE_IN[1]
    axes = figure.subplots(
        5,
        1,
        sharex=True,
        gridspec_kw={
            "height_ratios": [3, 3, 3, 1.3, 2],
            "left": LEFT,
            "right": RIGHT,
            "bottom": BOTTOM,
            "top": top,
            "hspace": 0.14,
        },
    )
    panels: list[Axes] = list(axes)
    for panel, (row, name) in zip(panels, ROWS.items(), strict=False):
        _level(panel, timeline, row, name)
    _gain(panels[3], timeline)
    _detection(panels[4], timeline)
    _events(panels, timeline, chosen)
    panels[-1].set_xlim(timeline.start_ms, end_ms)
    panels[-1].set_xlabel(f"ms since {timeline.origin}")
    figure.text(LEFT, 0.968, timeline.title, fontsize=13, fontweight="bold", va="center")
    figure.text(LEFT, 0.94, timeline.subtitle, fontsize=10.5, va="center", color="#444444")
    return figure


def _width(label: str) -> float:
    """Return the share of the axis that a label takes at most."""
    return (len(label) + 2) * LETTER_EM * FONT_PT / 72 / (SIZE_IN[0] * (RIGHT - LEFT))


def _level(panel: "Axes", timeline: Timeline, row: str, name: str) -> None:
    """Draw a row of levels, with the waveform behind where it was recorded."""
    colour = COLOURS[row]
    levels = np.maximum(timeline.levels_dbfs[row], FLOOR_DBFS)
    times = np.asarray(timeline.at_ms)
    # A level is that of the 10 ms before its time.
    panel.fill_between(times, FLOOR_DBFS, levels, step="pre", color=colour, alpha=0.13, lw=0)
    panel.plot(times, levels, drawstyle="steps-pre", color=colour, linewidth=1.2)
    panel.set_ylim(FLOOR_DBFS, 0)
    panel.set_yticks(range(-60, 1, 20))
    panel.set_ylabel(f"{name}\ndBFS")
    panel.grid(visible=True, alpha=0.25)
    if not timeline.at_ms:
        _say(panel, "no levels: the microphone was closed")
    if timeline.sound is not None:
        _waveform(panel, timeline, row, timeline.sound.peaks[row])


def _waveform(panel: "Axes", timeline: Timeline, row: str, peaks: Sequence[float]) -> None:
    """Draw the loudest samples on an axis of their own."""
    assert timeline.sound is not None  # noqa: S101 - who calls has looked
    behind = panel.twinx()
    loudest = np.asarray(peaks)
    times = timeline.sound.start_ms + np.arange(loudest.size) * 1000 / timeline.sound.rate_hz
    behind.fill_between(times, -loudest, loudest, color=COLOURS[row], alpha=0.35, linewidth=0)
    most = max(QUIETEST_PEAK, float(loudest.max(initial=0.0)))
    behind.set_ylim(-most, most)
    behind.set_yticks([0, most], ["0", f"{most:.2g}"])
    behind.tick_params(length=2, colors="#777777")


def _gain(panel: "Axes", timeline: Timeline) -> None:
    """Draw how loud the assistant was told to be."""
    steps = [(at_ms, SILENT_DB if db is None else db) for at_ms, db in timeline.gain()]
    corners = np.array(stairs(steps, timeline.end_ms))
    panel.plot(corners[:, 0], corners[:, 1], color=ABOUT_US, linewidth=1.6)
    panel.fill_between(corners[:, 0], SILENT_DB, corners[:, 1], color=ABOUT_US, alpha=0.12, lw=0)
    panel.set_ylim(SILENT_DB - 3, 4)
    levels = sorted({db for _, db in steps} | {0.0, SILENT_DB})
    panel.set_yticks(levels, ["silent" if db == SILENT_DB else f"{db:g}" for db in levels])
    panel.set_ylabel("gain\ndB")
    panel.grid(visible=True, alpha=0.25)


def _detection(panel: "Axes", timeline: Timeline) -> None:
    """Draw what the two stages of the voice detection made of it."""
    known = [np.nan if it is None else it for it in timeline.probability]
    panel.plot(timeline.at_ms, known, color=ABOUT_YOU, linewidth=1.6, label="second stage")
    panel.axhline(timeline.threshold, color="#777777", linewidth=1, linestyle="--")
    panel.annotate(
        f"needed: {timeline.threshold:g}",
        (1, timeline.threshold),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 3),
        textcoords="offset points",
        ha="right",
        color="#555555",
    )
    for number, (start_ms, end_ms) in enumerate(timeline.voice_spans()):
        panel.axvspan(
            start_ms,
            end_ms,
            0.0,
            0.09,
            color=COLOURS["cancelled"],
            alpha=0.7,
            lw=0,
            label="" if number else "first stage: a voice",
        )
    panel.set_ylim(-0.12, 1.05)
    panel.set_yticks([0, 0.5, 1])
    panel.set_ylabel("voice detection\nprobability")
    panel.grid(visible=True, alpha=0.25)
    panel.legend(loc="upper left", frameon=False, ncols=2)


def _events(panels: Sequence["Axes"], timeline: Timeline, chosen: Sequence[int]) -> None:
    """Draw a line for each event through all panels, and its label above them."""
    for mark, lane in zip(timeline.marks, chosen, strict=True):
        colour = ABOUT_US if mark.name in OURS else ABOUT_YOU
        colour = ABOUT_SERVER if mark.name == "server_heard" else colour
        # What was before belongs to another one.
        alpha = EARLIER if mark.at_ms < 0 else 1.0
        for panel in panels:
            panel.axvline(mark.at_ms, color=colour, linewidth=0.9, alpha=0.75 * alpha)
        height_pt = 72 * LANE_IN * lane + 4
        panels[0].annotate(
            mark.label,
            (mark.at_ms, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(4, height_pt),
            textcoords="offset points",
            color=colour,
            alpha=alpha,
            fontweight="bold" if mark.is_origin else "normal",
            annotation_clip=False,
        )
        panels[0].annotate(
            "",
            (mark.at_ms, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, height_pt + 0.7 * FONT_PT),
            textcoords="offset points",
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.9, "alpha": alpha} | EXACT,
            annotation_clip=False,
        )


def _say(panel: "Axes", words: str) -> None:
    panel.text(0.5, 0.5, words, transform=panel.transAxes, ha="center", color="#777777")
