"""Whether one can interrupt over these loudspeakers: a chirp, played and heard by a child."""

from typing import Final

import msgspec

from voicectl.sound import Device, ask_child
from voiced.settings import Settings

QUIETEST_DBFS: Final = -96.0
"""Less than one step of a sample: silence."""


class Sounding(msgspec.Struct, frozen=True):
    """What was measured.  Levels are RMS in dB below full scale."""

    microphone: Device = Device("")
    loudspeaker: Device = Device("")
    echo: str = ""
    """What voiced does about the echo here: see ``status``."""
    reason: str = ""
    """Why it is not as configured."""
    can_detect: bool = False
    """Speech is noticed on this machine while the assistant speaks."""
    latency_ms: float | None = None
    """From a sound handed to the loudspeaker to its echo; None where no echo was found."""
    latest_ms: float = 0.0
    """What comes later cannot be cancelled."""
    played_dbfs: float = QUIETEST_DBFS
    echo_dbfs: float = QUIETEST_DBFS
    """In the microphone, as it is."""
    cancelled_dbfs: float | None = None
    """What the canceller leaves of it; None without one."""
    noise_dbfs: float = QUIETEST_DBFS
    """The microphone while nothing is played."""
    peak_dbfs: float = QUIETEST_DBFS
    """The loudest sample that the microphone gave."""
    error: str = ""
    """Why nothing was measured."""


class Task(msgspec.Struct, frozen=True):
    """What the child is to do."""

    settings: Settings


def sound_out(settings: Settings, *, within_s: float) -> Sounding:
    """Play a chirp and measure what the microphone hears of it.

    Args:
        settings: Which devices, and what is done about the echo.
        within_s: How long that may take.

    Raises:
        SoundError: It could not be done.
    """
    return ask_child("voicectl.chirp", Task(settings), Sounding, within_s)
