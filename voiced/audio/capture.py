"""The microphone: hands over what it hears, in buffers of 10 to 40 ms.

Rules
1. PortAudio's thread brings the samples through the front end, where there is one, leaves
   what comes of them in a queue and wakes the loop.
2. The queue is bounded in time.  When the loop is late, the oldest samples are dropped
   and counted: what was said just now matters more.  What is told of them is kept.
3. Nothing is handed over after ``close``.
4. A callback never raises: a fault in it is logged, and the microphone is lost.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from voiced.audio.devices import InUse
from voiced.audio.line import STALL_S, Line, Wanted
from voiced.audio.meter import Meter
from voiced.audio.pcm import RATE_HZ, Resampler
from voiced.audio.portaudio import COMPLETE, CONTINUE, INPUT_OVERFLOW, Callback, PortAudio
from voiced.audio.surroundings import Surroundings
from voiced.conversation.sound_events import (
    MicrophoneFrames,
    MicrophoneLost,
    MicrophoneOpened,
    SoundEvent,
)
from voiced.settings import Audio

logger = logging.getLogger(__name__)

QUEUE_S: Final = 2.0
"""The loop may be late by so much before samples are dropped."""

EARLY_S: Final = 0.002
"""A buffer is handed over when it is full, or by so much before that."""
MAX_AGO_S: Final = 0.5
"""What a device says about its delay beyond this is no figure."""
FIGURES: Final = 51
"""So many figures of a device are looked at: about a second."""
HOLE_S: Final = 0.05
"""A figure that is so far from the others begins anew."""


@dataclass(frozen=True, slots=True)
class MicrophoneFigures:
    """What the microphone has to say about itself."""

    name: str | None
    overruns: int
    """How often samples were lost: by the device, or in the queue."""
    restarts: int
    """How often the device came back after it had been lost."""


class DeviceTime:
    """When samples were captured, by what the device says.

    The calls that bring them move by 5 ms and more, and stay there: a sound server hands
    over whole blocks, and one that is late stays late.  The device's figure for the age of
    a sample does not move, but a few of them err by some ms, early as well as late.
    """

    def __init__(self) -> None:
        self._length_s = 0.0
        self._starts_s: deque[float] = deque(maxlen=FIGURES)

    def begin_anew(self) -> None:
        """Note that samples were lost."""
        self._length_s = 0.0
        self._starts_s.clear()

    def end_s(self, now_s: float, length_s: float, ago_s: float) -> float:
        """Return when the last of some samples that came now was captured.

        Args:
            now_s: The monotonic time.
            length_s: How long they are.
            ago_s: How long ago the first of them was captured, as the device says.
        """
        if length_s - EARLY_S <= ago_s <= MAX_AGO_S:
            start_s = now_s - ago_s - self._length_s
            if self._starts_s and abs(start_s - median(self._starts_s)) > HOLE_S:
                self.begin_anew()
                start_s = now_s - ago_s
            self._starts_s.append(start_s)
        self._length_s += length_s
        return median(self._starts_s) + self._length_s if self._starts_s else now_s


class CaptureQueue:
    """What comes of the samples, on its way from PortAudio's thread to the loop.

    Args:
        limit: How many stretches of samples fit.

    Attributes:
        limit: The same.
        dropped: How many stretches were dropped for want of room.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.dropped = 0
        self._lock = threading.Lock()
        self._events: deque[SoundEvent] = deque()
        self._stretches = 0

    def put(self, events: Sequence[SoundEvent]) -> bool:
        """Add events; true when the queue was empty and the loop must be woken."""
        with self._lock:
            was_empty = not self._events
            self._events.extend(events)
            self._stretches += sum(isinstance(each, MicrophoneFrames) for each in events)
            while self._stretches > self.limit:
                self._drop_oldest()
            return was_empty and bool(self._events)

    def take(self) -> list[SoundEvent]:
        """Return what is there, oldest first, and empty the queue."""
        with self._lock:
            events = list(self._events)
            self._events.clear()
            self._stretches = 0
            return events

    def _drop_oldest(self) -> None:
        for place, event in enumerate(self._events):
            if isinstance(event, MicrophoneFrames):
                del self._events[place]
                break
        self._stretches -= 1
        self.dropped += 1


