import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiced.local import requests as rq
from voiced.local.errors import ClientError
from voiced.local.shapes import Json


def parsed(**event: object) -> rq.ClientEvent:
    return rq.parse(rq.read(json.dumps(event)))


def refused(message: str | bytes) -> ClientError:
    with pytest.raises(ClientError) as caught:
        rq.parse(rq.read(message))
    return caught.value


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "input_audio_buffer.append", "audio": "AA"}, rq.Append("AA")),
        ({"type": "input_audio_buffer.commit", "event_id": None}, rq.Commit()),
        ({"type": "input_audio_buffer.clear"}, rq.Clear()),
        ({"type": "conversation.item.create", "item": {"a": 1}}, rq.ItemCreate({"a": 1})),
        (
            {"type": "conversation.item.create", "item": {}, "previous_item_id": "root"},
            rq.ItemCreate({}, "root"),
        ),
        ({"type": "conversation.item.retrieve", "item_id": "a"}, rq.ItemRetrieve("a")),
        (
            {
                "type": "conversation.item.truncate",
                "item_id": "a",
                "content_index": 0,
                "audio_end_ms": 5,
            },
            rq.ItemTruncate("a", 0, 5),
        ),
        ({"type": "conversation.item.delete", "item_id": "a"}, rq.ItemDelete("a")),
        ({"type": "response.create"}, rq.ResponseCreate()),
        ({"type": "response.create", "response": None}, rq.ResponseCreate()),
        ({"type": "response.create", "response": {}}, rq.ResponseCreate()),
        (
            {
                "type": "response.create",
                "response": {
                    "conversation": "none",
                    "input": [{"type": "item_reference", "id": "a"}],
                    "instructions": "x",
                    "output_modalities": ["text"],
                    "audio": {"output": {"voice": "ash"}},
                    "max_output_tokens": 7,
                    "metadata": {"k": "v"},
                    "tools": [],
                    "tool_choice": "auto",
                },
            },
            rq.ResponseCreate(
                rq.ResponseParams(
                    conversation="none",
                    input=[{"type": "item_reference", "id": "a"}],
                    instructions="x",
                    output_modalities=["text"],
                    audio={"output": {"voice": "ash"}},
                    max_output_tokens=7,
                    metadata={"k": "v"},
                )
            ),
        ),
        ({"type": "response.cancel", "response_id": "r"}, rq.ResponseCancel("r")),
        ({"type": "response.cancel"}, rq.ResponseCancel()),
        ({"type": "output_audio_buffer.clear"}, rq.OutputClear()),
        ({"type": "session.update", "session": {"a": 1}}, rq.SessionUpdate({"a": 1})),
    ],
)
def test_every_documented_event_is_read(event: Json, expected: rq.ClientEvent) -> None:
    assert rq.parse(event) == expected


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        (b"{}", "invalid_value", "type"),
        ("{", "invalid_value", "type"),
        ("", "invalid_value", "type"),
        ("NaN", "invalid_value", "type"),
        ("[" * 100_000, "invalid_value", "type"),
        ("[]", "invalid_type", "event"),
        ("null", "invalid_type", "event"),
        ("{}", "missing_required_parameter", "type"),
        ('{"type": "response.audio.delta"}', "invalid_value", "type"),
        ('{"type": 5}', "invalid_value", "type"),
        ('{"type": ["x"]}', "invalid_value", "type"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter", "audio"),
        ('{"type": "input_audio_buffer.append", "audio": 1}', "invalid_type", "audio"),
        ('{"type": "session.update"}', "missing_required_parameter", "session"),
        ('{"type": "session.update", "session": 1}', "invalid_type", "session"),
        ('{"type": "conversation.item.create", "item": "x"}', "invalid_type", "item"),
        ('{"type": "response.create", "response": {"modalities": []}}', "unknown_parameter", None),
        ('{"type": "response.create", "response": {"input": [1]}}', "invalid_type", None),
        (
            '{"type": "response.create", "response": {"output_modalities": []}}',
            "invalid_value",
            "response.output_modalities",
        ),
        ('{"type": "response.create", "conversation": "none"}', "unknown_parameter", None),
        ('{"type": "input_audio_buffer.clear", "event_id": 1}', "invalid_type", "event_id"),
        (
            '{"type": "conversation.item.truncate", "item_id": "a", "content_index": 0,'
            ' "audio_end_ms": -1}',
            "integer_below_min_value",
            "audio_end_ms",
        ),
        (
            '{"type": "conversation.item.truncate", "item_id": "a", "content_index": 0,'
            ' "audio_end_ms": 1.5}',
            "invalid_type",
            "audio_end_ms",
        ),
    ],
)
def test_what_is_no_event_is_refused(message: str | bytes, code: str, param: str | None) -> None:
    error = refused(message)

    assert error.code == code
    assert param in (error.param, None)


def test_the_event_id_is_found_even_where_the_event_is_wrong() -> None:
    assert rq.event_id_of({"type": "x", "event_id": "mine"}) == "mine"
    assert rq.event_id_of({"event_id": 5}) is None
    assert rq.event_id_of({}) is None


def test_a_huge_event_id_is_not_quoted_whole() -> None:
    assert rq.event_id_of({"event_id": "x" * 1000}) == "x" * 512
    assert refused('{"type": "response.cancel", "event_id": "%s"}' % ("x" * 1000)).param == (
        "event_id"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
KEYS = st.sampled_from(
    ["session", "audio", "item", "item_id", "response", "response_id", "audio_end_ms", "event_id"]
)


@given(
    st.fixed_dictionaries({"type": st.sampled_from([*rq.EVENTS, "x"])})
    | st.builds(
        lambda kind, more: {"type": kind, **more},
        st.sampled_from(list(rq.EVENTS)),
        st.dictionaries(KEYS, JSON, max_size=4),
    )
)
def test_whatever_comes_is_an_event_or_a_refusal(event: Json) -> None:
    with suppress(ClientError):
        rq.parse(event)


@given(st.text() | st.binary())
def test_garbage_is_refused_and_nothing_worse(message: str | bytes) -> None:
    with suppress(ClientError):
        rq.read(message)


def test_what_is_nested_deeper_than_can_be_told_back_is_refused() -> None:
    deep = '{"a":' * rq.DEEPEST + "1" + "}" * rq.DEEPEST

    assert rq.read(deep)
    assert "nested too deeply" in str(refused('{"type": "x", "session": ' + deep + "}"))
