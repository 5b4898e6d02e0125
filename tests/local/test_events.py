import json

from voiced.local import events as ev
from voiced.local.errors import ClientError


def encoded(event: ev.Event) -> dict[str, object]:
    value = json.loads(ev.encode(event))
    assert isinstance(value, dict)
    return value


def test_every_event_gets_an_id_of_its_own() -> None:
    first, second = encoded(ev.Cleared()), encoded(ev.Cleared())

    assert first["type"] == "input_audio_buffer.cleared"
    assert str(first["event_id"]).startswith("event_")
    assert first["event_id"] != second["event_id"]


def test_fields_without_a_value_are_null() -> None:
    assert encoded(ev.Committed(previous_item_id=None, item_id="a"))["previous_item_id"] is None


def test_audio_goes_out_as_base64() -> None:
    delta = ev.AudioDelta(
        response_id="r", item_id="a", output_index=0, content_index=0, delta=b"\1\2"
    )

    assert encoded(delta)["delta"] == "AQI="


def test_a_refusal_tells_what_is_wrong_with_which_event() -> None:
    event = ev.refusal(ClientError("invalid_value", "No.", param="audio"), "mine")

    assert encoded(event)["error"] == {
        "type": "invalid_request_error",
        "code": "invalid_value",
        "message": "No.",
        "param": "audio",
        "event_id": "mine",
    }


def test_status_details_hold_only_what_applies() -> None:
    body = ev.ResponseBody(
        id="r",
        status="failed",
        status_details=ev.StatusDetails(
            type="failed", error=ev.StatusError(code="brain_failed", message="No.")
        ),
        output=[],
        conversation_id=None,
        output_modalities=["audio"],
        max_output_tokens="inf",
        audio={},
        usage=None,
        metadata=None,
    )

    shown = encoded(ev.ResponseDone(response=body))["response"]

    assert isinstance(shown, dict)
    assert shown["status_details"] == {
        "type": "failed",
        "error": {"type": "server_error", "code": "brain_failed", "message": "No."},
    }
    assert shown["object"] == "realtime.response"


def test_ids_say_what_they_are_for() -> None:
    assert ev.new_id("item").startswith("item_")
    assert len(ev.new_id("item")) <= 32
