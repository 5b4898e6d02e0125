"""The server as a process, the way the daemon and people run it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

COMMAND: Final = (sys.executable, "-m", "voiced.local")
ROOT: Final = Path(__file__).parents[2]


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start the server with standard streams to talk to."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def address(process: subprocess.Popen[str]) -> str:
    """Return the first line the server prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> float:
    """Stop the server and return how long it took."""
    began_s = time.monotonic()
    process.send_signal(number)
    process.wait(timeout=30)
    return time.monotonic() - began_s


@contextlib.contextmanager
def running(*arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the server while the block runs; gives its address and the process."""
    with start(*arguments, **environment) as process:
        try:
            yield address(process), process
        finally:
            if process.poll() is None:
                stop(process)


def children(pid: int) -> list[int]:
    """Return the processes a process has started."""
    return [child for child, parent in processes().items() if parent == pid]


def processes() -> dict[int, int]:
    """Return every process and its parent."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                found[int(folder.name)] = int(fields[1])
    return found
