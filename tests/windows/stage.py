"""A daemon and a window manager whose keys are bound as voicectl prints it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.rig import windows
from tests.rig.daemon import ANSWERS_WITHIN_S, Daemon
from tests.rig.windows import Windows

F13, F14, F15, F16, F17 = 191, 192, 193, 194, 195
STARTERS: dict[str, Callable[..., AbstractContextManager[Windows]]] = {
    "i3": windows.i3,
    "sxhkd": windows.sxhkd,
    "sway": windows.sway,
}
TOOLS = {"i3": windows.X_TOOLS, "sxhkd": windows.SXHKD_TOOLS, "sway": windows.SWAY_TOOLS}


def needed(*tools: str) -> None:
    """Skip a test that needs programs which are not here."""
    absent = windows.missing(tools)
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")


async def printed(daemon: Daemon, *arguments: str) -> str:
    """Return what voicectl prints."""
    return (await asyncio.to_thread(daemon.ctl, *arguments)).stdout


async def tap(shown: Windows, code: int) -> None:
    """Push a key and let it go."""
    await asyncio.to_thread(shown.press, code)
    await asyncio.to_thread(shown.release, code)


async def state(daemon: Daemon, name: str, **fields: object) -> None:
    """Wait until the daemon is next in a state."""
    await asyncio.to_thread(daemon.until, "state", ANSWERS_WITHIN_S, state=name, **fields)


async def commands_over(daemon: Daemon) -> None:
    """Wait until no voicectl that a key has started runs any more."""
    while await asyncio.to_thread(_is_any_running, daemon.environment["XDG_RUNTIME_DIR"]):
        continue  # looking takes its time, and it is never long


def _is_any_running(runtime: str) -> bool:
    mark = f"XDG_RUNTIME_DIR={runtime}\0".encode()
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                command = (place / "cmdline").read_bytes()
                if b"voicectl\0" in command and mark in (place / "environ").read_bytes():
                    return True
            except OSError:
                continue  # it has just ended, or is none of ours
    return False
