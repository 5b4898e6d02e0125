"""A PortAudio that does as it is told, for what no sound server does on command."""

import threading
from dataclasses import dataclass, field

from voiced.audio.portaudio import Callback, Listed, PortAudio, Route, Stream
from voiced.errors import DeviceError

PULSE = Listed(0, "pulse", 32, 32, 44_100)
DEFAULT = Listed(1, "default", 32, 32, 44_100)
USB = Listed(2, "USB Audio: - (hw:1,0)", 1, 2, 48_000)


class FakeStream(Stream):
    """A stream without a device; remembers what was asked of it."""

    def __init__(self, rate_hz: int, frames: int, callback: Callback, refuses: set[str]) -> None:
        self.rate_hz = rate_hz
        self.frames = frames
        self.callback = callback
        self.calls: list[str] = []
        self.refuses = refuses
        self.is_started = threading.Event()

    def start(self) -> None:
        self._note("start")
        self.is_started.set()

    def abort(self) -> None:
        self._note("abort")

    def is_active(self) -> bool:
        return True

    def close(self) -> None:
        self._note("close")

    def capture(self, pcm: bytes, flags: int = 0, *, ago_s: float = 0.0) -> None:
        """Call back as PortAudio would, on a thread of its own.

        Args:
            pcm: What was captured.
            flags: PortAudio's.
            ago_s: How long ago the first of it was captured, as the device says.
        """
        times = {
            "output_buffer_dac_time": 0.02,
            "current_time": 0.0,
            "input_buffer_adc_time": -ago_s,
        }
        thread = threading.Thread(target=self.callback, args=(pcm, len(pcm) // 2, times, flags))
        thread.start()
        thread.join()

    def _note(self, name: str) -> None:
        self.calls.append(name)
        if name in self.refuses:
            raise DeviceError(f"{name} refused")


@dataclass
class FakePortAudio(PortAudio):
    """Devices as a list, and rates that are refused."""

    listed: list[Listed] = field(default_factory=lambda: [PULSE, DEFAULT, USB])
    later: list[Listed] = field(default_factory=list)
    """Devices that appear when the list is read anew."""
    refused_hz: set[int] = field(default_factory=set)
    can_refresh: bool = True
    refuses: set[str] = field(default_factory=set)
    """Names of the calls that every stream refuses."""
    streams: list[FakeStream] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)

    def devices(self) -> list[Listed]:
        return self.listed

    def refresh(self) -> bool:
        if self.can_refresh:
            self.listed = self.listed + self.later
        return self.can_refresh

    def open(
        self, route: Route, *, is_input: bool, rate_hz: int, frames: int, callback: Callback
    ) -> Stream:
        if rate_hz in self.refused_hz:
            raise DeviceError("Invalid sample rate")
        self.routes.append(route)
        self.streams.append(FakeStream(rate_hz, frames, callback, self.refuses))
        return self.streams[-1]
