"""People who speak: flite and espeak-ng, or recordings of human beings in a folder.

Everything is at 24 kHz, and spoken only once in a process.
"""

import subprocess
import tempfile
import wave
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from tests.rig.acoustics import RATE_HZ, Floats, as_floats, at_level
from tests.rig.user import say_to_file
from voiced.audio.pcm import Resampler

USER_DBFS: Final = -26.0
"""Active level of a user at the microphone."""
ASSISTANT_DBFS: Final = -20.0
LEAST_SAMPLE: Final = 16
"""No sample of an assistant is smaller: where the loudspeaker gives zeros it was stopped."""
USERS: Final = ("slt", "rms", "awb", "kal", "espeak:en-us+f3", "espeak:en-gb")
UNDERSTOOD: Final = ("slt", "rms", "awb", "kal")
"""The users of whom pocketsphinx makes words; of espeak-ng it makes nonsense."""
SENTENCES: Final = (
    "stop that and tell me what time it is",
    "wait a moment i have another question",
    "no i wanted to hear about the weather",
    "excuse me could you say that again",
    "hold on please that is not what i meant",
    "what did you say before that",
    "let us talk about something else now",
    "four more people are coming to dinner",
    "and how long does it take to get there",
    "thank you that is enough for today",
)
STORY: Final = (
    "The old harbour lies at the end of a long and winding road. Every morning the fishermen "
    "bring their boats home before the sun stands above the hills, and the gulls follow them. "
    "In the narrow streets behind the market people talk about the weather and the price of "
    "bread, and about the lighthouse that has been dark since last winter. Nobody knows who "
    "will climb its hundred and twenty steps to light the lamp again. Some say the keeper went "
    "to live with his daughter in the city, others believe that he sailed away one night."
)


def spoken(text: str, voice: str) -> Floats:
    """Return a sentence, spoken by a voice of flite, or of espeak-ng as ``espeak:NAME``."""
    return _spoken(text, voice).copy()


def user(trial: int, voices: tuple[str, ...] = USERS) -> tuple[str, Floats]:
    """Return what the user of a trial says, and its sound at the user's level."""
    text = SENTENCES[trial % len(SENTENCES)]
    voice = voices[(trial + trial // len(SENTENCES)) % len(voices)]
    return text, at_level(spoken(text, voice), USER_DBFS)


def humans(folder: Path) -> list[tuple[str, Floats]]:
    """Return every recording of a folder at the user's level, by name."""
    return [
        (path.stem, at_level(read_wav(path), USER_DBFS)) for path in sorted(folder.glob("*.wav"))
    ]


@cache
def assistant(seconds: float, voice: str = "espeak:en-us+f3") -> Floats:
    """Return a reply of a length, as loud as replies are and without a sample of zero."""
    story = at_level(spoken(STORY, voice), ASSISTANT_DBFS)
    wanted = round(seconds * RATE_HZ)
    return never_zero(np.tile(story, -(-wanted // story.size))[:wanted])


def never_zero(samples: Floats) -> Floats:
    """Return samples of which none is smaller than the least; noise at -66 dBFS does it."""
    least = LEAST_SAMPLE / 32_768
    sign = np.where(np.random.default_rng(0).random(samples.size) < 0.5, -1.0, 1.0)
    return np.where(np.abs(samples) < least, sign * least, samples)


def read_wav(path: Path) -> Floats:
    """Return a WAV file of any rate, s16 mono, at 24 kHz."""
    with wave.open(str(path), "rb") as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise ValueError(f"{path}: not 16 bit mono")
        rate_hz, pcm = file.getframerate(), file.readframes(file.getnframes())
    if rate_hz != RATE_HZ:
        resampler = Resampler(rate_hz, RATE_HZ)
        pcm = resampler.process(pcm) + resampler.finish()
    return as_floats(np.frombuffer(pcm, "<i2"))


@cache
def _spoken(text: str, voice: str) -> Floats:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "said.wav"
        if voice.startswith("espeak:"):
            command = ["espeak-ng", "-v", voice.removeprefix("espeak:"), "-w", str(path), text]
            subprocess.run(command, check=True, timeout=30)
        else:
            say_to_file(text, path, voice=voice)
        return read_wav(path)
