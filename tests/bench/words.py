"""What a recogniser makes of a sentence, and how many of its words are wrong."""

from functools import cache

import pocketsphinx

from tests.rig.acoustics import RATE_HZ, Floats, as_pcm
from voiced.audio.pcm import Resampler

RECOGNISER_RATE_HZ = 16_000


@cache
def _decoder() -> pocketsphinx.Decoder:
    return pocketsphinx.Decoder(
        pocketsphinx.Config(samprate=float(RECOGNISER_RATE_HZ), loglevel="FATAL")
    )


def transcribe(samples: Floats) -> list[str]:
    """Return the words in samples at 24 kHz."""
    resampler = Resampler(RATE_HZ, RECOGNISER_RATE_HZ)
    pcm = resampler.process(as_pcm(samples).tobytes()) + resampler.finish()
    decoder = _decoder()
    decoder.start_utt()
    decoder.process_raw(pcm, False, True)
    decoder.end_utt()
    found = decoder.hyp()
    return found.hypstr.split() if found is not None else []


def wrong_words(said: list[str], heard: list[str]) -> int:
    """Return how many words must be put in, taken out or replaced."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        corner, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            corner, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, corner + (word != other)),
            )
    return row[-1]
