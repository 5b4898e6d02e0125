"""A virtual sound card: one private PulseAudio server with two null sinks.

Rules
1. Nothing here can reach the machine's own sound: every variable that could name
   another server is replaced or removed (see ``VirtualSoundCard.environment``).
2. ``speaker`` is what the program under test plays into, ``mic.monitor`` is what it
   records from.  A person who speaks is a ``paplay`` into ``mic``; the judge who
   listens records ``speaker.monitor``.
3. ``norewinds=1`` matters: an idle null sink otherwise renders ahead, so the first
   sound comes a second late and the monitor's time stamps are wrong.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

RATE_HZ = 24_000
TOOLS = ("pulseaudio", "pactl", "paplay", "parec")
READY_WITHIN_S = 5.0

ALSA_CONFIGURATION = """\
pcm.pulse { type pulse }
ctl.pulse { type pulse }
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


class SoundCardError(Exception):
    """The virtual sound card cannot be had here; the text says why."""


def missing_tools() -> list[str]:
    """Name the programs the virtual sound card needs and this machine lacks."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


class SoundCard(Protocol):
    """Two sinks of a sound server: one the program plays into, one the user speaks into."""

    base: Path
    speaker: str
    mic: str

    def environment(self) -> dict[str, str]:
        """Return the environment of the programs that use it."""

    def pactl(self, *arguments: str, check: bool = True) -> str:
        """Run ``pactl`` and return its output, stripped."""


class VirtualSoundCard:
    """A private sound server that lives as long as the ``with`` block.

    Attributes:
        base: A short fresh directory; unix socket paths end at 107 bytes.
        rate_hz: Sample rate of both sinks, in frames per second.
        speaker: The sink the program under test plays into.
        mic: The sink whose monitor it records from.
    """

    def __init__(self, *, rate_hz: int = RATE_HZ) -> None:
        self.speaker = "speaker"
        self.mic = "mic"
        self.base = Path(tempfile.mkdtemp(prefix="vs", dir="/tmp"))
        self.rate_hz = rate_hz
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pulse_server(self) -> str:
        """Return the server string for ``PULSE_SERVER``."""
        return f"unix:{self.base}/run/pulse/native"

    @property
    def pid(self) -> int:
        """Return the process id of the sound server."""
        if self._process is None:
            raise SoundCardError("the sound server is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        self._lay_out()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def start(self) -> None:
        """Start the sound server and wait until it answers."""
        absent = missing_tools()
        if absent:
            raise SoundCardError(f"not installed: {', '.join(absent)}")
        log = (self.base / "pulseaudio.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [
                    "pulseaudio",
                    "-n",
                    *("-F", str(self.base / "script.pa")),
                    "--daemonize=no",
                    "--use-pid-file=no",
                    "--exit-idle-time=-1",
                    "--realtime=no",
                    "--high-priority=no",
                    "--log-target=stderr",
                ],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_WITHIN_S
        while self.pactl("get-default-source", check=False) != "mic.monitor":
            if self._process.poll() is not None or time.monotonic() > deadline:
                text = (self.base / "pulseaudio.log").read_text(errors="replace")
                self.stop()
                raise SoundCardError(f"pulseaudio did not come up:\n{text}")

    def stop(self) -> None:
        """End the sound server; harmless when it is already gone."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def pactl(self, *arguments: str, check: bool = True) -> str:
        """Run ``pactl`` against this server and return its output, stripped."""
        done = subprocess.run(
            ["pactl", *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
        if check and done.returncode != 0:
            raise SoundCardError(f"pactl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return an environment in which this is the only sound there is."""
        kept = {
            name: value
            for name, value in (os.environ if base is None else base).items()
            if not name.startswith(("PULSE_", "ALSA_", "PIPEWIRE_", "XDG_"))
        }
        absent = f"unix:path={self.base}/no-bus"
        return kept | {
            "HOME": str(self.base),
            "XDG_RUNTIME_DIR": str(self.base / "run"),
            "XDG_CONFIG_HOME": str(self.base / "config"),
            "XDG_STATE_HOME": str(self.base / "state"),
            "XDG_CACHE_HOME": str(self.base / "cache"),
            "PULSE_RUNTIME_PATH": str(self.base / "run" / "pulse"),
            "PULSE_STATE_PATH": str(self.base / "state"),
            "PULSE_SERVER": self.pulse_server,
            "PULSE_CLIENTCONFIG": str(self.base / "client.conf"),
            "ALSA_CONFIG_PATH": str(self.base / "asound.conf"),
            "JACK_NO_START_SERVER": "1",
            "DBUS_SESSION_BUS_ADDRESS": absent,
            "DBUS_SYSTEM_BUS_ADDRESS": absent,
        }

    @contextmanager
    def in_process(self) -> Iterator[None]:
        """Make this the sound of the running process, for as long as the block runs."""
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.environment(before))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _lay_out(self) -> None:
        for name in ("run/pulse", "config", "state", "cache"):
            (self.base / name).mkdir(parents=True, mode=0o700)
        (self.base / "run").chmod(0o700)
        sink = f"rate={self.rate_hz} channels=1 format=s16le norewinds=1"
        (self.base / "script.pa").write_text(
            ".fail\n"
            f"load-module module-native-protocol-unix auth-anonymous=1 "
            f"socket={self.base}/run/pulse/native\n"
            f"load-module module-null-sink sink_name=speaker {sink}\n"
            f"load-module module-null-sink sink_name=mic {sink}\n"
            "set-default-sink speaker\n"
            "set-default-source mic.monitor\n"
        )
        (self.base / "client.conf").write_text("autospawn = no\n")
        # PortAudio aborts the whole process when this file is missing.
        (self.base / "asound.conf").write_text(ALSA_CONFIGURATION)
