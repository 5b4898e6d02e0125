"""The settings of one session: defaults, partial updates, and what they mean here.

Rules
1. The whole effective session is kept as the JSON that ``session.created`` and
   ``session.updated`` show; the typed fields are read from it.
2. An update changes only the keys it names, to any depth.  A format, a tool choice and
   the like are one value and are replaced whole; so is a turn detection of another type.
3. An update is taken whole or not at all.

Semantic turn detection is not semantic here: its eagerness chooses a silence length.
"""

import copy
from dataclasses import dataclass
from typing import Final, Literal, assert_never

import msgspec

from voiced.local.errors import ClientError
from voiced.local.formats import PCM_RATE_HZ, AudioFormat
from voiced.local.session_shapes import EAGERNESS_SILENCE_MS, SESSION
from voiced.local.shapes import Json, missing

Modality = Literal["audio", "text"]

DEFAULT_INSTRUCTIONS: Final = (
    "You are talking with somebody by voice. Answer in short spoken sentences, "
    "without lists and without markup."
)
MERGED: Final = frozenset(
    {"audio", "audio.input", "audio.output", "audio.input.noise_reduction"}
    | {"audio.input.transcription", "audio.input.turn_detection"}
)
"""Paths of the objects that are merged key by key; all others are replaced."""
SEMANTIC_THRESHOLD: Final = 0.5
SEMANTIC_PREFIX_MS: Final = 300

SERVER_VAD: Final[Json] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
SEMANTIC_VAD: Final[Json] = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}


@dataclass(frozen=True, slots=True)
class Detection:
    """How the user's turns are found."""

    threshold: float
    prefix_padding_ms: int
    silence_ms: int
    idle_timeout_ms: int | None
    creates_response: bool
    interrupts_response: bool


class _ServerVad(msgspec.Struct, frozen=True, tag="server_vad"):
    threshold: float
    prefix_padding_ms: int
    silence_duration_ms: int
    idle_timeout_ms: int | None
    create_response: bool
    interrupt_response: bool


class _SemanticVad(msgspec.Struct, frozen=True, tag="semantic_vad"):
    eagerness: str
    create_response: bool
    interrupt_response: bool


class _Input(msgspec.Struct, frozen=True):
    format: Json
    transcription: Json | None
    turn_detection: _ServerVad | _SemanticVad | None


class _Output(msgspec.Struct, frozen=True):
    format: Json
    voice: str | Json
    speed: float


class _Audio(msgspec.Struct, frozen=True):
    input: _Input
    output: _Output


class _Session(msgspec.Struct, frozen=True):
    instructions: str
    output_modalities: list[str]
    max_output_tokens: int | str
    audio: _Audio


class SessionConfig:
    """One session's settings; an update makes a new one.

    Args:
        shown: The session as its client sees it.
    """

    def __init__(self, shown: Json) -> None:
        self.shown = shown
        self._read = msgspec.convert(shown, _Session)

    @property
    def instructions(self) -> str:
        """Return the system text."""
        return self._read.instructions

    @property
    def modality(self) -> Modality:
        """Return what replies are made of."""
        return modality_of(self._read.output_modalities)

    @property
    def input_format(self) -> AudioFormat:
        """Return how the client's audio is coded."""
        return format_of(self._read.audio.input.format)

    @property
    def output_format(self) -> AudioFormat:
        """Return how the audio of replies is coded."""
        return format_of(self._read.audio.output.format)

    @property
    def voice(self) -> str:
        """Return the name of the voice."""
        return voice_of(self._read.audio.output.voice)

    @property
    def speed(self) -> float:
        """Return how fast replies are spoken, 1.0 being normal."""
        return self._read.audio.output.speed

    @property
    def transcribes(self) -> bool:
        """Tell whether the client wants to read what the user said."""
        return self._read.audio.input.transcription is not None

    @property
    def max_output_tokens(self) -> int | None:
        """Return the limit of a reply, ``None`` without one."""
        return tokens_of(self._read.max_output_tokens)

    @property
    def detection(self) -> Detection | None:
        """Return how turns are found, ``None`` when the client says where they end."""
        match self._read.audio.input.turn_detection:
            case None:
                return None
            case _ServerVad() as vad:
                return Detection(
                    threshold=vad.threshold,
                    prefix_padding_ms=vad.prefix_padding_ms,
                    silence_ms=vad.silence_duration_ms,
                    idle_timeout_ms=vad.idle_timeout_ms,
                    creates_response=vad.create_response,
                    interrupts_response=vad.interrupt_response,
                )
            case _SemanticVad() as vad:
                return Detection(
                    threshold=SEMANTIC_THRESHOLD,
                    prefix_padding_ms=SEMANTIC_PREFIX_MS,
                    silence_ms=EAGERNESS_SILENCE_MS[vad.eagerness],
                    idle_timeout_ms=None,
                    creates_response=vad.create_response,
                    interrupts_response=vad.interrupt_response,
                )
            case unknown:
                assert_never(unknown)

    def updated(self, patch: Json, *, voice_is_fixed: bool) -> "SessionConfig":
        """Return the settings after a ``session.update``.

        Args:
            patch: The ``session`` of the event.
            voice_is_fixed: The conversation holds assistant audio.

        Raises:
            ClientError: The update is refused.
        """
        if "type" not in patch:
            raise missing("session.type")
        SESSION.check(patch, "session")
        _check_model(patch, self.shown)
        check_modalities(patch.get("output_modalities"), "session.output_modalities")
        after = SessionConfig(_merged(self.shown, patch, ""))
        # "Cannot be changed once the model has responded with audio at least once."
        if voice_is_fixed and after.voice != self.voice:
            raise ClientError(
                "cannot_update_voice",
                "Cannot update a conversation's voice if assistant audio is present.",
            )
        return after


