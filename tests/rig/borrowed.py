"""The machine's own sound server, with two temporary sinks on it.

Used by the demo where there is real sound: the two voices go through sinks of their own,
which can be recorded, and from there to the default loudspeaker, so that one hears them.
Everything is taken away again at the end.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.rig.soundcard import SoundCardError

PREFIX = "voiced_demo"


def has_sound() -> bool:
    """Tell whether a sound server with a real loudspeaker answers."""
    try:
        done = subprocess.run(
            ["pactl", "get-default-sink"], capture_output=True, text=True, check=False, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    sink = done.stdout.strip()
    return done.returncode == 0 and sink not in ("", "@DEFAULT_SINK@", "auto_null")


class BorrowedSoundCard:
    """Two sinks on the machine's sound server, for as long as the ``with`` block runs.

    Attributes:
        base: A fresh directory for the daemon's sockets and configuration.
        speaker: What the assistant plays into.
        mic: What the user speaks into.
    """

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="vd", dir="/tmp"))
        self.speaker = f"{PREFIX}_speaker"
        self.mic = f"{PREFIX}_mic"
        self._modules: list[str] = []

    def __enter__(self) -> Self:
        (self.base / "run").mkdir(mode=0o700)
        try:
            for sink in (self.speaker, self.mic):
                self._load("module-null-sink", f"sink_name={sink}", "rate=24000", "channels=1")
                self._load("module-loopback", f"source={sink}.monitor", "latency_msec=60")
        except SoundCardError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for module in reversed(self._modules):
            self.pactl("unload-module", module, check=False)
        self._modules.clear()

    def pactl(self, *arguments: str, check: bool = True) -> str:
        """Run ``pactl`` and return its output, stripped."""
        done = subprocess.run(
            ["pactl", *arguments], capture_output=True, text=True, check=False, timeout=10
        )
        if check and done.returncode != 0:
            raise SoundCardError(f"pactl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def environment(self) -> dict[str, str]:
        """Return the environment of the programs that use the two sinks."""
        # The sound server is found by the session's own runtime directory; the daemon's
        # sockets go into ours.
        server = self.pactl("info").split("Server String: ")[1].splitlines()[0]
        pulse = server if ":" in server else f"unix:{server}"
        own = {"HOME": str(self.base), "XDG_RUNTIME_DIR": str(self.base / "run")}
        return {**os.environ, "PULSE_SERVER": pulse, **own}

    def _load(self, *arguments: str) -> None:
        self._modules.append(self.pactl("load-module", *arguments))
