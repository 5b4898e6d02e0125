"""What the microphone's sound goes through, 10 ms at a time, before anybody hears it.

Rules
1. As many frames go out as came in, in their order; what is told of a voice comes right
   after the sound it was noticed in.
2. All of it runs in PortAudio's capture callback: a thread more would only make it later.
   It takes a hundredth of the time there is, and three while a voice is being examined.
3. A stage that fails is switched off for good, with an error in the log: the microphone
   goes on, and the policy is told, so that the assistant does not hear itself.
4. A canceller that does not know the room lets some of the first words through.  Until it
   has heard one second and a half of them, the ear hears nothing while they sound, and the
   conversation is told: it silences the microphone, but not what is said into a held key.
   It is the same for a moment after each start of the loudspeaker, and after a hole.
5. After a hole in either stream the canceller must learn the delay anew: for two seconds of
   the assistant's voice nothing of what is noticed here is believed.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from voiced.audio.echo import DELAY_S, FRAME_FRAMES, FRAME_S, Canceller, Framer
from voiced.audio.gate import Gate
from voiced.audio.hearing import CANCELLED
from voiced.audio.pcm import RATE_HZ, peak_dbfs
from voiced.conversation.sound_events import HearingChanged, MicrophoneFrames, SoundEvent
from voiced.settings import Interruption

logger = logging.getLogger(__name__)

HOLD_S: Final = 2.0
"""So much of the assistant's voice must sound after a hole before the ear is believed."""
LEARN_S: Final = 1.5
"""So much of it must sound in a room before its echo is gone."""
BEGIN_S: Final = 0.8
"""So much of it must sound after each start of the device, and after a hole: it comes a
millisecond earlier or later than before, which the canceller has to follow."""
TAIL_S: Final = 0.6
"""So long after its last sound there may be an echo."""
SOUNDS_DBFS: Final = -50.0
"""The loudspeaker sounds when a sample is louder than this."""
UNKNOWN: Final = HearingChanged("half_duplex", can_detect=False)
"""Until the first verdict."""


class Reference(Protocol):
    """What the loudspeaker was given, on the microphone's time line."""

    @property
    def repaired(self) -> int: ...  # noqa: D102 - see audio.reference.Reference, here and below
    @property
    def starts(self) -> int: ...  # noqa: D102
    def listening(self) -> None: ...  # noqa: D102
    def take(self, frames: int, now_s: float) -> bytes: ...  # noqa: D102


class Ear(Protocol):
    """Notices a voice in what the canceller leaves."""

    @property
    def is_voice(self) -> bool: ...  # noqa: D102 - see audio.ear.Ear, here and below
    @property
    def probability(self) -> float | None: ...  # noqa: D102
    def configure(self, settings: Interruption) -> None: ...  # noqa: D102
    def hold(self, until_s: float) -> None: ...  # noqa: D102
    def process(  # noqa: D102
        self, cancelled: bytes, loudspeaker: bytes, at_s: float
    ) -> tuple[SoundEvent, ...]: ...


class Trace(Protocol):
    """Remembers how loud everything was."""

    def note(  # noqa: D102 - see audio.trace.Trace
        self,
        at_s: float,
        microphone: bytes,
        cancelled: bytes,
        loudspeaker: bytes,
        *,
        is_voice: bool,
        probability: float | None,
    ) -> None: ...


