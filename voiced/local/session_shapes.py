"""What the settings of a session and of a response must look like."""

from typing import Final

from voiced.local.formats import PCM_RATE_HZ
from voiced.local.shapes import (
    Anything,
    Array,
    ByKind,
    Flag,
    Mapped,
    Nullable,
    Number,
    Record,
    Shape,
    Tagged,
    Text,
)

EAGERNESS_SILENCE_MS: Final = {"low": 1200, "medium": 700, "auto": 700, "high": 400}
"""How long a pause ends the turn, for each eagerness of ``semantic_vad``."""
EFFORTS: Final = ("minimal", "low", "medium", "high", "xhigh")
CONNECTORS: Final = tuple(
    f"connector_{name}"
    for name in (
        "dropbox",
        "gmail",
        "googlecalendar",
        "googledrive",
        "microsoftteams",
        "outlookcalendar",
        "outlookemail",
        "sharepoint",
    )
)

FORMAT: Final = Tagged(
    "type",
    {
        "audio/pcm": Record(
            {"type": Text(), "rate": Number(least=PCM_RATE_HZ, most=PCM_RATE_HZ, is_whole=True)}
        ),
        "audio/pcmu": Record({"type": Text()}),
        "audio/pcma": Record({"type": Text()}),
    },
)
VOICE: Final = ByKind(str, Text(max_length=256), Record({"id": Text(max_length=256)}, ("id",)))
MODALITIES: Final = Array(Text(choices=("audio", "text")), most=2)
MAX_TOKENS: Final = ByKind(str, Text(choices=("inf",)), Number(least=1, most=4096, is_whole=True))
INSTRUCTIONS: Final = Text(max_length=1_000_000)
TOOL_FILTER: Final = Record({"read_only": Nullable(Flag()), "tool_names": Nullable(Array(Text()))})
MCP_TOOL: Final = Record(
    {
        "type": Text(),
        "server_label": Text(),
        "server_url": Nullable(Text()),
        "server_description": Nullable(Text()),
        "connector_id": Nullable(Text(choices=CONNECTORS)),
        "tunnel_id": Nullable(Text()),
        "authorization": Nullable(Text()),
        "headers": Nullable(Mapped(Text(), most=64)),
        "defer_loading": Nullable(Flag()),
        "allowed_callers": Nullable(Array(Text(choices=("direct", "programmatic")))),
        "allowed_tools": Nullable(ByKind(list, Array(Text()), TOOL_FILTER)),
        "require_approval": Nullable(
            ByKind(
                str,
                Text(choices=("always", "never")),
                Record({"always": Nullable(TOOL_FILTER), "never": Nullable(TOOL_FILTER)}),
            )
        ),
    },
    ("server_label",),
)
"""Accepted and shown; nothing is ever fetched from the server it names."""
TOOL_CHOICE: Final = ByKind(
    str,
    Text(choices=("none", "auto", "required")),
    Tagged(
        "type",
        {
            "function": Record({"type": Text(), "name": Text()}, ("name",)),
            "mcp": Record(
                {"type": Text(), "server_label": Text(), "name": Nullable(Text())},
                ("server_label",),
            ),
        },
    ),
)
TOOLS: Final = Array(
    Tagged(
        "type",
        {
            "function": Record(
                {
                    "type": Text(),
                    "name": Text(max_length=256),
                    "description": Nullable(Text()),
                    "parameters": Nullable(Mapped(Anything(), most=1024)),
                },
                ("name",),
            ),
            "mcp": MCP_TOOL,
        },
    ),
    most=128,
)
METADATA: Final = Nullable(Mapped(Text(max_length=512), most=16, longest_key=64))
PROMPT: Final = Nullable(
    Record(
        {
            "id": Text(),
            "version": Nullable(Text()),
            "variables": Nullable(Mapped(Text(), most=64)),
        },
        ("id",),
    )
)
REASONING: Final = Record({"effort": Nullable(Text(choices=EFFORTS))})
NOISE_REDUCTION: Final = Nullable(
    Record({"type": Text(choices=("near_field", "far_field")), "strength": Number()})
)
TRANSCRIPTION: Final = Nullable(
    Record(
        {
            "model": Text(),
            "language": Nullable(Text()),
            "languages": Nullable(Array(Text())),
            "keywords": Nullable(Array(Text())),
            "prompt": Nullable(Text()),
            "delay": Nullable(Text(choices=EFFORTS)),
        }
    )
)
COMMON_VAD: Final[dict[str, Shape]] = {
    "type": Text(),
    "create_response": Flag(),
    "interrupt_response": Flag(),
}
TURN_DETECTION: Final = Nullable(
    Tagged(
        "type",
        {
            "server_vad": Record(
                {
                    **COMMON_VAD,
                    "threshold": Number(least=0, most=1),
                    "prefix_padding_ms": Number(least=0, most=10_000, is_whole=True),
                    "silence_duration_ms": Number(least=0, most=10_000, is_whole=True),
                    "idle_timeout_ms": Nullable(Number(least=5000, most=30_000, is_whole=True)),
                }
            ),
            "semantic_vad": Record(
                {**COMMON_VAD, "eagerness": Text(choices=tuple(EAGERNESS_SILENCE_MS))}
            ),
        },
    )
)
AUDIO: Final = Record(
    {
        "input": Record(
            {
                "format": FORMAT,
                "noise_reduction": NOISE_REDUCTION,
                "transcription": TRANSCRIPTION,
                "turn_detection": TURN_DETECTION,
            }
        ),
        "output": Record({"format": FORMAT, "voice": VOICE, "speed": Number(least=0.25, most=1.5)}),
    }
)
SESSION: Final = Record(
    {
        "type": Text(choices=("realtime",)),
        "model": Text(),
        "output_modalities": MODALITIES,
        "instructions": INSTRUCTIONS,
        "audio": AUDIO,
        "tools": TOOLS,
        "tool_choice": TOOL_CHOICE,
        "parallel_tool_calls": Flag(),
        "reasoning": Nullable(REASONING),
        "max_output_tokens": MAX_TOKENS,
        "truncation": ByKind(
            str,
            Text(choices=("auto", "disabled")),
            Record(
                {
                    "type": Text(choices=("retention_ratio",)),
                    "retention_ratio": Number(least=0, most=1),
                    "token_limits": Nullable(
                        Record({"post_instructions": Nullable(Number(least=0, is_whole=True))})
                    ),
                },
                ("type", "retention_ratio"),
            ),
        ),
        "tracing": Nullable(
            ByKind(
                str,
                Text(choices=("auto",)),
                Record(
                    {
                        "workflow_name": Nullable(Text()),
                        "group_id": Nullable(Text()),
                        "metadata": Anything(),
                    }
                ),
            )
        ),
        "prompt": PROMPT,
        "include": Nullable(Array(Text(choices=("item.input_audio_transcription.logprobs",)))),
    }
)
