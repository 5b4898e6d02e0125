"""Draws the monitor, for a terminal of any size.

Rules
1. Every drawing has exactly as many lines as the screen, so that nothing scrolls.
2. What it says, it says without colours too.
3. Words from outside are printed as text: no markup and no commands of the terminal.
"""

import time
from collections.abc import Iterable
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.panel import Panel
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from voicectl.bars import FLAGS
from voicectl.render import duration, outcome_of, trouble
from voicectl.view import Needle, View
from voiced.control.messages import ASSISTANT, cut_mark, one_line
from voiced.control.transcript import Line

ROOMY_COLUMNS: Final = 64
ROOMY_LINES: Final = 17
QUIETEST_DBFS: Final = -60.0
"""The left end of a level's bar."""
LOUD_DBFS: Final = -18.0
TOO_LOUD_DBFS: Final = -3.0
LABEL: Final = 20
"""Columns of a roomy row that are neither bar nor device: frame, name, gaps."""
DECIBELS: Final = 8
"""Columns of the figure behind a bar."""
COLOURS: Final = {
    "idle": "bright_black",
    "connecting": "yellow",
    "starting": "yellow",
    "listening": "green",
    "thinking": "yellow",
    "speaking": "cyan",
    "muted": "magenta",
    "error": "red",
    "stopped": "bright_black",
}
HEARTS: Final = {"idle": "○", "stopped": "○", "muted": "◌", "error": "✖"}
"""The sign before a state that is not ●."""
SIGNS: Final = {"microphone": "mic", "loudspeaker": "spk"}
KEYS: Final = (("q", "quit"), ("t", "talk"), ("m", "mute"), ("i", "interrupt"))
LATELY_S: Final = 60.0
"""A complaint that is older is not shown any more."""
LATELY: Final = 60
"""More lines of the transcript than fit a screen are not drawn."""


