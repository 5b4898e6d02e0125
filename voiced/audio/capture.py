"""The microphone: hands over what it hears, in buffers of 10 to 40 ms.

Rules
1. PortAudio's thread only copies: it leaves the samples in a queue and wakes the loop.
2. The queue is bounded in time.  When the loop is late, the oldest samples are dropped
   and counted: what was said just now matters more.
3. Nothing is handed over after ``close``.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from voiced.audio.line import STALL_S, Line, Wanted
from voiced.audio.meter import Meter
from voiced.audio.pcm import RATE_HZ, Resampler
from voiced.audio.portaudio import CONTINUE, INPUT_OVERFLOW, Callback, PortAudio
from voiced.conversation.sound_events import (
    MicrophoneFrames,
    MicrophoneLost,
    MicrophoneOpened,
    SoundEvent,
)
from voiced.settings import Audio

QUEUE_S: Final = 2.0
"""The loop may be late by so much before samples are dropped."""


@dataclass(frozen=True, slots=True)
class MicrophoneFigures:
    """What the microphone has to say about itself."""

    name: str | None
    overruns: int
    """How often samples were lost: by the device, or in the queue."""
    restarts: int
    """How often the device came back after it had been lost."""


class CaptureQueue:
    """Samples on their way from PortAudio's thread to the loop.

    Args:
        limit: How many buffers fit.

    Attributes:
        dropped: How many buffers were dropped for want of room.
    """

    def __init__(self, limit: int) -> None:
        self.dropped = 0
        self._limit = limit
        self._lock = threading.Lock()
        self._buffers: deque[bytes] = deque()

    def put(self, pcm: bytes) -> bool:
        """Add a buffer; true when the queue was empty and the loop must be woken."""
        with self._lock:
            was_empty = not self._buffers
            if len(self._buffers) >= self._limit:
                self._buffers.popleft()
                self.dropped += 1
            self._buffers.append(pcm)
            return was_empty

    def take(self) -> list[bytes]:
        """Return what is there, oldest first, and empty the queue."""
        with self._lock:
            buffers = list(self._buffers)
            self._buffers.clear()
            return buffers


class Microphone:
    """The microphone.  Used on the event loop.

    Args:
        library: PortAudio.
        settings: Which device and how.
        emit: Takes the events, on the event loop.
        meter: Is shown what is captured.
    """

    def __init__(
        self,
        library: PortAudio,
        settings: Audio,
        emit: Callable[[SoundEvent], None],
        meter: Meter | None = None,
    ) -> None:
        self._line = Line(library, _wanted(settings))
        self._emit = emit
        self._meter = meter or Meter()
        self._overflows = 0
        self._queue = CaptureQueue(int(QUEUE_S * 1000 / settings.input_buffer_ms))
        self._loop = asyncio.get_running_loop()

    def configure(self, settings: Audio) -> None:
        """Take new settings; the device is the one in use until it is opened again."""
        self._line.wanted = _wanted(settings)

    def open(self) -> None:
        """Start capturing; answered by ``MicrophoneOpened`` or ``MicrophoneLost``."""
        if self._line.is_open:
            self._emit(MicrophoneOpened())
            return
        self._line.open(self._make_callback, self._opened)

    def close(self) -> None:
        """Stop capturing."""
        self._line.close()
        self._queue.take()

    def call_when_done(self, call: Callable[[], None]) -> None:
        """Call back, on the event loop, when everything asked of the device so far is done."""
        self._line.call_when_done(call)

    def end(self) -> None:
        """Close for good."""
        self.close()
        self._line.end()

    def join(self, within_s: float) -> bool:
        """Wait, on any thread, until the device is closed; false when it hangs."""
        return self._line.join(within_s)

    def check(self) -> None:
        """Find out whether the device went away; called a few times a second."""
        if self._line.is_lost(time.monotonic()):
            self._lost(f"the microphone delivered nothing for {STALL_S:g} s")

    def figures(self) -> MicrophoneFigures:
        """Return what there is to say about the microphone."""
        overruns = self._overflows + self._queue.dropped
        return MicrophoneFigures(self._line.name, overruns, self._line.restarts)

    # --- on the loop -------------------------------------------------------------------

    def _opened(self, error: Exception | None) -> None:
        if error is not None:
            self._emit(MicrophoneLost(str(error)))
            return
        self._line.start(self._started)

    def _started(self, error: Exception | None) -> None:
        if error is not None:
            self._lost(f"the microphone cannot be started: {error}")
        elif self._line.is_open:
            self._emit(MicrophoneOpened())

    def _lost(self, reason: str) -> None:
        self._line.lose()
        self._emit(MicrophoneLost(reason))

    def _hand_over(self) -> None:
        for pcm in self._queue.take():
            if self._line.is_open:
                self._emit(MicrophoneFrames(pcm))

    # --- on PortAudio's thread ------------------------------------------------------------

    def _make_callback(self, rate_hz: int, _frames: int) -> Callback:
        resampler = None if rate_hz == RATE_HZ else Resampler(rate_hz, RATE_HZ)

        def callback(
            captured: bytes | None, _count: int, _times: Mapping[str, float], flags: int
        ) -> tuple[None, int]:
            self._line.called(time.monotonic())
            if flags & INPUT_OVERFLOW:
                self._overflows += 1
            pcm = captured or b""
            if resampler is not None:
                pcm = resampler.process(pcm)
            self._meter.note(pcm)
            if self._queue.put(pcm):
                self._loop.call_soon_threadsafe(self._hand_over)
            return None, CONTINUE

        return callback


def _wanted(settings: Audio) -> Wanted:
    return Wanted(
        is_input=True,
        device=settings.input,
        rate_hz=settings.device_rate_hz,
        buffer_ms=settings.input_buffer_ms,
    )
