"""Sounds of a room that are no interruption, made by arithmetic, and voices.

All are arrays of samples at 24 kHz between -1 and 1; a generator of numbers makes each
different and each run the same.
"""

import io
import subprocess
import wave
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from voiced.audio.pcm import RATE_HZ, Resampler

Sound = npt.NDArray[np.float64]
Random = np.random.Generator

WORDS: Final = (
    "wait",
    "stop that please",
    "hold on a second",
    "no, that is not what I meant",
    "excuse me, one question",
    "actually, what about tomorrow",
    "thank you, that is enough",
    "could you say that again",
    "hey, listen to me",
    "let me think about it",
    "okay, but make it shorter",
    "forget about that",
    "please talk a bit slower",
    "I have heard that before",
    "yes, do it now",
    "what did you say",
)
"""How users begin to speak."""

REPLY: Final = (
    "The weather tomorrow will be mostly sunny, with a few clouds in the afternoon. "
    "You have three appointments: the first one is at nine, with the people from the bank. "
    "Then there is a long break, so you could take a walk through the park if you like. "
    "I have also found seven recipes for the vegetables in your kitchen; the quickest takes "
    "twenty minutes and needs only one pan. Shall I read it to you? By the way, the library "
    "sent a message: two books are due on Friday, and one of them cannot be renewed again. "
    "Finally, the train to the airport leaves every quarter of an hour, from platform five. "
)
"""What the assistant says."""


@cache
def user(text: str, voice: str) -> Sound:
    """Return a sentence of flite's, without the silence around it."""
    return trimmed(_run("flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"))


@cache
def assistant(voice: str) -> Sound:
    """Return about half a minute of the assistant: espeak-ng's voices, or one of flite's."""
    if voice.startswith("flite:"):
        return trimmed(_run("flite", "-voice", voice[6:], "-t", REPLY, "-o", "/dev/stdout"))
    return trimmed(_run("espeak-ng", "-v", voice, "--stdout", REPLY))


@cache
def recording(path: Path) -> Sound:
    """Return a WAV file, without the silence around it."""
    return trimmed(_read(path.read_bytes()))