class Screen:
    """One drawing of the view.

    Args:
        view: What is known.
        now_s: The unix time.
        has_keys: Keys can be pressed.
    """

    def __init__(self, view: View, now_s: float, *, has_keys: bool) -> None:
        self._view = view
        self._now_s = now_s
        self._has_keys = has_keys

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw for the size that the terminal has now."""
        columns, lines = options.max_width, options.size.height
        is_roomy = columns >= ROOMY_COLUMNS and lines >= ROOMY_LINES
        draw = self._roomy if is_roomy else self._narrow
        top, bottom = draw(columns)
        above = _lines(console, options, top)
        below = _lines(console, options, bottom)[: max(0, lines - 1)]
        left = max(0, lines - len(above) - len(below))
        words = self._words(console, options, left, is_roomy=is_roomy)
        whole = [*above, *words, *below][:lines]
        for number, line in enumerate(whole):
            yield from line
            if number < len(whole) - 1:
                yield Segment.line()

    # --- what is drawn -----------------------------------------------------------------

    def _roomy(self, columns: int) -> tuple[list[RenderableType], list[RenderableType]]:
        report = self._view.report
        rows = Table.grid(padding=(0, 2, 0, 0), expand=True)
        rows.add_column(style="bright_black", no_wrap=True)
        rows.add_column(ratio=1, overflow="fold")
        devices = [device for _, device in self._devices() if device]
        room = min(max(map(cell_len, devices), default=0), columns // 3)
        for name, device in self._devices():
            rows.add_row(name, self._level(name, device, columns - LABEL - room, room))
        for name, said in self._facts():
            rows.add_row(name, said)
        top = Panel(
            _stack([self._headline(columns), Text(), rows]),
            box=box.ROUNDED,
            border_style=self._colour,
            title=Text(f"voiced {one_line(report.get('voiced', ''))}".rstrip()),
            title_align="left",
            padding=(0, 1),
        )
        return [top], [self._keys()]

    def _narrow(self, columns: int) -> tuple[list[RenderableType], list[RenderableType]]:
        rows: list[RenderableType] = [self._headline(columns)]
        for name, device in self._devices():
            level = self._level(name, device, columns - 5, 0)
            rows.append(Text.assemble((f"{SIGNS[name]} ", "bright_black"), level))
        facts = dict(self._facts())
        told = facts.get("problem") or facts.get("interrupted")
        if told is not None:
            told.truncate(columns, overflow="ellipsis")
            rows.append(told)
        return rows, [self._keys()]

    def _devices(self) -> list[tuple[str, str | None]]:
        """Return the names of the needles, and the devices they belong to."""
        audio = self._view.report.get("audio") or {}
        pairs = (("microphone", audio.get("input")), ("loudspeaker", audio.get("output")))
        return [(name, one_line(device) if device else None) for name, device in pairs]

    def _headline(self, columns: int) -> RenderableType:
        """Return the state, and whom the conversation is with."""
        report = self._view.report
        state = one_line(report["state"])
        left = Text(f"{HEARTS.get(state, '●')} {state}", f"bold {self._colour}")
        for flag in FLAGS:
            if report.get(flag) and flag != state:
                left.append(f"  {flag}", "magenta")
        row = Table.grid(expand=True, padding=(0, 0, 0, 2))
        row.add_column(no_wrap=True)
        row.add_column(justify="right", no_wrap=True, overflow="ellipsis", ratio=1)
        row.add_row(left, self._partner(names_model=columns >= ROOMY_COLUMNS))
        return row

    def _partner(self, *, names_model: bool) -> Text:
        session = self._view.report.get("session")
        if not session:
            return Text("waiting for the daemon", "bright_black")
        partner = f"{session['provider']}, {session['model']}" if names_model else ""
        row = Text(one_line(partner), "bright_black")
        if self._view.started_s is not None:
            age = duration(max(0.0, self._now_s - self._view.started_s))
            row.append(f"  {age}" if row else age, "default")
        return row

    def _level(self, name: str, device: str | None, columns: int, room: int) -> Text:
        """Return a bar, its figure and the device.

        Args:
            name: That of the needle.
            device: What it is called, where it is open.
            columns: How many there are for the bar and its figure.
            room: How many there are for the device.
        """
        needle: Needle = getattr(self._view, name)
        if device is None:
            is_muted = name == "microphone" and self._view.report.get("muted")
            closed = "muted" if is_muted else "closed"
            return Text(closed, "magenta" if is_muted else "bright_black")
        row = meter(needle, max(4, columns - DECIBELS))
        figure = "" if needle.rms_dbfs is None else f"{needle.rms_dbfs:.0f} dB"
        row.append(f"{figure:>{DECIBELS}}")
        if room:
            tail = Text(device, "bright_black")
            tail.truncate(room, overflow="ellipsis")
            row.append("  ").append(tail)
        return row

    def _facts(self) -> Iterable[tuple[str, Text]]:
        """Yield what there is to say, as pairs of a name and a sentence."""
        report = self._view.report
        if report.get("error"):
            yield "problem", Text(one_line(report["error"]), "bold red")
        elif self._view.complaint and self._now_s - self._view.complained_s < LATELY_S:
            at = time.strftime("%H:%M:%S", time.localtime(self._view.complained_s))
            yield "problem", Text(f"{at} {one_line(self._view.complaint)}", "red")
        last = report.get("last_interruption")
        if last:
            figures = outcome_of(last, lambda heard_ms: f"{heard_ms / 1000:.1f} s heard")
            yield "interrupted", Text(f"{figures}, by {last['source']}")
        session, cost, audio = (report.get(name) for name in ("session", "cost", "audio"))
        if session:
            counts = (session["turns"], "turn"), (session["reconnects"], "reconnect")
            yield "conversation", Text(", ".join(_count(*each) for each in counts))
        if cost and any(cost.values()):
            today, now = (f"{cost[name]:.4f}" for name in ("usd_today", "usd_session"))
            yield "cost", Text(f"{today} USD today, {now} this conversation")
        if audio and (said := trouble(audio)):
            yield "sound", Text(said, "yellow")

    def _words(
        self, console: Console, options: ConsoleOptions, height: int, *, is_roomy: bool
    ) -> list[list[Segment]]:
        frame = 2 if is_roomy else 0
        inner = options.update(width=options.max_width - 2 * frame)
        rows = Table.grid(padding=(0, 2 if is_roomy else 1, 0, 0), expand=True)
        rows.add_column(no_wrap=True)
        rows.add_column(ratio=1, overflow="fold")
        for line in list(self._view.transcript)[-LATELY:]:
            rows.add_row(*_spoken(line, is_roomy=is_roomy))
        space = max(0, height - frame)
        drawn = _lines(console, inner, [rows])[-space:] if space and rows.row_count else []
        blank = [[Segment(" " * inner.max_width)]] * (space - len(drawn))
        body = _Drawn([*drawn, *blank])
        if not is_roomy:
            return [*drawn, *[[Segment(" " * options.max_width)]] * (space - len(drawn))]
        if height <= frame:
            return [[Segment(" " * options.max_width)]] * height
        panel = Panel(
            body,
            box=box.ROUNDED,
            border_style="bright_black",
            title="words",
            title_align="left",
            padding=(0, 1),
        )
        return _lines(console, options, [panel])

    def _keys(self) -> Text:
        if not self._has_keys:
            return Text(" Ctrl-C ends it", "bright_black")
        row = Text(" ")
        for key, meaning in KEYS:
            row.append(key, "bold").append(f" {meaning}  ", "bright_black")
        row.no_wrap = True
        row.overflow = "crop"
        return row

    @property
    def _colour(self) -> str:
        return COLOURS.get(self._view.report["state"], "white")


class _Drawn:
    """Lines that are drawn already."""

    def __init__(self, lines: list[list[Segment]]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines:
            yield from line
            yield Segment.line()


def meter(needle: Needle, columns: int) -> Text:
    """Draw a level: solid up to the loudness, thin up to the peak."""
    bar = Text(no_wrap=True)
    loud, peak = _place(needle.rms_dbfs, columns), _place(needle.peak_dbfs, columns)
    for column in range(columns):
        if column < loud:
            bar.append("━", _colour_at(column / columns))
        elif column == peak - 1:
            bar.append("╸", _colour_at(column / columns))
        else:
            bar.append("─", "bright_black")
    return bar


def _place(dbfs: float | None, columns: int) -> int:
    if dbfs is None:
        return 0
    return round(columns * min(1.0, max(0.0, 1.0 - dbfs / QUIETEST_DBFS)))


def _colour_at(place: float) -> str:
    dbfs = QUIETEST_DBFS * (1.0 - place)
    if dbfs >= TOO_LOUD_DBFS:
        return "red"
    return "yellow" if dbfs >= LOUD_DBFS else "green"


def _spoken(line: Line, *, is_roomy: bool) -> tuple[Text, Text]:
    """Return who said a line, and the line."""
    is_reply = line.role == ASSISTANT
    who = ("assistant" if is_roomy else "it") if is_reply else "you"
    words = Text(one_line(line.text), "" if line.is_final else "italic")
    words.append(cut_mark(line.report()), "bright_black")
    return Text(who, "bold cyan" if is_reply else "bold green"), words


def _stack(rows: Iterable[RenderableType]) -> Table:
    stack = Table.grid(expand=True)
    for row in rows:
        stack.add_row(row)
    return stack


def _lines(
    console: Console, options: ConsoleOptions, rows: Iterable[RenderableType]
) -> list[list[Segment]]:
    """Draw rows at the width there is, each as high as it needs."""
    free = options.update(height=None)
    return [line for row in rows for line in console.render_lines(row, free, pad=True)]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
