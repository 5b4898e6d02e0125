"""The program that carries the loudspeaker's sound into the microphone; ``room`` runs it.

    python -m tests.rig.room_loop FOLDER LOUDSPEAKER-SOURCE MICROPHONE-SINK LOOP_MS

Rules
1. One clock: frame n of what is written was written when frame n of the loudspeaker had
   been read.  Everything is left in FOLDER as s16 mono files that grow.
2. The way through the sound server is measured with bursts of noise before anything else,
   and set to LOOP_MS.  It stays so: a block that comes too late is lost, not late.
3. Commands are JSON lines on standard input; each is answered by a line with the frame at
   which it took effect.  At the end of the input the program ends.
"""

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.rig.acoustics import (
    BLOCK,
    RATE_HZ,
    Echo,
    EchoPath,
    Floats,
    as_floats,
    as_pcm,
    ratio_of,
)
from tests.rig.soundcard import SoundCardError
from tests.rig.streams import PLAYS, RECORDS, Stream

BLOCK_BYTES: Final = 2 * BLOCK
SETTLING_BLOCKS: Final = 100
BURST_BLOCKS: Final = 4
ROUNDS: Final = 12
LOOK_LATER: Final = RATE_HZ // 10
"""A burst that was not heard came too late; the next is sent so much earlier."""
EXACT_MS: Final = 1.0
NICENESS: Final = -10


