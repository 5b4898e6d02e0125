import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from tests.fakes import Journal
from voiced.levels import Levels

HALF = np.full(480, 16_384, "<i2").tobytes()
LOUD = {"rms_dbfs": -6.0, "peak_dbfs": -6.0}


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Levels, Journal[dict[str, Any]]]]:
    levels, told = Levels(), Journal[dict[str, Any]]()
    task = asyncio.create_task(levels.run(told.append))
    yield levels, told
    task.cancel()


async def test_what_passes_is_told_and_that_nothing_passes_any_more_once() -> None:
    async with running() as (levels, told):
        levels.want(wanted=True)
        await told.until(lambda it: len(it) == 1)
        levels.microphone.note(HALF)
        await told.until(lambda it: len(it) == 2)
        await told.until(lambda it: len(it) == 3)
        levels.loudspeaker.note(HALF)
        await told.until(lambda it: len(it) == 4)

    assert told[0] == told[2] == {"microphone": None, "loudspeaker": None}
    assert told[1] == {"microphone": LOUD, "loudspeaker": None}
    assert told[3] == {"microphone": None, "loudspeaker": LOUD}


async def test_nothing_is_measured_while_nobody_asks() -> None:
    async with running() as (levels, told):
        assert not levels.microphone.is_on
        levels.want(wanted=True)
        assert levels.microphone.is_on
        assert levels.loudspeaker.is_on
        await told.until(bool)
        levels.want(wanted=False)
        assert not levels.microphone.is_on
        assert not levels.loudspeaker.is_on


async def test_whoever_asks_again_is_told_again() -> None:
    async with running() as (levels, told):
        levels.want(wanted=True)
        await told.until(bool)
        levels.want(wanted=False)
        levels.want(wanted=True)
        await told.until(lambda it: len(it) == 2)
