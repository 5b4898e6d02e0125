"""What there is to hear with and to play on, found out by a process of its own.

PortAudio and the libraries below it may hang in a dead sound server, end the process or
write to the terminal.  In a child they do none of this to voicectl.
"""

import os
import subprocess
import sys
from typing import Final, TypeVar

import msgspec

from voiced.settings import Audio

Told = TypeVar("Told", bound=msgspec.Struct)

BROKEN_LATENCY: Final = "PULSE_LATENCY_MSEC"
"""The daemon takes this variable away too."""


class Device(msgspec.Struct, frozen=True):
    """A microphone or a loudspeaker; either name is one that ``[audio]`` may give a part of."""

    name: str
    description: str = ""
    is_monitor: bool = False
    is_default: bool = False
    is_muted: bool = False
    form: str = ""
    is_headset: bool = False
    is_canceller: bool = False
    """The sound server takes the echo out of it."""


class Side(msgspec.Struct, frozen=True):
    """The microphones, or the loudspeakers."""

    devices: list[Device] = []
    hardware: list[str] = []
    """Devices that are opened past the sound server."""
    used: str = ""
    """The device that voiced takes, by its name; empty where there is none."""
    error: str = ""
    """Why there is none."""


class Level(msgspec.Struct, frozen=True):
    """What the microphone delivered."""

    peak: float = 0.0
    """The loudest sample; 1 is full scale."""
    clipped: float = 0.0
    """The share of samples at full scale."""
    error: str = ""
    """Why it delivered nothing."""


class Survey(msgspec.Struct, frozen=True):
    """Everything that was found out."""

    server: str | None
    """Name of the sound server; None without one."""
    has_door: bool
    """PortAudio can reach the sound server."""
    input: Side
    output: Side
    level: Level | None = None
    """None when the microphone was not to be opened."""

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no sound at all."""
        return self.server is None and not self.input.hardware and not self.output.hardware


class Task(msgspec.Struct, frozen=True):
    """What the child is to do."""

    audio: Audio
    listen_s: float
    """0 leaves the microphone closed."""


class SoundError(Exception):
    """Nothing could be found out; the text says why."""


def survey(audio: Audio, *, listen_s: float, within_s: float) -> Survey:
    """Find out what there is.

    Args:
        audio: The settings, which say what is wanted.
        listen_s: How long to hear the microphone; 0 leaves it closed.
        within_s: How long that may take.

    Raises:
        SoundError: It could not be found out.
    """
    return ask_child("voicectl.probe", Task(audio, listen_s), Survey, within_s)


def ask_child(module: str, task: msgspec.Struct, kind: type[Told], within_s: float) -> Told:
    """Have a process of its own do something with the sound, and return what it tells.

    Args:
        module: What it runs.
        task: What it is given.
        kind: What it answers.
        within_s: How long that may take.

    Raises:
        SoundError: It did not answer.
    """
    environment = {name: value for name, value in os.environ.items() if name != BROKEN_LATENCY}
    try:
        done = subprocess.run(
            [sys.executable, "-m", module],
            input=msgspec.json.encode(task),
            capture_output=True,
            env=environment,
            check=False,
            timeout=within_s,
        )
    except subprocess.TimeoutExpired as error:
        raise SoundError(f"no answer from the sound server within {within_s:g} s") from error
    try:
        return msgspec.json.decode(done.stdout, type=kind)
    except msgspec.DecodeError as error:
        words = done.stderr.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(words) if line.strip()), "nothing")
        raise SoundError(
            f"the sound library failed (status {done.returncode}); it said: {last}"
        ) from error
