"""Counts tokens as the provider bills them.

One token is 100 ms of the user's audio, 50 ms of the assistant's, or about four
characters of text.  The whole conversation is input again for each response; nothing
is cached here.
"""

from collections.abc import Iterable
from math import ceil
from typing import Final, assert_never

import msgspec

from voiced.local.items import (
    FunctionCall,
    FunctionOutput,
    HeardPart,
    ImagePart,
    Item,
    Message,
    Part,
    SpokenPart,
    TextPart,
)

USER_MS_PER_TOKEN: Final = 100
ASSISTANT_MS_PER_TOKEN: Final = 50
CHARACTERS_PER_TOKEN: Final = 4


class CachedTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Input that was billed at the cached price, by modality."""

    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0


class InputTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Input by modality; the cached part is inside."""

    text_tokens: int
    audio_tokens: int
    image_tokens: int = 0
    cached_tokens: int = 0
    cached_tokens_details: CachedTokens = CachedTokens()


class OutputTokens(msgspec.Struct, frozen=True, kw_only=True):
    """Output by modality."""

    text_tokens: int
    audio_tokens: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What one response is billed for."""

    total_tokens: int
    input_tokens: int
    output_tokens: int
    input_token_details: InputTokens
    output_token_details: OutputTokens


def count(items: Iterable[Item], *, instructions: str, output_text: str, output_ms: int) -> Usage:
    """Return the usage of a response.

    Args:
        items: The context it was given.
        instructions: The system text it was given.
        output_text: What it wrote, or the transcript of what it said.
        output_ms: How much audio it made.
    """
    text, audio = text_tokens(instructions), 0
    for item in items:
        item_text, item_audio = _item_tokens(item)
        text, audio = text + item_text, audio + item_audio
    return _usage(text, audio, output_text, output_ms)


def nothing() -> Usage:
    """Return the usage of a response that never began."""
    return _usage(0, 0, "", 0)


def output_tokens(text: str, audio_ms: int) -> int:
    """Return what a reply costs so far."""
    return text_tokens(text) + ceil(audio_ms / ASSISTANT_MS_PER_TOKEN)


def text_tokens(text: str) -> int:
    """Return what a text costs."""
    return ceil(len(text) / CHARACTERS_PER_TOKEN)


def _usage(text: int, audio: int, output_text: str, output_ms: int) -> Usage:
    made = OutputTokens(
        text_tokens=text_tokens(output_text),
        audio_tokens=ceil(output_ms / ASSISTANT_MS_PER_TOKEN),
    )
    output = made.text_tokens + made.audio_tokens
    return Usage(
        total_tokens=text + audio + output,
        input_tokens=text + audio,
        output_tokens=output,
        input_token_details=InputTokens(text_tokens=text, audio_tokens=audio),
        output_token_details=made,
    )


def _item_tokens(item: Item) -> tuple[int, int]:
    match item:
        case Message():
            counts = [_part_tokens(part) for part in item.parts]
            return sum(text for text, _ in counts), sum(audio for _, audio in counts)
        case FunctionCall():
            return text_tokens(item.name + item.arguments), 0
        case FunctionOutput():
            return text_tokens(item.output), 0
        case _:
            assert_never(item)


def _part_tokens(part: Part) -> tuple[int, int]:
    match part:
        case TextPart():
            return text_tokens(part.text), 0
        case HeardPart():
            return 0, ceil(part.audio_ms / USER_MS_PER_TOKEN)
        case SpokenPart():
            return text_tokens(part.transcript), ceil(part.audio_ms / ASSISTANT_MS_PER_TOKEN)
        case ImagePart():
            return 0, 0
        case _:
            assert_never(part)
