"""What a hold costs: the time to silence, and what is said twice after it.

Every sample says which one it is by its neighbours, so the recording of the virtual
loudspeaker tells where the sound broke off and from where it went on.
"""

import asyncio
import time

import numpy as np

from tests.audio.probe import Reports, find
from tests.bench.figures import NONE, Reach, Row, figure
from tests.bench.stage import FRAMES_PER_MS, sounding, voice
from tests.rig.recorder import Recorder
from tests.rig.soundcard import VirtualSoundCard
from voiced.audio.pcm import FADE_FRAMES
from voiced.audio.playback import Speaker
from voiced.audio.portaudio import PortAudio
from voiced.conversation.sound_events import PlaybackCut, PlaybackHeld, SpeakerOpened
from voiced.settings import Audio

REPLY_MS = 3000
MOST_HOLDS = 5
"""So many holds are made for each that counts, at most."""
HEAD_FRAMES = 200
"""So many samples in a row are enough to know where they belong."""


async def holds(trials: int) -> list[Row]:
    """Measure order to hold -> silent, and where the reply goes on against where it broke off."""
    times: list[float] = []
    repeated: list[float] = []
    with VirtualSoundCard() as card, card.in_process():
        reports = Reports()
        speaker = Speaker(PortAudio(), Audio(prebuffer_ms=0), reports)
        speaker.open()
        await reports.until(SpeakerOpened)
        for trial in range(1, MOST_HOLDS * trials):
            if len(times) == trials:
                break
            underruns = speaker.figures().underruns
            with Recorder(card) as recorder:
                held = await hold_once(speaker, reports, recorder, trial)
            # A gap that a busy machine made is no hold.
            if held is not None and speaker.figures().underruns == underruns:
                times.append(held[0])
                repeated.append(held[1])
        speaker.end()
        await asyncio.to_thread(speaker.join, 2.0)
    what = "said twice after a hold, ms (less than 0: lost)"
    return [
        Row("hold_ms", "voiced", "order to hold -> loudspeaker silent, ms", NONE, figure(times)),
        Row("hold_repeats_ms", "voiced", what, Reach(least=0.0, p95=30.0), figure(repeated)),
    ]


async def hold_once(
    speaker: Speaker, reports: Reports, recorder: Recorder, trial: int
) -> tuple[float, float] | None:
    """Hold and resume once; return the time to silence and what was said twice, in ms.

    None where the recording has a gap of its own.
    """
    random = np.random.default_rng(trial)
    pcm = voice(REPLY_MS, trial)
    began_s = time.monotonic()
    speaker.play(f"item_{trial}", 0, pcm)
    await sounding(recorder, began_s, random.uniform(100, 250))
    await asyncio.sleep(random.uniform(0, 0.02))
    ordered_s = time.monotonic()
    speaker.hold(trial)
    await reports.until(PlaybackHeld, trial)
    await asyncio.sleep(0.1)
    before = recorder.samples()
    broke_off = int(np.nonzero(before)[0][-1]) + 1
    silent_ms = (recorder.time_of(broke_off) - ordered_s) * 1000
    speaker.resume()
    await sounding(recorder, began_s, 300 + np.count_nonzero(before) / FRAMES_PER_MS)
    after = recorder.samples()[before.size :]
    speaker.cut(trial)
    await reports.until(PlaybackCut, trial)
    reply = np.frombuffer(pcm, "<i2")
    last = find(reply, before[broke_off - HEAD_FRAMES : broke_off].tobytes(), HEAD_FRAMES)
    full = int(np.nonzero(after)[0][0]) + FADE_FRAMES
    first = find(reply, after[full : full + HEAD_FRAMES].tobytes(), HEAD_FRAMES)
    if last is None or first is None:
        return None
    return silent_ms, (last + HEAD_FRAMES - (first - FADE_FRAMES)) / FRAMES_PER_MS
