"""How well the user is heard while the assistant speaks.

Where its voice comes back into the microphone and nothing takes it out, the server would
answer the assistant: what is captured while it sounds is replaced by zeros, and for a tail
after it, in which the room still sounds.  So it is while the canceller learns the room.
"""

from dataclasses import dataclass
from typing import Final

from voiced.conversation.sound_events import HearingChanged

HALF_DUPLEX: Final = "half_duplex"
TAIL_S: Final = 0.3
"""A room sounds for so long after the loudspeaker is silent."""


@dataclass(slots=True)
class Hearing:
    """What is done about the assistant's own voice in the microphone."""

    echo: str = ""
    """See ``HearingChanged``; nothing while nobody has said."""
    reason: str = ""
    """Why it is not as configured; nothing when it is."""
    can_detect: bool = False
    """Speech over the assistant is noticed on this machine now."""
    is_learning: bool = False
    """The canceller lets through what sounds now: it does not know the room."""
    silent_s: float = float("-inf")
    """When the loudspeaker last became silent."""

    def changed(self, event: HearingChanged) -> None:
        """Take a report."""
        self.echo, self.reason, self.can_detect = event.echo, event.reason, event.can_detect
        self.is_learning = event.is_learning

    def is_deaf(self, now: float, *, is_sounding: bool) -> bool:
        """Tell whether what is captured now must not be heard."""
        is_loud = is_sounding or now < self.silent_s + TAIL_S
        return (self.echo == HALF_DUPLEX or self.is_learning) and is_loud
