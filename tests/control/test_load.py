"""The daemon as a process, among peers that are many, stuck, rude and in a hurry.

Every day a small crowd for a second or two.  The long run is the full size and prints
its figures: ``pytest tests/control/test_load.py -m long -s``.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.rig.daemon import ANSWERS_WITHIN_S, ROOT, Daemon, configuration
from tests.rig.provider import ScriptedProvider, Wire
from tests.rig.soundcard import VirtualSoundCard

Figures = dict[str, Any]
CHATTER_EVERY_S = 0.01
GIVEN_BACK_WITHIN_S = 60.0
KEPT_MB = 12.0
"""What the daemon may keep of a siege: once, for good, not each time."""


@dataclass(frozen=True)
class Size:
    """How many of each, and for how long."""

    idle: int
    stuck: int
    rude: int
    hasty: int
    seconds: float


class Peer:
    """One program of the crowd."""

    def __init__(self, daemon: Daemon, kind: str, number: int, seed: int = 1) -> None:
        directory = Path(daemon.environment["XDG_RUNTIME_DIR"]) / "voiced"
        command = [sys.executable, "-m", "tests.rig.crowd", kind, directory, number, seed]
        self._process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def started(self) -> None:
        """Wait until it is at work."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def done(self) -> Figures:
        """Have it end, and return what it did."""
        output, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0
        figures: Figures = json.loads(output)
        return figures

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def crowd(daemon: Daemon, *kinds: tuple[str, int]) -> Iterator[list[Peer]]:
    """Start peers, and wait until each of them is at work."""
    with ExitStack() as stack:
        peers = []
        for seed, (kind, number) in enumerate(kinds):
            peers.append(Peer(daemon, kind, number, seed))
            stack.callback(peers[-1].kill)
        for peer in peers:
            peer.started()
        yield peers


def burden(daemon: Daemon) -> Figures:
    """Return what the daemon holds."""
    descriptors = len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))
    return {"rss_mb": round(daemon.rss_mb(), 1), "descriptors": descriptors}


def until_given_back(daemon: Daemon, before: Figures) -> Figures:
    """Wait until the daemon has let go of its peers and of what they took."""
    deadline_s = time.monotonic() + GIVEN_BACK_WITHIN_S
    while True:
        after = burden(daemon)
        is_small = after["rss_mb"] < before["rss_mb"] + KEPT_MB
        if is_small and after["descriptors"] < before["descriptors"] + 5:
            return after
        assert time.monotonic() < deadline_s, (before, after)
        time.sleep(0.1)


def until_heard(wire: Wire, pieces: int) -> None:
    """Wait until so many pieces of audio have come, on a machine that is busy."""
    deadline_s = time.monotonic() + ANSWERS_WITHIN_S
    while len(wire.appended) < pieces:
        assert time.monotonic() < deadline_s, "the microphone is not heard"
        time.sleep(0.01)


def phase(daemon: Daemon, wire: Wire, seconds: float, *kinds: tuple[str, int]) -> Figures:
    """Have peers at work for a while, and ask for the status all the time."""
    with crowd(daemon, *kinds, ("probe", 1)) as peers:
        began = len(wire.appended)
        cpu_s = daemon.cpu_s()
        time.sleep(seconds)
        until_heard(wire, began + 2)
        at_s = np.array([at_s for at_s, _ in wire.appended[began:]])
        sent_s = sum(len(pcm) for _, pcm in wire.appended[began:]) / 48_000
        cpu_s = daemon.cpu_s() - cpu_s
        *others, status = [peer.done() for peer in peers]
    return {
        "peers": [{"kind": kind} | did for (kind, _), did in zip(kinds, others, strict=True)],
        "status": status,
        "audio": {
            "seconds": round(sent_s, 2),
            "of": round(float(at_s[-1] - at_s[0]), 2),
            "longest_gap_ms": round(float(np.diff(at_s).max()) * 1000, 1),
        },
        "cpu": round(cpu_s / seconds, 2),
        **burden(daemon),
    }


