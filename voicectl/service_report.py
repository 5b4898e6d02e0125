"""Puts together what the disk and the service manager say about the service."""

import contextlib
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from voicectl import installation, systemctl
from voicectl.service_facts import Facts, Program, State
from voicectl.unit_file import UNIT, Programs, UnitFile, expand
from voiced.config import config_directory
from voiced.service.credentials import KEY_FILE

PROPERTIES: Final = (
    "LoadState",
    "LoadError",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "FragmentPath",
    "DropInPaths",
    "MainPID",
    "NRestarts",
    "Result",
    "ExecMainStatus",
    "StatusText",
    "ActiveEnterTimestamp",
    "NeedDaemonReload",
)
SEARCHED: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where systemd looks for a program that is given by its name."""
SYSCTL: Final = Path("/proc/sys")
FORBIDDING: Final = {
    "kernel/unprivileged_userns_clone": "0",
    "kernel/apparmor_restrict_unprivileged_userns": "1",
    "user/max_user_namespaces": "0",
}
"""Setting of the kernel -> the value that forbids user namespaces."""


def report(environment: Mapping[str, str], sysctl: Path = SYSCTL) -> Facts:
    """Look at everything.

    Args:
        environment: The environment.
        sysctl: Where the kernel's settings are.
    """
    try:
        state: State | None = State.of(systemctl.show(*PROPERTIES))
        directories, complaint = systemctl.unit_path(), ""
    except systemctl.ManagerError as error:
        state, complaint = None, str(error)
        directories = installation.directories(environment)
    own = unit_file(environment)
    if str(own.parent) not in directories:
        directories = [*directories, str(own.parent)]
    copies = installation.copies(directories)
    before = [Path(each) / UNIT for each in directories[: directories.index(str(own.parent))]]
    # A link to ours is ours.
    ours = next((each for each in copies if Path(each.path).resolve() == own.resolve()), None)
    above = [each for each in copies if Path(each.path) in before and each is not ours]
    in_use = _in_use(copies, directories, state)
    return Facts(
        programs=_programs(environment),
        above=above,
        ours=ours,
        below=[each for each in copies if each not in (*above, ours)],
        in_use=in_use,
        program=_program(in_use, environment),
        lost=_lost(in_use, environment),
        forbidden=_forbidden(sysctl),
        state=state,
        complaint=complaint,
    )


def _in_use(
    copies: Sequence[UnitFile], directories: Sequence[str], state: State | None
) -> UnitFile | None:
    """Return the file that counts, read with its drop-ins."""
    paths = [Path(each.path) for each in copies]
    drop_ins = [Path(each) for each in state.drop_ins] if state else []
    if state is not None and state.path:
        # Links are read once, under the first of their names.
        same = (path for path in paths if path.resolve() == Path(state.path).resolve())
        paths = [*same, Path(state.path), *paths]
    extra = drop_ins or installation.drop_ins(directories)
    return next((unit for path in paths if (unit := installation.read(path, extra))), None)


def _programs(environment: Mapping[str, str]) -> Programs | None:
    with contextlib.suppress(installation.NotInstalledError):
        return installation.programs(environment)
    return None


def _program(unit: UnitFile | None, environment: Mapping[str, str]) -> Program | None:
    """Look at what a service starts."""
    named = unit.program(environment) if unit else None
    if named is None:
        return None
    path = Path(shutil.which(named, path=SEARCHED) or named)
    if not path.exists():
        return Program(named, "is not there")
    if not os.access(path, os.X_OK) or path.is_dir():
        return Program(named, "cannot be run")
    interpreter = _interpreter(path)
    if interpreter is not None and not interpreter.exists():
        fault = f"needs {interpreter}, which is gone: was Python upgraded?"
        return Program(named, fault, str(interpreter))
    ours = (Path(sys.prefix) / "bin").resolve()
    theirs = [each.parent.resolve() for each in (path.resolve(), interpreter) if each]
    return Program(named, is_ours=ours in theirs)


def _interpreter(program: Path) -> Path | None:
    """Return the interpreter in the first line of a script."""
    try:
        with program.open("rb") as file:
            first = file.readline(4096)
    except OSError:
        return None
    words = first[2:].split() if first.startswith(b"#!") else []
    return Path(os.fsdecode(words[0])) if words else None


def _lost(unit: UnitFile | None, environment: Mapping[str, str]) -> list[str]:
    """Return the files that the service is to get secrets from and that are not there."""
    wanted = unit.settings.get("LoadCredential", []) if unit else []
    files = [expand(value.partition(":")[2], environment) for value in wanted]
    return [file for file in files if file.startswith("/") and not Path(file).exists()]


def _forbidden(sysctl: Path) -> str:
    """Return what of the kernel's settings forbids user namespaces; empty where none does."""
    for name, value in FORBIDDING.items():
        with contextlib.suppress(OSError):
            if (sysctl / name).read_text().strip() == value:
                return f"{name.replace('/', '.')} = {value}"
    return ""


def key_file(environment: Mapping[str, str]) -> Path:
    """Return where the key is kept."""
    return config_directory(environment) / KEY_FILE


def unit_file(environment: Mapping[str, str]) -> Path:
    """Return where our file of the service belongs."""
    return installation.unit_directory(environment) / UNIT
