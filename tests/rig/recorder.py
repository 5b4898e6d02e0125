"""Listens to the virtual loudspeaker and says when each sample was played.

The sink renders a block of 5 ms when the one before has been played, and ``parec`` hands
it on at once: the first sample of a block is played when the block arrives.  A block can
arrive late, and now and then, when a stream comes or goes, one is early; so the lowest
tenth of (arrival - samples before / rate) is the start of the recording: good to ~5 ms.
"""

import bisect
import os
import subprocess
import threading
import time
import wave
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from tests.rig.soundcard import SoundCard

Samples = npt.NDArray[np.int16]
READ_BYTES = 65_536
ANSWERS_WITHIN_S = 20.0
"""What is waited for comes at once; this only ends a test that would hang."""


class Recorder:
    """Records a source of the virtual sound card while the ``with`` block runs.

    Attributes:
        rate_hz: Frames per second of the recording; samples are s16 mono.
    """

    def __init__(
        self,
        card: SoundCard,
        *,
        source: str | None = None,
        latency_ms: int = 5,
    ) -> None:
        self.rate_hz = 24_000
        self._card = card
        self._source = source or f"{card.speaker}.monitor"
        self._latency_ms = latency_ms
        self._chunks: list[bytes] = []
        self._frames = 0
        self._starts_s: list[float] = []
        """Where the recording began, by each block; in order of size."""
        self._arrivals: list[tuple[int, float]] = []
        self._lock = threading.Lock()
        self._block_came = threading.Condition(self._lock)
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                "parec",
                "--raw",
                f"--device={self._source}",
                f"--rate={self.rate_hz}",
                "--channels=1",
                "--format=s16le",
                f"--latency-msec={self._latency_ms}",
                "--process-time-msec=1",
            ],
            env=self._card.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._listen, name="recorder", daemon=True)
        self._thread.start()
        self.after_next_block()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(ANSWERS_WITHIN_S)
        if self._thread is not None:
            self._thread.join(ANSWERS_WITHIN_S)
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def start_s(self) -> float:
        """Return the monotonic time of the first sample, as known so far."""
        return self._starts_s[len(self._starts_s) // 10]

    def samples(self) -> Samples:
        """Return everything recorded so far as one s16 array."""
        with self._lock:
            joined = b"".join(self._chunks)
            self._chunks = [joined]
        return np.frombuffer(joined[: len(joined) // 2 * 2], dtype="<i2")

    def after_next_block(self) -> Samples:
        """Wait for the next block, which comes within 5 ms, and return everything."""
        with self._lock:
            if not self._block_came.wait(ANSWERS_WITHIN_S):
                raise TimeoutError(f"no samples from {self._source}")
        return self.samples()

    def index_at(self, monotonic_s: float) -> int:
        """Return the index of the sample that was playing at a monotonic time."""
        return round((monotonic_s - self.start_s) * self.rate_hz)

    def time_of(self, index: int) -> float:
        """Return the monotonic time at which a sample was played."""
        return self.start_s + index / self.rate_hz

    def late_ms(self, since_s: float) -> float:
        """Return how late the sink rendered at worst since a monotonic time.

        A machine that is busy lets the sink stall, which no loudspeaker does.  What a
        test says about milliseconds holds only but for this.
        """
        with self._lock:
            return 1000 * max(
                (
                    arrived_s - self.time_of(frame)
                    for frame, arrived_s in self._arrivals
                    if arrived_s >= since_s
                ),
                default=time.monotonic() - since_s,
            )

    def save(self, path: Path) -> None:
        """Write the recording as a WAV file."""
        write_wav(path, self.samples(), self.rate_hz)

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while data := os.read(descriptor, READ_BYTES):
            now_s = time.monotonic()
            with self._lock:
                self._chunks.append(data)
                self._arrivals.append((self._frames, now_s))
                bisect.insort(self._starts_s, now_s - self._frames / self.rate_hz)
                self._frames += len(data) // 2
                self._block_came.notify_all()


def write_wav(path: Path, samples: Samples, rate_hz: int) -> None:
    """Write s16 mono samples as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
