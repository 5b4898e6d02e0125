"""What a brain is given and what it gives back."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from voiced.local.items import HeardPart, Item, Message, Role, SpokenPart, TextPart


@dataclass(frozen=True, slots=True)
class Line:
    """One contribution to the conversation."""

    role: Role
    text: str | None
    """The words; empty when there were none, ``None`` when nobody could make them out."""
    heard_ms: int = 0
    """How long the user spoke, for words that were spoken."""


class Brain(Protocol):
    """Thinks of an answer."""

    def reply(self, lines: Sequence[Line], instructions: str) -> AsyncGenerator[str, None]:
        """Yield the answer, piece by piece.

        Args:
            lines: The conversation so far.
            instructions: The system text.

        Raises:
            ReplyError: It cannot answer.
        """


def lines_of(items: Sequence[Item]) -> list[Line]:
    """Return what was said in a conversation; function calls are left out."""
    return [_line_of(item) for item in items if isinstance(item, Message)]


def _line_of(message: Message) -> Line:
    texts: list[str] = []
    heard_ms = 0
    for part in message.parts:
        match part:
            case TextPart(text):
                texts.append(text)
            case SpokenPart():
                texts.append(part.transcript)
            case HeardPart(transcript=None):
                return Line(message.role, None, part.audio_ms)
            case HeardPart(transcript=str(transcript)):
                heard_ms += part.audio_ms
                texts.append(transcript)
            case _:
                continue
    return Line(message.role, " ".join(filter(None, texts)), heard_ms)
