"""Everything we say, read by the official client's own types."""

import json

import pytest
from openai.types.realtime import RealtimeClientEvent
from pydantic import TypeAdapter

from voiced.realtime import client_messages as out
from voiced.realtime.translate import detection_change, session_update
from voiced.settings import Provider, Settings, Turns

ORACLE: TypeAdapter[object] = TypeAdapter(RealtimeClientEvent)


def undeclared(value: object, path: str = "") -> list[str]:
    """Return the fields of a parsed event that its type does not know."""
    found: list[str] = []
    extra = getattr(value, "model_extra", None) or {}
    found += [f"{path}.{name}" for name in extra]
    for name in getattr(type(value), "model_fields", {}):
        found += undeclared(getattr(value, name), f"{path}.{name}")
    if isinstance(value, list):
        for inner in value:
            found += undeclared(inner, path)
    return found


MESSAGES: list[out.ClientMessage] = [
    out.Append(bytes(960)),
    out.Clear("clear_1"),
    out.Commit("commit_1"),
    out.CreateItem("text_1", out.UserMessage([out.TextPart("hello")])),
    out.CreateResponse("response_1", out.marked("response_1")),
    out.Cancel("cancel_1", "resp_1"),
    out.Truncate("truncate_1", "item_1", 0, 1234),
    out.Delete("delete_1", "item_1"),
    detection_change(Settings(), "detection_1", wanted=False),
    detection_change(Settings(), "detection_2", wanted=True),
]
SETTINGS = [
    Settings(),
    Settings(turns=Turns(detection="semantic_vad", eagerness="low")),
    Settings(turns=Turns(detection="manual")),
    Settings(provider=Provider(transcription="", voice="", noise_reduction="far_field")),
    Settings(provider=Provider(language="en")),
]


@pytest.mark.parametrize(
    "message",
    [*MESSAGES, *(session_update(each, "configure_0", with_voice=True) for each in SETTINGS)],
    ids=lambda message: type(message).__name__,
)
def test_every_event_we_send_is_one_of_the_protocol(message: out.ClientMessage) -> None:
    text = out.encode(message)
    parsed = ORACLE.validate_json(text)

    assert undeclared(parsed) == []
    assert json.loads(text)["type"] == parsed.type  # type: ignore[attr-defined] # a union of models


def test_every_message_is_tried_above() -> None:
    tried = {type(message) for message in MESSAGES} | {out.UpdateSession}

    assert tried == set(out.ClientMessage.__args__)


def test_our_mark_is_the_id_of_the_event() -> None:
    event = json.loads(out.encode(MESSAGES[4]))

    assert event["response"]["metadata"] == {"voiced": event["event_id"]}
