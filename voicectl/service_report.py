"""Puts together what the disk and the service manager say about the service."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voicectl import installation, systemctl
from voicectl.unit_file import UNIT, Copy, Facts, Finding, Programs, judge
from voiced import __version__
from voiced.config import config_directory
from voiced.service.credentials import KEY_FILE

PROPERTIES: Final = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "FragmentPath",
    "MainPID",
    "NRestarts",
    "Result",
    "ExecMainStatus",
    "StatusText",
    "ActiveEnterTimestamp",
    "NeedDaemonReload",
)


@dataclass(frozen=True, slots=True)
class State:
    """What the service manager says about the service."""

    load: str
    active: str
    sub: str
    enabled: str
    path: str
    pid: int
    restarts: int
    result: str
    exit_status: int
    status: str
    """The line the daemon says about itself."""
    since: str
    needs_reload: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about the service."""

    facts: Facts
    state: State | None
    """None where the service manager cannot be reached."""
    complaint: str = ""
    """Why it cannot."""

    @property
    def findings(self) -> list[Finding]:
        """Return what is wrong, and what helps."""
        return judge(self.facts)


def report(environment: Mapping[str, str]) -> Report:
    """Look at everything."""
    try:
        state: State | None = _state(systemctl.show(*PROPERTIES))
        directories, complaint = systemctl.unit_path(), ""
    except systemctl.ManagerError as error:
        state, complaint = None, str(error)
        directories = installation.default_unit_path(environment)
    return Report(_facts(environment, directories, state), state, complaint)


def _state(shown: Mapping[str, str]) -> State:
    def number(name: str) -> int:
        return int(shown[name]) if shown.get(name, "").isdecimal() else 0

    return State(
        load=shown.get("LoadState", ""),
        active=shown.get("ActiveState", ""),
        sub=shown.get("SubState", ""),
        enabled=shown.get("UnitFileState", ""),
        path=shown.get("FragmentPath", ""),
        pid=number("MainPID"),
        restarts=number("NRestarts"),
        result=shown.get("Result", ""),
        exit_status=number("ExecMainStatus"),
        status=shown.get("StatusText", ""),
        since=shown.get("ActiveEnterTimestamp", ""),
        needs_reload=shown.get("NeedDaemonReload") == "yes",
    )


def _facts(environment: Mapping[str, str], directories: list[str], state: State | None) -> Facts:
    own_directory = str(installation.unit_directory(environment))
    if own_directory not in directories:
        directories = [*directories, own_directory]
    place = directories.index(own_directory)
    above = list(installation.copies(directories[:place]))
    ours = next(installation.copies([own_directory]), None)
    below = list(installation.copies(directories[place + 1 :]))
    in_use = next(iter((*above, *([ours] if ours else []), *below)), None)
    return Facts(
        version=__version__,
        programs=_programs(environment),
        above=above,
        ours=ours,
        below=below,
        is_program_there=_is_there(in_use, environment),
        lost_key=_lost_key(environment),
        needs_reload=state is not None and state.needs_reload,
        exit_status=0 if state is None else state.exit_status,
    )


def _programs(environment: Mapping[str, str]) -> Programs | None:
    with contextlib.suppress(installation.NotInstalledError):
        return installation.programs(environment)
    return None


def _is_there(copy: Copy | None, environment: Mapping[str, str]) -> bool:
    if copy is None or not copy.program:
        return True
    program = copy.program.replace("%h", environment.get("HOME", ""))
    return not program.startswith("/") or os.access(program, os.X_OK)


def _lost_key(environment: Mapping[str, str]) -> str | None:
    """Return the key file that the service is to get and that is not there."""
    if not installation.drop_in(installation.SECRET, environment).exists():
        return None
    path = key_file(environment)
    return None if path.exists() else str(path)


def key_file(environment: Mapping[str, str]) -> Path:
    """Return where the key is kept."""
    return config_directory(environment) / KEY_FILE


def unit_file(environment: Mapping[str, str]) -> Path:
    """Return where our file of the service belongs."""
    return installation.unit_directory(environment) / UNIT
