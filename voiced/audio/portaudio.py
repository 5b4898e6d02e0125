"""PortAudio, as far as voiced uses it: two half-duplex callback streams.

Rules
1. Every call that can wait for the sound server runs on a worker thread, never on the
   event loop.
2. A callback returns exactly the bytes asked for, and never raises: an exception in a
   callback kills the stream without a word.
3. PortAudio freezes its list of devices when it is initialised.  A device that is not
   found is looked for once more with a fresh list, when no stream is open.
4. PyAudio does not wrap Pa_AbortStream.  ``Stream.abort`` reaches for it, here and
   nowhere else.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import pyaudio
from pyaudio import _portaudio  # type: ignore[attr-defined] # the C module has no types

from voiced.audio.pcm import RATE_HZ
from voiced.errors import DeviceError

logger = logging.getLogger(__name__)

OUTPUT_UNDERFLOW: Final = pyaudio.paOutputUnderflow
INPUT_OVERFLOW: Final = pyaudio.paInputOverflow

Callback = Callable[[bytes | None, int, Mapping[str, float], int], tuple[bytes | None, int]]
"""PyAudio's stream callback: (captured, frames, times, flags) -> (to play, paContinue)."""

CONTINUE: Final = pyaudio.paContinue
COMPLETE: Final = pyaudio.paComplete


class Route(Protocol):
    """Where a stream goes: one of PortAudio's devices, and the sound server's behind it."""

    @property
    def index(self) -> int | None:
        """Return PortAudio's number; None is its default."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the variables that lead the sound server's library there."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A device as PortAudio lists it."""

    index: int
    name: str
    inputs: int
    outputs: int
    rate_hz: int


class PortAudio:
    """The library, initialised on first use and shared by both streams."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._library: pyaudio.PyAudio | None = None
        self._open_streams = 0

    def devices(self) -> list[Listed]:
        """List the devices as they were when the library was initialised."""
        with self._lock:
            library = self._initialised()
            infos = [library.get_device_info_by_index(i) for i in range(library.get_device_count())]
        return [
            Listed(
                int(info["index"]),
                str(info["name"]),
                int(info["maxInputChannels"]),
                int(info["maxOutputChannels"]),
                int(info["defaultSampleRate"]),
            )
            for info in infos
        ]

    def refresh(self) -> bool:
        """Read the list of devices anew; false while a stream is open."""
        return self.close()

    def close(self) -> bool:
        """Let go of the library; false while a stream is open.

        Closing a stream on two threads at once would hang both.
        """
        with self._lock:
            if self._open_streams:
                return False
            if self._library is not None:
                self._library.terminate()
                self._library = None
            return True

    def open(
        self, route: Route, *, is_input: bool, rate_hz: int, frames: int, callback: Callback
    ) -> "Stream":
        """Open a stream that is not started.

        Raises:
            DeviceError: The device refused.
        """
        with self._lock, _extended(os.environ, route.environment), _quiet():
            try:
                raw = self._initialised().open(
                    rate=rate_hz,
                    channels=1,
                    format=pyaudio.paInt16,
                    input=is_input,
                    output=not is_input,
                    input_device_index=route.index if is_input else None,
                    output_device_index=None if is_input else route.index,
                    frames_per_buffer=frames,
                    start=False,
                    stream_callback=callback,
                )
            except (OSError, ValueError) as error:
                raise DeviceError(_reason(error)) from error
            self._open_streams += 1
        return Stream(raw, rate_hz, frames, self._closed)

    def _initialised(self) -> pyaudio.PyAudio:
        if self._library is None:
            with _quiet():
                self._library = pyaudio.PyAudio()
        return self._library

    def _closed(self) -> None:
        with self._lock:
            self._open_streams -= 1


class Stream:
    """An open stream.  Its calls wait for the sound server: use a worker thread.

    Attributes:
        rate_hz: The device's rate.
        frames: Length of one buffer, in frames of the device.
    """

    def __init__(
        self, raw: "pyaudio._Stream", rate_hz: int, frames: int, on_close: Callable[[], None]
    ) -> None:
        self.rate_hz = rate_hz
        self.frames = frames
        self._raw = raw
        self._on_close = on_close

    def start(self) -> None:
        """Let the callbacks come.

        Raises:
            DeviceError: The device refused.
        """
        try:
            self._raw.start_stream()
        except OSError as error:
            raise DeviceError(_reason(error)) from error

    def is_active(self) -> bool:
        """Tell whether callbacks may come; a hung sound server still says yes."""
        try:
            return bool(self._raw.is_active())
        except OSError:
            return False

    def abort(self) -> None:
        """Stop at once: the device drops the samples it holds.

        Raises:
            DeviceError: The device refused.
        """
        try:
            _portaudio.abort_stream(self._raw._stream)  # type: ignore[attr-defined] # noqa: SLF001 - PyAudio wraps no abort
        except OSError as error:
            raise DeviceError(_reason(error)) from error
        finally:
            # Otherwise the next start_stream() silently does nothing.
            self._raw._is_running = False  # type: ignore[attr-defined] # noqa: SLF001 - the same

    def close(self) -> None:
        """Let go of the device; waits as long as the sound server does."""
        try:
            self._raw.close()
        except OSError as error:
            logger.debug("closing a stream: %s", _reason(error))
        finally:
            self._on_close()


def default_rate_hz(listed: list[Listed], index: int | None, *, is_input: bool) -> int:
    """Return the rate a device likes best."""
    for device in listed:
        if device.index == index or (index is None and device.name == "default"):
            return device.rate_hz
    for device in listed:
        if device.inputs if is_input else device.outputs:
            return device.rate_hz
    return RATE_HZ


def _reason(error: OSError | ValueError) -> str:
    """Return PortAudio's own words."""
    texts = [str(argument) for argument in error.args if isinstance(argument, str)]
    return texts[0] if texts else str(error)


@contextmanager
def _extended(environment: "os._Environ[str]", extra: Mapping[str, str]) -> Iterator[None]:
    """Set variables that libpulse reads when a stream is opened, and take them back."""
    before = {name: environment.get(name) for name in extra}
    environment.update(extra)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the chatter of ALSA and JACK off stderr; our log has a descriptor of its own."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
