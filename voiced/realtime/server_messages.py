"""What a Realtime server says, as typed messages: JSON text in, no I/O.

Rules
1. The GA names are read, and those of the beta, which Azure's preview and several
   compatible servers still use.
2. A tolerant reader: unknown events and fields are ignored, optional fields may be null
   or missing.  What we need and cannot read is a ``WireError``; the caller drops that
   message and goes on.  A part that we can do without is read field by field.
3. Names and fields are the protocol's own (OpenAI API reference, "Realtime").
"""

import contextlib
from typing import Any, Final, TypeVar, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from voiced.errors import WireError


class ErrorDetail(Struct):
    """What an ``error`` event or a failed response is about."""

    message: str | None = None
    code: str | int | None = None
    type: str | None = None
    event_id: str | None = None


class TurnDetection(Struct):
    """The server's idea of when a turn is over."""

    type: str = "server_vad"
    create_response: bool | None = None
    interrupt_response: bool | None = None


class InputConfig(Struct):
    """The input half of the GA session."""

    turn_detection: TurnDetection | UnsetType | None = UNSET


class AudioConfig(Struct):
    """The audio part of the GA session."""

    input: InputConfig | None = None


class SessionConfig(Struct):
    """The session as the server has it; beta servers keep turn_detection on top."""

    model: str | None = None
    expires_at: float | None = None
    audio: AudioConfig | None = None
    turn_detection: TurnDetection | UnsetType | None = UNSET

    def effective_detection(self) -> TurnDetection | UnsetType | None:
        """Return the turn detection in force; UNSET when the server does not say."""
        nested = UNSET if self.audio is None or self.audio.input is None else self.audio.input
        if isinstance(nested, InputConfig) and nested.turn_detection is not UNSET:
            return nested.turn_detection
        return self.turn_detection


class TokenDetails(Struct):
    """Tokens by kind."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class InputTokenDetails(TokenDetails):
    """Input tokens by kind; the cached ones are inside the counts."""

    cached_tokens_details: TokenDetails | None = None


class UsageReport(Struct):
    """What a response is billed for."""

    input_token_details: InputTokenDetails | None = None
    output_token_details: TokenDetails | None = None


class StatusDetails(Struct):
    """Why a response ended as it did."""

    reason: str | None = None
    error: ErrorDetail | None = None


class Metadata(Struct):
    """What we wrote on a response when we asked for it."""

    voiced: str | None = None


class ResponseBody(Struct):
    """A response.  What is not its id is read with patience: see ``read``."""

    id: str
    status: Any = None
    status_details: Any = None
    usage: Any = None
    metadata: Any = None


class Item(Struct):
    """An item of the conversation."""

    id: str
    type: str | None = None


class SessionCreated(Struct, tag="session.created"):
    """The server greets."""

    session: Any = None


class SessionUpdated(Struct, tag="session.updated"):
    """The settings in force."""

    session: Any = None


class ErrorEvent(Struct, tag="error"):
    """Something failed; the session goes on."""

    error: Any = None


class SpeechStarted(Struct, tag="input_audio_buffer.speech_started"):
    """The server hears the user."""

    item_id: str | None = None


class SpeechStopped(Struct, tag="input_audio_buffer.speech_stopped"):
    """The server hears the user no more."""

    item_id: str | None = None


class Committed(Struct, tag="input_audio_buffer.committed"):
    """The input became an item."""

    item_id: str | None = None


class TranscriptionDelta(Struct, tag="conversation.item.input_audio_transcription.delta"):
    """A few words of the user."""

    item_id: str
    delta: str | None = None


class TranscriptionCompleted(Struct, tag="conversation.item.input_audio_transcription.completed"):
    """All words of the user's turn."""

    item_id: str
    transcript: str | None = None


class ResponseCreated(Struct, tag="response.created"):
    """A response begins."""

    response: ResponseBody


class OutputItemAdded(Struct, tag="response.output_item.added"):
    """A response gets an item."""

    response_id: str
    item: Item


class AudioDelta(Struct, tag="response.output_audio.delta"):
    """Samples; base64 on the wire."""

    response_id: str
    item_id: str
    delta: bytes
    content_index: int | None = None


class AudioDone(Struct, tag="response.output_audio.done"):
    """No more samples of this part."""

    response_id: str
    item_id: str
    content_index: int | None = None


class TranscriptDelta(Struct, tag="response.output_audio_transcript.delta"):
    """A few words of the reply."""

    response_id: str
    item_id: str
    delta: str | None = None


class TranscriptDone(Struct, tag="response.output_audio_transcript.done"):
    """All words of this part of the reply."""

    response_id: str
    item_id: str
    transcript: str | None = None


class ResponseDone(Struct, tag="response.done"):
    """A response is over."""

    response: ResponseBody


ServerMessage = (
    SessionCreated
    | SessionUpdated
    | ErrorEvent
    | SpeechStarted
    | SpeechStopped
    | Committed
    | TranscriptionDelta
    | TranscriptionCompleted
    | ResponseCreated
    | OutputItemAdded
    | AudioDelta
    | AudioDone
    | TranscriptDelta
    | TranscriptDone
    | ResponseDone
)

BETA_NAMES: Final = {
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
}
"""Beta name -> GA name, of the events we read."""


class _Envelope(Struct):
    type: str


KINDS: Final = {str(kind.__struct_config__.tag): kind for kind in ServerMessage.__args__}
_envelope: Final = msgspec.json.Decoder(_Envelope)
_decoders: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    **{tag: msgspec.json.Decoder(kind) for tag, kind in KINDS.items()},
    **{
        beta: msgspec.json.Decoder(msgspec.defstruct("Beta", (), bases=(KINDS[name],), tag=beta))
        for beta, name in BETA_NAMES.items()
    },
}

Part = TypeVar("Part", bound=Struct)


def read(kind: type[Part], value: object) -> Part:
    """Read a part of an event, field by field; what is missing or nonsense has its default."""
    if not isinstance(value, dict):
        return kind()
    fields: dict[str, Any] = {}
    for each in msgspec.structs.fields(kind):
        given = value.get(each.encode_name, UNSET)
        inner = next((part for part in get_args(each.type) if _is_struct(part)), None)
        if inner is not None and isinstance(given, dict):
            fields[each.name] = read(inner, given)
        elif given is not UNSET:
            with contextlib.suppress(msgspec.ValidationError):
                fields[each.name] = msgspec.convert(given, each.type, strict=False)
    return kind(**fields)


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def decode(text: str | bytes) -> ServerMessage | None:
    """Read one frame; None for an event that does not concern us.

    Raises:
        WireError: It is no JSON object with a type, or a field we need is not what the
            protocol says.
    """
    if isinstance(text, bytes):
        raise WireError(f"a binary frame of {len(text)} bytes")
    kind = ""
    try:
        kind = _envelope.decode(text).type
        decoder = _decoders.get(kind)
        message: ServerMessage | None = None if decoder is None else decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise WireError(f"{kind or 'a frame'}: {error}") from error
    return message
