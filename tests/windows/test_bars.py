"""The modules that voicectl prints, in real status bars, by what is on the screen."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.image import imread

from tests.rig.daemon import Daemon, configuration
from tests.rig.provider import ScriptedProvider
from tests.rig.soundcard import VirtualSoundCard
from tests.rig.windows import SWAY_TOOLS, X_TOOLS, Windows
from tests.windows.stage import STARTERS, needed, printed, state

Picture = npt.NDArray[np.float32]

GREEN = (0x98, 0xC3, 0x79)
"""Of the microphone that is open, in the style sheet for Waybar."""
MODULE = (slice(0, 20), slice(400, 800))
"""Rows and columns in which a bar at the top shows nothing but the module."""

SHOWS_WITHIN_S = 60.0
STEADY = 3
"""So many pictures after another are the same when nothing is drawn any more."""

pytestmark = [pytest.mark.long, pytest.mark.repository, pytest.mark.timeout(240)]


def write(path: Path, text: str) -> Path:
    """Write a file and what leads to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


async def waybar(daemon: Daemon) -> AbstractContextManager[Windows]:
    """Start Waybar with the printed module and style sheet."""
    needed("waybar", "grim", *SWAY_TOOLS)
    place = Path(daemon.environment["XDG_CONFIG_HOME"]) / "waybar"
    module = write(place / "voiced.jsonc", await printed(daemon, "bar", "show", "waybar"))
    write(place / "voiced.css", await printed(daemon, "bar", "show", "waybar", "--css"))
    write(place / "style.css", '@import "voiced.css";\n* { font-family: "DejaVu Sans"; }\n')
    write(
        place / "config",
        f'{{"include": ["{module}"], "height": 30, "modules-right": ["custom/voiced"]}}',
    )
    return STARTERS["sway"](daemon.environment, "exec waybar\n")


async def polybar(daemon: Daemon) -> AbstractContextManager[Windows]:
    """Start polybar with the printed module."""
    needed("polybar", "import", *X_TOOLS)
    path = Path(daemon.environment["XDG_CONFIG_HOME"]) / "polybar" / "config.ini"
    module = await printed(daemon, "bar", "show", "polybar")
    write(path, f"[bar/top]\nwidth = 100%\nheight = 24\nmodules-right = voiced\n\n{module}")
    return STARTERS["i3"](daemon.environment, "exec --no-startup-id polybar top\n")


async def i3blocks(daemon: Daemon) -> AbstractContextManager[Windows]:
    """Start i3bar and i3blocks with the printed block."""
    needed("i3blocks", "import", *X_TOOLS)
    path = Path(daemon.environment["XDG_CONFIG_HOME"]) / "i3blocks" / "config"
    write(path, await printed(daemon, "bar", "show", "i3blocks"))
    bar = f"bar {{\n  position top\n  status_command i3blocks -c {path}\n}}\n"
    return STARTERS["i3"](daemon.environment, bar)


async def until(shown: Windows, path: Path, wanted: Callable[[Picture], bool]) -> Picture:
    """Look at the bar until it is as wanted, and not in the middle of being drawn."""
    last, same = None, 0
    async with asyncio.timeout(SHOWS_WITHIN_S):
        while True:
            await asyncio.to_thread(shown.picture, path)
            picture: Picture = imread(path)[MODULE][..., :3]
            same = same + 1 if last is not None and np.array_equal(picture, last) else 0
            if same >= STEADY and wanted(picture):
                return picture
            last = picture


def has(picture: Picture, colour: tuple[int, int, int]) -> bool:
    """Tell whether a colour is in a picture."""
    exact = np.array(colour, np.float32) / 255
    return bool((np.abs(picture - exact).max(axis=2) < 1 / 255).any())


@pytest.mark.parametrize("bar", [waybar, polybar, i3blocks])
async def test_a_bar_shows_what_the_daemon_does(
    card: VirtualSoundCard,
    tmp_path: Path,
    bar: Callable[[Daemon], Awaitable[AbstractContextManager[Windows]]],
) -> None:
    path = tmp_path / "screen.png"
    async with ScriptedProvider() as provider:
        daemon = Daemon(card.environment(), configuration(provider.base_url))
        with await bar(daemon) as shown:
            stopped = await until(shown, path, lambda it: bool((it != it[0, 0]).any()))
            await asyncio.to_thread(daemon.start)
            idle = await until(shown, path, lambda it: not np.array_equal(it, stopped))
            assert not has(idle, GREEN)
            await asyncio.to_thread(daemon.ask, "start")
            await state(daemon, "listening")
            await until(
                shown,
                path,
                lambda it: has(it, GREEN) if bar is waybar else not np.array_equal(it, idle),
            )
            await asyncio.to_thread(daemon.stop)
            await until(shown, path, lambda it: np.array_equal(it, stopped))