def _run(*command: str) -> Sound:
    return _read(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def _read(wav: bytes) -> Sound:
    with wave.open(io.BytesIO(wav)) as file:
        pcm, rate_hz = file.readframes(file.getnframes()), file.getframerate()
    return (
        np.frombuffer(Resampler(rate_hz, RATE_HZ).process(pcm), dtype="<i2").astype(np.float64)
        / 32768
    )


def levels_db(sound: Sound) -> Sound:
    """Return the level of each 10 ms."""
    frames = sound[: sound.size // 240 * 240].reshape(-1, 240)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-12))


def trimmed(sound: Sound) -> Sound:
    """Leave out what is softer than the loudest 10 ms by more than 30 dB, at both ends.

    So its first frame is, by definition, the first sound of the user.
    """
    levels = levels_db(sound)
    loud = np.flatnonzero(levels > levels.max() - 30)
    return sound[loud[0] * 240 : (loud[-1] + 1) * 240]


def active_rms(sound: Sound) -> float:
    """Return the level of what is not a pause."""
    levels = levels_db(sound)
    active = 10 ** (levels[levels > levels.max() - 25] / 10)
    return float(np.sqrt(np.mean(active)))


# --- not speech ---------------------------------------------------------------------------


def band(random: Random, frames: int, low_hz: float, high_hz: float) -> Sound:
    """Return noise between two frequencies."""
    spectrum = np.fft.rfft(random.standard_normal(frames))
    hertz = np.fft.rfftfreq(frames, 1 / RATE_HZ)
    spectrum[(hertz < low_hz) | (hertz > high_hz)] = 0
    return np.asarray(np.fft.irfft(spectrum, frames))


def formants(sound: Sound, centres_hz: tuple[float, ...], width_hz: float = 180) -> Sound:
    """Let a sound resonate as a throat does."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(sound.size, 1 / RATE_HZ)
    gain = sum(1 / (1 + ((hertz - centre) / width_hz) ** 2) for centre in centres_hz)
    return np.asarray(np.fft.irfft(spectrum * (0.05 + gain), sound.size))


def decay(frames: int, half_s: float, attack_s: float = 0.003) -> Sound:
    """Return a fast rise and a slow fall."""
    times = np.arange(frames) / RATE_HZ
    return np.asarray(np.minimum(1, times / attack_s) * 0.5 ** (times / half_s))


def cough(random: Random) -> Sound:
    """Return two or three bursts: a sharp explosion, breath, and a little voice at the end."""
    parts: list[Sound] = []
    for _ in range(int(random.integers(2, 4))):
        frames = int(RATE_HZ * random.uniform(0.16, 0.3))
        centres = tuple(random.uniform(0.85, 1.15) * f for f in (500, 1500, 2500, 3500))
        burst = formants(band(random, frames, 150, 9000), centres, 350)
        burst = burst / np.abs(burst).max() * decay(frames, 0.05)
        voiced = int(RATE_HZ * 0.08)
        times = np.arange(voiced) / RATE_HZ
        pulses = np.sign(np.sin(2 * np.pi * random.uniform(110, 220) * times)) * np.hanning(voiced)
        tail = formants(pulses, centres)
        burst[-voiced:] += 0.15 * tail / np.abs(tail).max()
        parts += [burst, np.zeros(int(RATE_HZ * random.uniform(0.06, 0.2)))]
    return np.concatenate(parts)


def door(random: Random) -> Sound:
    """Return a slam: a thump whose higher parts die first, and a rattle."""
    frames = int(RATE_HZ * 0.6)
    thump = band(random, frames, 40, 400) * decay(frames, 0.06)
    crack = band(random, frames, 300, 5000) * decay(frames, 0.015, 0.001)
    rattle = band(random, frames, 800, 4000) * decay(frames, 0.05) * 0.2
    rattle = np.roll(rattle, int(RATE_HZ * 0.09))
    slam = thump / np.abs(thump).max() + 0.6 * crack / np.abs(crack).max() + rattle
    return np.asarray(slam)


def keyboard(random: Random) -> Sound:
    """Return two seconds of typing: a click going down, a softer one coming up."""
    sound = np.zeros(2 * RATE_HZ)
    at_s = 0.0
    while at_s < 1.85:
        for offset_s, gain in ((0.0, 1.0), (random.uniform(0.05, 0.09), 0.4)):
            start, frames = int((at_s + offset_s) * RATE_HZ), int(RATE_HZ * 0.02)
            click = band(random, frames, 700, 9000) * decay(frames, 0.003, 0.0005)
            sound[start : start + frames] += gain * random.uniform(0.5, 1) * click
        at_s += random.uniform(0.08, 0.24)
    return sound


def assent(random: Random) -> Sound:
    """Let somebody say "mm-hm" or "uh-huh", who wants the assistant to go on."""
    text = ("mm hmm", "uh huh", "mmm", "hm", "uhu")[int(random.integers(5))]
    if random.random() < 0.5:
        return user(text, ("rms", "slt", "awb")[int(random.integers(3))])
    return _hum(text, ("en-us+f3", "en-gb+m2")[int(random.integers(2))])


@cache
def _hum(text: str, voice: str) -> Sound:
    return trimmed(_run("espeak-ng", "-v", voice, "--stdout", text))


def music(random: Random) -> Sound:
    """Return six seconds of of plucked strings, a bass and a drum."""
    sound = np.zeros(6 * RATE_HZ)
    for beat in range(24):
        start = beat * RATE_HZ // 4
        frames = min(int(RATE_HZ * 0.9), sound.size - start)
        times = np.arange(frames) / RATE_HZ
        root = 110 * 2 ** (float(random.choice((0, 3, 5, 7, 10))) / 12)
        for step in (0, 4, 7, 12):
            pitch = root * 2 ** (step / 12) * (2 if step else 1)
            for partial in range(1, 7):
                tone = np.sin(2 * np.pi * pitch * partial * times + random.uniform(0, 6))
                sound[start : start + frames] += tone / partial * decay(frames, 0.2 / partial)
        if beat % 2:
            hit = band(random, frames, 1500, 10_000) * decay(frames, 0.03)
            sound[start : start + frames] += hit / np.abs(hit).max() * 1.5
    return sound
