import pytest

from voiced.local.errors import ClientError
from voiced.local.session_config import (
    Detection,
    SessionConfig,
    check_modalities,
    format_of,
    new_session,
)
from voiced.local.shapes import Json


def fresh() -> SessionConfig:
    return new_session(session_id="sess_1", model="gpt-realtime", expires_at_s=1000)


def updated(config: SessionConfig | None = None, **patch: object) -> SessionConfig:
    base = config or fresh()
    return base.updated({"type": "realtime", **patch}, voice_is_fixed=False)


def with_detection(values: Json | None, config: SessionConfig | None = None) -> SessionConfig:
    return updated(config, audio={"input": {"turn_detection": values}})


def test_a_session_begins_with_the_documented_defaults() -> None:
    config = fresh()

    assert config.modality == "audio"
    assert config.voice == "marin"
    assert config.speed == 1.0
    assert config.input_format == config.output_format == "audio/pcm"
    assert config.max_output_tokens is None
    assert not config.transcribes
    assert config.detection == Detection(
        threshold=0.5,
        prefix_padding_ms=300,
        silence_ms=500,
        idle_timeout_ms=None,
        creates_response=True,
        interrupts_response=True,
    )
    assert config.shown["id"] == "sess_1"
    assert config.shown["expires_at"] == 1000


def test_only_the_named_keys_change() -> None:
    before = fresh()
    after = updated(before, audio={"output": {"speed": 1.25}}, instructions="Be brief.")

    assert after.speed == 1.25
    assert after.instructions == "Be brief."
    assert after.voice == before.voice
    assert after.detection == before.detection
    assert before.speed == 1.0


def test_null_clears_what_can_be_off() -> None:
    config = updated(
        audio={
            "input": {
                "transcription": {"model": "m"},
                "noise_reduction": {"type": "near_field"},
            }
        }
    )
    assert config.transcribes

    off = updated(
        config,
        audio={"input": {"transcription": None, "noise_reduction": None, "turn_detection": None}},
    )

    assert not off.transcribes
    assert off.detection is None


def test_what_is_merged_keeps_the_keys_that_are_not_named() -> None:
    config = updated(audio={"input": {"noise_reduction": {"type": "near_field", "strength": 2}}})

    config = updated(config, audio={"input": {"noise_reduction": {"type": "far_field"}}})

    assert config.shown["audio"]["input"]["noise_reduction"] == {  # type: ignore[index]  # JSON
        "type": "far_field",
        "strength": 2,
    }


def test_a_format_is_replaced_whole() -> None:
    config = updated(audio={"input": {"format": {"type": "audio/pcmu"}}})

    assert config.input_format == "audio/pcmu"
    assert config.shown["audio"]["input"]["format"] == {"type": "audio/pcmu"}  # type: ignore[index]  # JSON


def test_turn_detection_of_the_same_type_keeps_what_is_not_named() -> None:
    config = with_detection({"type": "server_vad", "threshold": 0.9, "idle_timeout_ms": 6000})

    config = with_detection({"type": "server_vad", "silence_duration_ms": 200}, config)

    assert config.detection == Detection(
        threshold=0.9,
        prefix_padding_ms=300,
        silence_ms=200,
        idle_timeout_ms=6000,
        creates_response=True,
        interrupts_response=True,
    )


def test_turn_detection_of_another_type_begins_with_its_defaults() -> None:
    config = with_detection({"type": "server_vad", "threshold": 0.9, "create_response": False})
    config = with_detection({"type": "semantic_vad", "interrupt_response": False}, config)
    assert config.detection is not None
    assert (config.detection.threshold, config.detection.creates_response) == (0.5, True)
    assert not config.detection.interrupts_response

    config = with_detection({"type": "server_vad"}, config)

    assert config.detection == fresh().detection


@pytest.mark.parametrize(
    ("eagerness", "silence_ms"), [("low", 1200), ("medium", 700), ("auto", 700), ("high", 400)]
)
def test_eagerness_chooses_the_silence_that_ends_a_turn(eagerness: str, silence_ms: int) -> None:
    config = with_detection({"type": "semantic_vad", "eagerness": eagerness})

    assert config.detection is not None
    assert config.detection.silence_ms == silence_ms


def test_turn_detection_can_be_switched_on_again() -> None:
    off = with_detection(None)

    assert with_detection({"type": "server_vad"}, off).detection == fresh().detection


@pytest.mark.parametrize(
    ("patch", "code", "param"),
    [
        ({"instructions": "x"}, "missing_required_parameter", "session.type"),
        ({"modalities": ["text"]}, "missing_required_parameter", "session.type"),
        ({"type": "realtime", "modalities": ["text"]}, "unknown_parameter", "session.modalities"),
        ({"type": "realtime", "voice": "ash"}, "unknown_parameter", "session.voice"),
        ({"type": "transcription"}, "invalid_value", "session.type"),
        ({"type": "realtime", "model": "other"}, "invalid_value", "session.model"),
        (
            {"type": "realtime", "output_modalities": ["audio", "text"]},
            "invalid_value",
            "session.output_modalities",
        ),
        ({"type": "realtime", "output_modalities": []}, "invalid_value", None),
        ({"type": "realtime", "instructions": None}, "invalid_type", "session.instructions"),
    ],
)
def test_a_bad_update_is_refused_and_changes_nothing(
    patch: Json, code: str, param: str | None
) -> None:
    config = fresh()

    with pytest.raises(ClientError) as caught:
        config.updated(patch, voice_is_fixed=False)

    assert caught.value.code == code
    assert param in (caught.value.param, None)
    assert config.shown == fresh().shown


def test_the_same_model_may_be_named() -> None:
    assert updated(model="gpt-realtime").shown["model"] == "gpt-realtime"


def test_the_voice_is_fixed_once_the_assistant_has_spoken() -> None:
    patch: Json = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}

    with pytest.raises(ClientError) as caught:
        fresh().updated(patch, voice_is_fixed=True)

    assert caught.value.code == "cannot_update_voice"
    assert fresh().updated(patch, voice_is_fixed=False).voice == "cedar"


def test_naming_the_voice_that_is_in_use_is_no_change() -> None:
    patch: Json = {"type": "realtime", "audio": {"output": {"voice": "marin"}}}

    assert fresh().updated(patch, voice_is_fixed=True).voice == "marin"


def test_settings_read_back_as_they_were_written() -> None:
    config = updated(
        output_modalities=["text"],
        max_output_tokens=100,
        tools=[{"type": "function", "name": "f"}],
        reasoning={"effort": "low"},
        audio={"output": {"voice": {"id": "voice_1"}, "format": {"type": "audio/pcma"}}},
    )

    assert config.modality == "text"
    assert config.max_output_tokens == 100
    assert config.voice == "voice_1"
    assert config.output_format == "audio/pcma"
    assert config.shown["tools"] == [{"type": "function", "name": "f"}]
    assert config.shown["reasoning"] == {"effort": "low"}


def test_one_modality_is_enough_and_more_are_too_many() -> None:
    check_modalities(None, "x")
    check_modalities(["text"], "x")
    for value in ([], ["text", "audio"]):
        with pytest.raises(ClientError):
            check_modalities(value, "x")


def test_an_unknown_format_counts_as_pcm() -> None:
    assert format_of({"type": "audio/pcm", "rate": 24000}) == "audio/pcm"
