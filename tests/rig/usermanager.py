"""A real service manager of a user who exists nowhere else; see ``user-systemd``.

Commands join its namespaces one by one, so that every one of them is a plain process of
the test.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests.rig.daemon import ROOT

SCRIPT: Final = Path(__file__).with_name("user-systemd")
UID: Final = 4242
HOME: Final = Path("/home/voicetest")
RUNTIME: Final = Path(f"/run/user/{UID}")
UNIT: Final = "voiced.service"
CANNOT: Final = 77
PATIENCE_S: Final = 60.0
"""What is waited for comes at once; this only ends a test that would hang."""


class UserManagerError(Exception):
    """The service manager did not do what every test relies on."""


class CannotError(UserManagerError):
    """It cannot be had here; the text says why."""


class UserManager:
    """The service manager, for as long as the ``with`` block runs.

    Args:
        options: Options of ``user-systemd``.

    Raises:
        CannotError: It cannot be had here.
        UserManagerError: It did not come up.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._first_pid = 0

    def __enter__(self) -> Self:
        reached = {
            ROOT,
            Path(sys.prefix),
            Path(sys.base_prefix),
            Path(sys.executable).resolve().parents[1],
        }
        arguments = [word for path in sorted(reached) for word in ("--reach", str(path))]
        self._process = subprocess.Popen(
            [str(SCRIPT), *arguments, *self._options, "sh", "-c", "echo up; exec cat"],
            env={**os.environ, "PYTHON": sys.executable},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "up\n":
            _, complaint = self._process.communicate(timeout=PATIENCE_S)
            kind = CannotError if self._process.returncode == CANNOT else UserManagerError
            raise kind(complaint.strip() or "user-systemd said nothing")
        self._first_pid = next(_in_other_namespace(self._process.pid))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        process = self._process
        if process is not None:
            # Its last command reads its input; the end of that is the end of everything.
            process.communicate(timeout=PATIENCE_S)

    def popen(self, *command: str, as_root: bool = False) -> subprocess.Popen[str]:
        """Start a command as the user; all it reads and writes are pipes.

        What is killed is the one who waits for the command, and the command with it.
        """
        ids = () if as_root else (f"--reuid={UID}", f"--regid={UID}", "--clear-groups")
        namespaces = ("--mount", "--pid", "--cgroup", "--ipc", "--wd=/run")
        return subprocess.Popen(
            [
                "nsenter",
                f"--target={self._first_pid}",
                *namespaces,
                "--",
                "setpriv",
                *ids,
                "--pdeathsig=KILL",
                *command,
            ],
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *command: str, text: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the user to its end.

        Args:
            command: Program and arguments.
            text: What it reads.
            check: Its status must be 0.

        Raises:
            UserManagerError: It is not.
        """
        with self.popen(*command) as process:
            out, complaint = process.communicate(text, timeout=PATIENCE_S)
        done = subprocess.CompletedProcess(command, process.returncode, out, complaint)
        if check and done.returncode != 0:
            raise UserManagerError(
                f"{command}: {done.returncode}: {out}{complaint}\n{self.journal()}"
            )
        return done

    def systemctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``systemctl --user``."""
        return self.run("systemctl", "--user", *arguments, check=check)

    def ctl(
        self, *arguments: str, text: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run the voicectl of this environment."""
        return self.run(str(program("voicectl")), *arguments, text=text, check=check)

    def show(self, property_name: str) -> str:
        """Return a property of the unit."""
        return self.systemctl("show", UNIT, "--property", property_name, "--value").stdout.strip()

    def journal(self, *arguments: str) -> str:
        """Return what the journal has about the unit."""
        command = ("journalctl", "--user", "--unit", UNIT, "--no-pager", *arguments)
        return self.run(*command, check=False).stdout

    def records(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the records of the journal about the unit."""
        return [json.loads(line) for line in self.journal("--output=json", *arguments).splitlines()]

    def write(self, path: Path, text: str, mode: int = 0o600) -> None:
        """Write a file as the user."""
        script = 'mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1"'
        self.run("sh", "-euc", script, "sh", str(path), f"{mode:o}", text=text)

    def environment(self) -> dict[str, str]:
        """Return the environment of the user's commands."""
        return {
            "PATH": f"{HOME}/.local/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(HOME),
            "USER": "voicetest",
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(RUNTIME),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={RUNTIME}/bus",
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def program(name: str) -> Path:
    """Return one of our programs, as installed beside the Python that runs the tests."""
    return Path(sys.executable).with_name(name)


def _in_other_namespace(pid: int) -> Iterator[int]:
    """Yield the descendants of a process that have other process ids than we know."""
    ours = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no path
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        if os.readlink(f"/proc/{child}/ns/pid") != ours:  # noqa: PTH115 - the same
            yield child
        else:
            yield from _in_other_namespace(child)
