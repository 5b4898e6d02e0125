"""What every measurement needs: sound, a server, a daemon, samples that can be told apart."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from tests.rig.daemon import ROOT, Daemon, configuration
from tests.rig.provider import ScriptedProvider, Wire
from tests.rig.recorder import Recorder, Samples
from tests.rig.soundcard import VirtualSoundCard

FRAMES_PER_MS = 24


def voice(milliseconds: int, seed: int, low: int = 1000, high: int = 3000) -> bytes:
    """Return samples in a range of their own, none of them zero."""
    random = np.random.default_rng(seed)
    return random.integers(low, high, milliseconds * FRAMES_PER_MS).astype("<i2").tobytes()


def count(recording: Samples, low: int, high: int) -> int:
    """Return how many samples lie in a range."""
    return int(np.count_nonzero((recording >= low) & (recording < high)))


def last_sound(recorder: Recorder, since_s: float) -> float:
    """Return the monotonic time at which the last sample that is not zero had been played."""
    recording = recorder.samples()
    start = max(0, recorder.index_at(since_s))
    places = np.nonzero(recording[start:])[0]
    return recorder.time_of(start + int(places[-1]) + 1)


def first_sound(recorder: Recorder, since_s: float) -> float:
    """Return the monotonic time at which the first sample that is not zero was played."""
    recording = recorder.samples()
    start = max(0, recorder.index_at(since_s))
    return recorder.time_of(start + int(np.nonzero(recording[start:])[0][0]))


async def sounding(recorder: Recorder, since_s: float, milliseconds: float) -> None:
    """Wait until so much has been heard since a time."""
    async with asyncio.timeout(10):
        while True:
            recording = await asyncio.to_thread(recorder.after_next_block)
            start = max(0, recorder.index_at(since_s))
            if np.count_nonzero(recording[start:]) >= milliseconds * FRAMES_PER_MS:
                return


@asynccontextmanager
async def voiced(
    card: VirtualSoundCard, **tables: dict[str, object]
) -> AsyncIterator[tuple[Daemon, Wire]]:
    """Give a daemon that listens, and its session."""
    async with ScriptedProvider() as provider:
        session: dict[str, object] = {"idle_hangup_s": 0}
        config = configuration(provider.base_url, session=session, **tables)
        daemon = Daemon(card.environment(), config)
        await asyncio.to_thread(daemon.start)
        try:
            await asyncio.to_thread(daemon.ctl, "start")
            wire = await provider.wire()
            await asyncio.to_thread(daemon.ctl, "wait", "--for", "listening", "--timeout", "10")
            yield daemon, wire
        finally:
            await asyncio.to_thread(daemon.stop)


@asynccontextmanager
async def article(card: VirtualSoundCard, chunk: int) -> AsyncIterator[Wire]:
    """Give the session of the algorithm of the article."""
    async with ScriptedProvider() as provider:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.bench.article",
            provider.base_url,
            str(chunk),
            env={**card.environment(), "PYTHONPATH": str(ROOT)},
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            yield await provider.wire()
        finally:
            process.kill()
            await process.wait()
