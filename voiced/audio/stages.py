"""The two stages that notice a voice, and what they are told apart by.

The first hears every 10 ms and is quick; the second is certain, costs a millisecond for each
32 ms and hears only while the first does.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import webrtcvad

from voiced.audio.pcm import BYTES_PER_FRAME, FULL_SCALE
from voiced.audio.pcm import RATE_HZ as SOUND_HZ
from voiced.audio.vad import RATE_HZ, WEBRTC_MODE, Detector

FRAME_MS: Final = 10
FRAME_SAMPLES: Final = RATE_HZ * FRAME_MS // 1000
SUSTAINED_OF: Final = 40
"""Frames that a voice is looked for in where there is no second stage."""
LATELY: Final = 30
"""Frames that a sound is compared with, and"""
NOW: Final = 3
"""those that are compared."""
WINDOWS_AT_ONCE: Final = 3
"""The second stage is given no more in 10 ms."""

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What decides how soon and how certainly; the bench of detection compares them."""

    voiced_frames: int = 3
    """So many of the last frames make a suspicion.  The detector holds on for 60 ms or more
    by itself: a larger number only takes time."""
    last_frames: int = 10
    suspicious_periodic_frames: int = 2
    """So many of the same frames must have a pitch: a keyboard has none."""
    gap_frames: int = 6
    """A pause that is shorter is no new beginning."""
    periodicity: float = 0.65
    """A frame has a pitch when it repeats itself so well; 1 is perfect."""
    periodic_frames: int = 5
    """So many of the last 15 frames have a pitch in any voice."""
    periodic_share: float = 0.4
    """And so much of the last 300 ms: a cough ends in a little voice."""
    fading_db: float = 10.0
    """What is weaker than it was by so much is over, and is not confirmed any more."""
    sustained_frames: int = 30
    """So many of the last 40 frames confirm where there is no second stage."""
    quiet_frames: int = 25
    """So long a silence dismisses a suspicion."""
    backlog_frames: int = 30
    """So much from before the first stage woke it the second stage hears, too."""
    reply_s: float = 6.0
    """The assistant may be held in silence for so long and still count as speaking."""
    learning_frames: int = 200
    """The canceller learns the room from so much of the first sound, at least."""
    learned_frames: int = 100
    """And it has, when so much more sound in a row left no voice behind."""
    longest_learning_frames: int = 500
    """Or when there was so much of it: somebody may be speaking all the time."""
    doubtful_s: float = 120.0
    """So long is little trusted after speech that was none."""
    doubtful_speech_ms: int = 60
    """So much speech is asked for meanwhile, at least,"""
    duck_s: float = 0.25
    """and so long after the suspicion: then the ducking is heard in the echo."""
    echo_s: float = 0.4
    """A voice that ends so soon after the cut may have been the assistant's."""
    sounding_peak: int = 100
    """The loudspeaker sounds when its samples differ by more (of 65536)."""


TUNED: Final = Tuning()


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
        return bytes(np.clip(thin, -FULL_SCALE, FULL_SCALE - 1).astype("<i2"))


def _thinning(frames: int, taps: int) -> Samples:
    """Return the matrix that makes two samples of each three, with a filter before it."""
    centre = (taps - 1) / 2
    out = np.arange(frames * RATE_HZ // SOUND_HZ) * (SOUND_HZ / RATE_HZ)
    offsets = np.arange(taps + frames)[:, None] - (out[None, :] + centre)
    cutoff = 0.45 * RATE_HZ / SOUND_HZ
    window = np.where(np.abs(offsets) <= centre, 0.5 + 0.5 * np.cos(np.pi * offsets / centre), 0.0)
    matrix = 2 * cutoff * np.sinc(2 * cutoff * offsets) * window
    return np.asarray(matrix / matrix.sum(axis=0), dtype=np.float32)


class Pitch:
    """Tells how well the last 40 ms repeat themselves, as a voice does 70 to 400 times a second."""

    FRAMES: Final = 640
    SHORTEST: Final = RATE_HZ // 400
    LONGEST: Final = RATE_HZ // 70
    FLOOR: Final = 640.0
    """Energy that counts as none: the last bit of each sample."""

    def __init__(self) -> None:
        self._samples = np.zeros(self.FRAMES, dtype=np.float32)
        self._lags = np.arange(self.SHORTEST, self.LONGEST + 1)

    def keep(self, samples: bytes) -> None:
        """Take 10 ms at 16 kHz."""
        fresh = np.frombuffer(samples, dtype="<i2")
        self._samples[: -fresh.size] = self._samples[fresh.size :]
        self._samples[-fresh.size :] = fresh

    def periodicity(self) -> float:
        """Return between 0, for noise, and 1, for a perfect repetition."""
        sound = self._samples - self._samples.mean()
        spectrum = np.fft.rfft(sound, 1024)
        repeated = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, 1024)[self._lags]
        energy = np.cumsum(sound * sound, dtype=np.float64)
        early = energy[self.FRAMES - 1 - self._lags]
        late = energy[-1] - energy[self._lags - 1]
        return float((repeated / np.sqrt(early * late + self.FLOOR)).max())


