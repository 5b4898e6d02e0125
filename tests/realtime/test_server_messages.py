import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiced.errors import WireError
from voiced.realtime import server_messages as wire

DELTA = {
    "type": "response.output_audio.delta",
    "response_id": "r",
    "item_id": "i",
    "output_index": 0,
    "content_index": 0,
    "delta": "AAEC",
}


def decode(event: object) -> wire.ServerMessage | None:
    return wire.decode(json.dumps(event))


def test_a_known_event_is_read() -> None:
    assert decode(DELTA) == wire.AudioDelta("r", "i", b"\x00\x01\x02", 0)


@pytest.mark.parametrize(("beta", "name"), sorted(wire.BETA_NAMES.items()))
def test_the_name_of_the_beta_means_the_same(beta: str, name: str) -> None:
    event = DELTA | {"transcript": "x", "delta": "AAEC"}
    new, old = decode(event | {"type": name}), decode(event | {"type": beta})

    assert new is not None
    assert isinstance(old, type(new))
    assert {f: getattr(old, f) for f in new.__struct_fields__} == {
        f: getattr(new, f) for f in new.__struct_fields__
    }


def test_an_event_that_does_not_concern_us_is_nothing() -> None:
    assert decode({"type": "rate_limits.updated", "rate_limits": "nonsense"}) is None
    assert decode({"type": "response.something_new"}) is None


def test_unknown_fields_are_ignored_and_optional_ones_may_be_null() -> None:
    assert decode(DELTA | {"obfuscation": "x", "content_index": None}) is not None
    assert decode({"type": "response.done", "response": {"id": "r", "usage": None}}) is not None


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ("{not json", "a frame: JSON is malformed"),
        ("[]", "a frame: Expected `object`, got `array`"),
        ('{"no_type": 1}', "missing required field `type`"),
        ('{"type": 7}', r"got `int` - at `\$.type`"),
        (b"\x00\x01", "a binary frame of 2 bytes"),
        (json.dumps(DELTA | {"delta": "AA*"}), r"Invalid base64 encoded string - at `\$.delta`"),
        (json.dumps(DELTA | {"item_id": 5}), r"response.output_audio.delta: .* at `\$.item_id`"),
        ('{"type": "response.done"}', "missing required field `response`"),
    ],
)
def test_what_cannot_be_read_says_what_and_where(frame: str | bytes, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        wire.decode(frame)


@given(st.text() | st.binary())
def test_whatever_arrives_is_read_or_refused(frame: str | bytes) -> None:
    with suppress(WireError):
        wire.decode(frame)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["response", "item", "delta", "item_id", "session", "error", "response_id"]
)


@given(kind=st.sampled_from(sorted(wire.KINDS)), fields=st.dictionaries(FIELDS, JSON))
def test_a_known_event_with_any_content_is_read_or_refused(
    kind: str, fields: dict[str, object]
) -> None:
    with suppress(WireError):
        assert isinstance(decode(fields | {"type": kind}), wire.KINDS[kind])


def test_a_part_that_is_nonsense_reads_as_empty() -> None:
    assert wire.read(wire.ErrorDetail, None) == wire.ErrorDetail()
    assert wire.read(wire.ErrorDetail, {"message": 5}) == wire.ErrorDetail()
    assert wire.read(wire.ErrorDetail, {"message": "x"}).message == "x"


def test_the_turn_detection_is_found_in_the_shape_of_ga_and_of_the_beta() -> None:
    ga = {"audio": {"input": {"turn_detection": {"interrupt_response": True}}}}
    beta = {"turn_detection": {"interrupt_response": True}}
    for shape in (ga, beta):
        detection = wire.read(wire.SessionConfig, shape).effective_detection()
        assert isinstance(detection, wire.TurnDetection)
        assert detection.interrupt_response
    manual = {"audio": {"input": {"turn_detection": None}}}
    assert wire.read(wire.SessionConfig, manual).effective_detection() is None


def test_a_part_is_read_field_by_field() -> None:
    session = {"model": "m", "expires_at": "soon", "audio": {"input": 5, "output": {}}}
    config = wire.read(wire.SessionConfig, session)

    assert config.model == "m"
    assert config.expires_at is None
    assert config.audio == wire.AudioConfig()


def test_an_event_nested_too_deeply_is_refused() -> None:
    with pytest.raises(WireError):
        wire.decode('{"type": "x", "a":' + "[" * 200_000)


def test_a_user_turn_without_an_id_is_heard_all_the_same() -> None:
    for kind in ("speech_started", "speech_stopped", "committed"):
        frame = json.dumps({"type": f"input_audio_buffer.{kind}", "item_id": None})

        assert wire.decode(frame) is not None
