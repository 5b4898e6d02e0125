"""Notices, while the assistant speaks, that somebody speaks over it.

Rules
1. The first stage hears every 10 ms and is quick; the second is certain and hears only
   while the first does.  What both hear is free of the assistant's own voice.
2. A suspicion is told once, and ends in one of two ways: confirmed or dismissed.
3. What was not confirmed in time must go silent, or convince the second stage, before it is
   suspected again: music in the room does not make the assistant louder and quieter.
4. Nothing is told while the loudspeaker has been silent for long, nor before the canceller
   has learned the room, nor while it is held.

Used on the thread of the microphone only.  Times are those of the monotonic clock.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import numpy as np
import webrtcvad

from voiced.audio.pcm import BYTES_PER_FRAME, FULL_SCALE, Floats
from voiced.audio.pcm import RATE_HZ as SOUND_HZ
from voiced.audio.vad import RATE_HZ, WEBRTC_MODE, Detector
from voiced.conversation.sound_events import VoiceConfirmed, VoiceDismissed, VoiceSuspected
from voiced.settings import Interruption

FRAME_MS: Final = 10
FRAME_S: Final = FRAME_MS / 1000
CANCELLER_DELAY_S: Final = 0.009
"""So much later a sound leaves the canceller."""
SUSTAINED_OF: Final = 40
"""Frames that a voice is looked for in where there is no second stage."""
WINDOWS_AT_ONCE: Final = 3
"""The second stage is given no more in 10 ms: it works for a millisecond on each."""

VoiceEvent = VoiceSuspected | VoiceConfirmed | VoiceDismissed


@dataclass(frozen=True, slots=True)
class Tuning:
    """What decides how soon and how certainly; the bench of detection compares them."""

    voiced_frames: int = 8
    """So many of the last frames make a suspicion."""
    last_frames: int = 20
    gap_frames: int = 6
    """A pause that is shorter is no new beginning."""
    windows: int = 2
    """So many windows in a row must be speech for the second stage."""
    sustained_frames: int = 30
    """So many of the last 40 frames confirm where there is no second stage."""
    quiet_frames: int = 25
    """So long a silence dismisses a suspicion."""
    backlog_frames: int = 30
    """So much from before the first stage woke it the second stage hears, too."""
    reply_s: float = 6.0
    """The assistant may be held in silence for so long and still count as speaking."""
    learning_frames: int = 100
    """The canceller learns the room from so much of the first sound."""
    sounding_peak: int = 100
    """The loudspeaker sounds when a sample is larger (of 32768)."""


TUNED: Final = Tuning()


class FirstStage:
    """WebRTC's detector on 10 ms at a time: quick, and taken in by many noises."""

    def __init__(self, tuning: Tuning) -> None:
        self.is_voice = False
        self.quiet_frames = tuning.quiet_frames
        """How long ago the last voice was."""
        self.run_frames = 0
        """How long ago the voice began, when there is one."""
        self._tuning = tuning
        self._vad = webrtcvad.Vad(WEBRTC_MODE)
        self._lately: deque[bool] = deque(maxlen=max(tuning.last_frames, SUSTAINED_OF))

    def hear(self, samples: bytes) -> None:
        """Take 10 ms at 16 kHz."""
        self.is_voice = self._vad.is_speech(samples, RATE_HZ)
        self._lately.append(self.is_voice)
        if self.run_frames:
            self.run_frames += 1
        if not self.is_voice:
            self.quiet_frames += 1
        elif self.quiet_frames >= self._tuning.gap_frames or not self.run_frames:
            self.quiet_frames, self.run_frames = 0, 1
        else:
            self.quiet_frames = 0

    def voiced(self, last_frames: int) -> int:
        """Return how many of the last frames were a voice."""
        frames = tuple(self._lately)
        return sum(frames[-last_frames:])

    def forget(self) -> None:
        """Begin anew: what was heard so far counts no more."""
        self._lately.clear()
        self.quiet_frames, self.run_frames = self._tuning.quiet_frames, 0


