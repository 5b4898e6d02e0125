"""What a conversation says about itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interruption:
    """One interruption, measured."""

    source: str
    """Who noticed: ``server``, ``local`` or ``control``."""
    silent_ms: float | None
    """From the moment the event was handled to the silent loudspeaker; None: never silent."""
    heard_ms: int | None
    """How much of the interrupted item was heard; None where it sounds on."""
    item_id: str | None
    """The item that was sounding, where one was."""
    confirmed: bool
    """The interruption stands; false means the words were given back."""
    number: int = 0
    """Interruptions are counted from 1 while the daemon runs."""
    at_s: float = 0.0
    """When the user's first sound was heard, or where that is not known, when it was noticed."""
    sound_to_duck_ms: float | None = None
    """From the user's first sound until the loudspeaker was told to be quieter."""
    sound_to_cut_ms: float | None = None
    """From the user's first sound until the loudspeaker was told to be silent."""
    sound_to_silent_ms: float | None = None
    """From the user's first sound until the loudspeaker was silent."""


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot; times are on the clock of ``now``."""

    state: str
    """``idle connecting listening thinking speaking muted error``; a reply that is held and may
    go on is still ``speaking``."""
    muted: bool
    mic_open: bool
    online: bool
    ptt: bool
    paused: str | None
    """Why a conversation waits for the user's return: ``locked``, ``suspended`` or nothing."""
    provider: str
    """Kind of the provider in use."""
    model: str
    started_at_s: float | None
    """When the running conversation was started."""
    turns: int
    """User turns of the running conversation."""
    reconnects: int
    echo: str
    """What is done about the assistant's own voice; see ``HearingChanged``."""
    echo_reason: str
    """Why it is not as configured; nothing when it is."""
    local_detection: bool
    """The user is noticed on this machine, now."""
    last_interruption: Interruption | None
    """The last one, whether it stands or gave the words back."""
    usd_today: float
    usd_session: float
    error: str | None
    """The one sentence a person needs, or nothing."""
