"""How long a conversation takes to begin: voicectl start -> listening, built-in server."""

import time

from tests.bench.figures import NONE, Row, figure
from tests.rig.daemon import Daemon
from tests.rig.soundcard import VirtualSoundCard

LOCAL = '[provider]\nkind = "local"\n'
STARTING_WITHIN_S = 60.0


def once(daemon: Daemon) -> float:
    """Begin a conversation and end it; return the ms until it listened."""
    began_s = time.monotonic()
    daemon.ctl("start")
    daemon.until("state", within_s=STARTING_WITHIN_S, state="listening", mic_open=True)
    took_ms = (time.monotonic() - began_s) * 1000
    daemon.ctl("stop")
    daemon.settle("idle")
    return took_ms


async def opening(trials: int) -> list[Row]:
    """Measure a fresh daemon, whose built-in server has to start too, and one that has run."""
    fresh: list[float] = []
    again: list[float] = []
    with VirtualSoundCard() as card:
        for _ in range(max(3, trials // 6)):
            with Daemon(card.environment(), LOCAL) as daemon:
                fresh.append(once(daemon))
                again += [once(daemon) for _ in range(5)]
    what = "voicectl start -> listening, built-in server, ms"
    return [
        Row("start_to_listening_ms", "first time", what, NONE, figure(fresh)),
        Row("start_to_listening_ms", "afterwards", what, NONE, figure(again)),
    ]
