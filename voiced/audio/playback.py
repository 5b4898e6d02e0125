"""The loudspeaker: plays what it is handed, is silent at once, says what was heard.

Rules
1. The stream runs only while there is something to play: a stream that starts when the
   first sample is there plays it sooner than one that idles, and costs nothing meanwhile.
2. A cut empties the buffer in one step and then aborts the stream, so that the device
   drops what it holds: silence after about 3 ms instead of 30.
3. Every cut is answered, also when the sound server is not: the buffer is empty by then.
   So is every hold; a resume may come before the answer.
4. The reference of the echo canceller is shown what the device is handed, as it is handed
   over: after fades and ducking, at 24 kHz.
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
from voiced.audio.reference import FILLED_PULLS, Reference
from voiced.conversation.sound_events import (
    Heard,
    PlaybackCut,
    PlaybackDrained,
    PlaybackHeld,
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
    delay_s: float | None = None
    """How far ahead of itself the device is, as it says; None while it does not play."""


class Speaker:
    """The loudspeaker.  Used on the event loop.

    Args:
        library: PortAudio.
        settings: Which device and how.
        emit: Takes the events, on the event loop.
        meter: Is shown what is played.
        aborts: Cut and hold by stopping the device; otherwise by the buffer alone, which
            leaves the device its samples and ends in a fade.
        reference: Is shown what the device is handed; None where no echo is cancelled.
    """

    def __init__(
        self,
        library: PortAudio,
        settings: Audio,
        emit: Callable[[SoundEvent], None],
        meter: Meter | None = None,
        *,
        aborts: bool = True,
        reference: Reference | None = None,
    ) -> None:
        self._line = Line(library, _wanted(settings))
        self._emit = emit
        self._meter = meter or Meter()
        self._aborts = aborts
        self._reference = reference
        self._converter: Converter | None = None
        self._underruns = 0
        self._delay_s: float | None = None
        self._buffer = PlaybackBuffer(
            prebuffer_frames=ms_to_frames(settings.prebuffer_ms),
            silent_pulls=0 if reference is None else FILLED_PULLS,
        )
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
        self._stopped()
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
        if stops:
            self._stop(lambda silent_at_s: self._emit(PlaybackCut(number, heard, silent_at_s)))
        else:
            self._emit(PlaybackCut(number, heard, now_s))

    def duck(self, gain_db: float) -> None:
        """Play more quietly from now on, until told otherwise or cut; 0 dB is full level."""
        self._buffer.duck(gain_db)

    def hold(self, number: int) -> None:
        """Be silent now and keep every word; answered by ``PlaybackHeld``."""
        self._forget_linger()
        stops = self._aborts and self._line.is_running
        self._buffer.hold(device_keeps=not stops and self._line.is_running)
        if stops:
            self._stop(lambda silent_at_s: self._emit(PlaybackHeld(number, silent_at_s)))
        else:
            self._emit(PlaybackHeld(number, time.monotonic()))

    def resume(self) -> None:
        """Go on from where it was held; harmless when nothing is."""
        self._buffer.resume()
        self._run()

    def check(self) -> None:
        """Find out whether the device went away; called a few times a second."""
        if self._line.is_lost(time.monotonic()):
            self._lost(f"the loudspeaker took no sound for {STALL_S:g} s")

    def figures(self) -> SpeakerFigures:
        """Return what there is to say about the loudspeaker."""
        return SpeakerFigures(
            self._line.name,
            self._underruns,
            self._buffer.starvations,
            self._line.restarts,
            self._delay_s,
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
            if not self._line.is_running:
                # No callback comes to say that the rest was heard before the stream stopped.
                self._look_whether_drained(time.monotonic())
            return
        self._forget_linger()
        if self._line.is_open and not self._line.is_running:
            self._line.start(self._started, before=self._new_time_line)

    def _started(self, error: Exception | None) -> None:
        if error is not None:
            self._lost(f"the loudspeaker cannot be started: {error}")

    def _stop(self, answer: Callable[[float], None]) -> None:
        """Make the device drop its samples; ``answer`` gets the time when it had, or gave up."""
        silent_at: list[float] = []
        once = _Once(lambda: answer((silent_at or [time.monotonic()])[0]))
        late = self._loop.call_later(CUT_WITHIN_S, self._cut_late, once)

        def stopped(error: Exception | None) -> None:
            late.cancel()
            if error is not None:
                self._lost(f"the loudspeaker cannot be stopped: {error}")
            once()
            # What a device dropped may have been resumed before it was put back.
            self._run()

        def silent() -> None:
            silent_at.append(time.monotonic())
            self._stopped()

        self._line.abort(stopped, after=silent)

    def _drained(self, plays: int) -> None:
        self._emit(PlaybackDrained(plays))
        self._forget_linger()
        self._linger = self._loop.call_later(LINGER_S, self._rest)

    def _rest(self) -> None:
        """Stop the stream: nothing is left to play."""
        if self._line.is_running and self._buffer.pause():
            self._line.abort(self._started, after=self._stopped)

    def _forget_linger(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _cut_late(self, answer: "_Once") -> None:
        self._lost("the sound server does not answer")
        answer()

    def _lost(self, reason: str) -> None:
        self._stopped()
        self._line.lose()
        self._emit(SpeakerLost(reason))

    # --- on PortAudio's thread, or the worker's -------------------------------------------

    def _new_time_line(self) -> None:
        now_s = time.monotonic()
        if self._converter is not None:
            self._converter.reset()
        self._buffer.restarted(now_s, self._line.buffer_s)
        if self._reference is not None:
            self._reference.started(now_s)

    def _stopped(self) -> None:
        self._delay_s = None
        dropped = self._buffer.stopped(time.monotonic())
        if self._reference is not None:
            self._reference.dropped(dropped)

    def _look_whether_drained(self, now_s: float) -> None:
        plays = self._buffer.drained(now_s)
        if plays is not None:
            self._loop.call_soon_threadsafe(self._drained, plays)

    def _make_callback(self, rate_hz: int, frames: int) -> Callback:
        buffer_s = frames / rate_hz
        converter = self._converter = None if rate_hz == RATE_HZ else Converter(rate_hz)

        def callback(
            _captured: bytes | None, count: int, times: Mapping[str, float], flags: int
        ) -> tuple[bytes, int]:
            now_s = time.monotonic()
            self._line.called(now_s)
            if flags & OUTPUT_UNDERFLOW:
                self._underruns += 1
                self._buffer.ran_dry()
                if self._reference is not None:
                    self._reference.ran_dry(now_s)
            delay_s = times["output_buffer_dac_time"] - times["current_time"]
            if not 0.0 <= delay_s <= MAX_DELAY_S:
                delay_s = 3 * buffer_s
            elif self._buffer.is_settled:
                self._delay_s = delay_s
            wanted, held_s = (count, 0.0) if converter is None else converter.wants(count)
            pcm = self._buffer.pull(wanted, now_s, delay_s, held_s)
            if self._reference is not None:
                self._reference.played(pcm, now_s, delay_s)
            if converter is not None:
                pcm = converter.convert(pcm, count)
            self._meter.note(pcm)
            self._look_whether_drained(now_s)
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

    def reset(self) -> None:
        """Forget what is in here: the device begins anew."""
        self._resampler.reset()
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
