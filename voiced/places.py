"""Where the keys and values of a TOML text stand, pure.

tomli says a place only when the text is no TOML.  What is wrong with a key or a value
that can be read is found here.

Rules
1. It is asked about texts that tomli has read, or refused because something is there
   twice.  Of any other text it gives what comes before the first thing it does not know.
2. Keys are followed two tables deep, which is as deep as the configuration goes; what is
   nested deeper is passed over, without recursion.
"""

import re
from dataclasses import dataclass
from typing import Final

import tomli

KeyPath = tuple[str, ...]
"""A key from the outermost table inwards."""

DEPTH: Final = 2
BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
SPACE: Final = re.compile(r"[ \t]*")
BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
TEXT: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)
PLAIN: Final = re.compile(r"[^\[\]{},\"'#\n]+")
"""A number, a time, a truth value; and keys, where they are passed over."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text; both are counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Found:
    """Where a key is written."""

    path: KeyPath
    key: Place
    value: Place
    """Where its value begins; the key itself where it has none of its own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key or a part of one, in the order of the text; places are counts of characters."""

    path: KeyPath
    key_at: int
    value_at: int
    is_whole: bool
    """It is no mere part of a longer key."""


def entries(text: str) -> list[Entry]:
    """Return every key of a text, also those that are there twice."""
    scanner = _Scanner(_with_plain_ends(text))
    try:
        scanner.scan()
    except _UnknownError:
        return scanner.found
    return scanner.found


def find(text: str, *path: str) -> Found | None:
    """Return where a key is first written, or None where it is not."""
    entry = next((entry for entry in entries(text) if entry.path == path), None)
    return None if entry is None else _found(text, entry)


def first_duplicate(text: str) -> tuple[Found, Found] | None:
    """Return a key that is written twice: where it is first, and where again."""
    seen: dict[KeyPath, Entry] = {}
    for entry in entries(text):
        before = seen.setdefault(entry.path, entry)
        if before is not entry and before.is_whole and entry.is_whole:
            return _found(text, before), _found(text, entry)
    return None


def _found(text: str, entry: Entry) -> Found:
    plain = _with_plain_ends(text)
    return Found(entry.path, _place(plain, entry.key_at), _place(plain, entry.value_at))


def _place(text: str, at: int) -> Place:
    return Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _with_plain_ends(text: str) -> str:
    """Return a text with the ends of lines that tomli sees."""
    return text.replace("\r\n", "\n")


class _UnknownError(Exception):
    """Here stands something that is not expected."""


class _Scanner:
    """Goes through a text once.

    Attributes:
        found: The keys so far.
    """

    def __init__(self, text: str) -> None:
        self.found: list[Entry] = []
        self._text = text
        self._at = 0

    def scan(self) -> None:
        """Find every key."""
        table: KeyPath = ()
        self._take(BLANK)
        while self._at < len(self._text):
            if self._skip("["):
                is_list = self._skip("[")
                table = self._key(())
                self._expect("]]" if is_list else "]")
            else:
                self._pair(table)
            self._take(BLANK)

    def _pair(self, table: KeyPath) -> None:
        start = len(self.found)
        path = self._key(table)
        self._expect("=")
        self._take(SPACE)
        self.found[start:] = [
            Entry(each.path, each.key_at, self._at, each.is_whole) for each in self.found[start:]
        ]
        if len(path) < DEPTH and self._skip("{"):
            self._inline_table(path)
        else:
            self._pass_over()

    def _inline_table(self, path: KeyPath) -> None:
        self._take(BLANK)
        while not self._skip("}"):
            self._pair(path)
            self._take(BLANK)
            if not self._skip(","):
                self._expect("}")
                return
            self._take(BLANK)

    def _key(self, table: KeyPath) -> KeyPath:
        """Take a key, note each of its parts, and return it."""
        parts = list(table)
        is_whole = False
        while not is_whole:
            self._take(SPACE)
            start = self._at
            parts.append(self._name())
            self._take(SPACE)
            is_whole = not self._skip(".")
            if len(parts) <= DEPTH:
                self.found.append(Entry(tuple(parts), start, start, is_whole))
        return tuple(parts)

    def _name(self) -> str:
        if bare := self._take(BARE_KEY):
            return bare
        quoted = self._take(TEXT)
        try:
            return str(tomli.loads(f"name = {quoted}")["name"])
        except tomli.TOMLDecodeError as error:
            raise _UnknownError from error

    def _pass_over(self) -> None:
        """Take a value, however deep it is."""
        depth = 0
        while True:
            if depth:
                self._take(BLANK)
                while self._skip(","):
                    self._take(BLANK)
            if self._skip("[") or self._skip("{"):
                depth += 1
                continue
            if depth and (self._skip("]") or self._skip("}")):
                depth -= 1
            elif not (self._take(TEXT) or self._take(PLAIN)):
                raise _UnknownError
            if not depth:
                return

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _skip(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _expect(self, mark: str) -> None:
        if not self._skip(mark):
            raise _UnknownError
