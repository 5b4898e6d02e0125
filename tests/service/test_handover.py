"""A daemon takes the place of another, as the service manager would have it.

What the manager does is done here by hand, so it needs no privileges; the real one is in
``test_user_manager``.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rig.daemon import ROOT
from tests.rig.soundcard import VirtualSoundCard

pytestmark = pytest.mark.timeout(120)

PATIENCE_S = 60.0
FIRST = 3
"""Where the descriptors begin that are handed to a process (sd_listen_fds(3))."""

BECOME = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
for number, descriptor in enumerate(map(int, sys.argv[1:]), start=3):
    os.dup2(descriptor, number)
os.execv(sys.executable, [sys.executable, "-m", "voiced"])
"""


class Manager:
    """Hears what the daemon says, and keeps what it wants kept."""

    def __init__(self, base: Path) -> None:
        self.path = base / "notify"
        self.kept: dict[str, int] = {}
        self.said: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE_S)
        self._socket.bind(str(self.path))

    def close(self) -> None:
        self._socket.close()
        for descriptor in self.kept.values():
            os.close(descriptor)

    def until(self, wanted: str) -> None:
        """Listen until something is said."""
        self.said = []
        while wanted not in self.said:
            message, descriptors, _, _ = socket.recv_fds(self._socket, 4096, 4)
            lines = message.decode().splitlines()
            self.said += lines
            if "FDSTORE=1" in lines:
                name = lines[1].removeprefix("FDNAME=")
                if name in self.kept:
                    os.close(descriptors[0])
                else:
                    self.kept[name] = descriptors[0]

    @contextmanager
    def daemon(self, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        """Run a daemon that gets what is kept."""
        descriptors = tuple(self.kept.values())
        assert all(each >= FIRST + len(descriptors) for each in descriptors)
        extra = {
            "NOTIFY_SOCKET": str(self.path),
            "PYTHONPATH": str(ROOT),
            "WATCHDOG_USEC": "600000000",
        }
        if self.kept:
            extra |= {"LISTEN_FDS": str(len(self.kept)), "LISTEN_FDNAMES": ":".join(self.kept)}
        command = [sys.executable, "-c", BECOME, *map(str, descriptors)]
        with subprocess.Popen(
            command, env={**environment, **extra}, pass_fds=descriptors
        ) as process:
            try:
                self.until("READY=1")
                yield process
            finally:
                process.kill()


@pytest.fixture
def manager(card: VirtualSoundCard) -> Iterator[Manager]:
    made = Manager(card.base)
    yield made
    made.close()


def test_what_is_asked_between_two_daemons_is_answered_by_the_second(
    manager: Manager, card: VirtualSoundCard
) -> None:
    environment = card.environment()
    place = Path(environment["XDG_RUNTIME_DIR"]) / "voiced"
    voicectl = [sys.executable, "-m", "voicectl", "version", "--timeout", "60"]
    with manager.daemon(environment) as first:
        assert [name.split(".")[0] for name in manager.kept] == ["control", "events"]
        assert "STATUS=idle" in manager.said
        first.send_signal(signal.SIGUSR2)
        manager.until("STOPPING=1")
        assert first.wait(PATIENCE_S) == 0
    assert (place / "control.sock").is_socket()

    with subprocess.Popen(
        voicectl,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as asking:
        inode = (place / "control.sock").stat().st_ino
        with manager.daemon(environment) as second:
            answer, _ = asking.communicate(timeout=PATIENCE_S)
            assert "FDSTOREREMOVE=1" not in manager.said
            manager.until("WATCHDOG=1")
            assert (place / "control.sock").stat().st_ino == inode
            second.terminate()
            assert second.wait(PATIENCE_S) == 0
    assert "not running" not in answer
    assert not (place / "control.sock").exists()


def test_what_was_kept_and_is_of_no_use_is_let_go_of(
    manager: Manager, card: VirtualSoundCard
) -> None:
    environment = card.environment()
    place = Path(environment["XDG_RUNTIME_DIR"]) / "voiced"
    with manager.daemon(environment) as first:
        first.kill()
        first.wait(PATIENCE_S)
    stale = next(name for name in manager.kept if name.startswith("control"))
    (place / "control.sock").rename(place / "moved")
    with manager.daemon(environment):
        assert "FDSTOREREMOVE=1" in manager.said
        assert f"FDNAME={stale}" in manager.said
        assert (place / "control.sock").is_socket()