class Line:
    """One recording: when its first frame was played, and a file that grows."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = path.open("wb", buffering=0) if path is not None else None
        self._starts_s: list[float] = []
        self.blocks: list[bytes] = []
        """Kept until there is a file."""
        self.frames = 0

    def take(self, block: bytes) -> None:
        """Keep the next block, which has just come."""
        if len(self._starts_s) < 2000:
            self._starts_s.append(time.monotonic() - self.frames / RATE_HZ)
        self.frames += len(block) // 2
        if self._file is None:
            self.blocks.append(block)
        else:
            self._file.write(block)

    def write_to(self, path: Path) -> None:
        """Keep what comes from now on in a file, and forget the rest."""
        self.blocks.clear()
        self._file = path.open("wb", buffering=0)

    @property
    def start_s(self) -> float:
        """Return the monotonic time of the first frame; blocks come late, never early."""
        return sorted(self._starts_s)[len(self._starts_s) // 10]


class Loop:
    """The streams, and what is mixed into the microphone."""

    def __init__(self, folder: Path, source: str, sink: str, loop_ms: float) -> None:
        self._folder = folder
        self._wanted_ms = loop_ms
        self._loudspeaker = Stream(RECORDS, source, block_bytes=BLOCK_BYTES)
        self._microphone = Stream(RECORDS, f"{sink}.monitor", block_bytes=BLOCK_BYTES)
        began_s = time.monotonic()
        self._out = Stream(PLAYS, sink, block_bytes=BLOCK_BYTES)
        self._lock = threading.Lock()
        self.read = Line()
        self.heard = Line()
        threading.Thread(target=self._listen, daemon=True).start()
        for _ in range(SETTLING_BLOCKS):
            self.read.take(self._loudspeaker.read())
        self._loop_ms = 0.0
        self._offset = self._heard_first = 0
        ahead_s = time.monotonic() - began_s + loop_ms / 1000
        self._out.write(bytes(2 * round(ahead_s * RATE_HZ)))
        self._calibrate()

        self._first = self.read.frames
        self._start_s = self.read.start_s
        self._written = (folder / "written.s16").open("wb", buffering=0)
        self.read.write_to(folder / "loudspeaker.s16")
        self.frame = 0
        self._random = np.random.default_rng(0)
        self._sounds: list[tuple[int, Floats]] = []
        self._noise = 0.0
        self._echo: Echo | None = None
        self._worst_late_ms = 0.0

    def facts(self) -> dict[str, float]:
        """Return what the other side has to know."""
        return {
            "loop_ms": self._loop_ms,
            "offset": self._offset + self._first - self._heard_first,
            "loudspeaker_s": self.read.start_s + self._first / RATE_HZ,
            "microphone_s": self.heard.start_s + self._heard_first / RATE_HZ,
        }

    def step(self) -> None:
        """Carry one block."""
        block = self._loudspeaker.read()
        late_s = time.monotonic() - self._start_s - (self.read.frames + BLOCK) / RATE_HZ
        self._worst_late_ms = max(self._worst_late_ms, 1000 * late_s)
        mixed = self._noise * self._random.standard_normal(BLOCK)
        if self._echo is not None:
            mixed += self._echo.process(as_floats(np.frombuffer(block, "<i2")))
        for at, sound in self._sounds:
            start, end = max(0, self.frame - at), max(0, self.frame + BLOCK - at)
            piece = sound[start:end]
            mixed[max(0, at - self.frame) :][: piece.size] += piece
        pcm = as_pcm(mixed).tobytes()
        self._out.write(pcm)
        self._written.write(pcm)
        self.read.take(block)
        self.frame += BLOCK
        self._sounds = [(at, sound) for at, sound in self._sounds if at + sound.size > self.frame]

    def obey(self, command: dict[str, Any]) -> dict[str, float]:
        """Carry out a command."""
        at = self.frame
        match command:
            case {"path": path}:
                made = EchoPath(**path)
                self._echo = Echo(made, loop_ms=self._loop_ms)
                self._noise = ratio_of(made.noise_dbfs)
            case {"play": name, "at": wanted}:
                at = max(at, wanted)
                self._sounds.append((at, np.load(name)))
            case {"late": _}:
                late_ms, self._worst_late_ms = self._worst_late_ms, 0.0
                return {"at": at, "late_ms": late_ms}
            case _:
                raise ValueError(command)
        return {"at": at}

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
        while True:
            block = self._microphone.read()
            with self._lock:
                self.heard.take(block)

    def _calibrate(self) -> None:
        """Bring the way through the sound server to what is wanted, and measure it."""
        skipped = 0
        for number in range(ROUNDS):
            was_found = self._measure(number, skipped)
            excess_ms = self._loop_ms - self._wanted_ms
            if was_found and abs(excess_ms) < EXACT_MS:
                break
            excess = round(excess_ms * RATE_HZ / 1000) if was_found else -LOOK_LATER
            if excess < 0:
                self._out.write(bytes(-2 * excess))
            skipped = max(0, excess)
        else:
            raise SoundCardError("this machine is too busy to carry sound in time")
        with self._lock:
            self._heard_first = self.heard.frames
            self.heard.write_to(self._folder / "microphone.s16")

    def _measure(self, seed: int, skipped: int) -> bool:
        """Send a burst and find it in the microphone; leave out frames before it."""
        left_out = 0
        while left_out < skipped:
            self.read.take(self._loudspeaker.read())
            left_out += BLOCK
        self._out.write(bytes(2 * (left_out - skipped)))
        burst = np.random.default_rng(seed).integers(500, 3000, BURST_BLOCKS * BLOCK)
        pcm = burst.astype("<i2").tobytes()
        sent_at = self.read.frames
        for number in range(SETTLING_BLOCKS):
            self.read.take(self._loudspeaker.read())
            piece = pcm[number * BLOCK_BYTES :][:BLOCK_BYTES]
            self._out.write(piece.ljust(BLOCK_BYTES, b"\0"))
        with self._lock:
            heard = b"".join(self.heard.blocks)
            heard_start_s = self.heard.start_s
        place = heard.rfind(pcm[BLOCK_BYTES : 2 * BLOCK_BYTES])
        if place < 0:
            return False
        found_at = place // 2 - BLOCK
        self._offset = found_at - sent_at
        took_s = heard_start_s + found_at / RATE_HZ - self.read.start_s - sent_at / RATE_HZ
        self._loop_ms = 1000 * took_s
        return True


def say(answer: dict[str, float]) -> None:
    """Tell the other side."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Carry sound until standard input ends."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    folder, source, sink, loop_ms = sys.argv[1:]
    loop = Loop(Path(folder), source, sink, float(loop_ms))
    say(loop.facts())
    os.set_blocking(0, False)
    pending = b""
    while True:
        loop.step()
        try:
            data = os.read(0, 65_536)
        except BlockingIOError:
            continue
        if not data:
            return
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            say(loop.obey(json.loads(line)))


if __name__ == "__main__":
    main()