def new_session(*, session_id: str, model: str, expires_at_s: int) -> SessionConfig:
    """Return the settings a session begins with."""
    pcm = {"type": "audio/pcm", "rate": PCM_RATE_HZ}
    return SessionConfig(
        {
            "type": "realtime",
            "object": "realtime.session",
            "id": session_id,
            "model": model,
            "output_modalities": ["audio"],
            "instructions": DEFAULT_INSTRUCTIONS,
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "expires_at": expires_at_s,
            "audio": {
                "input": {
                    "format": dict(pcm),
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": dict(SERVER_VAD),
                },
                "output": {"format": dict(pcm), "voice": "marin", "speed": 1.0},
            },
            "include": None,
        }
    )


def modality_of(value: object) -> Modality:
    """Return the one modality of a checked list."""
    return "text" if value == ["text"] else "audio"


def format_of(value: object) -> AudioFormat:
    """Return the name of a checked format."""
    match value:
        case {"type": "audio/pcmu"}:
            return "audio/pcmu"
        case {"type": "audio/pcma"}:
            return "audio/pcma"
        case _:
            return "audio/pcm"


def voice_of(value: object) -> str:
    """Return the name of a checked voice, which may be an object with an id."""
    return str(value["id"]) if isinstance(value, dict) else str(value)


def tokens_of(value: object) -> int | None:
    """Return a checked token limit, ``None`` for "inf"."""
    return value if isinstance(value, int) else None


def check_modalities(value: object, path: str) -> None:
    """Refuse both modalities at once, and none.

    Raises:
        ClientError: The list does not hold exactly one.
    """
    if isinstance(value, list) and len(value) != 1:
        raise ClientError(
            "invalid_value",
            f"Invalid value for '{path}'. Supported combinations are: ['text'] and ['audio'].",
            param=path,
        )


def _check_model(patch: Json, shown: Json) -> None:
    if patch.get("model", shown["model"]) != shown["model"]:
        raise ClientError(
            "invalid_value", "Cannot update a session's model.", param="session.model"
        )


def _merged(old: Json, patch: Json, path: str) -> Json:
    merged = copy.copy(old)
    for key, value in patch.items():
        where = f"{path}.{key}" if path else key
        before = old.get(key)
        if not isinstance(value, dict) or where not in MERGED:
            merged[key] = value
        elif where == "audio.input.turn_detection":
            merged[key] = {**_detection_base(before, value), **value}
        elif isinstance(before, dict):
            merged[key] = _merged(before, value, where)
        else:
            merged[key] = value
    return merged


def _detection_base(before: object, value: Json) -> Json:
    """Return what an update of the turn detection starts from."""
    if isinstance(before, dict) and before["type"] == value["type"]:
        return before
    return SEMANTIC_VAD if value["type"] == "semantic_vad" else SERVER_VAD
