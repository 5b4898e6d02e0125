"""What a cut sounds like: the energy above 5 kHz where the sound breaks off.

A voice and a deep tone have little up there, a click has much.  It is held against the sound
of the 50 ms before, as loud as it was before it was ducked.  The recording of the virtual
loudspeaker is the judge.
"""

import asyncio
import tempfile
import time
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.audio.probe import Reports
from tests.bench.figures import NONE, Row, figure
from tests.bench.stage import FRAMES_PER_MS, last_sound, sounding
from tests.rig.recorder import Recorder, Samples
from tests.rig.soundcard import VirtualSoundCard
from tests.rig.user import say_to_file
from voiced.audio.pcm import FULL_SCALE, RATE_HZ, Resampler
from voiced.audio.playback import Speaker
from voiced.audio.portaudio import PortAudio
from voiced.conversation.sound_events import PlaybackCut, SpeakerOpened
from voiced.settings import Audio

TEXT = (
    "This is a long answer about nothing in particular, which goes on and on without a pause"
    " because somebody is going to interrupt it anyway, sooner or later, in the middle of a word."
)
DUCK_DB = -14.0
DUCKED_S = 0.1
"""How long before the cut the sound was ducked; a voice is confirmed after longer."""
SILENT_DBFS = -40.0
"""A cut in a pause tells nothing."""
BEFORE_FRAMES = 50 * FRAMES_PER_MS
AROUND_FRAMES = 3 * FRAMES_PER_MS
TAPS = 95
MOST_CUTS = 10
"""So many cuts are made for each that counts, at most."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Way:
    """A way to become silent."""

    name: str
    aborts: bool
    gain_db: float = 0.0
    buffer_ms: int = 10


WAYS = (
    Way("abort", aborts=True),
    Way("duck, abort", aborts=True, gain_db=DUCK_DB),
    Way("fade", aborts=False),
    Way("fade, 5 ms buf.", aborts=False, buffer_ms=5),
)


def spoken() -> bytes:
    """Return a sentence at 24 kHz."""
    with tempfile.TemporaryDirectory() as directory:
        path = say_to_file(TEXT, Path(directory) / "spoken.wav")
        with wave.open(str(path)) as file:
            pcm, rate_hz = file.readframes(file.getnframes()), file.getframerate()
    return Resampler(rate_hz, RATE_HZ).process(pcm)


def tone() -> bytes:
    """Return eight seconds of 200 Hz."""
    times = np.arange(8 * RATE_HZ) / RATE_HZ
    return (8000 * np.sin(2 * np.pi * 200 * times)).astype("<i2").tobytes()


def treble(samples: Samples) -> Floats:
    """Return what lies above 5 kHz, with as many samples as came in."""
    places = np.arange(TAPS) - TAPS // 2
    low_pass = np.sinc(places * 2 * 5000 / RATE_HZ) * np.blackman(TAPS)
    kernel = -low_pass / low_pass.sum()
    kernel[TAPS // 2] += 1.0
    return np.convolve(samples.astype(np.float64), kernel, mode="same")


def click_db(recording: Samples, end: int, gain_db: float = 0.0) -> float | None:
    """Return the peak above 5 kHz around a place, in dB to the sound before it.

    None where there was no sound before.
    """
    before = recording[end - BEFORE_FRAMES : end].astype(np.float64)
    loudness = float(np.sqrt(np.mean(np.square(before)))) / 10 ** (gain_db / 20)
    if loudness < FULL_SCALE * 10 ** (SILENT_DBFS / 20):
        return None
    # The filter sees edges where its input begins and ends: both lie outside of what counts.
    part = recording[end - BEFORE_FRAMES : end + AROUND_FRAMES + TAPS]
    around = treble(part)[BEFORE_FRAMES - AROUND_FRAMES : BEFORE_FRAMES + AROUND_FRAMES]
    return 20 * float(np.log10(max(1e-3, float(np.abs(around).max())) / loudness))


async def clicks(trials: int) -> list[Row]:
    """Measure the click of each way to be silent, and how long each takes."""
    rows: list[Row] = []
    for name, pcm in (("tone", tone()), ("voice", spoken())):
        rows += [as_row(name, "not cut", uncut(np.frombuffer(pcm, "<i2"), trials))]
        for way in WAYS:
            levels, times = await cut_often(way, pcm, trials)
            rows += [as_row(name, way.name, levels)]
            what = f"order to cut a {name} -> loudspeaker silent, ms"
            rows += [Row(f"click_{name}_silent_ms", way.name, what, NONE, figure(times))]
    return rows


def as_row(name: str, subject: str, levels: list[float]) -> Row:
    """Return the row of the click."""
    what = f"energy above 5 kHz at the cut of a {name}, dB to it"
    return Row(f"click_{name}_db", subject, what, NONE, figure(levels))


def uncut(samples: Samples, trials: int) -> list[float]:
    """Return the same figure for places where nothing was cut."""
    random = np.random.default_rng(1)
    places = random.integers(samples.size // 4, samples.size // 2, 20 * trials)
    levels = [click_db(samples, int(place)) for place in places]
    return [level for level in levels if level is not None][:trials]


async def cut_often(way: Way, pcm: bytes, trials: int) -> tuple[list[float], list[float]]:
    """Cut at random times; return the clicks and the times to silence in ms."""
    levels: list[float] = []
    times: list[float] = []
    with VirtualSoundCard() as card, card.in_process():
        reports = Reports()
        settings = Audio(prebuffer_ms=0, output_buffer_ms=way.buffer_ms)
        speaker = Speaker(PortAudio(), settings, reports, aborts=way.aborts)
        speaker.open()
        await reports.until(SpeakerOpened)
        for number in range(1, MOST_CUTS * trials):
            if len(levels) == trials:
                break
            with Recorder(card) as recorder:
                level, silent_ms = await cut_once(speaker, recorder, way, pcm, number)
            # The report of each is awaited, so that no cut runs into the next trial.
            await reports.until(PlaybackCut, number)
            # Sound that had ended before was a pause, or a machine too busy to play.
            if level is not None and silent_ms > 0:
                levels.append(level)
                times.append(silent_ms)
        speaker.end()
        await asyncio.to_thread(speaker.join, 2.0)
    return levels, times


async def cut_once(
    speaker: Speaker, recorder: Recorder, way: Way, pcm: bytes, number: int
) -> tuple[float | None, float]:
    """Cut once; return the click and the time to silence in ms."""
    began_s = time.monotonic()
    random = np.random.default_rng(number)
    start = 2 * int(random.integers(0, len(pcm) // 4))
    speaker.play(f"item_{number}", 0, pcm[start:])
    await sounding(recorder, began_s, random.uniform(100, 250))
    if way.gain_db:
        speaker.duck(way.gain_db)
        await asyncio.sleep(DUCKED_S)
    await asyncio.sleep(random.uniform(0, 0.02))
    ordered_s = time.monotonic()
    speaker.cut(number)
    await asyncio.sleep(0.15)
    recording = recorder.samples()
    end = int(np.nonzero(recording)[0][-1]) + 1
    silent_ms = (last_sound(recorder, began_s) - ordered_s) * 1000
    return click_db(recording, end, way.gain_db), silent_ms