class Echo:
    """How well the canceller knows the echo: it learns only while there is one."""

    def __init__(self) -> None:
        self._unknown_s = LEARN_S
        self._doubt_s = HOLD_S
        self.sounds = False
        self._sounded_at_s = float("-inf")

    @property
    def is_unknown(self) -> bool:
        """Tell whether there is an echo now of which the canceller knows nothing."""
        return self.sounds and self._unknown_s > 0

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether there is an echo now that may come otherwise than the last one."""
        return self.sounds and self._doubt_s > 0

    def doubt(self) -> None:
        """Note that the echo may come much earlier or later than before."""
        self._doubt_s = HOLD_S
        self.begin()

    def begin(self) -> None:
        """Note that the echo may come a little earlier or later than before."""
        self._unknown_s = max(self._unknown_s, BEGIN_S)
        self._doubt_s = max(self._doubt_s, BEGIN_S)

    def hear(self, loudspeaker: bytes, at_s: float) -> None:
        """Take what the loudspeaker was given for 10 ms."""
        if peak_dbfs(loudspeaker) > SOUNDS_DBFS:
            self._sounded_at_s = at_s
            self._unknown_s -= FRAME_S
            self._doubt_s -= FRAME_S
        self.sounds = at_s - self._sounded_at_s < TAIL_S


class FrontEnd:
    """The canceller, the ear and the trace; one for the daemon's life.

    ``decide``, ``configure`` and ``forget`` are called on the event loop, ``opened`` on the
    worker before the callbacks, ``process`` and ``hold`` in PortAudio's capture callback.

    Args:
        reference: What the loudspeaker was given.
        canceller: Takes that out of the microphone; None where there is none.
        ear: Notices a voice; None where nobody asks.
        trace: Is shown everything.
        underruns: Counts how often the loudspeaker ran dry; the reference sees such a hole
            only a second later.

    Attributes:
        trouble: Why the canceller was switched off; empty while it works.
    """

    def __init__(
        self,
        reference: Reference,
        canceller: Canceller | None,
        ear: Ear | None,
        trace: Trace,
        underruns: Callable[[], int] = lambda: 0,
    ) -> None:
        self.trouble = ""
        self._reference = reference
        self._canceller = canceller
        self._ear = ear
        self._trace = trace
        self._framer = Framer()
        self._verdict = UNKNOWN
        self._told: HearingChanged | None = None
        self._underruns = underruns
        self._holes = self._count_holes()
        self._starts = reference.starts
        self._echo = Echo()
        self._gate = Gate()
        self._is_elsewhere = False

    @property
    def has_canceller(self) -> bool:
        """Tell whether there is a canceller at all."""
        return self._canceller is not None

    def decide(self, verdict: HearingChanged) -> None:
        """Take what is to be done about the echo from now on."""
        self._verdict = verdict

    def configure(self, settings: Interruption) -> None:
        """Take new settings for the ear."""
        if self._ear is not None:
            self._ear.configure(settings)

    def opened(self) -> None:
        """Note that the microphone begins to count anew."""
        self._framer = Framer()
        self._reference.listening()
        self._told = None
        self.hold()

    def hold(self) -> None:
        """Believe nothing for a while: the two streams may lie otherwise than before."""
        self._echo.doubt()

    def forget(self) -> None:
        """Learn the room anew: another loudspeaker sounds in it."""
        self._is_elsewhere = True

    def process(self, pcm: bytes, now_s: float) -> list[SoundEvent]:
        """Return what follows from samples that were delivered now, in order."""
        events: list[SoundEvent] = []
        ready = bytearray()
        frames = self._framer.cut(pcm)
        end_s = now_s - self._framer.waiting / RATE_HZ
        for number, frame in enumerate(frames, start=1):
            at_s = end_s - (len(frames) - number) * FRAME_S
            cancelled, noticed = self._frame(frame, at_s)
            changed = self._change()
            if changed:
                # Before the sound that it is about.
                _flush(ready, events)
                events += changed
            ready += cancelled
            if noticed:
                _flush(ready, events)
                events += noticed
        _flush(ready, events)
        return events

    @property
    def _is_in_doubt(self) -> bool:
        return self._verdict.echo == CANCELLED and self._echo.is_in_doubt

    @property
    def _is_learning(self) -> bool:
        return self._verdict.echo == CANCELLED and self._echo.is_unknown

    def _count_holes(self) -> tuple[int, int]:
        return self._reference.repaired, self._underruns()

    def _frame(self, frame: bytes, at_s: float) -> tuple[bytes, tuple[SoundEvent, ...]]:
        loudspeaker = self._reference.take(FRAME_FRAMES, at_s)
        holes = self._count_holes()
        if holes != self._holes:
            self._holes = holes
            self.hold()
        if self._reference.starts != self._starts:
            self._starts = self._reference.starts
            self._echo.begin()
        cancelled, audible, heard_at_s = frame, frame, at_s
        if self._verdict.echo == CANCELLED:
            cancelled, heard_at_s = self._cancel(frame, loudspeaker), at_s - DELAY_S
            if self._is_elsewhere:
                self._is_elsewhere = False
                self._echo = Echo()
            self._echo.hear(loudspeaker, at_s)
            audible, cancelled = self._gate.process(frame, cancelled, sounds=self._echo.sounds)
        if self._ear is not None and self._is_in_doubt:
            self._ear.hold(at_s + FRAME_S)
        if self._is_learning:
            audible = bytes(len(frame))
        noticed = self._listen(audible, loudspeaker, heard_at_s)
        ear = self._ear
        self._trace.note(
            at_s,
            frame,
            cancelled,
            loudspeaker,
            is_voice=ear is not None and ear.is_voice,
            probability=ear.probability if ear is not None else None,
        )
        return cancelled, noticed

    def _cancel(self, frame: bytes, loudspeaker: bytes) -> bytes:
        if self._canceller is None or self.trouble:
            return bytes(len(frame))
        try:
            return self._canceller.process(frame, loudspeaker)
        except Exception as error:
            # PortAudio would end the stream without a word.
            self.trouble = str(error) or type(error).__name__
            logger.exception("the echo cancellation failed, and is off until the next start")
            return bytes(len(frame))

    def _listen(self, cancelled: bytes, loudspeaker: bytes, at_s: float) -> tuple[SoundEvent, ...]:
        if self._ear is None:
            return ()
        try:
            noticed = self._ear.process(cancelled, loudspeaker, at_s)
        except Exception:
            # The same.
            self._ear = None
            logger.exception("noticing speech here failed, and is off until the next start")
            return ()
        return noticed if self._verdict.can_detect else ()

    def _change(self) -> list[SoundEvent]:
        """Return what there is to tell of the hearing itself."""
        is_able = self._ear is not None and not self._is_in_doubt
        can_detect = self._verdict.can_detect and is_able
        hearing = replace(self._verdict, can_detect=can_detect, is_learning=self._is_learning)
        if hearing == self._told:
            return []
        self._told = hearing
        return [hearing]


def _flush(ready: bytearray, events: list[SoundEvent]) -> None:
    """Let what is ready go before what is told next."""
    if ready:
        events.append(MicrophoneFrames(bytes(ready)))
        ready.clear()
