"""What was said lately, in memory: pure.

Rules
1. A line stands where its first word came, or where the user's turn was taken, because
   what the user said is often written down only when the reply has begun.
2. Memory is bounded: the oldest lines go first.
3. What the assistant was cut off from saying is kept and marked: it was written, not heard.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from voiced.control.messages import ASSISTANT, LineReport

MOST_LINES: Final = 200
MOST_CHARACTERS: Final = 100_000
"""Of all lines together."""
LONGEST_LINE: Final = 20_000
"""The rest of a longer line is not kept."""


@dataclass(slots=True)
class Line:
    """What one party said in its turn."""

    began_s: float
    """Unix time of its first word."""
    role: str
    """``user`` or ``assistant``."""
    item_id: str
    is_final: bool = False
    """No more words will come."""
    is_cut: bool = False
    """Not all of it was said aloud."""
    heard_ms: int | None = None
    """How much of a cut line was heard, where that is known."""
    is_written: bool = False
    """It stands in the user's file; for who writes that."""
    settled: str = ""
    """What the parts that are complete say."""
    under_way: str = ""
    """What has come of the part after them; the provider may still correct it."""

    @property
    def text(self) -> str:
        """Return the words, as far as they have come."""
        return f"{self.settled} {self.under_way}".strip()

    def add(self, text: str, *, is_final: bool) -> None:
        """Take more words, or all of a part at its end."""
        if is_final:
            self.settled, self.under_way = f"{self.settled} {text}".strip(), ""
        else:
            self.under_way += text
        self.settled = self.settled[:LONGEST_LINE]
        self.under_way = self.under_way[: LONGEST_LINE - len(self.settled)]
        self.is_final = is_final

    def report(self) -> LineReport:
        """Return the line as the people outside see it."""
        return {
            "t": round(self.began_s, 3),
            "role": self.role,
            "item_id": self.item_id,
            "text": self.text,
            "final": self.is_final,
            "cut": self.is_cut,
            "heard_ms": self.heard_ms,
        }


class Transcript:
    """The lines, oldest first."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], Line] = {}

    def __iter__(self) -> Iterator[Line]:
        """Give the lines that say something."""
        return (line for line in self._lines.values() if line.text)

    def said(
        self, role: str, item_id: str, text: str, now_s: float, *, is_final: bool
    ) -> list[Line]:
        """Take words.

        Args:
            role: Who said them.
            item_id: The item they belong to.
            text: More words, or all of a part at its end.  None yet opens a line.
            now_s: The unix time.
            is_final: The part is complete.

        Returns:
            The lines that are complete now.
        """
        complete: list[Line] = []
        line = self._lines.get((role, item_id))
        if line is None:
            if role == ASSISTANT:
                complete = self._close(ASSISTANT)
            line = self._lines[role, item_id] = Line(now_s, role, item_id)
        if not line.is_cut:
            line.add(text, is_final=is_final)
            if is_final and line.text:
                complete.append(line)
        self._forget()
        return complete

    def cut(self, item_id: str | None, heard_ms: int, unheard: tuple[str, ...] = ()) -> list[Line]:
        """Mark what was cut off, and return it.

        Args:
            item_id: The item that was sounding, if one was.
            heard_ms: How much of it was heard; of what came after it, nothing was.
            unheard: More items of which nothing was heard.
        """
        marked: list[Line] = []
        is_after = False
        for line in self._lines.values():
            if line.role != ASSISTANT or not line.text:
                continue
            is_sounding = line.item_id == item_id
            if is_sounding or is_after or line.item_id in unheard:
                line.is_final = line.is_cut = True
                line.heard_ms = heard_ms if is_sounding else 0
                marked.append(line)
            is_after = is_after or is_sounding
        return marked

    def keep(self, report: LineReport) -> None:
        """Take a line as another transcript reports it; it keeps its place if it has one."""
        key = report["role"], report["item_id"]
        line = self._lines.setdefault(key, Line(report["t"], *key))
        line.settled, line.under_way = report["text"], ""
        if not report["final"]:
            line.settled, line.under_way = "", report["text"]
        line.is_final, line.is_cut = report["final"], report["cut"]
        line.heard_ms = report["heard_ms"]
        self._forget()

    def session_over(self) -> list[Line]:
        """Return the lines that will not be completed any more, and close them."""
        return self._close()

    def _close(self, *roles: str) -> list[Line]:
        open_lines = [
            line
            for line in self._lines.values()
            if not line.is_final and (not roles or line.role in roles)
        ]
        for line in open_lines:
            line.is_final = line.is_cut = True
        return [line for line in open_lines if line.text]

    def _forget(self) -> None:
        characters = sum(len(line.text) for line in self._lines.values())
        while len(self._lines) > MOST_LINES or characters > MOST_CHARACTERS:
            oldest = self._lines.pop(next(iter(self._lines)))
            characters -= len(oldest.text)
