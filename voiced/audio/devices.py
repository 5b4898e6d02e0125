"""Which device is meant by "default" or by a part of a name.

Under PulseAudio and PipeWire, PortAudio sees hardly more than "pulse" and "default",
while people know their devices by the sound server's names ("Jabra", "HDMI").  Both
lists are searched, the sound server's first: a raw hardware device that the sound server
holds cannot be opened anyway.

Each loudspeaker of a sound server has a monitor among the microphones, which hears what it
plays and bears its name.  A monitor is only meant by who says so.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pulsectl

from voiced.audio.portaudio import Listed
from voiced.errors import DeviceError

logger = logging.getLogger(__name__)

SERVER_DEVICES: Final = ("pulse", "pipewire", "default")
"""PortAudio devices that lead to the sound server, best first."""
DEFAULT: Final = "default"
MONITOR: Final = ".monitor"
"""How the sound server's name of a monitor ends."""
HEADSETS: Final = ("headset", "headphone", "hands-free", "earpiece")
SPEAKER: Final = "speaker"
"""A port of a headset's sound card that is none itself."""
CANCELLERS: Final = ("echo-cancel", "echo_cancel", "echo cancel", "echocancel")


@dataclass(frozen=True, slots=True)
class Choice:
    """A device to open."""

    name: str
    """What people call it."""
    index: int | None = None
    """PortAudio's number; None is PortAudio's default."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that lead the sound server's client library to it."""


@dataclass(frozen=True, slots=True)
class ServerDevice:
    """A device as the sound server lists it."""

    name: str
    description: str
    is_monitor: bool = False
    """It hears what a loudspeaker plays."""
    is_default: bool = False
    is_muted: bool = False
    """Muted, or turned down to nothing."""
    form: str = ""
    """What it is: "headset", "speaker" and the like, where somebody knows."""
    driver: str = ""
    """The part of the sound server it comes from."""

    @property
    def is_headset(self) -> bool:
        """Tell whether nobody but its wearer hears it, as far as the sound server knows."""
        return self._is_like(HEADSETS) and SPEAKER not in self.form.casefold()

    @property
    def is_canceller(self) -> bool:
        """Tell whether the sound server takes the echo out of it, or learns the echo from it."""
        return not self.is_monitor and self._is_like(CANCELLERS)

    def _is_like(self, words: tuple[str, ...]) -> bool:
        text = f"{self.name} {self.description} {self.form} {self.driver}".casefold()
        return any(word in text for word in words)


@dataclass(frozen=True, slots=True)
class InUse:
    """What this process hears with and plays on; None where nobody knows."""

    microphone: ServerDevice | None = None
    loudspeaker: ServerDevice | None = None


@dataclass(frozen=True, slots=True)
class SoundServer:
    """The sound server and what it has."""

    name: str
    microphones: list[ServerDevice]
    loudspeakers: list[ServerDevice]


def sound_server() -> SoundServer | None:
    """Ask the sound server for its name and its devices; None without one."""
    try:
        with pulsectl.Pulse("voiced-devices", connect=False) as pulse:
            pulse.connect(autospawn=False)
            info = pulse.server_info()
            return SoundServer(
                str(info.server_name),
                [_device(each, info.default_source_name) for each in pulse.source_list()],
                [_device(each, info.default_sink_name) for each in pulse.sink_list()],
            )
    except (pulsectl.PulseError, OSError) as error:
        logger.debug("no list of devices from a sound server: %s", error)
        return None


def server_devices(*, is_input: bool) -> list[ServerDevice]:
    """List the sound server's microphones or loudspeakers; empty without a sound server."""
    server = sound_server()
    if server is None:
        return []
    return server.microphones if is_input else server.loudspeakers


