"""The server events of the protocol, as they go out.

``encode`` adds the event id.  Optional fields without a value are sent as null, as the
provider does.
"""

import secrets
from typing import Literal

import msgspec

from voiced.local.errors import ClientError
from voiced.local.session_config import Modality
from voiced.local.shapes import Json
from voiced.local.usage import Usage

ResponseStatus = Literal["in_progress", "completed", "cancelled", "incomplete", "failed"]


class Event(msgspec.Struct, kw_only=True, tag_field="type"):
    """Anything the server says."""


# --- session and errors --------------------------------------------------------------


class SessionCreated(Event, tag="session.created"):
    """The first event: the settings the session begins with."""

    session: Json


class SessionUpdated(Event, tag="session.updated"):
    """All settings after an update."""

    session: Json


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    type: str = "invalid_request_error"
    code: str | None
    message: str
    param: str | None = None
    event_id: str | None = None
    """Id of the client event it is about."""


class Error(Event, tag="error"):
    """A client event was refused, or the session has a problem."""

    error: ErrorBody


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How much of one limit is left."""

    name: Literal["tokens"] = "tokens"
    limit: int
    remaining: int
    reset_seconds: float


class RateLimitsUpdated(Event, tag="rate_limits.updated"):
    """What is left after a response."""

    rate_limits: list[RateLimit]


# --- input audio ---------------------------------------------------------------------


class SpeechStarted(Event, tag="input_audio_buffer.speech_started"):
    """The user began to speak."""

    audio_start_ms: int
    item_id: str


class SpeechStopped(Event, tag="input_audio_buffer.speech_stopped"):
    """The user's turn is over."""

    audio_end_ms: int
    item_id: str


class TimeoutTriggered(Event, tag="input_audio_buffer.timeout_triggered"):
    """The user has said nothing for the idle time."""

    audio_start_ms: int
    audio_end_ms: int
    item_id: str


class Committed(Event, tag="input_audio_buffer.committed"):
    """The buffer became an item."""

    previous_item_id: str | None
    item_id: str


class Cleared(Event, tag="input_audio_buffer.cleared"):
    """The buffer was dropped."""


# --- conversation --------------------------------------------------------------------


class ItemAdded(Event, tag="conversation.item.added"):
    """An item is in the conversation, perhaps still growing."""

    previous_item_id: str | None
    item: Json


class ItemDone(Event, tag="conversation.item.done"):
    """An item is final."""

    previous_item_id: str | None
    item: Json


class ItemRetrieved(Event, tag="conversation.item.retrieved"):
    """An item with its audio."""

    item: Json


class ItemTruncated(Event, tag="conversation.item.truncated"):
    """An item was cut."""

    item_id: str
    content_index: int
    audio_end_ms: int


class ItemDeleted(Event, tag="conversation.item.deleted"):
    """An item was removed."""

    item_id: str


class TranscriptionDelta(Event, tag="conversation.item.input_audio_transcription.delta"):
    """Words of the user."""

    item_id: str
    content_index: int
    delta: str
    logprobs: None = None


class DurationUsage(msgspec.Struct, frozen=True, kw_only=True):
    """How much audio was transcribed."""

    type: Literal["duration"] = "duration"
    seconds: float


class TranscriptionCompleted(Event, tag="conversation.item.input_audio_transcription.completed"):
    """Everything the user said in one item."""

    item_id: str
    content_index: int
    transcript: str
    usage: DurationUsage
    logprobs: None = None


class TranscriptionError(msgspec.Struct, frozen=True, kw_only=True):
    """Why there are no words."""

    type: str = "server_error"
    code: str = "transcription_failed"
    message: str
    param: str | None = None


class TranscriptionFailed(Event, tag="conversation.item.input_audio_transcription.failed"):
    """What the user said in one item is not known."""

    item_id: str
    content_index: int
    error: TranscriptionError


# --- responses -----------------------------------------------------------------------


class StatusError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a response failed."""

    type: str = "server_error"
    code: str
    message: str


class StatusDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a response is over."""

    type: ResponseStatus
    reason: str | None = None
    error: StatusError | None = None


class ResponseBody(msgspec.Struct, frozen=True, kw_only=True):
    """A response as a whole."""

    object: Literal["realtime.response"] = "realtime.response"
    id: str
    status: ResponseStatus
    status_details: StatusDetails | None
    output: list[Json]
    conversation_id: str | None
    output_modalities: list[Modality]
    max_output_tokens: int | Literal["inf"]
    audio: Json
    usage: Usage | None
    metadata: dict[str, str] | None


class ResponseCreated(Event, tag="response.created"):
    """A response is under way."""

    response: ResponseBody


class ResponseDone(Event, tag="response.done"):
    """A response is over, whatever its status."""

    response: ResponseBody


class OutputItemAdded(Event, tag="response.output_item.added"):
    """A response has a new item."""

    response_id: str
    output_index: int
    item: Json


class OutputItemDone(Event, tag="response.output_item.done"):
    """An item of a response is over."""

    response_id: str
    output_index: int
    item: Json


class PartEvent(Event):
    """Something about one content part of a response."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int


class ContentPartAdded(PartEvent, tag="response.content_part.added"):
    """An item of a response has a new part."""

    part: Json


class ContentPartDone(PartEvent, tag="response.content_part.done"):
    """A part is over."""

    part: Json


class TextDelta(PartEvent, tag="response.output_text.delta"):
    """More text."""

    delta: str


class TextDone(PartEvent, tag="response.output_text.done"):
    """The whole text."""

    text: str


class AudioDelta(PartEvent, tag="response.output_audio.delta"):
    """More audio; it goes out as base64."""

    delta: bytes


class AudioDone(PartEvent, tag="response.output_audio.done"):
    """That was all the audio."""


class TranscriptDelta(PartEvent, tag="response.output_audio_transcript.delta"):
    """More words of what is spoken."""

    delta: str


class TranscriptDone(PartEvent, tag="response.output_audio_transcript.done"):
    """All words of what is spoken."""

    transcript: str


def new_id(prefix: str) -> str:
    """Return a fresh id, such as ``item_…``."""
    return f"{prefix}_{secrets.token_hex(10)}"


def encode(event: Event) -> bytes:
    """Return an event as JSON, with an event id of its own."""
    head = f'{{"event_id":"{new_id("event")}",'.encode()
    return head + msgspec.json.encode(event)[1:]


def refusal(error: ClientError, event_id: str | None) -> Error:
    """Return the ``error`` event for a client event that was refused."""
    body = ErrorBody(code=error.code, message=str(error), param=error.param, event_id=event_id)
    return Error(error=body)
