"""Notices, while the assistant speaks, that somebody speaks over it.

Rules
1. The first stage hears every 10 ms and is quick; the second is certain and hears only
   while the first does.  What both hear is free of the assistant's own voice.
2. A suspicion is told once, and ends in one of two ways: confirmed or dismissed.
3. What was not confirmed in time must go silent, or convince the second stage, before it is
   suspected again: music in the room does not make the assistant louder and quieter.
4. What was taken for speech in vain, or ended as soon as the assistant was cut, may be what
   the canceller leaves of the assistant in this room.  For the next minutes only what is
   still speech after the ducking has worked counts: an echo is softer by then, a user is not.
5. Nothing is told while the loudspeaker has been silent for long, nor before the canceller
   has learned the room, nor while it is held.

Used on the thread of the microphone only.  Times are those of the monotonic clock.
"""

from enum import Enum, auto
from typing import Final

import numpy as np

from voiced.audio.stages import FRAME_MS, TUNED, FirstStage, SecondStage, Thinner, Tuning
from voiced.audio.vad import Detector
from voiced.conversation.sound_events import VoiceConfirmed, VoiceDismissed, VoiceSuspected
from voiced.settings import Interruption

FRAME_S: Final = FRAME_MS / 1000
LATE_S: Final = 0.055
"""So much later than the first sound the first stage hears a voice, over a reply as loud as
the user: the canceller takes weak beginnings away."""
VoiceEvent = VoiceSuspected | VoiceConfirmed | VoiceDismissed


class _Stand(Enum):
    """How far the matter has gone."""

    QUIET = auto()
    SUSPECTED = auto()
    DOUBTED = auto()
    """It was not confirmed in time."""
    CONFIRMED = auto()


