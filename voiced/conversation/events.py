"""Everything that can happen to a conversation.

Four groups, each a union:

* ``Wish``         a person asked for something, through the control socket
* ``SoundEvent``   the sound card reports; they are in ``sound_events``
* ``DesktopEvent`` the desktop reports
* ``ServerEvent``  the Realtime server said something; it arrives wrapped in ``Received``
  with the number of the session it belongs to, so that nothing of an old session can
  touch a new one

Audio is s16 little-endian mono at 24 kHz everywhere in here.
"""

from dataclasses import dataclass

from voiced.conversation.sound_events import SoundEvent

# --- wishes --------------------------------------------------------------------------

NOBODY = 0
"""The ``ask`` of a wish that nobody waits on."""


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a conversation."""

    ask: int = NOBODY
    """Number of the request that waits for the ``Answer``."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the conversation."""

    ask: int = NOBODY
    at_s: float | None = None
    """When it was asked for, on the clock of ``now``; None means now."""


@dataclass(frozen=True, slots=True)
class Toggle:
    """Start when stopped, stop when not."""

    ask: int = NOBODY


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Silence the assistant and give the floor to the user."""

    ask: int = NOBODY


@dataclass(frozen=True, slots=True)
class Mute:
    """Close or open the user's microphone; ``None`` toggles."""

    wish: bool | None
    ask: int = NOBODY


@dataclass(frozen=True, slots=True)
class Say:
    """Put a typed turn to the assistant, as if the user had said it."""

    text: str
    ask: int = NOBODY


@dataclass(frozen=True, slots=True)
class TalkPress:
    """The push-to-talk key went down: the floor is the user's."""

    ask: int = NOBODY
    at_s: float | None = None
    """When the key moved, on the clock of ``now``; None means now."""


@dataclass(frozen=True, slots=True)
class TalkRelease:
    """The push-to-talk key came up: the turn is over."""

    ask: int = NOBODY
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class TalkCancel:
    """The push-to-talk turn is thrown away."""

    ask: int = NOBODY
    at_s: float | None = None


Wish = Start | Stop | Toggle | Interrupt | Mute | Say | TalkPress | TalkRelease | TalkCancel

# --- the desktop ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Away:
    """The user leaves: the screen is locked, or the machine goes to sleep."""

    reason: str
    """``locked`` or ``suspended``."""
    is_sure: bool = True
    """False where somebody asked for it, and nobody has said that it is done."""


@dataclass(frozen=True, slots=True)
class Back:
    """A reason to be away is gone."""

    reason: str


DesktopEvent = Away | Back

# --- the server ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionReady:
    """The session is open and configured; these are the settings the server confirmed."""

    model: str
    detects_turns: bool
    """The server decides when the user's turn is over."""
    interrupts: bool
    """The server cancels its response when it hears the user (``interrupt_response``)."""
    replies: bool
    """The server starts a response when the user's turn is over (``create_response``)."""
    expires_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """The server confirmed other settings while the session runs."""

    facts: SessionReady


@dataclass(frozen=True, slots=True)
class SessionLost:
    """The session could not be opened, or ended without our asking."""

    message: str
    close_code: int | None = None
    http_status: int | None = None
    error_code: str | None = None
    """Code of the last ``error`` event or of the refusal, where there was one."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The server heard the user begin to speak."""

    item_id: str


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The server heard the end of the user's turn."""

    item_id: str


@dataclass(frozen=True, slots=True)
class TurnCommitted:
    """The user's turn became an item of the conversation."""

    item_id: str


@dataclass(frozen=True, slots=True)
class UserTranscript:
    """What the user said, as far as the transcription model could tell."""

    item_id: str
    text: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class ReplyTranscript:
    """Words of the reply; they run ahead of the sound."""

    response_id: str
    item_id: str
    text: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class ResponseCreated:
    """A response is under way."""

    response_id: str
    marker: str | None = None
    """The ``event_id`` of the ``CreateResponse`` that asked for it, when it was ours."""


@dataclass(frozen=True, slots=True)
class ItemAdded:
    """A response got a new item."""

    response_id: str
    item_id: str
    is_message: bool
    """True for something to be said, false for a function call and the like."""


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """Samples of a reply."""

    response_id: str
    item_id: str
    content_index: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class AudioDone:
    """All samples of this piece of the reply have been sent."""

    response_id: str
    item_id: str
    content_index: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens one response was billed for; cached tokens are inside the input counts."""

    text_in: int = 0
    audio_in: int = 0
    image_in: int = 0
    text_cached: int = 0
    audio_cached: int = 0
    image_cached: int = 0
    text_out: int = 0
    audio_out: int = 0


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """A response is over on the server; it may still be sounding here."""

    response_id: str
    status: str
    """``completed``, ``cancelled``, ``incomplete`` or ``failed``."""
    reason: str | None = None
    error_code: str | None = None
    message: str | None = None
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server refused one of our events, or complains in general."""

    code: str | None
    message: str
    event_id: str | None = None
    """The event of ours it is about, where the server says."""


ServerEvent = (
    SessionReady
    | SessionChanged
    | SessionLost
    | SpeechStarted
    | SpeechStopped
    | TurnCommitted
    | UserTranscript
    | ReplyTranscript
    | ResponseCreated
    | ItemAdded
    | AudioDelta
    | AudioDone
    | ResponseDone
    | ServerError
)


@dataclass(frozen=True, slots=True)
class Received:
    """A server event, with the session it belongs to."""

    session: int
    event: ServerEvent


@dataclass(frozen=True, slots=True)
class NewDay:
    """Local midnight has passed: the day's spending starts again at zero."""


Event = Wish | SoundEvent | DesktopEvent | Received | NewDay
