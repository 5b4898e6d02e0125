"""A front end whose parts do as they are told."""

from dataclasses import dataclass, field

from voiced.audio.devices import InUse, ServerDevice
from voiced.audio.echo import FRAME_BYTES, Canceller
from voiced.audio.front_end import FrontEnd
from voiced.audio.surroundings import Surroundings
from voiced.conversation.sound_events import SoundEvent
from voiced.settings import Interruption, Settings

LOUDSPEAKER = b"\x00\x10" * (FRAME_BYTES // 2)
"""What the loudspeaker plays while it sounds; silence is nearly silent."""
SILENCE = b"\x01\x00" * (FRAME_BYTES // 2)


class Reference:
    """Always the same sound, until it fails."""

    def __init__(self) -> None:
        self.repaired = 0
        self.starts = 0
        self.listened = 0
        self.fails = False
        self.sounds = False
        self.taken_at_s: list[float] = []

    def listening(self) -> None:
        self.listened += 1

    def take(self, frames: int, now_s: float) -> bytes:
        if self.fails:
            raise ValueError("no reference")
        self.taken_at_s.append(now_s)
        return (LOUDSPEAKER if self.sounds else SILENCE)[: frames * 2]


class Negator:
    """Turns every sample round: easy to tell from one that was left alone."""

    def __init__(self) -> None:
        self.fails = False

    def process(self, microphone: bytes, loudspeaker: bytes) -> bytes:
        assert loudspeaker in {LOUDSPEAKER, SILENCE}
        if self.fails:
            raise RuntimeError("out of order")
        return negated(microphone)


def negated(pcm: bytes) -> bytes:
    """Return samples with every bit turned round."""
    return bytes(255 - value for value in pcm)


class Ear:
    """Answers what it was told to, one answer for each 10 ms."""

    def __init__(self) -> None:
        self.is_voice = True
        self.probability: float | None = 0.25
        self.answers: list[tuple[SoundEvent, ...]] = []
        self.heard: list[tuple[bytes, float]] = []
        self.held_until_s = float("-inf")
        self.settings = Interruption()
        self.fails = False

    def configure(self, settings: Interruption) -> None:
        self.settings = settings

    def hold(self, until_s: float) -> None:
        self.held_until_s = until_s

    def process(self, cancelled: bytes, loudspeaker: bytes, at_s: float) -> tuple[SoundEvent, ...]:
        if self.fails:
            raise RuntimeError("deaf")
        self.heard.append((cancelled, at_s))
        return self.answers.pop(0) if self.answers else ()


@dataclass
class Trace:
    """Remembers what it was shown."""

    notes: list[tuple[float, bytes, bytes, bytes, bool, float | None]] = field(default_factory=list)

    def note(
        self,
        at_s: float,
        microphone: bytes,
        cancelled: bytes,
        loudspeaker: bytes,
        *,
        is_voice: bool,
        probability: float | None,
    ) -> None:
        self.notes.append((at_s, microphone, cancelled, loudspeaker, is_voice, probability))


class SeenSurroundings(Surroundings):
    """Surroundings that are what a test says they are."""

    looks = 0
    found = InUse(None, ServerDevice("headset", "A headset"))

    def look(self) -> InUse:
        self.looks += 1
        return self.found


class FrontEndRig:
    """A front end and everything around it."""

    def __init__(self, settings: Settings | None = None, *, has_canceller: bool = True) -> None:
        self.reference, self.ear, self.trace = Reference(), Ear(), Trace()
        self.negator = Negator()
        canceller: Canceller | None = self.negator if has_canceller else None
        self.underruns = 0
        self.front_end = FrontEnd(
            self.reference, canceller, self.ear, self.trace, lambda: self.underruns
        )
        self.latency_ms: int | None = None
        self.surroundings = SeenSurroundings(
            self.front_end, settings or Settings(), lambda: self.latency_ms
        )
