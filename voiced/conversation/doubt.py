"""What is not certain while the assistant speaks: whether that is the user.

Rules
1. A suspicion of this machine makes the assistant quieter, not silent.  It ends in a cut,
   or at full level again.
2. The server is believed at once, unless this machine has just listened to a sound and
   taken it for no speech (a veto).  Then the assistant is held, silent with every word
   kept.  A hold ends in a cut, or the assistant goes on from where it was.  A reply that
   the server cancels is not whole, and is cut.
3. Speech stays disbelieved after that, until the server makes a turn of it, begins
   another, or is gone.
4. There is never a suspicion and a hold at once, and neither while nothing sounds.
"""

from dataclasses import dataclass
from typing import Final

from voiced.conversation.status import Interruption

VETO_S: Final = 2.0
"""The server may still be telling of a sound that this machine dismissed so long ago."""


@dataclass(slots=True)
class Notice:
    """How the user was noticed over the assistant, and what was done about it when."""

    source: str
    """Who noticed first: ``server``, ``local`` or ``control``."""
    ordered_s: float | None = None
    """When the loudspeaker was told to be silent, where it was."""
    sound_at_s: float | None = None
    """When the user's first sound was heard, where that is known."""
    ducked_s: float | None = None
    """When the loudspeaker was told to be quieter, where it was."""
    hold: int = 0
    """Number of the hold that silenced it; 0 where a cut did."""
    silent_at_s: float | None = None
    """When a hold had silenced it, as far as was told."""

    def measured(
        self, number: int, *, heard_ms: int | None, item_id: str | None, confirmed: bool
    ) -> Interruption:
        """Return the figures of the interruption.

        Args:
            number: Which one it is.
            heard_ms: How much of the item was heard; None where it sounds on.
            item_id: The item that was sounding.
            confirmed: The interruption stands.
        """
        first_s = self.sound_at_s
        if first_s is not None and self.ordered_s is not None and first_s > self.ordered_s:
            # Silent by then, on the server's word: this sound told nobody anything.
            first_s = None
        at_s = self.ordered_s if first_s is None else first_s
        return Interruption(
            source=self.source,
            silent_ms=elapsed_ms(self.ordered_s, self.silent_at_s),
            heard_ms=heard_ms,
            item_id=item_id,
            confirmed=confirmed,
            number=number,
            at_s=at_s or 0.0,
            sound_to_duck_ms=elapsed_ms(first_s, self.ducked_s),
            sound_to_cut_ms=elapsed_ms(first_s, self.ordered_s),
            sound_to_silent_ms=elapsed_ms(first_s, self.silent_at_s),
        )


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Something like a voice is heard while the assistant speaks."""

    since_s: float
    sound_at_s: float
    """When its first sound reached the microphone."""
    ducked_s: float | None
    """When the assistant was made quieter; None where it was not."""


@dataclass(slots=True)
class Hold:
    """The assistant is silent and keeps its words."""

    number: int
    since_s: float
    sound_at_s: float | None = None
    """When this machine heard the user after all."""
    silent_at_s: float | None = None


@dataclass(slots=True)
class Doubt:
    """What is suspected and what is held, on the clock of ``now``."""

    suspicion: Suspicion | None = None
    hold: Hold | None = None
    hold_count: int = 0
    vetoed_s: float | None = None
    """When this machine last took a sound for no speech after all."""
    is_disbelieved: bool = False
    """The speech the server heard last is not taken for the user's."""
    item_id: str = ""
    """The item the server is going to make of that speech."""
    cancelled: tuple[int, str | None] = (0, None)
    """The response the server cancels by itself because of that speech, and its session."""

    @property
    def is_ducked(self) -> bool:
        """Tell whether the assistant was made quieter."""
        return self.suspicion is not None and self.suspicion.ducked_s is not None

    def is_vetoed(self, now: float) -> bool:
        """Tell whether what the server hears now is likely to be no speech."""
        return self.vetoed_s is not None and now - self.vetoed_s <= VETO_S

    def begin_hold(self, now: float) -> int:
        """Disbelieve the server for now; return the number of the hold."""
        self.hold_count += 1
        self.hold = Hold(self.hold_count, now)
        self.is_disbelieved = True
        return self.hold_count

    def session_over(self) -> None:
        """Forget what the server heard; what is held for it waits for its time."""
        self.is_disbelieved = False

    def settle(self, source: str, now: float) -> Notice:
        """End every doubt because the assistant is cut; return how that came about."""
        suspicion, hold = self.suspicion, self.hold
        self.suspicion = self.hold = None
        self.is_disbelieved = False
        if hold is not None:
            # Whatever confirms it, it was the server that noticed.
            return Notice(
                "server",
                hold.since_s,
                hold.sound_at_s,
                hold=hold.number,
                silent_at_s=hold.silent_at_s,
            )
        if suspicion is None or source == "control":
            return Notice(source, now)
        return Notice(source, now, suspicion.sound_at_s, suspicion.ducked_s)

    def due_s(self, confirm_within_s: float, hold_s: float) -> float | None:
        """Return when there has been enough doubt."""
        if self.suspicion is not None:
            return self.suspicion.since_s + confirm_within_s
        return None if self.hold is None else self.hold.since_s + hold_s


def elapsed_ms(from_s: float | None, to_s: float | None) -> float | None:
    """Return how long something took; None where one of its ends is not known."""
    return None if from_s is None or to_s is None else round((to_s - from_s) * 1000, 1)
