"""The loudspeaker: plays what it is handed, is silent at once, says what was heard.

Rules
1. The stream runs only while there is something to play: a stream that starts when the
   first sample is there plays it sooner than one that idles, and costs nothing meanwhile.
2. A cut empties the buffer in one step and then aborts the stream, so that the device
   drops what it holds: silence after about 3 ms instead of 30.
3. Every cut is answered, also when the sound server is not: the buffer is empty by then.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from voiced.audio.buffer import PlaybackBuffer
from voiced.audio.line import STALL_S, Line, Wanted
from voiced.audio.meter import Meter
from voiced.audio.pcm import BYTES_PER_FRAME, RATE_HZ, Resampler, ms_to_frames
from voiced.audio.portaudio import CONTINUE, OUTPUT_UNDERFLOW, Callback, PortAudio
from voiced.conversation.sound_events import (
    Heard,
    PlaybackCut,
    PlaybackDrained,
    SoundEvent,
    SpeakerLost,
    SpeakerOpened,
)
from voiced.settings import Audio

logger = logging.getLogger(__name__)

CUT_WITHIN_S: Final = 0.25
"""A sound server that takes longer to stop a stream is lost."""
LINGER_S: Final = 1.0
"""The stream runs on for so long after the last sample."""
MAX_DELAY_S: Final = 5.0
"""A device that claims to hold more than this is not believed."""


@dataclass(frozen=True, slots=True)
class SpeakerFigures:
    """What the loudspeaker has to say about itself."""

    name: str | None
    underruns: int
    """How often the device ran dry."""
    starvations: int
    """How often the network was slower than the sound."""
    restarts: int
    """How often the device came back after it had been lost."""


class Speaker:
    """The loudspeaker.  Used on the event loop.

    Args:
        library: PortAudio.
        settings: Which device and how.
        emit: Takes the events, on the event loop.
        meter: Is shown what is played.
        aborts: Cut by stopping the device; otherwise by emptying the buffer alone, which
            leaves the device its samples and ends in a fade.
    """

    def __init__(
        self,
        library: PortAudio,
        settings: Audio,
        emit: Callable[[SoundEvent], None],
        meter: Meter | None = None,
        *,
        aborts: bool = True,
    ) -> None:
        self._line = Line(library, _wanted(settings))
        self._emit = emit
        self._meter = meter or Meter()
        self._aborts = aborts
        self._underruns = 0
        self._buffer = PlaybackBuffer(prebuffer_frames=ms_to_frames(settings.prebuffer_ms))
        self._linger: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def configure(self, settings: Audio) -> None:
        """Take new settings; the device is the one in use until it is opened again."""
        self._line.wanted = _wanted(settings)
        self._buffer.prebuffer_frames = ms_to_frames(settings.prebuffer_ms)

    def open(self) -> None:
        """Get the device ready; answered by ``SpeakerOpened`` or ``SpeakerLost``."""
        if self._line.is_open:
            self._emit(SpeakerOpened())
            return
        self._line.open(self._make_callback, self._opened)

    def close(self) -> None:
        """Let go of the device and of everything that waits to be played."""
        self._buffer.cut(time.monotonic(), device_keeps=False)
        self._forget_linger()
        self._line.close()

    def end(self) -> None:
        """Close for good."""
        self.close()
        self._line.end()

    def join(self, within_s: float) -> bool:
        """Wait, on any thread, until the device is closed; false when it hangs."""
        return self._line.join(within_s)

    def play(self, item_id: str, content_index: int, pcm: bytes) -> None:
        """Play samples of a piece after everything handed over before."""
        if not self._buffer.push((item_id, content_index), pcm):
            logger.error("half an hour of sound waits to be played: the rest is not taken")
        self._run()

    def finish(self, item_id: str, content_index: int) -> None:
        """Play what is held back of a piece: no more will come."""
        self._buffer.finish((item_id, content_index))
        self._run()

    def cut(self, number: int) -> None:
        """Be silent now; answered by ``PlaybackCut``."""
        self._forget_linger()
        now_s = time.monotonic()
        stops = self._aborts and self._line.is_running
        pieces = self._buffer.cut(now_s, device_keeps=not stops and self._line.is_running)
        heard = tuple(Heard(*key, frames) for key, frames in pieces)
        if not stops:
            self._emit(PlaybackCut(number, heard, now_s))
            return
        silent_at: list[float] = []
        answer = _Once(
            lambda: self._emit(PlaybackCut(number, heard, (silent_at or [time.monotonic()])[0]))
        )
        late = self._loop.call_later(CUT_WITHIN_S, self._cut_late, answer)

        def stopped(error: Exception | None) -> None:
            late.cancel()
            if error is not None:
                self._lost(f"the loudspeaker cannot be stopped: {error}")
            answer()

        self._line.abort(stopped, after=lambda: silent_at.append(time.monotonic()))

    def duck(self, gain_db: float) -> None:
        """Play more quietly from now on, or as loud as ever with 0 dB."""
        raise NotImplementedError

    def hold(self, number: int) -> None:
        """Be silent now and keep every word; answered by ``PlaybackHeld``."""
        raise NotImplementedError

    def resume(self) -> None:
        """Go on from where it was held."""
        raise NotImplementedError

    def check(self) -> None:
        """Find out whether the device went away; called a few times a second."""
        if self._line.is_lost(time.monotonic()):
            self._lost(f"the loudspeaker took no sound for {STALL_S:g} s")

    def figures(self) -> SpeakerFigures:
        """Return what there is to say about the loudspeaker."""
        return SpeakerFigures(
            self._line.name, self._underruns, self._buffer.starvations, self._line.restarts
        )

    # --- on the loop -------------------------------------------------------------------

    def _opened(self, error: Exception | None) -> None:
        if error is not None:
            self._emit(SpeakerLost(str(error)))
            return
        self._emit(SpeakerOpened())
        self._run()

    def _run(self) -> None:
        """Start the stream when there is something to play."""
        if not self._buffer.is_flowing:
            return
        self._forget_linger()
        if self._line.is_open and not self._line.is_running:
            self._line.start(self._started, before=self._new_time_line)

    def _started(self, error: Exception | None) -> None:
        if error is not None:
            self._lost(f"the loudspeaker cannot be started: {error}")

    def _drained(self, plays: int) -> None:
        self._emit(PlaybackDrained(plays))
        self._forget_linger()
        self._linger = self._loop.call_later(LINGER_S, self._rest)

    def _rest(self) -> None:
        """Stop the stream: nothing is left to play."""
        if self._line.is_running and self._buffer.pause():
            self._line.abort(self._started)

    def _forget_linger(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _cut_late(self, answer: "_Once") -> None:
        self._lost("the sound server does not answer")
        answer()

    def _lost(self, reason: str) -> None:
        self._line.lose()
        self._emit(SpeakerLost(reason))

    # --- on PortAudio's thread, or the worker's -------------------------------------------

    def _new_time_line(self) -> None:
        self._buffer.restarted(time.monotonic(), self._line.buffer_s)

    def _make_callback(self, rate_hz: int, frames: int) -> Callback:
        buffer_s = frames / rate_hz
        converter = None if rate_hz == RATE_HZ else Converter(rate_hz)

        def callback(
            _captured: bytes | None, count: int, times: Mapping[str, float], flags: int
        ) -> tuple[bytes, int]:
            now_s = time.monotonic()
            self._line.called(now_s)
            if flags & OUTPUT_UNDERFLOW:
                self._underruns += 1
                self._buffer.ran_dry()
            delay_s = times["output_buffer_dac_time"] - times["current_time"]
            if not 0.0 <= delay_s <= MAX_DELAY_S:
                delay_s = 3 * buffer_s
            if converter is None:
                pcm = self._buffer.pull(count, now_s, delay_s)
            else:
                wanted, held_s = converter.wants(count)
                pcm = converter.convert(self._buffer.pull(wanted, now_s, delay_s, held_s), count)
            self._meter.note(pcm)
            plays = self._buffer.drained(now_s)
            if plays is not None:
                self._loop.call_soon_threadsafe(self._drained, plays)
            return pcm, CONTINUE

        return callback


class Converter:
    """Feeds a device that runs at another rate.

    Args:
        rate_hz: The device's rate.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._resampler = Resampler(RATE_HZ, rate_hz)
        self._ready = b""

    def wants(self, count: int) -> tuple[int, float]:
        """Return what ``convert`` must be given for ``count`` frames of the device.

        Returns:
            The frames, and how much of what was given before is still in here, in seconds.
        """
        ready = len(self._ready) // BYTES_PER_FRAME
        held_s = self._resampler.delay_s + ready / self._rate_hz
        return self._resampler.needed(count - ready), held_s

    def convert(self, pcm: bytes, count: int) -> bytes:
        """Return exactly ``count`` frames of the device."""
        size = count * BYTES_PER_FRAME
        self._ready += self._resampler.process(pcm)
        out, self._ready = self._ready[:size], self._ready[size:]
        return out


class _Once:
    """A call that happens once, whoever comes first."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


def _wanted(settings: Audio) -> Wanted:
    return Wanted(
        is_input=False,
        device=settings.output,
        rate_hz=settings.device_rate_hz,
        buffer_ms=settings.output_buffer_ms,
    )
