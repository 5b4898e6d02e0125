"""Asks the service manager of this user, by ``systemctl --user``."""

import re
import subprocess
from collections.abc import Sequence
from typing import Final

from voicectl.unit_file import UNIT

WITHIN_S: Final = 3.0
"""How long an answer may take; what is to be done takes as long as it takes."""


class ManagerError(Exception):
    """The service manager cannot be reached, or refused; the text is one line."""


def run(*arguments: str) -> None:
    """Have something done.

    Raises:
        ManagerError: It was not done.
    """
    done = _systemctl(arguments)
    if done.returncode != 0:
        raise ManagerError(_complaint(done.stderr) or f"systemctl {arguments[0]} failed")


def show(*properties: str) -> dict[str, str]:
    """Return properties of the service.

    Raises:
        ManagerError: The service manager cannot be reached.
    """
    return _properties("show", UNIT, f"--property={','.join(properties)}")


def unit_path() -> list[str]:
    """Return the directories in which services are defined; the first one counts.

    Raises:
        ManagerError: The service manager cannot be reached.
    """
    return _properties("show", "--property=UnitPath").get("UnitPath", "").split()


def environment() -> dict[str, str]:
    """Return the variables of what the service manager starts.

    Raises:
        ManagerError: The service manager cannot be reached.
    """
    return _properties("show-environment")


def version() -> int | None:
    """Return the version of systemd, or None where it does not say.

    Raises:
        ManagerError: There is none.
    """
    found = re.match(r"systemd (\d+)", _systemctl(["--version"], WITHIN_S).stdout)
    return int(found.group(1)) if found else None


def _properties(*arguments: str) -> dict[str, str]:
    done = _systemctl(arguments, WITHIN_S)
    if done.returncode != 0:
        raise ManagerError(_complaint(done.stderr) or "systemctl says nothing")
    pairs = [line.split("=", 1) for line in done.stdout.splitlines() if "=" in line]
    return {pair[0]: pair[1] for pair in pairs}


def _systemctl(
    arguments: Sequence[str], within_s: float | None = None
) -> subprocess.CompletedProcess[str]:
    command = ["systemctl", "--user", "--no-pager", *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=within_s
        )
    except subprocess.TimeoutExpired as error:
        raise ManagerError("the service manager of this user does not answer") from error
    except FileNotFoundError as error:
        raise ManagerError("systemctl is not installed: run voiced without it") from error


def _complaint(stderr: str) -> str:
    """Return what systemctl says first; the rest says where to look."""
    first = stderr.strip().split("\n", 1)[0]
    if "Failed to connect to bus" in first:
        return f"the service manager of this user cannot be reached ({first}): log in by a session"
    return first
