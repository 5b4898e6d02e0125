"""The brain that needs nothing: a parrot, which says that it is one.

It repeats what it hears, tells what was said before, and talks at length when asked, so
that one can practise interrupting it.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from voiced.local.brain import Line
from voiced.local.stories import STORIES

GREETING: Final = (
    "Hello. I am a parrot. Say something and I will say it back. "
    "Ask me for a story, and I will talk until you interrupt me."
)
INTRODUCTION: Final = "I am a parrot, so I say what I hear."
STILL_THERE: Final = "Are you still there?"
NOTHING_SAID: Final = "You have not said anything yet."
LONGEST_ECHO: Final = 300
"""Characters that are repeated; a lecture is not given back whole."""
QUOTED_TURNS: Final = 8
"""How many earlier turns are told, the newest ones."""

# Toy recognition turns "what" into "but" and the like, so these look for little.
_ASKS_ABOUT_USER: Final = re.compile(
    r"\b(did|have|had) (i|we) (just )?(say|said|tell|told|ask|asked|mention|talk)"
    r"|\b(what|but|white) i (just )?(said|say|told)\b|\bremember\b"
)
_ASKS_ABOUT_PARROT: Final = re.compile(
    r"\b(did|were|have|had) you\b.*\b(say|said|saying|tell|telling|talking|told|get|got)\b"
    r"|\byou (just )?(said|say)\b"
)
_ASKS_FOR_LENGTH: Final = re.compile(
    r"\b(tell (me|us)|story|stories|tale|explain|describe|talk|lecture|long"
    r"|recite|read (me|us))\b"
)


class Parrot:
    """Says what it hears."""

    async def reply(self, lines: Sequence[Line], instructions: str) -> AsyncGenerator[str, None]:
        """Yield the answer, a sentence or so at a time."""
        del instructions  # a parrot takes none
        for number, sentence in enumerate(answer(lines)):
            yield f" {sentence}" if number else sentence


def answer(lines: Sequence[Line]) -> list[str]:
    """Return what the parrot says to a conversation, sentence by sentence."""
    asked = next((line for line in reversed(lines) if line.role == "user"), None)
    if asked is None:
        return [GREETING]
    if asked.text is None:
        return [
            f"I heard you speak for about {_seconds(asked.heard_ms)}, but I could not make out "
            "words.",
            "The speech recogniser is busy, or it is not there. It comes with the extra local.",
        ]
    if not asked.text:
        if not asked.heard_ms:
            return [STILL_THERE]
        return [f"I heard about {_seconds(asked.heard_ms)} of sound, but no words in it."]
    earlier = [line for line in lines if line is not asked]
    # A request stands at the beginning; a search through a book would take minutes.
    words = asked.text[:LONGEST_ECHO].lower()
    if _ASKS_ABOUT_USER.search(words):
        return _users_words(earlier)
    if _ASKS_ABOUT_PARROT.search(words):
        return [_own_words(earlier)]
    if _ASKS_FOR_LENGTH.search(words):
        return _story(lines)
    return _echo(asked.text, earlier)


def _echo(words: str, earlier: Sequence[Line]) -> list[str]:
    said = words if len(words) <= LONGEST_ECHO else f"{words[:LONGEST_ECHO]} and so on"
    echo = f"You said: {_closed(said)}"
    is_first = all(line.role != "assistant" for line in earlier)
    return [INTRODUCTION, echo] if is_first else [echo]


def _users_words(earlier: Sequence[Line]) -> list[str]:
    said = [line.text for line in earlier if line.role == "user" and line.text]
    if not said:
        return [NOTHING_SAID]
    first, *others = said[-QUOTED_TURNS:]
    told = [f"Before, you said: {_closed(first)}"]
    return told + [f"Then you said: {_closed(words)}" for words in others]


def _own_words(earlier: Sequence[Line]) -> str:
    own = next((line.text for line in reversed(earlier) if line.role == "assistant"), None)
    if not own:
        return "I have not said anything that you heard."
    return f"The last I said was: {_closed(own)}"


def _story(lines: Sequence[Line]) -> list[str]:
    turns = sum(line.role == "user" for line in lines)
    return list(STORIES[(turns - 1) % len(STORIES)])


def _closed(words: str) -> str:
    """Return words that end as a sentence does."""
    words = words.strip()
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _seconds(ms: int) -> str:
    seconds = max(1, round(ms / 1000))
    return "one second" if seconds == 1 else f"{seconds} seconds"