class Microphone:
    """The microphone.  Used on the event loop.

    Args:
        library: PortAudio.
        settings: Which device and how.
        emit: Takes the events, on the event loop.
        meter: Is shown what is captured.
        surroundings: Has the front end that the samples go through; without it they are
            handed over as they were captured.
    """

    def __init__(
        self,
        library: PortAudio,
        settings: Audio,
        emit: Callable[[SoundEvent], None],
        meter: Meter | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._line = Line(library, _wanted(settings))
        self._emit = emit
        self._meter = meter or Meter()
        self._surroundings = surroundings
        self._front_end = surroundings.front_end if surroundings else None
        self._overflows = 0
        self._queue = CaptureQueue(_stretches(self._line.wanted))
        self._loop = asyncio.get_running_loop()

    def configure(self, settings: Audio) -> None:
        """Take new settings; the device is the one in use until it is opened again."""
        self._line.wanted = _wanted(settings)

    def open(self) -> None:
        """Start capturing; answered by ``MicrophoneOpened`` or ``MicrophoneLost``."""
        if self._line.is_open:
            self._emit(MicrophoneOpened())
            return
        self._queue.limit = _stretches(self._line.wanted)
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
        elif self._surroundings is not None and self._line.is_open:
            self._surroundings.judge()
            if self._surroundings.is_due(time.monotonic()):
                self._look(self._surroundings)

    def figures(self) -> MicrophoneFigures:
        """Return what there is to say about the microphone."""
        overruns = self._overflows + self._queue.dropped
        return MicrophoneFigures(self._line.name, overruns, self._line.restarts)

    # --- on the loop -------------------------------------------------------------------

    def _opened(self, error: Exception | None) -> None:
        if error is not None:
            self._emit(MicrophoneLost(str(error)))
            return
        if self._surroundings is not None:
            # Before the first sample, so that none is heard before it is known how.
            self._look(self._surroundings)
        self._line.start(self._started, before=self._new_time_line)

    def _started(self, error: Exception | None) -> None:
        if error is not None:
            self._lost(f"the microphone cannot be started: {error}")
        elif self._line.is_open:
            self._emit(MicrophoneOpened())

    def _lost(self, reason: str) -> None:
        self._line.lose()
        self._emit(MicrophoneLost(reason))

    def _broken(self, reason: str) -> None:
        if self._line.is_open:
            self._lost(reason)

    def _look(self, surroundings: Surroundings) -> None:
        found: list[InUse] = []

        def seen(error: Exception | None) -> None:
            if error is not None:
                raise error
            surroundings.seen(found[0])

        self._line.ask(lambda: found.append(surroundings.look()), seen)

    def _hand_over(self) -> None:
        for event in self._queue.take():
            if self._line.is_open:
                self._emit(event)

    # --- on PortAudio's thread, or the worker's -------------------------------------------

    def _new_time_line(self) -> None:
        if self._front_end is not None:
            self._front_end.opened()

    def _make_callback(self, rate_hz: int, _frames: int) -> Callback:
        resampler = None if rate_hz == RATE_HZ else Resampler(rate_hz, RATE_HZ)
        captured_at = DeviceTime()

        def callback(
            captured: bytes | None, count: int, times: Mapping[str, float], flags: int
        ) -> tuple[None, int]:
            now_s = time.monotonic()
            self._line.called(now_s)
            if flags & INPUT_OVERFLOW:
                captured_at.begin_anew()
            ago_s = times["current_time"] - times["input_buffer_adc_time"]
            now_s = captured_at.end_s(now_s, count / rate_hz, ago_s)
            pcm = captured or b""
            try:
                if resampler is not None:
                    pcm = resampler.process(pcm)
                self._captured(pcm, now_s, has_hole=bool(flags & INPUT_OVERFLOW))
            except Exception as error:
                # PortAudio would end the stream without a word.
                logger.exception("the microphone's samples cannot be worked on")
                self._loop.call_soon_threadsafe(self._broken, f"a fault of voiced: {error!r}")
                return None, COMPLETE
            return None, CONTINUE

        return callback

    def _captured(self, pcm: bytes, now_s: float, *, has_hole: bool) -> None:
        self._meter.note(pcm)
        front_end = self._front_end
        if has_hole:
            self._overflows += 1
            if front_end is not None:
                front_end.hold()
        events = [MicrophoneFrames(pcm)] if front_end is None else front_end.process(pcm, now_s)
        if self._queue.put(events):
            self._loop.call_soon_threadsafe(self._hand_over)


def _stretches(wanted: Wanted) -> int:
    """Return how many buffers the loop may be late."""
    return int(QUEUE_S * 1000 / wanted.buffer_ms)


def _wanted(settings: Audio) -> Wanted:
    return Wanted(
        is_input=True,
        device=settings.input,
        rate_hz=settings.device_rate_hz,
        buffer_ms=settings.input_buffer_ms,
    )
