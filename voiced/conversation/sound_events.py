"""What the sound card reports.

Audio is s16 little-endian mono at 24 kHz.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of one piece of a reply left the loudspeaker."""

    item_id: str
    content_index: int
    heard_frames: int
    """Frames of this piece that were played, never more than were received."""


@dataclass(frozen=True, slots=True)
class MicrophoneOpened:
    """The capture stream runs."""


@dataclass(frozen=True, slots=True)
class MicrophoneLost:
    """The capture stream could not be opened, or died."""

    reason: str


@dataclass(frozen=True, slots=True)
class MicrophoneFrames:
    """The microphone delivered samples."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class SpeakerLost:
    """The playback stream could not be opened, or died; what it had to play is kept."""

    reason: str


@dataclass(frozen=True, slots=True)
class SpeakerOpened:
    """The playback stream is ready."""


@dataclass(frozen=True, slots=True)
class PlaybackDrained:
    """The last sample of everything handed over so far has been played."""

    plays: int
    """How many ``Play`` effects had been carried out by then."""


@dataclass(frozen=True, slots=True)
class PlaybackCut:
    """The loudspeaker is silent; the answer to a ``CutPlayback``."""

    cut: int
    heard: tuple[Heard, ...]
    """One entry for each piece that had been handed over and not been fully played."""
    silent_at_s: float
    """When the device had dropped its samples, on the clock of ``now``."""


@dataclass(frozen=True, slots=True)
class PlaybackHeld:
    """The loudspeaker is silent and keeps its words; the answer to a ``HoldPlayback``."""

    hold: int
    silent_at_s: float
    """When the device had dropped its samples, on the clock of ``now``."""


@dataclass(frozen=True, slots=True)
class VoiceSuspected:
    """The microphone hears something like a voice while the assistant speaks."""

    sound_at_s: float
    """When its first sound reached the microphone, on the clock of ``now``."""


@dataclass(frozen=True, slots=True)
class VoiceConfirmed:
    """What was suspected is speech."""

    sound_at_s: float


@dataclass(frozen=True, slots=True)
class VoiceDismissed:
    """What was suspected has gone silent and was no speech."""


@dataclass(frozen=True, slots=True)
class HearingChanged:
    """What is done about the assistant's own voice in the microphone has changed."""

    echo: str
    """``cancelled`` here, ``server`` (the sound server cancels it), ``headset`` (there is
    none), ``half_duplex`` (nothing is heard meanwhile), ``kept`` (the user wants it so)."""
    can_detect: bool
    """Speech is noticed on this machine now."""
    reason: str = ""
    """Why it is not as configured; nothing when it is."""
    is_learning: bool = False
    """The canceller does not know the echo yet that there is now: it is to be silenced."""


SoundEvent = (
    MicrophoneOpened
    | MicrophoneLost
    | MicrophoneFrames
    | SpeakerLost
    | SpeakerOpened
    | PlaybackDrained
    | PlaybackCut
    | PlaybackHeld
    | VoiceSuspected
    | VoiceConfirmed
    | VoiceDismissed
    | HearingChanged
)
