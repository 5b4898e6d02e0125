"""Everything a conversation can ask for.  Only the runner carries these out.

Order is part of the meaning: where ``CutPlayback`` stands before something that is
sent to the server, the loudspeaker is silenced first.
"""

from dataclasses import dataclass

from voiced.conversation.status import Interruption, Status

# --- sound ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenMicrophone:
    """Start capturing; answered by ``MicrophoneOpened`` or ``MicrophoneLost``."""


@dataclass(frozen=True, slots=True)
class CloseMicrophone:
    """Stop capturing; the desktop's microphone sign goes out."""


@dataclass(frozen=True, slots=True)
class OpenSpeaker:
    """Get the loudspeaker ready; answered by ``SpeakerOpened`` or ``SpeakerLost``."""


@dataclass(frozen=True, slots=True)
class CloseSpeaker:
    """Let go of the loudspeaker and of everything it had to play."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play samples after everything handed over before."""

    item_id: str
    content_index: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class FinishPlay:
    """No more samples will come for this piece: do not wait for any."""

    item_id: str
    content_index: int


@dataclass(frozen=True, slots=True)
class CutPlayback:
    """Be silent now; answered by ``PlaybackCut`` with the same number."""

    cut: int


@dataclass(frozen=True, slots=True)
class DuckPlayback:
    """Play more quietly from now on, or as loud as ever."""

    gain_db: float
    """0 is full level; less is quieter."""


@dataclass(frozen=True, slots=True)
class HoldPlayback:
    """Be silent now and keep every word; answered by ``PlaybackHeld`` with the same number."""

    hold: int


@dataclass(frozen=True, slots=True)
class ResumePlayback:
    """Go on from where it was held."""


# --- the session ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Connect and configure; answered by ``SessionReady`` or ``SessionLost``."""

    session: int


@dataclass(frozen=True, slots=True)
class CloseSession:
    """Hang up; nothing of this session is reported any more."""


@dataclass(frozen=True, slots=True)
class SendAudio:
    """Append samples to the server's input buffer."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class DetectTurns:
    """Have the server look for the end of the user's turns, or leave it to us."""

    event_id: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class ClearInput:
    """Throw away what the input buffer holds."""

    event_id: str


@dataclass(frozen=True, slots=True)
class CommitInput:
    """Make a user turn of what the input buffer holds."""

    event_id: str


@dataclass(frozen=True, slots=True)
class SendText:
    """Add a typed user turn to the conversation."""

    event_id: str
    text: str


@dataclass(frozen=True, slots=True)
class CreateResponse:
    """Ask for a reply; the event id comes back as the response's marker."""

    event_id: str


@dataclass(frozen=True, slots=True)
class CancelResponse:
    """Stop a response, by its id."""

    event_id: str
    response_id: str


@dataclass(frozen=True, slots=True)
class TruncateItem:
    """Tell the server how much of an item was heard."""

    event_id: str
    item_id: str
    content_index: int
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class DeleteItem:
    """Tell the server that nothing of an item was heard."""

    event_id: str
    item_id: str


# --- the desktop ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AllowSleep:
    """Let the machine sleep once everything asked of the microphone so far is done."""


@dataclass(frozen=True, slots=True)
class PausePlayers:
    """Have other players pause."""


@dataclass(frozen=True, slots=True)
class ResumePlayers:
    """Have those go on that were paused for us."""


# --- the people outside --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a request; without a ``code`` it was done, or was so already."""

    ask: int
    code: str | None = None
    """``refused`` or ``unavailable``."""
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class TellState:
    """Something in the status changed."""

    status: Status


@dataclass(frozen=True, slots=True)
class TellInterruption:
    """An interruption is over; these are its figures."""

    interruption: Interruption
    unheard: tuple[str, ...] = ()
    """The items of which nothing was heard."""


@dataclass(frozen=True, slots=True)
class TellTranscript:
    """Somebody said something."""

    role: str
    """``user`` or ``assistant``."""
    item_id: str
    text: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class TellSession:
    """The session changed: ``ready``, ``lost``, ``ended``."""

    what: str
    message: str = ""
    retry_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class TellCost:
    """What has been spent, in US dollars, estimated from the price table."""

    usd_today: float
    usd_session: float


@dataclass(frozen=True, slots=True)
class TellError:
    """Something went wrong that a person should know about."""

    code: str
    message: str


Effect = (
    OpenMicrophone
    | CloseMicrophone
    | OpenSpeaker
    | CloseSpeaker
    | Play
    | FinishPlay
    | CutPlayback
    | DuckPlayback
    | HoldPlayback
    | ResumePlayback
    | OpenSession
    | CloseSession
    | SendAudio
    | DetectTurns
    | ClearInput
    | CommitInput
    | SendText
    | CreateResponse
    | CancelResponse
    | TruncateItem
    | DeleteItem
    | AllowSleep
    | PausePlayers
    | ResumePlayers
    | Answer
    | TellState
    | TellInterruption
    | TellTranscript
    | TellSession
    | TellCost
    | TellError
)
