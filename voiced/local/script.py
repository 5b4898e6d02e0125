"""Cuts a reply into sentences for the voice, and a sentence into words with times."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

LONGEST_SENTENCE: Final = 240
"""Characters; what runs on is cut at a comma or a space."""

_SENTENCE_END: Final = re.compile(r"[.!?…]+[\"'\u201d\u2019)\]]*\s+|\n+")
_WORD: Final = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a reply, with the blank before it, and when it is said."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(slots=True)
class Sentences:
    """Collects the pieces of a reply and hands out whole sentences."""

    pending: str = field(default="")

    def feed(self, piece: str) -> Iterator[str]:
        """Add a piece and return the sentences that are complete now."""
        self.pending += piece
        while (end := self._end_of_sentence()) is not None:
            sentence, self.pending = self.pending[:end].strip(), self.pending[end:]
            if sentence:
                yield sentence

    def finish(self) -> Iterator[str]:
        """Return what is left."""
        yield from self.feed("\n")

    def _end_of_sentence(self) -> int | None:
        # Nothing behind the longest sentence counts, and a search there would take long.
        found = _SENTENCE_END.search(self.pending[: LONGEST_SENTENCE + 1])
        if found is not None and found.end() <= LONGEST_SENTENCE:
            return found.end()
        if len(self.pending) <= LONGEST_SENTENCE:
            return None if found is None else found.end()
        return _good_cut(self.pending[:LONGEST_SENTENCE])


def _good_cut(text: str) -> int:
    """Return where a text that is too long is best cut."""
    for mark in (", ", "; ", " "):
        if (found := text.rfind(mark)) > 0:
            return found + len(mark)
    return len(text)


def words_of(sentence: str, *, start_ms: int, length_ms: int) -> list[Word]:
    """Give each word of a sentence its share of the time, by its length.

    Args:
        sentence: The text; the words joined are the text again.
        start_ms: Where the sentence begins.
        length_ms: How long it takes to say.
    """
    words = _WORD.findall(sentence)
    total = sum(_weight(word) for word in words)
    timed, said, begins_ms = [], 0, start_ms
    for word in words:
        said += _weight(word)
        ends_ms = start_ms + length_ms * said // total
        timed.append(Word(word, begins_ms, ends_ms))
        begins_ms = ends_ms
    return timed


def _weight(word: str) -> int:
    # The pause after a word counts as one more letter.
    return len(word.strip()) + 1
