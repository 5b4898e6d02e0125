"""The microphones and loudspeakers, by the names that ``[audio]`` takes."""

import argparse
import json
from typing import TYPE_CHECKING, Any, Final

from voicectl.outcome import DONE, FALSE, complain
from voicectl.verbs.tree import Verbs
from voiced.errors import ConfigError

if TYPE_CHECKING:
    from voicectl.sound import Device, Side, Survey
    from voiced.settings import Audio

WITHIN_S: Final = 10.0


def add(verbs: Verbs) -> None:
    """Add the verb."""
    made = verbs.verb(
        "devices",
        "the microphones and loudspeakers there are, and which are used",
        devices,
        examples=(
            "voicectl devices            * is what voiced uses",
            "voicectl devices --all      also what hears the loudspeakers",
            "voicectl devices --json",
        ),
        json=True,
    )
    made.add_argument("--all", action="store_true", help="also monitors and hardware devices")


def devices(arguments: argparse.Namespace) -> int:
    """Print the devices."""
    from voicectl.sound import SoundError, survey

    audio = _wanted()
    try:
        found = survey(audio, listen_s=0.0, within_s=WITHIN_S)
    except SoundError as error:
        complain(str(error))
        return FALSE
    if arguments.json:
        print(json.dumps(as_object(found, audio), indent=2))
    elif not found.is_empty:
        everything: bool = arguments.all
        shown = [*_lines("input", audio.input, found.input, everything=everything), ""]
        print(
            "\n".join(shown + _lines("output", audio.output, found.output, everything=everything))
        )
    if found.is_empty:
        complain(
            "there is no sound server and no sound device",
            "start one: systemctl --user start pipewire-pulse, or: pulseaudio --start",
        )
        return FALSE
    for side in (found.input, found.output):
        if side.error:
            complain(side.error)
    return DONE


def as_object(found: "Survey", audio: "Audio") -> dict[str, Any]:
    """Return what was found, for JSON."""
    sides = {"input": (audio.input, found.input), "output": (audio.output, found.output)}
    told: dict[str, Any] = {"v": 1, "server": found.server}
    for name, (configured, side) in sides.items():
        listed = [
            {
                "name": device.name,
                "description": device.description,
                "default": device.is_default,
                "used": device.name == side.used,
                "muted": device.is_muted,
                "monitor": device.is_monitor,
            }
            for device in side.devices
        ]
        told[name] = {
            "configured": configured,
            "used": side.used or None,
            "error": side.error or None,
            "devices": listed,
            "hardware": side.hardware,
        }
    return told


def _wanted() -> "Audio":
    """Return what the configuration wants; the defaults when it cannot be read."""
    from voicectl import settings_file
    from voiced.settings import Audio

    try:
        return settings_file.load(settings_file.in_use()).audio
    except ConfigError as error:
        complain(str(error), "the defaults are taken")
        return Audio()


def _lines(key: str, configured: str, side: "Side", *, everything: bool) -> list[str]:
    what = "microphones" if key == "input" else "loudspeakers"
    shown = [
        device
        for device in side.devices
        if everything or not device.is_monitor or device.is_default or device.name == side.used
    ]
    rows = [(device.description or device.name, device.name, _remarks(device)) for device in shown]
    used = [device.name == side.used for device in shown]
    if everything or not side.devices:
        rows += [(name, "", "past the sound server") for name in side.hardware]
        used += [name == side.used for name in side.hardware]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines = [f'{what} ([audio] {key} = "{configured}")']
    for (description, name, remarks), is_used in zip(rows, used, strict=True):
        mark = "*" if is_used else " "
        lines.append(f"{mark} {description:{widths[0]}}  {name:{widths[1]}}  {remarks}".rstrip())
    return lines if rows else [*lines, "  none"]


def _remarks(device: "Device") -> str:
    remarks = {
        "default": device.is_default,
        "muted": device.is_muted,
        "hears what is played": device.is_monitor,
    }
    return ", ".join(name for name, is_so in remarks.items() if is_so)
