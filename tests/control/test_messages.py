import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiced.control.messages import (
    Failure,
    Reply,
    Request,
    decode_notice,
    decode_reply,
    decode_request,
    encode_notice,
)
from voiced.control.protocol import MAX_REQUEST_BYTES, VERBS
from voiced.errors import OtherVersionError, WireError


def test_a_request_survives_the_wire() -> None:
    request = Request("mute", {"wish": "toggle"}, "7", 123, 2000)

    assert decode_request(request.encode()) == request


def test_a_request_needs_little() -> None:
    assert decode_request(b'{"v": 1, "verb": "start"}') == Request("start")
    assert decode_request(b'{"v": 1, "verb": "start", "id": 5}').id == "5"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "too long"),
        (b"[" * 50_000, "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"verb": "start"}', '"v" must be 1, not None'),
        (b'{"v": 2, "verb": "start"}', '"v" must be 1, not 2'),
        (b'{"v": 1, "verb": "strat"}', "no verb 'strat'; there is: interrupt"),
        (b'{"v": 1, "verb": ["x"]}', "no verb"),
        (b'{"v": 1, "verb": "say", "args": [1]}', '"args" must be an object of texts'),
        (b'{"v": 1, "verb": "say", "args": {"text": 5}}', '"args" must be an object of texts'),
        (b'{"v": 1, "verb": "say", "args": {"text": "caf\\udce9"}}', "texts in UTF-8"),
        (b'{"v": 1, "verb": "start", "id": {}}', '"id" must be a text'),
        (b'{"v": 1, "verb": "stop", "t": 1%s}' % (b"0" * 320), "whole numbers"),
        (b'{"v": 1, "verb": "start", "t": "now"}', "whole numbers"),
        (b'{"v": 1, "verb": "start", "deadline_ms": true}', "whole numbers"),
    ],
)
def test_what_is_no_request_is_told_why(data: bytes, complaint: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_request(data)

    assert complaint in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused(data: bytes) -> None:
    with suppress(WireError):
        assert decode_request(data).verb in VERBS


@pytest.mark.parametrize(
    ("request_", "is_stale"),
    [
        (Request("start", t=0), True),
        (Request("toggle", t=0), True),
        (Request("ptt", {"edge": "press"}, t=0), True),
        (Request("ptt", {"edge": "release"}, t=0), False),
        (Request("stop", t=0), False),
        (Request("mute", {"wish": "on"}, t=0), False),
        (Request("start"), False),
        (Request("start", t=500_000_000), False),
    ],
)
def test_only_a_late_wish_to_open_the_microphone_is_stale(
    request_: Request, *, is_stale: bool
) -> None:
    assert request_.is_stale(1_500_000_000) is is_stale


def test_a_reply_survives_the_wire() -> None:
    for reply in (
        Reply("7", "0.1.0", {"state": "idle"}),
        Reply("7", "0.1.0", error=Failure("refused", "no", "start it")),
    ):
        assert decode_reply(reply.encode()) == reply


def test_a_reply_without_a_result_has_an_empty_one() -> None:
    assert decode_reply(Reply("7", "0.1.0").encode()).result == {}
    assert decode_reply(b'{"v": 1, "ok": true, "result": [1]}').result == {}


@pytest.mark.parametrize(
    "data",
    [b"{", b"[]", b'{"v": 1}', b'{"v": 1, "ok": false, "error": 5}', b'{"v": 9, "ok": true}'],
)
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        decode_reply(data)


def test_a_notice_survives_the_wire_as_one_line() -> None:
    data = encode_notice("transcript", 1.23456, {"text": "a\nb"})

    assert b"\n" not in data
    assert decode_notice(data) == {"v": 1, "t": 1.235, "event": "transcript", "text": "a\nb"}


def test_what_is_no_notice_is_refused() -> None:
    with pytest.raises(WireError):
        decode_notice(json.dumps({"v": 1}).encode())
    with pytest.raises(OtherVersionError, match="version 2"):
        decode_notice(json.dumps({"v": 2, "event": "state"}).encode())


def test_the_longest_request_is_taken() -> None:
    frame = Request("say", {"text": ""}).encode()
    text = "x" * (MAX_REQUEST_BYTES - len(frame))

    assert decode_request(Request("say", {"text": text}).encode()).args["text"] == text
