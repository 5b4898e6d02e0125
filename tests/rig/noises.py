"""Sounds of a room that are no interruption: made of a seed, at 24 kHz."""

from collections.abc import Callable
from typing import Final

import numpy as np

from tests.rig.acoustics import RATE_HZ, Floats, at_level

PEAK: Final = 0.9


def cough(seed: int) -> Floats:
    """Return one or two bursts of breath, shaped by a throat."""
    random = np.random.default_rng(seed)
    made = [_burst(random, random.uniform(0.12, 0.25), _throat(random))]
    if seed % 2:
        made += [np.zeros(round(0.15 * RATE_HZ)), _burst(random, 0.15, _throat(random))]
    return np.concatenate(made)


def door(seed: int) -> Floats:
    """Return a door that falls shut: a thud, and the latch."""
    random = np.random.default_rng(seed)
    thud = _burst(random, 0.35, [(70.0, 30.0, 1.0), (160.0, 60.0, 0.6), (420.0, 200.0, 0.15)])
    latch = _burst(random, 0.03, [(2600.0, 900.0, 1.0)]) * 0.3
    made = np.zeros(round(0.5 * RATE_HZ))
    made[: thud.size] += thud / np.abs(thud).max()
    start = round(random.uniform(0.01, 0.08) * RATE_HZ)
    made[start : start + latch.size] += latch / np.abs(latch).max() * 0.3
    return made


def mm_hm(seed: int) -> Floats:
    """Return a hum in two parts, the second of which rises: somebody listens."""
    random = np.random.default_rng(seed)
    base_hz = random.uniform(105.0, 210.0)
    first = _hum(random, base_hz, base_hz * 0.95, random.uniform(0.12, 0.18))
    second = _hum(random, base_hz, base_hz * 1.25, random.uniform(0.16, 0.26))
    gap = np.zeros(round(random.uniform(0.04, 0.07) * RATE_HZ))
    return np.concatenate((first, gap, second))


def keyboard(seed: int) -> Floats:
    """Return two seconds of typing."""
    random = np.random.default_rng(seed)
    made = np.zeros(round(2.2 * RATE_HZ))
    at_s = 0.0
    while at_s < 2.0:
        for offset_s, loud in ((0.0, 1.0), (random.uniform(0.06, 0.1), 0.5)):
            key = _burst(random, 0.012, [(random.uniform(1800, 4500), 1500.0, loud)])
            start = round((at_s + offset_s) * RATE_HZ)
            made[start : start + key.size] += key[: made.size - start]
        at_s += random.uniform(0.09, 0.22)
    return made


def music(seed: int, seconds: float = 3.0) -> Floats:
    """Return chords with a rhythm: plucked strings, a bass, a drum."""
    random = np.random.default_rng(seed)
    made = np.zeros(round(seconds * RATE_HZ))
    beat_s = random.uniform(0.4, 0.55)
    roots_hz = [220.0 * 2 ** (step / 12) for step in (0, -4, 3, -2)]
    for number, at_s in enumerate(np.arange(0, seconds, beat_s / 2)):
        root_hz = roots_hz[number // 4 % 4]
        notes = [root_hz * ratio for ratio in (1.0, 1.2599, 1.4983, 2.0)]
        chord = notes if number % 2 == 0 else notes[2:]
        strings = np.sum([_string(hz, beat_s) for hz in chord], axis=0)
        parts = [strings * 0.25, _string(root_hz / 2, beat_s) * 0.5]
        if number % 4 == 2:
            parts.append(_burst(random, 0.08, [(200.0, 150.0, 1.0), (3000.0, 4000.0, 0.4)]) * 0.4)
        for part in parts:
            start = round(at_s * RATE_HZ)
            piece = part[: made.size - start]
            made[start : start + piece.size] += piece
    return made


NOISES: Final[dict[str, Callable[[int], Floats]]] = {
    "cough": cough,
    "door": door,
    "mm-hm": mm_hm,
    "keyboard": keyboard,
    "music": music,
}


def noise(name: str, seed: int, dbfs: float) -> Floats:
    """Return a noise with an active level; a peak that would clip makes it quieter."""
    made = at_level(NOISES[name](seed), dbfs)
    return made * min(1.0, PEAK / float(np.abs(made).max()))


def _throat(random: np.random.Generator) -> list[tuple[float, float, float]]:
    shift = random.uniform(0.85, 1.2)
    shape = [(550.0, 250.0, 1.0), (1500.0, 500.0, 0.7), (3200.0, 1500.0, 0.35)]
    return [(hz * shift, width, loud) for hz, width, loud in shape]


def _burst(
    random: np.random.Generator, seconds: float, shape: list[tuple[float, float, float]]
) -> Floats:
    """Return noise that starts at once and dies away, with resonances (Hz, width, loudness)."""
    size = round(seconds * RATE_HZ)
    spectrum = np.fft.rfft(random.standard_normal(size))
    hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    spectrum *= sum(loud / (1 + ((hz - at) / width) ** 2) for at, width, loud in shape)
    times = np.arange(size) / size
    made = np.fft.irfft(spectrum, size) * np.minimum(1.0, times * 20) * np.exp(-5 * times)
    return np.asarray(made / np.sqrt(np.mean(made**2)))


def _hum(random: np.random.Generator, from_hz: float, to_hz: float, seconds: float) -> Floats:
    """Return a voice behind closed lips: harmonics that fall fast."""
    size = round(seconds * RATE_HZ)
    pitch_hz = np.linspace(from_hz, to_hz, size) * (1 + 0.005 * random.standard_normal())
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    made = np.zeros(size)
    for harmonic in range(1, 25):
        hz = harmonic * (from_hz + to_hz) / 2
        loud = 1 / (1 + ((hz - 250) / 200) ** 2) + 0.06 / (1 + ((hz - 2200) / 500) ** 2)
        made += loud / harmonic**0.5 * np.sin(harmonic * phase)
    return made * np.sin(np.pi * np.linspace(0, 1, size)) ** 0.5


def _string(hz: float, seconds: float) -> Floats:
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    made = np.zeros(times_s.size)
    for harmonic in range(1, 7):
        made += (
            np.sin(2 * np.pi * harmonic * hz * times_s)
            / harmonic**1.3
            * np.exp(-times_s * 3 * harmonic**0.5)
        )
    return made