def besiege(daemon: Daemon, wire: Wire, size: Size) -> Figures:
    """Have the whole crowd come and go."""
    phases: Figures = {"before": burden(daemon)}
    phases["alone"] = phase(daemon, wire, size.seconds / 4)
    with crowd(daemon, ("idle", size.idle), ("stuck", size.stuck)) as (idle, _):
        phases["idle and stuck"] = phase(daemon, wire, size.seconds / 4)
        rude = [("garbage", 1)] * size.rude
        phases["and garbage"] = phase(daemon, wire, size.seconds, *rude)
        hasty = [("flood", 1)] * size.hasty
        phases["and a flood"] = phase(daemon, wire, size.seconds, *hasty)
        phases["kept"] = idle.done()["kept"]
    phases["after"] = until_given_back(daemon, phases["before"])
    return phases


async def chatter(wire: Wire) -> None:
    """Have the user speak without end: a notice for every few words."""
    kind = "conversation.item.input_audio_transcription.delta"
    while True:
        await wire.send({"type": kind, "item_id": "u", "content_index": 0, "delta": "word " * 100})
        await asyncio.sleep(CHATTER_EVERY_S)


async def siege(card: VirtualSoundCard, size: Size, rounds: int) -> tuple[list[Figures], Figures]:
    """Besiege a daemon that listens; return the figures of each round and the last status."""
    async with ScriptedProvider() as provider:
        with Daemon(card.environment(), configuration(provider.base_url)) as daemon:
            await asyncio.to_thread(daemon.ask, "start")
            await asyncio.to_thread(daemon.until, "state", state="listening", mic_open=True)
            wire = await provider.wire()
            await wire.hear(10)
            talking = asyncio.create_task(chatter(wire))
            try:
                figures = [
                    await asyncio.to_thread(besiege, daemon, wire, size) for _ in range(rounds)
                ]
            finally:
                talking.cancel()
            status = await asyncio.to_thread(daemon.status)
            log = daemon.log
            breaches = wire.rules.violations
            is_same_session = not wire.closed.is_set()
            # Ended by us, not by what was sent to it.
            assert daemon.process is not None
            assert daemon.process.poll() is None

    assert breaches == []
    assert is_same_session
    assert "Traceback" not in log
    assert len(log.splitlines()) < 100
    return figures, status


def check(figures: Figures, size: Size) -> None:
    """Check that every status was answered, and nothing changed in the conversation."""
    assert figures["kept"] == size.idle
    for name in ("alone", "idle and stuck", "and garbage", "and a flood"):
        status = figures[name]["status"]
        assert status["failures"] == [], name
        assert status["states"] == ["listening"], name
        assert status["asked"] > 0, name
    assert all(peer["connections"] > 0 for peer in figures["and garbage"]["peers"])
    assert all(peer["answered"] > 0 for peer in figures["and a flood"]["peers"])


async def test_a_small_crowd_disturbs_nothing(card: VirtualSoundCard) -> None:
    size = Size(idle=30, stuck=5, rude=1, hasty=1, seconds=1.0)
    (figures,), status = await siege(card, size, rounds=1)

    check(figures, size)
    assert status["session"]["reconnects"] == 0
    assert status["mic_open"]


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_thousand_idle_a_hundred_stuck_and_a_minute_of_each_attack(
    card: VirtualSoundCard,
) -> None:
    size = Size(idle=1000, stuck=100, rude=3, hasty=3, seconds=60.0)
    figures, status = await siege(card, size, rounds=2)
    for each in figures:
        sys.stdout.write(json.dumps(each, indent=1) + "\n")

    for each in figures:
        check(each, size)
    assert status["session"]["reconnects"] == 0
    assert status["audio"]["overruns"] == 0
    for each in figures:
        growth_mb = each["and a flood"]["rss_mb"] - each["idle and stuck"]["rss_mb"]
        assert growth_mb < 10, "an attack takes memory"
    assert figures[1]["after"]["rss_mb"] < figures[0]["after"]["rss_mb"] + 5