class Ear:
    """Tells that somebody speaks while the assistant does.

    Args:
        settings: How certain it must be, and how soon.
        confirm: The second stage; None where there is none: then only a voice that lasts
            is confirmed.
        tuning: All that is no setting.
    """

    def __init__(
        self, settings: Interruption, confirm: Detector | None, tuning: Tuning = TUNED
    ) -> None:
        self._settings = settings
        self._tuning = tuning
        self._thin = Thinner()
        self._first = FirstStage(tuning)
        self._second = SecondStage(confirm, tuning) if confirm is not None else None
        self._armed = Arming(tuning)
        self._stand = _Stand.QUIET
        self._since_s = 0.0
        self._doubtful_until_s = float("-inf")

    @property
    def is_voice(self) -> bool:
        """Tell whether the first stage took the last frame for a voice."""
        return self._first.is_voice

    @property
    def probability(self) -> float | None:
        """Return how sure the second stage was last; None while it does not listen."""
        return self._second.probability if self._second is not None else None

    def configure(self, settings: Interruption) -> None:
        """Take new settings."""
        self._settings = settings

    def hold(self, until_s: float) -> None:
        """Tell nothing until then: what is heard cannot be trusted."""
        self._armed.held_until_s = until_s

    def process(self, cancelled: bytes, loudspeaker: bytes, at_s: float) -> tuple[VoiceEvent, ...]:
        """Hear 10 ms, and return what there is to tell.

        Args:
            cancelled: The microphone without the assistant's voice, at 24 kHz.
            loudspeaker: What the loudspeaker was given meanwhile.
            at_s: When the 10 ms ended, before they went through the canceller.
        """
        samples = self._thin.process(cancelled)
        self._first.hear(samples)
        if self._second is not None:
            self._second.keep(samples)
        if not self._armed.hear(loudspeaker, at_s, is_voice=self.is_voice):
            return self._withdraw()
        self._listen()
        return self._judge(at_s)

    def _withdraw(self) -> tuple[VoiceEvent, ...]:
        was_suspected = self._stand is _Stand.SUSPECTED
        self._stand = _Stand.QUIET
        if self._second is not None:
            self._second.rest()
        if self._armed.is_held:
            self._first.forget()
            return ()
        return (VoiceDismissed(),) if was_suspected else ()

    def _listen(self) -> None:
        if self._second is None:
            return
        if self._first.quiet_frames < self._tuning.quiet_frames:
            self._second.listen(self._settings.speech_probability)
        else:
            self._second.rest()

    def _judge(self, at_s: float) -> tuple[VoiceEvent, ...]:
        if self._first.quiet_frames >= self._tuning.quiet_frames:
            return self._end(at_s)
        sound_at_s = at_s - self._first.run_frames * FRAME_S - LATE_S
        is_certain = self._is_certain(at_s)
        match self._stand:
            case _Stand.QUIET | _Stand.DOUBTED if is_certain:
                self._stand, self._since_s = _Stand.CONFIRMED, at_s
                return VoiceSuspected(sound_at_s), VoiceConfirmed(sound_at_s)
            case _Stand.QUIET if self._first.is_suspicious():
                self._stand, self._since_s = _Stand.SUSPECTED, at_s
                return (VoiceSuspected(sound_at_s),)
            case _Stand.SUSPECTED if is_certain:
                self._stand, self._since_s = _Stand.CONFIRMED, at_s
                return (VoiceConfirmed(sound_at_s),)
            case _Stand.SUSPECTED if at_s - self._since_s >= self._patience_s():
                self._stand = _Stand.DOUBTED
                self._doubt(at_s)
                return (VoiceDismissed(),)
        return ()

    def _end(self, at_s: float) -> tuple[VoiceEvent, ...]:
        """Draw the conclusions from a silence."""
        stand, self._stand = self._stand, _Stand.QUIET
        voice_ended_s = at_s - self._first.quiet_frames * FRAME_S
        if stand is _Stand.CONFIRMED and voice_ended_s - self._since_s < self._tuning.echo_s:
            self._doubtful_until_s = at_s + self._tuning.doubtful_s
        if stand is not _Stand.SUSPECTED:
            return ()
        self._doubt(at_s)
        return (VoiceDismissed(),)

    def _doubt(self, at_s: float) -> None:
        """Trust less from now on, if it was like speech."""
        likely = self._settings.speech_probability / 2
        if self._second is not None and self._second.highest >= likely:
            self._doubtful_until_s = at_s + self._tuning.doubtful_s

    def _patience_s(self) -> float:
        return self._settings.confirm_within_ms / 1000

    def _is_certain(self, at_s: float) -> bool:
        least_ms = max(1, self._settings.min_speech_ms)
        if not self._first.has_pitch() or self._first.is_fading():
            return False
        if self._second is None:
            return self._first.is_sustained() and self._first.run_frames * FRAME_MS >= least_ms
        if at_s < self._doubtful_until_s:
            if not self._outlasts_duck(at_s):
                return False
            least_ms = max(least_ms, self._tuning.doubtful_speech_ms)
        return self._second.speech_ms >= least_ms

    def _outlasts_duck(self, at_s: float) -> bool:
        return (
            self._stand is not _Stand.QUIET
            and at_s - self._since_s >= self._tuning.duck_s
            and self._first.quiet_frames < self._tuning.gap_frames
        )


class Arming:
    """Knows whether somebody can be speaking over the assistant, and be heard.

    Attributes:
        held_until_s: Until then nothing that is heard can be trusted.
        is_held: That moment has not come.
    """

    def __init__(self, tuning: Tuning) -> None:
        self.held_until_s = float("-inf")
        self.is_held = False
        self._tuning = tuning
        self._is_learned = False
        self._sounded_frames = 0
        self._clean_frames = 0
        self._sounded_at_s = float("-inf")

    def hear(self, loudspeaker: bytes, at_s: float, *, is_voice: bool) -> bool:
        """Take what the loudspeaker was given for 10 ms; true when it is time to listen."""
        samples = np.frombuffer(loudspeaker, dtype="<i2")
        if samples.size and int(samples.max()) - int(samples.min()) > self._tuning.sounding_peak:
            self._sounded_at_s = at_s
            if not self._is_learned:
                self._learn(is_voice=is_voice)
        self.is_held = at_s < self.held_until_s
        is_speaking = at_s - self._sounded_at_s <= self._tuning.reply_s
        return self._is_learned and is_speaking and not self.is_held

    def _learn(self, *, is_voice: bool) -> None:
        tuning = self._tuning
        self._sounded_frames += 1
        if self._sounded_frames > tuning.learning_frames:
            self._clean_frames = 0 if is_voice else self._clean_frames + 1
        self._is_learned = (
            self._clean_frames >= tuning.learned_frames
            or self._sounded_frames >= tuning.longest_learning_frames
        )
