import pytest

from voiced.local import session_shapes as shapes
from voiced.local.errors import ClientError
from voiced.local.shapes import Shape


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (shapes.FORMAT, {"type": "audio/pcm", "rate": 24000}),
        (shapes.FORMAT, {"type": "audio/pcmu"}),
        (shapes.VOICE, "marin"),
        (shapes.VOICE, {"id": "voice_1"}),
        (shapes.MAX_TOKENS, "inf"),
        (shapes.MAX_TOKENS, 4096),
        (shapes.TOOL_CHOICE, "required"),
        (shapes.TOOL_CHOICE, {"type": "function", "name": "f"}),
        (shapes.TOOL_CHOICE, {"type": "mcp", "server_label": "s"}),
        (shapes.TOOLS, [{"type": "function", "name": "f", "parameters": {"type": "object"}}]),
        (shapes.TOOLS, [{"type": "mcp", "server_label": "s", "server_url": "https://x"}]),
        (shapes.METADATA, {"k": "v"}),
        (shapes.NOISE_REDUCTION, {"type": "near_field", "strength": 0.5}),
        (shapes.TRANSCRIPTION, {"model": "gpt-transcribe", "language": "en"}),
        (shapes.TURN_DETECTION, None),
        (shapes.TURN_DETECTION, {"type": "semantic_vad", "eagerness": "low"}),
        (shapes.SESSION, {"type": "realtime", "tracing": "auto", "truncation": "disabled"}),
        (shapes.SESSION, {"truncation": {"type": "retention_ratio", "retention_ratio": 0.8}}),
    ],
)
def test_documented_values_are_accepted(shape: Shape, value: object) -> None:
    shape.check(value, "x")


@pytest.mark.parametrize(
    ("shape", "value", "param"),
    [
        (shapes.FORMAT, {"type": "audio/pcm", "rate": 16000}, "x.rate"),
        (shapes.FORMAT, {"type": "pcm16"}, "x.type"),
        (shapes.FORMAT, "pcm16", "x"),
        (shapes.VOICE, {"name": "marin"}, "x.id"),
        (shapes.MAX_TOKENS, 4097, "x"),
        (shapes.MAX_TOKENS, "many", "x"),
        (shapes.TOOL_CHOICE, "sometimes", "x"),
        (shapes.TOOLS, [{"type": "function"}], "x[0].name"),
        (shapes.METADATA, {"k": 1}, "x.k"),
        (shapes.METADATA, {"k" * 65: "v"}, "x"),
        (shapes.TOOLS, [{"type": "mcp"}], "x[0].server_label"),
        (shapes.TOOLS, [{"type": "mcp", "server_label": 5}], "x[0].server_label"),
        (
            shapes.TOOLS,
            [{"type": "mcp", "server_label": "s", "allowed_tools": 7}],
            "x[0].allowed_tools",
        ),
        (shapes.PROMPT, {"id": "p", "variables": 5}, "x.variables"),
        (shapes.SESSION, {"tracing": {"workflow_name": 5}}, "x.tracing.workflow_name"),
        (
            shapes.SESSION,
            {"truncation": {"type": "retention_ratio", "retention_ratio": 1, "token_limits": 5}},
            "x.truncation.token_limits",
        ),
        (shapes.TRANSCRIPTION, {"delay": "foo"}, "x.delay"),
        (shapes.TURN_DETECTION, {"type": "server_vad", "threshold": 1.1}, "x.threshold"),
        (shapes.TURN_DETECTION, {"type": "server_vad", "idle_timeout_ms": 1}, "x.idle_timeout_ms"),
        (shapes.TURN_DETECTION, {"type": "server_vad", "eagerness": "low"}, "x.eagerness"),
        (shapes.TURN_DETECTION, {"type": "semantic_vad", "threshold": 0.5}, "x.threshold"),
        (shapes.SESSION, {"type": "transcription"}, "x.type"),
        (shapes.SESSION, {"modalities": ["text"]}, "x.modalities"),
        (shapes.SESSION, {"temperature": 0.8}, "x.temperature"),
        (shapes.SESSION, {"audio": {"output": {"speed": 2}}}, "x.audio.output.speed"),
    ],
)
def test_everything_else_is_refused_at_its_place(shape: Shape, value: object, param: str) -> None:
    with pytest.raises(ClientError) as caught:
        shape.check(value, "x")

    assert caught.value.param == param
