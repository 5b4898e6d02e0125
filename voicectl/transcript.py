"""Prints what is said: what the daemon remembers, and what comes."""

import json
from collections.abc import Callable, Iterable
from typing import cast

from voicectl import client, exchange, follow, outcome, picture
from voicectl.link import Link
from voiced.control.messages import LineReport, cut_mark, line_text

Write = Callable[[LineReport], str]


def remembered() -> tuple[list[LineReport], float]:
    """Return what the daemon remembers, oldest first, and until when, in unix time.

    Raises:
        CommandError: There is no answer, or no lines in it.
    """
    result = exchange.ask("transcript", {})
    lines, unix_s = result.get("lines"), result.get("t")
    if not isinstance(lines, list) or not isinstance(unix_s, float):
        raise outcome.VersionError("the daemon gave no transcript")
    return cast(list[LineReport], lines), unix_s


def show(*, is_json: bool) -> None:
    """Print what was said lately."""
    write: Write = json.dumps if is_json else line_text
    for line in remembered()[0]:
        print(write(line))


def follow_lines(*, is_json: bool) -> None:
    """Print what was said lately, and every line from now on when it is complete."""
    link = Link(client.directory())
    printer = _Printer(json.dumps if is_json else line_text, is_json=is_json)
    seen = 0
    for notice in follow.notices(link):
        if notice["event"] == "transcript":
            printer.take(picture.line_of(notice))
        elif notice.get("state") == "stopped":
            outcome.complain("voiced is not running; waiting for it")
        elif link.connections != seen:
            # Another daemon, which numbers its lines anew.
            seen = link.connections
            printer.begin(remembered()[0])


class _Printer:
    """Prints each line once, when it is complete."""

    def __init__(self, write: Write, *, is_json: bool) -> None:
        self._write = write
        self._is_json = is_json
        self._printed: dict[tuple[str, str], tuple[str, bool]] = {}
        """Role and item -> the text that stands there, and whether it is marked as cut."""

    def begin(self, known: Iterable[LineReport]) -> None:
        """Print what another daemon remembers."""
        self._printed.clear()
        for line in known:
            self.take(line)

    def take(self, line: LineReport) -> None:
        """Print a line if it is complete and new, or was cut off after all."""
        if not line["final"] or not line["text"]:
            return
        key, stands = (line["role"], line["item_id"]), (line["text"], line["cut"])
        before = self._printed.get(key)
        self._printed[key] = stands
        if before == stands:
            return
        if before == (line["text"], False) and not self._is_json:
            print(f"assistant:{cut_mark(line)}", flush=True)
        else:
            print(self._write(line), flush=True)
