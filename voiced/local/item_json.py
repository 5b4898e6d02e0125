"""Conversation items as the client writes and reads them."""

import base64
from collections.abc import Callable
from typing import Final, assert_never, cast

from voiced.local.errors import ClientError
from voiced.local.formats import BYTES_PER_MS, AudioFormat, Decoder, decode_base64
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
from voiced.local.shapes import (
    Array,
    Json,
    Nullable,
    Record,
    Shape,
    Tagged,
    Text,
    missing,
    object_at,
)

NewId = Callable[[str], str]
"""Makes an id that starts with this."""

COMMON: Final[dict[str, Shape]] = {
    "id": Nullable(Text(max_length=512)),
    "type": Text(),
    "object": Nullable(Text(choices=("realtime.item",))),
    "status": Nullable(Text(choices=("completed", "incomplete", "in_progress"))),
}
INPUT_TEXT: Final = Record({"type": Text(), "text": Text()}, ("text",))
INPUT_AUDIO: Final = Record(
    {"type": Text(), "audio": Text(), "transcript": Nullable(Text())}, ("audio",)
)
INPUT_IMAGE: Final = Record(
    {
        "type": Text(),
        "image_url": Text(),
        "detail": Nullable(Text(choices=("auto", "low", "high"))),
    },
    ("image_url",),
)
OUTPUT_TEXT: Final = Record({"type": Text(), "text": Text()}, ("text",))
# "Cannot populate assistant audio messages": a spoken reply goes back in as its text.
OUTPUT_AUDIO: Final = Record(
    {"type": Text(), "text": Text(), "audio": Nullable(Text()), "transcript": Nullable(Text())},
    ("text",),
)


def _message(contents: dict[str, Shape]) -> Record:
    content = Array(Tagged("type", contents))
    return Record({**COMMON, "role": Text(), "content": content}, ("content",))


ITEM: Final = Tagged(
    "type",
    {
        "message": Tagged(
            "role",
            {
                "user": _message(
                    {
                        "input_text": INPUT_TEXT,
                        "input_audio": INPUT_AUDIO,
                        "input_image": INPUT_IMAGE,
                    }
                ),
                "system": _message({"input_text": INPUT_TEXT}),
                "assistant": _message({"output_text": OUTPUT_TEXT, "output_audio": OUTPUT_AUDIO}),
            },
        ),
        "function_call": Record(
            {**COMMON, "call_id": Nullable(Text()), "name": Text(), "arguments": Text()},
            ("name", "arguments"),
        ),
        "function_call_output": Record(
            {**COMMON, "call_id": Text(), "output": Text()}, ("call_id", "output")
        ),
    },
)
ITEM_REFERENCE: Final = Record({"type": Text(), "id": Text()}, ("id",))


def parse(value: object, path: str, *, audio_format: AudioFormat, new_id: NewId) -> Item:
    """Return the item a client describes.

    Args:
        value: The JSON.
        path: Where it stands in the event.
        audio_format: How its audio is coded.
        new_id: Names what the client did not name.

    Raises:
        ClientError: It is no item, or one that only the server makes.
    """
    ITEM.check(value, path)
    value = object_at(value, path)
    item_id = str(value.get("id") or new_id("item"))
    match value:
        case {"type": "function_call"}:
            return FunctionCall(
                id=item_id,
                status="completed",
                name=str(value["name"]),
                call_id=str(value.get("call_id") or new_id("call")),
                arguments=str(value["arguments"]),
            )
        case {"type": "function_call_output"}:
            return FunctionOutput(item_id, "completed", str(value["call_id"]), str(value["output"]))
        case _:
            return _parse_message(value, item_id, path, audio_format)


def show(item: Item, *, has_audio: bool = False) -> Json:
    """Return an item as the client reads it.

    Args:
        item: The item.
        has_audio: Put the audio in, coded as 24 kHz PCM.
    """
    shown: Json = {"id": item.id, "object": "realtime.item", "status": item.status}
    match item:
        case Message():
            content = [_show_part(part, item, has_audio=has_audio) for part in item.parts]
            return {**shown, "type": "message", "role": item.role, "content": content}
        case FunctionCall():
            call = {"name": item.name, "call_id": item.call_id, "arguments": item.arguments}
            return {**shown, "type": "function_call", **call}
        case FunctionOutput():
            output = {"call_id": item.call_id, "output": item.output}
            return {**shown, "type": "function_call_output", **output}
        case _:
            assert_never(item)


def _parse_message(value: Json, item_id: str, path: str, audio_format: AudioFormat) -> Message:
    content = cast("list[Json]", value["content"])
    if not content:
        raise missing(f"{path}.content[0]")
    parts = [
        _parse_part(part, f"{path}.content[{index}]", audio_format)
        for index, part in enumerate(content)
    ]
    match value["role"]:
        case "user":
            return Message(item_id, "user", "completed", parts)
        case "system":
            return Message(item_id, "system", "completed", parts)
        case _:
            return Message(item_id, "assistant", "completed", parts)


def _parse_part(part: Json, path: str, audio_format: AudioFormat) -> Part:
    match part["type"]:
        case "input_audio":
            audio = decode_base64(str(part["audio"]), audio_format, param=f"{path}.audio")
            pcm = Decoder(audio_format).decode(audio)
            transcript = part.get("transcript")
            words = None if transcript is None else str(transcript)
            return HeardPart(pcm, len(pcm) // BYTES_PER_MS, words)
        case "input_image":
            url = str(part["image_url"])
            if not url.startswith("data:image/"):
                raise ClientError(
                    "invalid_value",
                    f"Invalid '{path}.image_url'. Expected a data URI with a PNG or JPEG image.",
                    param=f"{path}.image_url",
                )
            return ImagePart(url, str(part.get("detail") or "auto"))
        case _:
            return TextPart(str(part["text"]))


def _show_part(part: Part, item: Message, *, has_audio: bool) -> Json:
    shown: Json
    match part:
        case TextPart():
            kind = "output_text" if item.role == "assistant" else "input_text"
            return {"type": kind, "text": part.text}
        case ImagePart():
            return {"type": "input_image", "image_url": part.url, "detail": part.detail}
        case HeardPart():
            shown = {"type": "input_audio", "transcript": part.transcript}
            return {**shown, **_audio(part.pcm)} if has_audio else shown
        case SpokenPart():
            shown = {"type": "output_audio", "transcript": part.transcript}
            return {**shown, **_audio(part.pcm)} if has_audio else shown
        case _:
            assert_never(part)


def _audio(pcm: bytes | bytearray) -> Json:
    return {"audio": base64.b64encode(pcm).decode("ascii")}
