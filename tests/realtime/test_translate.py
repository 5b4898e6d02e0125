import json

from voiced.conversation import events as ev
from voiced.realtime import client_messages as out
from voiced.realtime import server_messages as wire
from voiced.realtime.translate import LONGEST_SENTENCE, Translator, plain, session_update
from voiced.settings import Provider, Settings, Turns

ASKED = Settings(provider=Provider(model="asked"))
MANUALLY = Settings(provider=Provider(model="asked"), turns=Turns(detection="manual"))


def event(**fields: object) -> ev.ServerEvent | None:
    """Translate one event."""
    message = wire.decode(json.dumps(fields))
    assert message is not None
    return Translator(ASKED).event(message)


def delta(pcm: bytes, translator: Translator, content_index: int | None = 0) -> bytes:
    made = translator.event(wire.AudioDelta("r", "i", pcm, content_index))
    assert isinstance(made, ev.AudioDelta)
    assert made.content_index == 0
    return made.pcm


def done(**response: object) -> ev.ResponseDone:
    made = event(type="response.done", response={"id": "r", **response})
    assert isinstance(made, ev.ResponseDone)
    return made


def test_a_sample_cut_in_two_is_put_together_again() -> None:
    translator = Translator(ASKED)

    assert delta(b"\x01\x02\x03", translator) == b"\x01\x02"
    assert delta(b"\x04\x05\x06", translator, None) == b"\x03\x04\x05\x06"


def test_half_a_sample_at_the_end_of_a_piece_is_forgotten() -> None:
    translator = Translator(ASKED)
    delta(b"\x01", translator)
    assert translator.event(wire.AudioDone("r", "i", None)) == ev.AudioDone("r", "i", 0)

    assert delta(b"\x02\x03", translator) == b"\x02\x03"


def test_what_the_user_does_is_translated() -> None:
    assert event(type="input_audio_buffer.speech_started", item_id="u") == ev.SpeechStarted("u")
    assert event(type="input_audio_buffer.speech_stopped", item_id="u") == ev.SpeechStopped("u")
    assert event(type="input_audio_buffer.committed", item_id="u") == ev.TurnCommitted("u")
    kind = "conversation.item.input_audio_transcription"
    assert event(type=f"{kind}.delta", item_id="u", delta="he") == ev.UserTranscript(
        "u", "he", is_final=False
    )
    assert event(type=f"{kind}.completed", item_id="u", transcript=None) == ev.UserTranscript(
        "u", "", is_final=True
    )


def test_a_response_brings_our_mark_back() -> None:
    marked = {"id": "r", "metadata": {"voiced": "response_7"}}
    assert event(type="response.created", response=marked) == ev.ResponseCreated("r", "response_7")
    assert event(type="response.created", response={"id": "r"}) == ev.ResponseCreated("r")
    odd = {"id": "r", "metadata": ["nonsense"]}
    assert event(type="response.created", response=odd) == ev.ResponseCreated("r")


def test_only_messages_are_said() -> None:
    def added(item: dict[str, object]) -> ev.ServerEvent | None:
        return event(type="response.output_item.added", response_id="r", item=item)

    assert added({"id": "i", "type": "message"}) == ev.ItemAdded("r", "i", is_message=True)
    assert added({"id": "i"}) == ev.ItemAdded("r", "i", is_message=True)
    assert added({"id": "i", "type": "function_call"}) == ev.ItemAdded("r", "i", is_message=False)


def test_the_words_of_the_reply_are_translated() -> None:
    kind = "response.output_audio_transcript"
    assert event(
        type=f"{kind}.delta", response_id="r", item_id="i", delta="hi"
    ) == ev.ReplyTranscript("r", "i", "hi", is_final=False)
    assert event(
        type=f"{kind}.done", response_id="r", item_id="i", transcript="hi you"
    ) == ev.ReplyTranscript("r", "i", "hi you", is_final=True)


def test_the_end_of_a_response_says_how_and_why() -> None:
    failed = {"error": {"code": "insufficient_quota", "message": "pay"}}

    assert done(status="completed") == ev.ResponseDone("r", "completed")
    assert done(status="cancelled", status_details={"reason": "turn_detected"}).reason == (
        "turn_detected"
    )
    assert done(status="cancelled", status_details="turn_detected").reason == "turn_detected"
    assert done(status="failed", status_details=failed).error_code == "insufficient_quota"
    assert done(status="failed", status_details=failed).message == "pay"
    assert done(status=5, status_details=[]).status == "completed"


def test_the_usage_is_read_by_kind_of_token() -> None:
    usage = {
        "input_token_details": {
            "text_tokens": 1,
            "audio_tokens": 2,
            "image_tokens": 3,
            "cached_tokens_details": {"text_tokens": 4, "audio_tokens": 5, "image_tokens": 6},
        },
        "output_token_details": {"text_tokens": 7, "audio_tokens": 8},
    }

    assert done(usage=usage).usage == ev.Usage(1, 2, 3, 4, 5, 6, 7, 8)
    assert done(usage={"input_token_details": "odd"}).usage == ev.Usage()


