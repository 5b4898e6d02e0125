"""What a key press costs: voicectl from start to end, against a Python that does nothing."""

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np

from tests.bench.figures import NONE, Reach, Row, figure
from tests.rig.daemon import Daemon
from tests.rig.soundcard import VirtualSoundCard

LOCAL: Final = '[provider]\nkind = "local"\n'
ROUNDS: Final = 150
RATIO: Final = Reach(most=1.3)
NOTHING: Final = "python3 -I -c pass"


def commands() -> dict[str, list[str]]:
    """Return what is compared; voicectl is the installed script of this Python."""
    voicectl = str(Path(sys.executable).with_name("voicectl"))
    return {
        NOTHING: [sys.executable, "-I", "-c", "pass"],
        "voicectl mute toggle": [voicectl, "mute", "toggle"],
        "voicectl status": [voicectl, "status"],
    }


def once(command: list[str], environment: dict[str, str]) -> float:
    """Run a command to its end; return the ms it took."""
    to_nowhere = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    began_s = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environment, file_actions=[to_nowhere])
    _, status = os.waitpid(pid, 0)
    took_ms = (time.perf_counter() - began_s) * 1000
    if status:
        raise RuntimeError(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return took_ms


def compare(daemon: Daemon) -> dict[str, list[float]]:
    """Run every command as often as the others, in an order that changes."""
    # As for a user: no path of the tests, and what was compiled once is kept.
    unusual = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    environment = {name: value for name, value in daemon.environment.items() if name not in unusual}
    random = np.random.default_rng(0)
    times: dict[str, list[float]] = {name: [] for name in commands()}
    for command in commands().values():
        once(command, environment)
    for _ in range(ROUNDS):
        for name in random.permutation(list(times)):
            times[name].append(once(commands()[name], environment))
    return times


async def key_presses() -> list[Row]:
    """Measure whole processes, and how they stand to one that does nothing."""
    with VirtualSoundCard() as card, Daemon(card.environment(), LOCAL) as daemon:
        times = await asyncio.to_thread(compare, daemon)
    what = "the whole process, ms"
    rows = [Row("key_ms", name, what, NONE, figure(took_ms)) for name, took_ms in times.items()]
    nothing_ms = statistics.median(times.pop(NOTHING))
    what = f"the whole process, against {NOTHING}"
    return rows + [
        Row("key_ratio", name, what, RATIO, figure([statistics.median(took_ms) / nothing_ms]))
        for name, took_ms in times.items()
    ]
