"""What becomes of a sound between a loudspeaker and a microphone.  No I/O.

Samples are floats, 1.0 is full scale.  Every room is made of a seed and is the same in
every run.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
RATE_HZ: Final = 24_000
BLOCK: Final = 120
"""Frames: 5 ms."""
BAND_HZ: Final = (180.0, 11_000.0)
"""What a small loudspeaker gives."""
DECAY: Final = float(np.log(1000))
"""T60 is the time after which a sound is 60 dB down."""
LOOK_BACK: Final = 1 << 16
"""Frames the delay can reach back: 2.7 s."""
ACTIVE_DB: Final = 30.0
"""Speech is active where it is at most so far below its loudest 10 ms."""
ONSET_DB: Final = 20.0
"""A sound begins with the first 5 ms that are less than this below its active level."""


@dataclass(frozen=True, slots=True)
class EchoPath:
    """How the loudspeaker's sound gets into the microphone.

    Attributes:
        delay_ms: From the loudspeaker to the microphone; the rig's own loop is part of it.
        gain_db: Of the whole path, for a room response of energy 1.
        t60_s: Reverberation time.
        direct_db: The direct sound against the reverberation.
        drive: How hard the loudspeaker clips: y = tanh(drive x) / drive.
        noise_dbfs: The microphone's own noise.
        drift_ppm: The microphone's clock against the loudspeaker's.
        seed: Of the room.
    """

    delay_ms: float = 60.0
    gain_db: float = 0.0
    t60_s: float = 0.3
    direct_db: float = 0.0
    drive: float = 1.0
    noise_dbfs: float = -65.0
    drift_ppm: float = 0.0
    seed: int = 1


def ratio_of(decibels: float) -> float:
    """Return the factor of amplitudes."""
    return float(10 ** (decibels / 20))


def decibels_of(ratio: float) -> float:
    """Return a factor of amplitudes in dB; nothing is -120."""
    return 20 * float(np.log10(max(ratio, 1e-6)))


def room_response(path: EchoPath) -> Floats:
    """Return the impulse response of a room: direct sound and a tail, of energy 1."""
    random = np.random.default_rng(path.seed)
    size = round(path.t60_s * RATE_HZ)
    times_s = np.arange(size) / RATE_HZ
    response = random.standard_normal(size) * np.exp(-DECAY * times_s / path.t60_s)
    response[0] = 0.0
    response /= np.sqrt(np.sum(response**2))
    response[0] = ratio_of(path.direct_db)
    spectrum = np.fft.rfft(response, 2 * size)
    hz = np.fft.rfftfreq(2 * size, 1 / RATE_HZ)
    low, high = BAND_HZ
    # First order below, steep above, as of a small box with a cheap converter.
    spectrum *= (1j * hz / low) / (1 + 1j * hz / low) / (1 + (hz / high) ** 8)
    shaped = np.fft.irfft(spectrum)[:size]
    energy: float = np.sum(shaped**2)
    return np.asarray(shaped / energy**0.5)


class Convolver:
    """Convolves a stream with a response, a block at a time and without delay."""

    def __init__(self, response: Floats) -> None:
        parts = -(-response.size // BLOCK)
        padded = np.zeros(parts * BLOCK)
        padded[: response.size] = response
        self._parts = np.fft.rfft(padded.reshape(parts, BLOCK), 2 * BLOCK, axis=1)
        self._spectra = np.zeros_like(self._parts)
        self._newest = 0
        self._before = np.zeros(BLOCK)

    def process(self, block: Floats) -> Floats:
        """Take the next block and return what comes out with it."""
        self._newest = (self._newest - 1) % len(self._spectra)
        self._spectra[self._newest] = np.fft.rfft(np.concatenate((self._before, block)))
        self._before = block
        turned = np.concatenate((self._spectra[self._newest :], self._spectra[: self._newest]))
        total = np.einsum("ij,ij->j", turned, self._parts)
        return np.asarray(np.fft.irfft(total)[BLOCK:])


class DelayLine:
    """Delays a stream; where the clocks drift apart, by more and more or less and less."""

    def __init__(self, delay_frames: float, drift_ppm: float = 0.0) -> None:
        self._delay = delay_frames
        self._drift = drift_ppm * 1e-6
        self._kept = np.zeros(LOOK_BACK)
        self._frames = 0

    def process(self, block: Floats) -> Floats:
        """Take the next block and return an older one."""
        places = np.arange(self._frames, self._frames + block.size)
        self._kept[places % LOOK_BACK] = block
        self._frames += block.size
        if not self._drift:
            return self._at(places - round(self._delay))
        wanted = places - np.clip(self._delay + self._drift * places, 2, LOOK_BACK - BLOCK - 2)
        whole = np.floor(wanted).astype(int)
        part = wanted - whole
        # Cubic, after Lagrange: nothing is heard of it below 8 kHz.
        return np.asarray(
            self._at(whole - 1) * -part * (part - 1) * (part - 2) / 6
            + self._at(whole) * (part + 1) * (part - 1) * (part - 2) / 2
            - self._at(whole + 1) * (part + 1) * part * (part - 2) / 2
            + self._at(whole + 2) * (part + 1) * part * (part - 1) / 6
        )

    def _at(self, places: npt.NDArray[np.int_]) -> Floats:
        return self._kept[places % LOOK_BACK]


class Echo:
    """The loudspeaker's sound, as the microphone gets it.

    Args:
        path: The way it takes.
        loop_ms: What the rig itself delays, to be taken off the path's delay.
    """

    def __init__(self, path: EchoPath, *, loop_ms: float = 0.0) -> None:
        self._drive = path.drive
        self._room = Convolver(room_response(path) * ratio_of(path.gain_db))
        frames = max(0.0, path.delay_ms - loop_ms) * RATE_HZ / 1000
        self._delay = DelayLine(frames, path.drift_ppm)

    def process(self, block: Floats) -> Floats:
        """Take a block of the loudspeaker's and return one of the microphone's."""
        played = np.tanh(self._drive * block) / self._drive if self._drive else block
        return self._delay.process(self._room.process(played))

    def whole(self, samples: Floats) -> Floats:
        """Return the echo of samples that are there already."""
        padded = np.zeros(-(-samples.size // BLOCK) * BLOCK)
        padded[: samples.size] = samples
        return np.concatenate([self.process(block) for block in padded.reshape(-1, BLOCK)])


def levels(samples: Floats, frames: int) -> Floats:
    """Return the RMS of each stretch of so many frames."""
    whole = samples[: samples.size // frames * frames].reshape(-1, frames)
    return np.asarray(np.sqrt(np.mean(whole**2, axis=1)))


def active_dbfs(samples: Floats) -> float:
    """Return the level of speech where it is active: its pauses do not count."""
    each = levels(samples, 2 * BLOCK)
    active = each[each >= each.max() * ratio_of(-ACTIVE_DB)]
    return decibels_of(float(np.sqrt(np.mean(active**2))))


def at_level(samples: Floats, dbfs: float) -> Floats:
    """Return speech with this active level."""
    return samples * ratio_of(dbfs - active_dbfs(samples))


def onset(samples: Floats) -> int:
    """Return the frame at which a sound begins."""
    limit = ratio_of(active_dbfs(samples) - ONSET_DB)
    return int(np.argmax(levels(samples, BLOCK) >= limit)) * BLOCK


def gain_for(path: EchoPath, assistant: Floats, *, user_dbfs: float, ratio_db: float) -> float:
    """Return the path's gain that puts a user so many dB above the assistant's echo."""
    neutral = Echo(
        EchoPath(t60_s=path.t60_s, direct_db=path.direct_db, drive=path.drive, seed=path.seed)
    )
    return user_dbfs - ratio_db - active_dbfs(neutral.whole(assistant))


def as_floats(pcm: npt.NDArray[np.int16]) -> Floats:
    """Return s16 samples as floats."""
    return pcm.astype(np.float64) / 32_768


def as_pcm(samples: Floats) -> npt.NDArray[np.int16]:
    """Return floats as s16 samples; what is too loud is clipped."""
    return np.clip(np.round(samples * 32_768), -32_768, 32_767).astype("<i2")