class SecondStage:
    """A certain and costly detector, which hears only when it is asked to.

    Args:
        detector: Tells speech from everything else.
        tuning: How much it hears when it wakes.
    """

    def __init__(self, detector: Detector, tuning: Tuning) -> None:
        self.probability: float | None = None
        """Of the last window; None while nothing is heard."""
        self.windows = 0
        """How many windows in a row were speech."""
        self._detector = detector
        self._window_bytes = detector.window_frames * BYTES_PER_FRAME
        self._backlog_bytes = tuning.backlog_frames * FRAME_MS * RATE_HZ // 1000 * BYTES_PER_FRAME
        self._pending = bytearray()

    def keep(self, samples: bytes) -> None:
        """Take samples at 16 kHz, in case they are wanted soon."""
        self._pending += samples

    def listen(self, least_probability: float) -> None:
        """Hear what was kept."""
        for _ in range(WINDOWS_AT_ONCE):
            if len(self._pending) < self._window_bytes:
                return
            window = bytes(self._pending[: self._window_bytes])
            del self._pending[: self._window_bytes]
            self.probability = self._detector.speech(window)
            self.windows = self.windows + 1 if self.probability >= least_probability else 0

    def rest(self) -> None:
        """Hear nothing more, but keep the last moments."""
        self.probability, self.windows = None, 0
        del self._pending[: -self._backlog_bytes]


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
            at_s: When the 10 ms ended.
        """
        samples = self._thin.process(cancelled)
        self._first.hear(samples)
        if self._second is not None:
            self._second.keep(samples)
        if not self._armed.hear(loudspeaker, at_s):
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
            was_suspected = self._stand is _Stand.SUSPECTED
            self._stand = _Stand.QUIET
            return (VoiceDismissed(),) if was_suspected else ()
        sound_at_s = at_s - self._first.run_frames * FRAME_S - CANCELLER_DELAY_S
        is_certain = self._is_certain()
        match self._stand:
            case _Stand.QUIET | _Stand.DOUBTED if is_certain:
                self._stand = _Stand.CONFIRMED
                return VoiceSuspected(sound_at_s), VoiceConfirmed(sound_at_s)
            case _Stand.QUIET if self._is_suspicious():
                self._stand, self._since_s = _Stand.SUSPECTED, at_s
                return (VoiceSuspected(sound_at_s),)
            case _Stand.SUSPECTED if is_certain:
                self._stand = _Stand.CONFIRMED
                return (VoiceConfirmed(sound_at_s),)
            case _Stand.SUSPECTED if at_s - self._since_s >= self._patience_s():
                self._stand = _Stand.DOUBTED
                return (VoiceDismissed(),)
        return ()

    def _patience_s(self) -> float:
        return self._settings.confirm_within_ms / 1000

    def _is_suspicious(self) -> bool:
        return self._first.voiced(self._tuning.last_frames) >= self._tuning.voiced_frames

    def _is_certain(self) -> bool:
        if self._first.run_frames * FRAME_MS < self._settings.min_speech_ms:
            return False
        if self._second is None:
            return self._first.voiced(SUSTAINED_OF) >= self._tuning.sustained_frames
        return self._second.windows >= self._tuning.windows


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
        self._sounded_frames = 0
        self._sounded_at_s = float("-inf")

    def hear(self, loudspeaker: bytes, at_s: float) -> bool:
        """Take what the loudspeaker was given for 10 ms; true when it is time to listen."""
        samples = np.frombuffer(loudspeaker, dtype="<i2")
        if samples.size and int(samples.max()) - int(samples.min()) > self._tuning.sounding_peak:
            self._sounded_frames += 1
            self._sounded_at_s = at_s
        self.is_held = at_s < self.held_until_s
        return (
            not self.is_held
            and self._sounded_frames > self._tuning.learning_frames
            and at_s - self._sounded_at_s <= self._tuning.reply_s
        )


class Thinner:
    """Brings 10 ms from 24 to 16 kHz, for detectors: one multiplication by a matrix."""

    TAPS: Final = 36

    def __init__(self) -> None:
        frames = SOUND_HZ * FRAME_MS // 1000
        self._matrix = _thinning(frames, self.TAPS)
        self._samples = np.zeros(self.TAPS + frames, dtype=np.float32)

    def process(self, pcm: bytes) -> bytes:
        """Return the samples that follow from these."""
        fresh = np.frombuffer(pcm, dtype="<i2")
        self._samples[: self.TAPS] = self._samples[-self.TAPS :]
        self._samples[self.TAPS :] = fresh
        thin = np.rint(self._samples @ self._matrix)
        return np.clip(thin, -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()


def _thinning(frames: int, taps: int) -> Floats:
    """Return the matrix that makes two samples of each three, with a filter before it."""
    centre = (taps - 1) / 2
    out = np.arange(frames * RATE_HZ // SOUND_HZ) * (SOUND_HZ / RATE_HZ)
    offsets = np.arange(taps + frames)[:, None] - (out[None, :] + centre)
    cutoff = 0.45 * RATE_HZ / SOUND_HZ
    window = np.where(np.abs(offsets) <= centre, 0.5 + 0.5 * np.cos(np.pi * offsets / centre), 0.0)
    matrix = 2 * cutoff * np.sinc(2 * cutoff * offsets) * window
    return np.asarray(matrix / matrix.sum(axis=0), dtype=np.float32)
