"""Reads client events.

Rules
1. Every fault is a ``ClientError`` with the provider's code; nothing else is raised,
   whatever the client sends.
2. Unknown parameters are refused: a client that uses the old names is told so.
"""

from typing import Final

import msgspec

from voiced.local.errors import ClientError
from voiced.local.session_config import check_modalities
from voiced.local.session_shapes import (
    FORMAT,
    INSTRUCTIONS,
    MAX_TOKENS,
    METADATA,
    MODALITIES,
    PROMPT,
    REASONING,
    TOOL_CHOICE,
    TOOLS,
    VOICE,
)
from voiced.local.shapes import (
    Anything,
    Array,
    Flag,
    Json,
    Nullable,
    Number,
    Record,
    Shape,
    Text,
    missing,
    object_at,
    wrong_choice,
)


class SessionUpdate(msgspec.Struct, frozen=True, tag="session.update"):
    """Change the session's settings."""

    session: Json


class Append(msgspec.Struct, frozen=True, tag="input_audio_buffer.append"):
    """Add audio to the input buffer."""

    audio: str


class Commit(msgspec.Struct, frozen=True, tag="input_audio_buffer.commit"):
    """Make the buffered audio an item."""


class Clear(msgspec.Struct, frozen=True, tag="input_audio_buffer.clear"):
    """Drop the buffered audio."""


class ItemCreate(msgspec.Struct, frozen=True, tag="conversation.item.create"):
    """Add an item."""

    item: Json
    previous_item_id: str | None = None


class ItemRetrieve(msgspec.Struct, frozen=True, tag="conversation.item.retrieve"):
    """Show an item with its audio."""

    item_id: str


class ItemTruncate(msgspec.Struct, frozen=True, tag="conversation.item.truncate"):
    """Cut an assistant item at what was heard."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ItemDelete(msgspec.Struct, frozen=True, tag="conversation.item.delete"):
    """Remove an item."""

    item_id: str


class ResponseParams(msgspec.Struct, frozen=True):
    """What one response does differently from the session."""

    conversation: str | None = None
    input: list[Json] | None = None
    instructions: str | None = None
    output_modalities: list[str] | None = None
    audio: Json | None = None
    max_output_tokens: int | str | None = None
    metadata: dict[str, str] | None = None


class ResponseCreate(msgspec.Struct, frozen=True, tag="response.create"):
    """Start a response."""

    response: ResponseParams = ResponseParams()


class ResponseCancel(msgspec.Struct, frozen=True, tag="response.cancel"):
    """Stop a response."""

    response_id: str | None = None


class OutputClear(msgspec.Struct, frozen=True, tag="output_audio_buffer.clear"):
    """Stop playback, where the server plays."""


ClientEvent = (
    SessionUpdate
    | Append
    | Commit
    | Clear
    | ItemCreate
    | ItemRetrieve
    | ItemTruncate
    | ItemDelete
    | ResponseCreate
    | ResponseCancel
    | OutputClear
)

# --- shapes --------------------------------------------------------------------------

MAX_EVENT_ID: Final = 512
DEEPEST: Final = 64
"""Levels of lists and objects in an event; what is echoed has to be written again."""
ID: Final = Text(max_length=512)

RESPONSE: Final = Record(
    {
        "conversation": Nullable(Text(choices=("auto", "none"))),
        "input": Nullable(Array(Anything())),
        "instructions": Nullable(INSTRUCTIONS),
        "output_modalities": Nullable(MODALITIES),
        "audio": Nullable(Record({"output": Record({"format": FORMAT, "voice": VOICE})})),
        "max_output_tokens": Nullable(MAX_TOKENS),
        "metadata": METADATA,
        "tools": Nullable(TOOLS),
        "tool_choice": Nullable(TOOL_CHOICE),
        "parallel_tool_calls": Nullable(Flag()),
        "prompt": PROMPT,
        "reasoning": Nullable(REASONING),
    }
)


def _event(fields: dict[str, Shape], *required: str) -> Record:
    return Record(
        {"type": Text(), "event_id": Nullable(Text(max_length=MAX_EVENT_ID)), **fields}, required
    )


EVENTS: Final = {
    "session.update": _event({"session": Anything()}, "session"),
    "input_audio_buffer.append": _event({"audio": Text()}, "audio"),
    "input_audio_buffer.commit": _event({}),
    "input_audio_buffer.clear": _event({}),
    "conversation.item.create": _event(
        {"item": Anything(), "previous_item_id": Nullable(ID)}, "item"
    ),
    "conversation.item.retrieve": _event({"item_id": ID}, "item_id"),
    "conversation.item.truncate": _event(
        {
            "item_id": ID,
            "content_index": Number(least=0, is_whole=True),
            "audio_end_ms": Number(least=0, is_whole=True),
        },
        "item_id",
        "content_index",
        "audio_end_ms",
    ),
    "conversation.item.delete": _event({"item_id": ID}, "item_id"),
    "response.create": _event({"response": Nullable(RESPONSE)}),
    "response.cancel": _event({"response_id": Nullable(ID)}),
    "output_audio_buffer.clear": _event({}),
}


def read(message: str | bytes) -> Json:
    """Return the JSON object in a WebSocket message.

    Raises:
        ClientError: There is none.
    """
    if isinstance(message, bytes):
        raise ClientError(
            "invalid_value", "Invalid event. Expected a text frame with JSON.", param="type"
        )
    try:
        value = msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise ClientError(
            "invalid_value", "Invalid event. The frame is not valid JSON.", param="type"
        ) from exc
    if _is_deeper(value, DEEPEST):
        raise ClientError(
            "invalid_value", "Invalid event. The frame is nested too deeply.", param="type"
        )
    return object_at(value, "")


def _is_deeper(value: object, levels: int) -> bool:
    """Tell whether lists and objects stand in each other more than so many levels deep."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)


def event_id_of(event: Json) -> str | None:
    """Return the id an error about this event quotes."""
    event_id = event.get("event_id")
    return event_id[:MAX_EVENT_ID] if isinstance(event_id, str) else None


def parse(event: Json) -> ClientEvent:
    """Return a client event.

    Raises:
        ClientError: It is unknown or wrong.
    """
    if "type" not in event:
        raise missing("type")
    kind = event["type"]
    shape = EVENTS.get(kind) if isinstance(kind, str) else None
    if shape is None:
        raise wrong_choice("type", kind if isinstance(kind, str) else "", tuple(EVENTS))
    shape.check(event, "")
    if kind == "response.create":
        event = _without_nulls(event)
    for key in ("session", "item"):
        if key in event:
            object_at(event[key], key)
    parsed: ClientEvent = msgspec.convert(event, ClientEvent)
    return parsed


def _without_nulls(event: Json) -> Json:
    response = event.get("response")
    if not isinstance(response, dict):
        return {key: value for key, value in event.items() if key != "response"}
    check_modalities(response.get("output_modalities"), "response.output_modalities")
    given = response.get("input")
    if isinstance(given, list):
        for index, entry in enumerate(given):
            object_at(entry, f"response.input[{index}]")
    return event
