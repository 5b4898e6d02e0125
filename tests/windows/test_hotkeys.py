"""The keys that voicectl prints, pressed in real window managers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.rig.daemon import Daemon, configuration
from tests.rig.provider import ScriptedProvider, Wire
from tests.rig.soundcard import VirtualSoundCard
from tests.rig.windows import Screen, Windows
from tests.windows.stage import (
    F13,
    F14,
    F15,
    STARTERS,
    TOOLS,
    commands_over,
    needed,
    printed,
    state,
    tap,
)

pytestmark = [pytest.mark.timeout(240), pytest.mark.repository]

REPEAT_AFTER_MS = 150
REPEATS_PER_SECOND = 8


@asynccontextmanager
async def keys(
    card: VirtualSoundCard, desktop: str, provider: ScriptedProvider, *options: str
) -> AsyncIterator[tuple[Daemon, Windows]]:
    """Give a daemon, and a window manager with the lines that voicectl prints for it."""
    needed(*TOOLS[desktop])
    config = configuration(provider.base_url, turns={"detection": "manual"})
    daemon = Daemon(card.environment(), config)
    await asyncio.to_thread(daemon.start)
    try:
        lines = await printed(daemon, "hotkeys", "show", desktop, *options)
        with STARTERS[desktop](daemon.environment, lines) as shown:
            yield daemon, shown
            await commands_over(daemon)
    finally:
        await asyncio.to_thread(daemon.stop)


@pytest.mark.parametrize("desktop", ["i3", "sway", "sxhkd"])
async def test_a_tapped_key_begins_mutes_and_ends(card: VirtualSoundCard, desktop: str) -> None:
    async with ScriptedProvider() as provider, keys(card, desktop, provider) as (daemon, shown):
        await tap(shown, F13)
        await state(daemon, "listening")
        await tap(shown, F14)
        await state(daemon, "muted")
        await tap(shown, F14)
        await state(daemon, "listening", muted=False)
        await tap(shown, F13)
        await state(daemon, "idle", mic_open=False)


@pytest.mark.parametrize("desktop", ["i3", "sway"])
async def test_a_key_that_rests_for_long_is_still_one_tap(
    card: VirtualSoundCard, desktop: str
) -> None:
    async with ScriptedProvider() as provider, keys(card, desktop, provider) as (daemon, shown):
        if isinstance(shown, Screen):
            shown.repeat(F13, after_ms=REPEAT_AFTER_MS, per_second=REPEATS_PER_SECOND)
        await asyncio.to_thread(shown.press, F13)
        await asyncio.sleep(REPEAT_AFTER_MS / 1000 + 10 / REPEATS_PER_SECOND)
        await asyncio.to_thread(shown.release, F13)
        await state(daemon, "listening")
        await commands_over(daemon)

        assert (await asyncio.to_thread(daemon.status))["state"] == "listening"


@pytest.mark.parametrize("desktop", ["i3", "sway", "sxhkd"])
async def test_a_held_key_is_one_turn(card: VirtualSoundCard, desktop: str) -> None:
    async with (
        ScriptedProvider() as provider,
        keys(card, desktop, provider, "--hold") as (daemon, shown),
    ):
        if desktop == "sxhkd":
            quiet_keys(shown, await printed(daemon, "hotkeys", "show", "sxhkd", "--hold"))
        wire = await conversation(daemon, shown, provider)
        await hold(daemon, shown, wire)
        assert len(wire.of_type("input_audio_buffer.commit")) == 1
        await tap(shown, F15)
        await state(daemon, "idle")


async def test_in_i3_a_held_key_may_repeat_itself(card: VirtualSoundCard) -> None:
    """The printed lines stop the repeating, but a new keyboard brings it back.

    Where nothing runs for three quarters of a second, the turn falls into two.
    """
    async with (
        ScriptedProvider() as provider,
        keys(card, "i3", provider, "--hold") as (daemon, shown),
    ):
        assert isinstance(shown, Screen)
        shown.repeat(F13, after_ms=REPEAT_AFTER_MS, per_second=REPEATS_PER_SECOND)
        wire = await conversation(daemon, shown, provider)
        await hold(daemon, shown, wire)


@pytest.mark.long
@pytest.mark.parametrize("desktop", ["i3", "sway"])
async def test_no_tap_leaves_the_microphone_open(card: VirtualSoundCard, desktop: str) -> None:
    async with (
        ScriptedProvider() as provider,
        keys(card, desktop, provider, "--hold") as (daemon, shown),
    ):
        await conversation(daemon, shown, provider)
        for _ in range(100):
            await tap(shown, F13)
        await commands_over(daemon)
        report = await asyncio.to_thread(daemon.status)

    assert not report["ptt"]


def quiet_keys(shown: Windows, lines: str) -> None:
    """Do what the comment of the lines for sxhkd says."""
    assert isinstance(shown, Screen)
    command = next(line for line in lines.splitlines() if line.startswith("#   xset "))
    shown.run(*command.split()[1:])


async def conversation(daemon: Daemon, shown: Windows, provider: ScriptedProvider) -> Wire:
    """Begin a conversation with the key for that."""
    await tap(shown, F15)
    wire = await provider.wire()
    await state(daemon, "listening")
    return wire


async def hold(daemon: Daemon, shown: Windows, wire: Wire) -> None:
    """Hold the key until something was heard, and look at what became of it."""
    await asyncio.to_thread(shown.press, F13)
    await state(daemon, "listening", ptt=True)
    await wire.hear(12)
    await asyncio.to_thread(shown.release, F13)
    await wire.expect("input_audio_buffer.commit")
    await commands_over(daemon)
    report = await asyncio.to_thread(daemon.status)

    assert not report["ptt"]