class FirstStage:
    """WebRTC's detector on 10 ms at a time, and the pitch of what it takes for a voice."""

    def __init__(self, tuning: Tuning) -> None:
        self.is_voice = False
        self.quiet_frames = tuning.quiet_frames
        """How long ago the last voice was."""
        self.run_frames = 0
        """How long ago the voice began, when there is one."""
        self._tuning = tuning
        self._vad = webrtcvad.Vad(WEBRTC_MODE)
        self._pitch = Pitch()
        self._voiced: deque[bool] = deque(maxlen=SUSTAINED_OF)
        self._energies: deque[float] = deque(maxlen=LATELY)
        self._periodic: deque[bool] = deque(maxlen=SUSTAINED_OF)

    def hear(self, samples: bytes) -> None:
        """Take 10 ms at 16 kHz."""
        self._pitch.keep(samples)
        self.is_voice = self._vad.is_speech(samples, RATE_HZ)
        self._energies.append(_energy(samples))
        self._voiced.append(self.is_voice)
        self._periodic.append(
            self.is_voice and self._pitch.periodicity() >= self._tuning.periodicity
        )
        if self.run_frames:
            self.run_frames += 1
        if not self.is_voice:
            self.quiet_frames += 1
            return
        if self.quiet_frames >= self._tuning.gap_frames:
            self.run_frames = 1
        self.quiet_frames = 0

    def is_suspicious(self) -> bool:
        """Tell whether it may be somebody's voice."""
        last = self._tuning.last_frames
        return (
            _count(self._voiced, last) >= self._tuning.voiced_frames
            and _count(self._periodic, last) >= self._tuning.suspicious_periodic_frames
        )

    def has_pitch(self) -> bool:
        """Tell whether what was heard lately sounds like a throat, not like a thing."""
        lately = min(self.run_frames, 30)
        return (
            _count(self._periodic, 15) >= self._tuning.periodic_frames
            and _count(self._periodic, lately) >= self._tuning.periodic_share * lately
        )

    def is_fading(self) -> bool:
        """Tell whether the sound is over, or nearly: a scrap of the assistant's voice."""
        lately = max(self._energies) * 10 ** (-self._tuning.fading_db / 10)
        return max(tuple(self._energies)[-NOW:]) < lately

    def is_sustained(self) -> bool:
        """Tell whether there has been hardly anything but voice for a while."""
        return _count(self._voiced, SUSTAINED_OF) >= self._tuning.sustained_frames

    def forget(self) -> None:
        """Begin anew: what was heard so far counts no more."""
        self._voiced.clear()
        self._periodic.clear()
        self.quiet_frames, self.run_frames = self._tuning.quiet_frames, 0


def _energy(samples: bytes) -> float:
    wide = np.frombuffer(samples, dtype="<i2").astype(np.float32)
    return float(wide @ wide)


def _count(marks: deque[bool], last: int) -> int:
    return sum(tuple(marks)[-last:]) if last else 0


class SecondStage:
    """A certain and costly detector, which hears only when it is asked to.

    Args:
        detector: Tells speech from everything else.
        tuning: How much it hears when it wakes.
    """

    def __init__(self, detector: Detector, tuning: Tuning) -> None:
        self.probability: float | None = None
        """Of the last window; None while nothing is heard."""
        self.speech_ms = 0.0
        """How much of what was heard last is speech without a pause."""
        self.highest = 0.0
        """The highest probability since it woke."""
        self._detector = detector
        self._window_bytes = detector.window_frames * BYTES_PER_FRAME
        self._window_ms = detector.window_frames * 1000 / RATE_HZ
        self._backlog_bytes = tuning.backlog_frames * FRAME_SAMPLES * BYTES_PER_FRAME
        self._pending = bytearray()

    def keep(self, samples: bytes) -> None:
        """Take samples at 16 kHz, in case they are wanted soon."""
        self._pending += samples

    def listen(self, least_probability: float) -> None:
        """Hear what was kept.

        It begins anew each time: after some silence of its own the detector would be slower.
        """
        if self.probability is None:
            self.highest = 0.0
            self._detector.forget()
        for _ in range(WINDOWS_AT_ONCE):
            if len(self._pending) < self._window_bytes:
                return
            window = bytes(self._pending[: self._window_bytes])
            del self._pending[: self._window_bytes]
            self.probability = self._detector.speech(window)
            self.highest = max(self.highest, self.probability)
            is_speech = self.probability >= least_probability
            self.speech_ms = self.speech_ms + self._window_ms if is_speech else 0.0

    def rest(self) -> None:
        """Hear nothing more, but keep the last moments."""
        self.probability, self.speech_ms = None, 0.0
        del self._pending[: -self._backlog_bytes]