def test_the_code_of_an_error_may_hide_in_its_type() -> None:
    def error(**fields: object) -> ev.ServerEvent | None:
        return event(type="error", error=fields)

    assert error(code="x", message="m", event_id="e") == ev.ServerError("x", "m", "e")
    assert error(type="server_error", message="m", event_id="") == ev.ServerError(
        "server_error", "m"
    )
    assert event(type="error", error="nonsense") == ev.ServerError(None, "")


def test_the_greeting_means_nothing_by_itself() -> None:
    assert event(type="session.created", session={}) is None


def test_settings_that_are_confirmed_later_are_told() -> None:
    said = event(type="session.updated", session={"audio": {"input": {"turn_detection": None}}})

    assert said == ev.SessionChanged(ev.SessionReady("asked", False, False, False))


def ready(session: object) -> ev.SessionReady:
    return Translator(ASKED).ready(wire.SessionUpdated(session), now_unix_s=1000.0)


def test_the_settings_in_force_are_read_back() -> None:
    detection = {"type": "server_vad", "create_response": True, "interrupt_response": True}
    session = {
        "model": "given",
        "expires_at": 4600,
        "audio": {"input": {"turn_detection": detection}},
    }

    assert ready(session) == ev.SessionReady("given", True, True, True, 3600.0)


def test_a_server_that_says_nothing_is_thought_to_find_the_turns_and_not_to_interrupt() -> None:
    assert ready({}) == ev.SessionReady("asked", True, False, True)
    assert ready("nonsense") == ev.SessionReady("asked", True, False, True)


def test_a_server_that_leaves_out_what_is_null_does_what_we_asked_for() -> None:
    shapes: list[dict[str, object]] = [
        {},
        {"audio": {"input": {}}},
        {"audio": {"input": {}}, "turn_detection": None},
    ]
    for session in shapes:
        facts = Translator(MANUALLY).ready(wire.SessionUpdated(session), now_unix_s=0.0)

        assert not facts.detects_turns


def test_without_detection_the_server_does_nothing_by_itself() -> None:
    session = {"audio": {"input": {"turn_detection": None}}, "expires_at": 5}

    assert ready(session) == ev.SessionReady("asked", False, False, False)


def test_a_detection_that_does_not_answer_is_known() -> None:
    session = {"turn_detection": {"create_response": False}}

    assert ready(session).replies is False


def wish(settings: Settings, *, with_voice: bool = True) -> dict[str, object]:
    text = out.encode(session_update(settings, "configure_0", with_voice=with_voice))
    session: dict[str, object] = json.loads(text)["session"]
    return session


def test_the_session_asks_for_what_the_settings_say() -> None:
    session = wish(Settings(provider=Provider(noise_reduction="near_field", language="de")))

    assert session["type"] == "realtime"
    assert session["output_modalities"] == ["audio"]
    assert session["audio"] == {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 500,
                "create_response": True,
                "interrupt_response": True,
            },
            "transcription": {"model": "gpt-transcribe", "language": "de"},
            "noise_reduction": {"type": "near_field"},
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "marin"},
    }


def test_the_voice_is_left_out_once_it_was_heard() -> None:
    for session in (
        wish(Settings(), with_voice=False),
        wish(Settings(provider=Provider(voice=""))),
    ):
        audio = session["audio"]
        assert isinstance(audio, dict)
        assert audio["output"] == {"format": {"type": "audio/pcm", "rate": 24_000}}


def test_each_way_to_find_the_turns_is_asked_for() -> None:
    def detection(how: str) -> object:
        audio = wish(Settings(turns=Turns(detection=how)))["audio"]
        assert isinstance(audio, dict)
        return audio["input"]["turn_detection"]

    assert detection("manual") is None
    assert detection("semantic_vad") == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }


def test_what_is_not_wanted_is_turned_off() -> None:
    audio = wish(Settings(provider=Provider(transcription="")))["audio"]

    assert isinstance(audio, dict)
    assert audio["input"]["transcription"] is None
    assert audio["input"]["noise_reduction"] is None


def test_an_error_is_matched_whatever_shape_its_fields_have() -> None:
    error: dict[str, object] = {"code": 400, "message": None, "event_id": "response_1", "param": []}

    assert event(type="error", error=error) == ev.ServerError("400", "", "response_1")


def test_one_count_that_is_nonsense_does_not_hide_the_others() -> None:
    counts = {"text_tokens": "many", "audio_tokens": 7.0, "image_tokens": 10**400}
    made = done(usage={"input_token_details": counts, "output_token_details": {"text_tokens": -4}})

    assert made.usage == ev.Usage(audio_in=7)


def test_what_the_server_says_becomes_one_short_line_without_a_key() -> None:
    translator = Translator(ASKED)
    translator.key = "my-own-key"
    error = {"message": "bad my-own-key,\nMAINPID=1 and sk-proj-Abc_123*def\x1b[31m"}
    message = wire.decode(json.dumps({"type": "error", "error": error}))
    assert message is not None

    assert translator.event(message) == ev.ServerError(None, "bad ***, MAINPID=1 and *** [31m")
    assert len(plain("x" * 1000)) == LONGEST_SENTENCE
