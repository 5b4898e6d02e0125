"""One stream to the sound card: found, opened, started, watched, closed.

Rules
1. Opening, starting, aborting and closing run on the worker, in the order asked for.
2. ``opening`` counts: the outcome of an attempt that was overtaken by ``close`` is
   thrown away.
3. A stream whose callbacks stay away is lost, whatever PortAudio says of it.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from voiced.audio.devices import Choice, choose, server_devices
from voiced.audio.pcm import RATE_HZ
from voiced.audio.portaudio import Callback, PortAudio, Stream, default_rate_hz
from voiced.audio.worker import Outcome, Worker
from voiced.errors import DeviceError

STALL_S: Final = 0.5
"""A running stream that is not called for so long is lost."""
OPEN_WITHIN_S: Final = 4.0
"""A sound server that takes longer to open a device is given up, before voicectl gives up."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to open."""

    is_input: bool
    device: str
    """"default" or a part of a name."""
    rate_hz: int
    """0 asks for 24 kHz and takes the device's own rate otherwise."""
    buffer_ms: int


MakeCallback = Callable[[int, int], Callback]
"""Makes the callback, given the device's rate and the frames of one buffer."""


class Line:
    """A stream and everything that can happen to it.  Used on the event loop.

    Args:
        library: PortAudio.
        wanted: What to open.

    Attributes:
        name: The device, as people know it; None while none is open.
        is_running: Callbacks are wanted.
        restarts: How often the device was opened again after it had been lost.
    """

    def __init__(self, library: PortAudio, wanted: Wanted) -> None:
        self.wanted = wanted
        self.name: str | None = None
        self.is_running = False
        self.restarts = 0
        self._was_lost = False
        self._library = library
        self._worker = Worker("capture" if wanted.is_input else "playback")
        self._stream: Stream | None = None
        self._opening = 0
        self._called_s = 0.0

    @property
    def is_open(self) -> bool:
        """Tell whether a device is open."""
        return self._stream is not None

    @property
    def buffer_s(self) -> float:
        """Return the length of one buffer in seconds, of the open device if there is one."""
        stream = self._stream
        return self.wanted.buffer_ms / 1000 if stream is None else stream.frames / stream.rate_hz

    def called(self, now_s: float) -> None:
        """Note a callback; PortAudio's thread calls this."""
        self._called_s = now_s

    def open(self, make_callback: MakeCallback, then: Outcome) -> None:
        """Find and open the device; ``then`` gets a ``DeviceError`` or None."""
        self._opening += 1
        attempt = self._opening
        found: list[tuple[Choice, Stream]] = []

        def opened(error: Exception | None) -> None:
            late.cancel()
            if attempt != self._opening:
                for _, stream in found:
                    self._worker.submit(stream.close, raise_unexpected)
                return
            for choice, stream in found:
                self.name, self._stream = choice.name, stream
                self.restarts += self._was_lost
                self._was_lost = False
            then(error)

        def give_up() -> None:
            if attempt == self._opening:
                self.lose()
                then(DeviceError(f"the sound server did not answer for {OPEN_WITHIN_S:g} s"))

        late = asyncio.get_running_loop().call_later(OPEN_WITHIN_S, give_up)
        self._worker.submit(lambda: found.append(self._find_and_open(make_callback)), opened)

    def start(self, then: Outcome, before: Callable[[], None] | None = None) -> None:
        """Start the stream; ``before`` runs on the worker, right before the first callback.

        A stream that has been given up meanwhile is not started.
        """
        stream = self._stream
        if stream is None:
            return
        self.is_running = True

        def start() -> None:
            if self._stream is not stream:
                return
            if before is not None:
                before()
            self._called_s = time.monotonic()
            stream.start()

        self._called_s = time.monotonic()
        self._worker.submit(start, self._about(stream, then))

    def abort(self, then: Outcome, after: Callable[[], None] | None = None) -> None:
        """Stop at once; ``after`` runs on the worker, as soon as the device is silent.

        It does not run when the stream has been given up meanwhile.
        """
        stream = self._stream
        if stream is None:
            return
        self.is_running = False

        def stop() -> None:
            stream.abort()
            if after is not None and self._stream is stream:
                after()

        self._worker.submit(stop, self._about(stream, then))

    def close(self) -> None:
        """Let go of the device, whatever state it is in."""
        self._opening += 1
        self.is_running = self._was_lost = False
        self.name = None
        stream, self._stream = self._stream, None
        if stream is not None:
            self._worker.submit(stream.close, raise_unexpected)

    def ask(self, call: Callable[[], None], then: Outcome) -> None:
        """Run a call that may wait for the sound server on the worker, after what was asked for."""
        self._worker.submit(call, then)

    def call_when_done(self, call: Callable[[], None]) -> None:
        """Call back, on the event loop, when everything asked for so far is done."""
        self._worker.submit(lambda: None, lambda _: call())

    def lose(self) -> None:
        """Let go of a device that does not answer; the call may hang for good."""
        was_open = self.is_open or self._was_lost
        self.close()
        self._was_lost = was_open
        self._worker.abandon()

    def is_lost(self, now_s: float) -> bool:
        """Tell whether the stream should be called back and is not."""
        if self._stream is None or not self.is_running:
            return False
        return now_s - self._called_s > STALL_S

    def end(self) -> None:
        """Close, and take no more calls."""
        self.close()
        self._worker.close()

    def join(self, within_s: float) -> bool:
        """Wait, on any thread, until the device is closed; false when it hangs."""
        return self._worker.join(within_s)

    def _about(self, stream: Stream, then: Outcome) -> Outcome:
        """Keep to itself what a stream refuses after it has been given up."""
        return lambda error: then(error if self._stream is stream else None)

    def _find_and_open(self, make_callback: MakeCallback) -> tuple[Choice, Stream]:
        try:
            return self._open_as_listed(make_callback)
        except DeviceError:
            # The device may have come after the list was read.
            if not self._library.refresh():
                raise
            return self._open_as_listed(make_callback)

    def _open_as_listed(self, make_callback: MakeCallback) -> tuple[Choice, Stream]:
        wanted = self.wanted
        listed = self._library.devices()
        servers = [] if wanted.device == "default" else server_devices(is_input=wanted.is_input)
        choice = choose(wanted.device, listed, servers, is_input=wanted.is_input)
        own_hz = default_rate_hz(listed, choice.index, is_input=wanted.is_input)
        rates = [wanted.rate_hz] if wanted.rate_hz else list(dict.fromkeys((RATE_HZ, own_hz)))
        refusal = DeviceError("no rate to try")
        for rate_hz in rates:
            frames = rate_hz * wanted.buffer_ms // 1000
            try:
                stream = self._library.open(
                    choice,
                    is_input=wanted.is_input,
                    rate_hz=rate_hz,
                    frames=frames,
                    callback=make_callback(rate_hz, frames),
                )
            except DeviceError as error:
                refusal = DeviceError(f'cannot open "{choice.name}" at {rate_hz} Hz: {error}')
                continue
            return choice, stream
        raise refusal


def raise_unexpected(error: Exception | None) -> None:
    """Let a failure nobody planned for end the daemon."""
    if error is not None and not isinstance(error, DeviceError):
        raise error
