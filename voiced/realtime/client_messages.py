"""What we say to a Realtime server, as typed messages: JSON text out, no I/O.

The GA shape only.  Names and fields are the protocol's own (OpenAI API reference,
"Realtime"); the tests parse every message with the official client's types.
"""

from typing import Final

import msgspec
from msgspec import Struct, field

MARKER: Final = "voiced"
"""Key of the metadata that carries our event id."""


class Append(Struct, tag="input_audio_buffer.append"):
    """Samples for the input buffer; base64 on the wire."""

    audio: bytes


class Clear(Struct, tag="input_audio_buffer.clear"):
    """Drop the input buffer."""

    event_id: str


class Commit(Struct, tag="input_audio_buffer.commit"):
    """Make a turn of the input buffer."""

    event_id: str


class TextPart(Struct, tag="input_text"):
    """Typed words."""

    text: str


class UserMessage(Struct, tag="message"):
    """A typed user turn."""

    content: list[TextPart]
    role: str = "user"


class CreateItem(Struct, tag="conversation.item.create"):
    """Add an item."""

    event_id: str
    item: UserMessage


class ResponseWish(Struct):
    """How a response is to be made."""

    metadata: dict[str, str]


class CreateResponse(Struct, tag="response.create"):
    """Ask for a response."""

    event_id: str
    response: ResponseWish


class Cancel(Struct, tag="response.cancel"):
    """Stop a response."""

    event_id: str
    response_id: str


class Truncate(Struct, tag="conversation.item.truncate"):
    """Say how much of an item was heard."""

    event_id: str
    item_id: str
    content_index: int
    audio_end_ms: int


class Delete(Struct, tag="conversation.item.delete"):
    """Remove an item."""

    event_id: str
    item_id: str


class PcmFormat(Struct):
    """s16 little-endian mono at 24 kHz, the only rate there is."""

    type: str = "audio/pcm"
    rate: int = 24_000


class DetectionWish(Struct, omit_defaults=True):
    """How the server is to find the end of a turn."""

    type: str
    threshold: float | None = None
    prefix_padding_ms: int | None = None
    silence_duration_ms: int | None = None
    eagerness: str | None = None
    create_response: bool | None = None
    interrupt_response: bool | None = None


class TranscriptionWish(Struct, omit_defaults=True):
    """Who writes down what the user says."""

    model: str
    language: str | None = None


class NoiseReduction(Struct):
    """The provider's filter for the microphone."""

    type: str


class InputWish(Struct):
    """The input half of the session."""

    turn_detection: DetectionWish | None
    transcription: TranscriptionWish | None
    noise_reduction: NoiseReduction | None
    format: PcmFormat = field(default_factory=PcmFormat)


class OutputWish(Struct, omit_defaults=True):
    """The output half of the session."""

    format: PcmFormat
    voice: str | None = None


class AudioWish(Struct):
    """The audio part of the session."""

    input: InputWish
    output: OutputWish


class SessionWish(Struct, tag_field="type", tag="realtime"):
    """The session as we want it."""

    instructions: str
    audio: AudioWish
    output_modalities: list[str] = field(default_factory=lambda: ["audio"])


class UpdateSession(Struct, tag="session.update"):
    """Change the session."""

    event_id: str
    session: SessionWish


class InputChange(Struct):
    """The part of the input that changes."""

    turn_detection: DetectionWish | None


class AudioChange(Struct):
    """The part of the audio that changes."""

    input: InputChange


class SessionChange(Struct, tag_field="type", tag="realtime"):
    """The part of the session that changes; the rest stays as it is."""

    audio: AudioChange


class ChangeDetection(Struct, tag="session.update"):
    """Say who finds the end of a turn, and nothing else."""

    event_id: str
    session: SessionChange


ClientMessage = (
    Append
    | Clear
    | Commit
    | CreateItem
    | CreateResponse
    | Cancel
    | Truncate
    | Delete
    | UpdateSession
    | ChangeDetection
)

_encoder: Final = msgspec.json.Encoder()


def encode(message: ClientMessage) -> str:
    """Write one frame."""
    return _encoder.encode(message).decode()


def marked(event_id: str) -> ResponseWish:
    """Return a wish that carries the id of its event, so that the response can be known."""
    return ResponseWish({MARKER: event_id})
