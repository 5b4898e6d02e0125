"""A user's voice for tests: flite, at 24 kHz."""

import io
import subprocess
import wave
from functools import cache

from voiced.audio.pcm import Resampler


@cache
def say(text: str, voice: str = "slt") -> bytes:
    """Return a sentence, spoken."""
    wav = subprocess.run(
        ["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    ).stdout
    with wave.open(io.BytesIO(wav)) as file:
        resampler = Resampler(file.getframerate(), 24_000)
        return resampler.process(file.readframes(file.getnframes()))


def word_errors(said: str, heard: str) -> int:
    """Return how many words must change to make one text the other."""
    wanted, found = said.lower().split(), heard.lower().split()
    row = list(range(len(found) + 1))
    for count, word in enumerate(wanted, 1):
        before, row[0] = row[0], count
        for index, other in enumerate(found, 1):
            before, row[index] = (
                row[index],
                min(row[index] + 1, row[index - 1] + 1, before + (word != other)),
            )
    return row[-1]