def in_use(wanted_input: str, wanted_output: str) -> InUse:
    """Ask the sound server where our streams really are, and what is meant where there are none.

    A person may have moved them, and "default" may be any device.
    """
    try:
        with pulsectl.Pulse("voiced-streams", connect=False) as pulse:
            pulse.connect(autospawn=False)
            info = pulse.server_info()
            sources, sinks = pulse.source_list(), pulse.sink_list()
            recorded = {each.source for each in pulse.source_output_list() if _is_ours(each)}
            played = {each.sink for each in pulse.sink_input_list() if _is_ours(each)}
    except (pulsectl.PulseError, OSError) as error:
        logger.debug("no streams from a sound server: %s", error)
        return InUse()
    return InUse(
        _found(wanted_input, sources, recorded, info.default_source_name),
        _found(wanted_output, sinks, played, info.default_sink_name),
    )


def _is_ours(stream: Any) -> bool:  # noqa: ANN401 - pulsectl has no types
    return str(stream.proplist.get("application.process.id")) == str(os.getpid())


def _found(wanted: str, listed: list[Any], ours: set[int], default: str) -> ServerDevice | None:
    for each in listed:
        if each.index in ours:
            return _device(each, default)
    devices = [_device(each, default) for each in listed]
    if wanted == DEFAULT:
        return next((each for each in devices if each.is_default), None)
    return _named(wanted, devices)


def _device(listed: Any, default: str) -> ServerDevice:  # noqa: ANN401 - pulsectl has no types
    port = listed.port_active
    form = [listed.proplist.get("device.form_factor", ""), port.name if port else ""]
    return ServerDevice(
        listed.name,
        listed.description or "",
        is_monitor=listed.name.endswith(MONITOR),
        is_default=listed.name == default,
        is_muted=bool(listed.mute) or listed.volume.value_flat == 0,
        form=" ".join(filter(None, form)),
        driver=listed.driver or "",
    )


def choose(
    wanted: str, listed: list[Listed], servers: list[ServerDevice], *, is_input: bool
) -> Choice:
    """Find the device that is meant.

    Args:
        wanted: "default", or a part of a name; case does not matter.
        listed: PortAudio's devices.
        servers: The sound server's devices of this direction.
        is_input: True for microphones.

    Raises:
        DeviceError: No device has that name; the text lists what there is.
    """
    usable = [device for device in listed if (device.inputs if is_input else device.outputs)]
    if wanted == DEFAULT:
        if not usable:
            raise DeviceError(f"there is no {_kind(is_input=is_input)} at all")
        return Choice(DEFAULT)
    door = next((d for name in SERVER_DEVICES for d in usable if d.name == name), None)
    if door is not None:
        device = _named(wanted, servers)
        if device is not None:
            name = device.description if _matches(wanted, device.description) else device.name
            return Choice(name, door.index, _route(device.name, is_input=is_input))
    for each in usable:
        if _matches(wanted, each.name):
            return Choice(each.name, each.index)
    raise DeviceError(_nothing_found(wanted, usable, servers, is_input=is_input))


def _named(wanted: str, devices: list[ServerDevice]) -> ServerDevice | None:
    """Return the first device that has this in one of its names."""
    for device in devices:
        if device.is_monitor and not _matches(MONITOR.lstrip("."), wanted):
            continue
        if _matches(wanted, device.description) or _matches(wanted, device.name):
            return device
    return None


def _matches(wanted: str, name: str) -> bool:
    return wanted.casefold() in name.casefold()


def _route(name: str, *, is_input: bool) -> dict[str, str]:
    pulse = "PULSE_SOURCE" if is_input else "PULSE_SINK"
    return {pulse: name, "PIPEWIRE_NODE": name}


def _kind(*, is_input: bool) -> str:
    return "microphone" if is_input else "loudspeaker"


def _nothing_found(
    wanted: str, usable: list[Listed], servers: list[ServerDevice], *, is_input: bool
) -> str:
    key = "input" if is_input else "output"
    names = [name for device in servers for name in (device.description, device.name) if name]
    names += [device.name for device in usable]
    there = ", ".join(f'"{name}"' for name in dict.fromkeys(names)) or "nothing"
    return f'[audio] {key}: no {_kind(is_input=is_input)} named "{wanted}"; there is: {there}'
