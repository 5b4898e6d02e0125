"""The flight recorder as people use it: what it holds is written down when they ask.

Rules
1. A file is made in the runtime directory, closed to others; nothing else may be written
   by the service.  ``voicectl`` takes it away.
2. What nobody takes away is removed, at the latest by the next daemon.
3. Sound is put together and written on a thread.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any, Final

from voiced.audio.pcm import RATE_HZ
from voiced.audio.recorder import CHANNELS, Recorder, Stretch, joined, write_wav
from voiced.errors import ConfigError, WireError

PREFIX: Final = "recording-"
SUFFIX: Final = ".wav"
UNCLAIMED_S: Final = 60.0
OFF: Final = (
    "the flight recorder is off; set seconds = 60 in the table [recorder] of the configuration"
    " (voicectl config edit), then: voicectl reload"
)
EMPTY: Final = "the flight recorder has heard nothing yet; it listens while the microphone is open"


class Recording:
    """Answers ``voicectl recorder``.  Used on the event loop.

    Args:
        recorder: Holds the sound.
        directory: Where files are made.
    """

    def __init__(self, recorder: Recorder, directory: Path) -> None:
        self._recorder = recorder
        self._directory = directory
        self._loop = asyncio.get_running_loop()
        self._writing = asyncio.Lock()

    async def answer(self, args: Mapping[str, str]) -> dict[str, Any]:
        """Do what is asked: ``status``, ``clear`` or ``save``.

        Raises:
            ConfigError: There is nothing to save, or no room for it.
            WireError: Something else is asked.
        """
        wish = args.get("wish")
        if wish == "save":
            return await self._save()
        if wish == "clear":
            self._recorder.clear()
        elif wish != "status":
            raise WireError(f"recorder can save, clear and tell its status, not {wish!r}")
        return {"seconds": self._recorder.seconds, "kept_s": self._recorder.kept_s}

    async def _save(self) -> dict[str, Any]:
        if not self._recorder.is_on:
            raise ConfigError(OFF)
        # Each of them is as large as what is kept.
        async with self._writing:
            stretches = self._recorder.between(-inf, inf)
            if not stretches:
                raise ConfigError(EMPTY)
            try:
                path, seconds = await asyncio.to_thread(write, self._directory, stretches)
            except OSError as error:
                raise ConfigError(f"cannot write to {self._directory}: {error.strerror}") from error
        self._loop.call_later(UNCLAIMED_S, self._remove, path)
        return {"file": str(path), "seconds": round(seconds, 2), "channels": list(CHANNELS)}

    def _remove(self, path: Path) -> None:
        self._loop.run_in_executor(None, remove, path)


def write(directory: Path, stretches: Sequence[Stretch]) -> tuple[Path, float]:
    """Write sound to a file of a name of its own; return it and how many seconds it has.

    Raises:
        OSError: It cannot be done.
    """
    samples = joined(stretches)
    # Closed to others from the first moment.
    descriptor, name = tempfile.mkstemp(SUFFIX, PREFIX, directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write_wav(file, samples)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name), samples.shape[1] / RATE_HZ


def remove(path: Path) -> None:
    """Remove a file, if it is still there."""
    path.unlink(missing_ok=True)


def tidy(directory: Path) -> None:
    """Remove what another daemon left behind."""
    for path in directory.glob(f"{PREFIX}*{SUFFIX}"):
        remove(path)
