import base64

import pytest

from tests.local.fakes import tone
from voiced.local.errors import ClientError
from voiced.local.formats import AudioFormat
from voiced.local.item_json import parse, show
from voiced.local.items import (
    FunctionCall,
    FunctionOutput,
    HeardPart,
    ImagePart,
    Item,
    Message,
    SpokenPart,
    TextPart,
)
from voiced.local.script import Word
from voiced.local.shapes import Json


def read(value: object, audio_format: AudioFormat = "audio/pcm") -> Item:
    return parse(value, "item", audio_format=audio_format, new_id=lambda prefix: f"{prefix}_new")


def message(role: str, *content: Json, **more: object) -> Json:
    return {"type": "message", "role": role, "content": list(content), **more}


def encoded(pcm: bytes) -> str:
    return base64.b64encode(pcm).decode()


def test_written_messages_are_read() -> None:
    user = read(message("user", {"type": "input_text", "text": "hi"}, id="mine"))
    system = read(message("system", {"type": "input_text", "text": "be"}, status="completed"))
    assistant = read(message("assistant", {"type": "output_text", "text": "yes"}))

    assert user == Message("mine", "user", "completed", [TextPart("hi")])
    assert system == Message("item_new", "system", "completed", [TextPart("be")])
    assert assistant == Message("item_new", "assistant", "completed", [TextPart("yes")])


def test_spoken_words_of_the_user_are_read_with_and_without_a_transcript() -> None:
    audio: Json = {"type": "input_audio", "audio": encoded(tone(100))}

    without = read(message("user", audio))
    with_words = read(message("user", {**audio, "transcript": "hm"}))

    assert without == Message("item_new", "user", "completed", [HeardPart(tone(100), 100)])
    assert isinstance(with_words, Message)
    assert with_words.parts == [HeardPart(tone(100), 100, "hm")]


def test_telephone_audio_of_the_user_is_read() -> None:
    item = read(
        message("user", {"type": "input_audio", "audio": encoded(bytes(800))}), "audio/pcmu"
    )

    assert isinstance(item, Message)
    assert isinstance(item.parts[0], HeardPart)
    assert item.parts[0].audio_ms == 100


def test_pictures_are_read() -> None:
    url = "data:image/png;base64,AAAA"

    item = read(message("user", {"type": "input_image", "image_url": url}))

    assert isinstance(item, Message)
    assert item.parts == [ImagePart(url, "auto")]
    assert show(item)["content"] == [{"type": "input_image", "image_url": url, "detail": "auto"}]


def test_function_items_are_read() -> None:
    call = read({"type": "function_call", "name": "f", "arguments": "{}"})
    output = read({"type": "function_call_output", "call_id": "call_1", "output": "42"})

    assert call == FunctionCall("item_new", "completed", "f", "call_new", "{}")
    assert output == FunctionOutput("item_new", "completed", "call_1", "42")


@pytest.mark.parametrize(
    ("value", "code", "param"),
    [
        (1, "invalid_type", "item"),
        ({}, "missing_required_parameter", "item.type"),
        ({"type": "mcp_call"}, "invalid_value", "item.type"),
        ({"type": "item_reference", "id": "a"}, "invalid_value", "item.type"),
        ({"type": "message"}, "missing_required_parameter", "item.role"),
        ({"type": "message", "role": "tool"}, "invalid_value", "item.role"),
        ({"type": "message", "role": "user"}, "missing_required_parameter", "item.content"),
        (message("user"), "missing_required_parameter", "item.content[0]"),
        (message("user", {"type": "text"}), "invalid_value", "item.content[0].type"),
        (message("user", {"type": "input_text"}), None, "item.content[0].text"),
        (message("user", {"type": "input_audio"}), None, "item.content[0].audio"),
        (
            message("user", {"type": "input_audio", "audio": "!"}),
            "invalid_value",
            "item.content[0].audio",
        ),
        (
            message("user", {"type": "input_image", "image_url": "http://x/y.png"}),
            "invalid_value",
            "item.content[0].image_url",
        ),
        (
            message("assistant", {"type": "output_audio", "audio": "AAAA", "transcript": "hi"}),
            "missing_required_parameter",
            "item.content[0].text",
        ),
        (message("assistant", {"type": "text", "text": "x"}), None, "item.content[0].type"),
        ({"type": "function_call", "name": "f"}, None, "item.arguments"),
        ({"type": "function_call_output", "output": "x"}, None, "item.call_id"),
        (message("user", {"type": "input_text", "text": "x"}, extra=1), None, "item.extra"),
    ],
)
def test_what_is_no_item_is_refused_at_its_place(
    value: object, code: str | None, param: str
) -> None:
    with pytest.raises(ClientError) as caught:
        read(value)

    assert code in (caught.value.code, None)
    assert caught.value.param == param


def test_an_item_is_shown_with_the_fields_of_its_kind() -> None:
    assert show(Message("a", "user", "completed", [TextPart("hi")])) == {
        "id": "a",
        "object": "realtime.item",
        "status": "completed",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "hi"}],
    }
    assert show(Message("a", "assistant", "completed", [TextPart("hi")]))["content"] == [
        {"type": "output_text", "text": "hi"}
    ]
    assert show(FunctionCall("a", "completed", "f", "c", "{}")) == {
        "id": "a",
        "object": "realtime.item",
        "status": "completed",
        "type": "function_call",
        "name": "f",
        "call_id": "c",
        "arguments": "{}",
    }
    assert show(FunctionOutput("a", "completed", "c", "42")) == {
        "id": "a",
        "object": "realtime.item",
        "status": "completed",
        "type": "function_call_output",
        "call_id": "c",
        "output": "42",
    }


def test_audio_is_shown_only_on_request() -> None:
    heard = Message("a", "user", "completed", [HeardPart(b"\1\2", 0)])
    part = SpokenPart(bytearray(b"\1\2"), 0, [Word("hi", 0, 1)])
    spoken = Message("b", "assistant", "completed", [part])

    assert show(heard)["content"] == [{"type": "input_audio", "transcript": None}]
    assert show(heard, has_audio=True)["content"] == [
        {"type": "input_audio", "transcript": None, "audio": "AQI="}
    ]
    assert show(spoken)["content"] == [{"type": "output_audio", "transcript": "hi"}]
    assert show(spoken, has_audio=True)["content"] == [
        {"type": "output_audio", "transcript": "hi", "audio": "AQI="}
    ]
