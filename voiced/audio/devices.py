"""Which device is meant by "default" or by a part of a name.

Under PulseAudio and PipeWire, PortAudio sees hardly more than "pulse" and "default",
while people know their devices by the sound server's names ("Jabra", "HDMI").  Both
lists are searched, the sound server's first: a raw hardware device that the sound server
holds cannot be opened anyway.

Each loudspeaker of a sound server has a monitor among the microphones, which hears what it
plays and bears its name.  A monitor is only meant by who says so.
"""

import logging
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
        for device in servers:
            if device.is_monitor and not _matches(MONITOR.lstrip("."), wanted):
                continue
            for name in (device.description, device.name):
                if _matches(wanted, name):
                    return Choice(name, door.index, _route(device.name, is_input=is_input))
    for each in usable:
        if _matches(wanted, each.name):
            return Choice(each.name, each.index)
    raise DeviceError(_nothing_found(wanted, usable, servers, is_input=is_input))


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
