"""A room: what the loudspeaker plays comes back into the microphone, and a user is in it.

Rules
1. Everything is counted in frames of one clock: frame n of ``written`` went to the
   microphone when frame n of the loudspeaker had been read.  The way through the sound
   server takes ``loop_ms`` longer; it is measured at the start and does not change.
2. ``reaction_ms`` allows for it.  It is exact to about 3 ms, as far as a busy machine
   lets it be: a sink stalls and a recording comes late, but no sample moves.
3. What the room wrote too late the microphone never got.  ``lost_frames`` says how much of
   a stretch that is, by comparison with a recording of the microphone; a measurement in
   which anything is lost is to be repeated.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from tests.rig.acoustics import RATE_HZ, EchoPath, Floats
from tests.rig.daemon import ROOT
from tests.rig.recorder import Samples
from tests.rig.soundcard import SoundCard, SoundCardError

LOOP_MS: Final = 25.0
READY_WITHIN_S: Final = 60.0
SILENCE_MS: Final = 100


class Room:
    """Lives as long as the ``with`` block.

    Args:
        card: Its speaker and its microphone are joined.
        path: The way between them.
        loop_ms: How long the sound server may take; shorter loses more on a busy machine.

    Attributes:
        loop_ms: How long it takes.
    """

    def __init__(self, card: SoundCard, path: EchoPath, *, loop_ms: float = LOOP_MS) -> None:
        self.loop_ms = loop_ms
        self._card = card
        self._path = path
        # A disk that is busy would hold up the sound.
        memory = Path("/dev/shm")
        self._folder = Path(
            tempfile.mkdtemp(prefix="room", dir=memory if memory.is_dir() else card.base)
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._sounds = 0
        self._offset = 0
        self._loudspeaker_s = self._microphone_s = 0.0

    def __enter__(self) -> Self:
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.rig.room_loop", str(self._folder)),
                    *(f"{self._card.speaker}.monitor", self._card.mic, str(self.loop_ms)),
                ],
                env={**self._card.environment(), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        facts = self._answer()
        self.loop_ms = facts["loop_ms"]
        self._offset = int(facts["offset"])
        self._loudspeaker_s = facts["loudspeaker_s"]
        self._microphone_s = facts["microphone_s"]
        self.change(self._path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """Return the process that carries the sound."""
        assert self._process is not None
        return self._process.pid

    @property
    def now(self) -> int:
        """Return how many frames of the loudspeaker have been read."""
        return self._size("written")

    def change(self, path: EchoPath) -> int:
        """Change the way; return the frame from which on it holds."""
        return int(self._ask(path=asdict(path))["at"])

    def play(self, sound: Floats, *, at: int = 0) -> int:
        """Have somebody make a sound; return its first frame, which is not before ``at``."""
        self._sounds += 1
        path = self._folder / f"sound{self._sounds}.npy"
        np.save(path, sound)
        return int(self._ask(play=str(path), at=at)["at"])

    def wait(self, frame: int) -> None:
        """Wait until a frame of the loudspeaker has been read."""
        while (missing := frame - self.now) > 0:
            if self._process is None or self._process.poll() is not None:
                raise self._gone()
            time.sleep(max(0.002, missing / RATE_HZ))

    def loudspeaker(self, start: int, end: int | None = None) -> Samples:
        """Return what the loudspeaker played, as far as is known."""
        return self._read("loudspeaker", start, end)

    def written(self, start: int, end: int | None = None) -> Samples:
        """Return what was meant for the microphone, as far as is known."""
        return self._read("written", start, end)

    def lost_frames(self, start: int, end: int) -> int:
        """Return how many of the frames written for the microphone it did not get."""
        deadline_s = time.monotonic() + 5
        while self._size("microphone") < end + self._offset and time.monotonic() < deadline_s:
            time.sleep(0.005)
        got = self._read("microphone", start + self._offset, end + self._offset)
        meant = self._read("written", start, end)
        size = min(got.size, meant.size)
        return max(got.size, meant.size) - int(np.count_nonzero(got[:size] == meant[:size]))

    def loudspeaker_s(self, frame: int) -> float:
        """Return the monotonic time at which a frame left the loudspeaker."""
        return self._loudspeaker_s + frame / RATE_HZ

    def microphone_s(self, frame: int) -> float:
        """Return the monotonic time at which a frame that was written is heard."""
        return self._microphone_s + (frame + self._offset) / RATE_HZ

    def reaction_ms(self, sound: int, silence: int) -> float:
        """Return the ms from a sound at the microphone to something at the loudspeaker."""
        return 1000 * (self.loudspeaker_s(silence) - self.microphone_s(sound))

    def silent_from(self, start: int, end: int | None = None) -> int | None:
        """Return the frame from which on the loudspeaker gives nothing at all for 100 ms."""
        played = self.loudspeaker(start, end)
        return silent_from(played, start)

    def _read(self, name: str, start: int, end: int | None) -> Samples:
        with (self._folder / f"{name}.s16").open("rb") as file:
            file.seek(2 * max(0, start))
            data = file.read() if end is None else file.read(2 * (end - max(0, start)))
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2")

    def _size(self, name: str) -> int:
        try:
            return (self._folder / f"{name}.s16").stat().st_size // 2
        except FileNotFoundError:
            return 0

    def _ask(self, **command: object) -> dict[str, float]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.write(json.dumps(command).encode() + b"\n")
        process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, float]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._gone()
        answer: dict[str, float] = json.loads(line)
        return answer

    def _gone(self) -> SoundCardError:
        return SoundCardError(f"the room ended:\n{(self._folder / 'log').read_text()}")


def silent_from(played: Samples, start: int = 0) -> int | None:
    """Return the first frame after which nothing sounds for 100 ms; counted from ``start``."""
    size = SILENCE_MS * RATE_HZ // 1000
    places = np.concatenate(([-1], np.nonzero(played)[0], [played.size]))
    gaps = np.nonzero(np.diff(places) > size)[0]
    return start + int(places[gaps[0]]) + 1 if gaps.size else None
