"""Whether the user service is installed, as it should be, and can run."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voicectl.checks import unit_file
from voicectl.checks.finding import Finding, fail, ok, skip, warn
from voicectl.checks.unit_file import NAME, UnitFile
from voiced import __version__

WITHIN_S: Final = 3.0
INSTALL: Final = "voicectl service install"
LOGS: Final = "voicectl logs"
RELOAD: Final = "systemctl --user daemon-reload"
ASKED: Final = (
    "LoadState",
    "LoadError",
    "FragmentPath",
    "DropInPaths",
    "ActiveState",
    "Result",
    "ExecMainStatus",
    "UnitFileState",
    "NeedDaemonReload",
)
MOUNTS: Final = ("PrivateUsers", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices")
"""Settings of the sandbox that need a user namespace."""
OFF: Final = ("", "no", "false", "off", "0", "disconnected")
FILTER: Final = "SystemCallFilter"
MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "75": ("another voiced was running already", "stop that one, then: voicectl service start"),
    "78": ("the configuration or the key cannot be used", f"{LOGS}; voicectl config check"),
    "203": ("its program cannot be run", INSTALL),
    "217": ("user namespaces are forbidden", f"{INSTALL} --no-user-namespaces"),
    "218": ("user namespaces are forbidden", f"{INSTALL} --no-user-namespaces"),
    "226": ("its sandbox cannot be made", f"{INSTALL} --no-user-namespaces"),
    "243": ("a secret that it wants is missing", "voicectl secret set, or: voicectl secret rm"),
}
"""Exit status of the service -> what it means, and what to do."""
SYSCTL: Final = Path("/proc/sys")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where to look.

    Attributes:
        environment: The environment.
        places: The directories of units, the one that wins first.
        manager: What the service manager says of the unit; None without one.
        sysctl: Where the kernel's settings are.
    """

    environment: Mapping[str, str]
    places: list[Path]
    manager: Mapping[str, str] | None
    sysctl: Path = SYSCTL


def surroundings(environment: Mapping[str, str]) -> Surroundings:
    """Return those of this machine."""
    return Surroundings(environment, unit_file.directories(environment), ask_manager())


def ask_manager() -> dict[str, str] | None:
    """Ask the service manager about the unit; None without one."""
    command = ["systemctl", "--user", "show", NAME, f"--property={','.join(ASKED)}"]
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, text=True, timeout=WITHIN_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, equals, value in pairs if equals}


def is_installed(around: Surroundings) -> bool:
    """Tell whether there is a unit."""
    return bool(unit_file.copies(around.places)) or bool((around.manager or {}).get("FragmentPath"))


def check(around: Surroundings) -> list[Finding]:
    """Look at the unit."""
    manager = around.manager or {}
    copies = unit_file.copies(around.places)
    loaded = manager.get("FragmentPath")
    if manager.get("LoadState") == "masked" or (copies and _is_masked(copies[0])):
        return [fail("unit.installed", "the service is masked", "systemctl --user unmask voiced")]
    if not loaded and not copies:
        return [warn("unit.installed", "there is no service; voiced runs by hand only", INSTALL)]
    path = Path(loaded) if loaded else copies[0]
    extra = manager.get("DropInPaths", "").split() if loaded else ()
    drop_ins = [Path(each) for each in extra] or unit_file.drop_ins(around.places)
    try:
        unit = unit_file.read(path, drop_ins)
    except OSError as error:
        return [fail("unit.installed", f"cannot read {path}: {error.strerror}", INSTALL)]
    found = [_installed(unit, around), *_state(manager), _version(unit)]
    found += [_program(unit, around.environment), _shadowed(path, copies)]
    return [*found, *_credential(unit, around.environment), _sandbox(unit, around)]


def _installed(unit: UnitFile, around: Surroundings) -> Finding:
    manager = around.manager
    if manager is None:
        return ok("unit.installed", f"{unit.path} (no service manager answers)")
    state = manager.get("LoadState")
    if state == "not-found" or manager.get("NeedDaemonReload") == "yes":
        told = f"the service manager has not read {unit.path} as it is now"
        return warn("unit.installed", told, RELOAD)
    if state != "loaded":
        told = f"systemd cannot use {unit.path}: {manager.get('LoadError') or state}"
        return fail("unit.installed", told, f"systemd-analyze --user verify {NAME}")
    return ok("unit.installed", f"{unit.path} ({manager.get('UnitFileState') or 'static'})")


def _state(manager: Mapping[str, str]) -> list[Finding]:
    state, result = manager.get("ActiveState"), manager.get("Result", "success")
    if state is None:
        return []
    if state != "failed" and (state != "activating" or result == "success"):
        return [ok("unit.state", state)]
    status = manager.get("ExecMainStatus", "")
    plain = f"status {status}" if result == "exit-code" else result
    meaning, remedy = MEANINGS.get(status, (plain, LOGS))
    fails = "the service failed" if state == "failed" else "the service fails again and again"
    return [fail("unit.state", f"{fails}: {meaning}", remedy)]


def _version(unit: UnitFile) -> Finding:
    if not unit.version:
        return skip("unit.version", "the unit was not written by voicectl")
    if unit.version != __version__:
        told = f"the unit is of voiced {unit.version}, and this is {__version__}"
        return warn("unit.version", told, INSTALL)
    return ok("unit.version", unit.version)


def _program(unit: UnitFile, environment: Mapping[str, str]) -> Finding:
    program = unit.program(environment)
    if program is None:
        return fail("unit.execstart", "the unit starts nothing", INSTALL)
    if not program.exists():
        return fail("unit.execstart", f"{program} is not there", INSTALL)
    if not os.access(program, os.X_OK) or program.is_dir():
        return fail("unit.execstart", f"{program} cannot be run", INSTALL)
    interpreter = _interpreter(program)
    if interpreter is not None and not interpreter.exists():
        told = f"{program} needs {interpreter}, which is gone: was Python upgraded?"
        return fail("unit.execstart", told, f"install voiced again, then: {INSTALL}")
    ours = (Path(sys.prefix) / "bin").resolve()
    theirs = [each.parent.resolve() for each in (program.resolve(), interpreter) if each]
    if ours not in theirs:
        told = f"{program} is of another installation than this voicectl ({sys.prefix})"
        return warn("unit.execstart", told, f"use that one's voicectl, or: {INSTALL}")
    return ok("unit.execstart", str(program))


def _interpreter(program: Path) -> Path | None:
    """Return the interpreter in the first line of a script."""
    try:
        with program.open("rb") as file:
            first = file.readline(4096)
    except OSError:
        return None
    words = first[2:].split() if first.startswith(b"#!") else []
    return Path(os.fsdecode(words[0])) if words else None


def _shadowed(path: Path, copies: list[Path]) -> Finding:
    hidden = [each for each in copies if each.resolve() != path.resolve()]
    if not hidden:
        return ok("unit.shadowed", "there is one unit")
    remedy = f"rm {path} && {RELOAD}"
    told = f"{path} hides {hidden[0]}"
    if _text(path) == _text(hidden[0]):
        return warn("unit.shadowed", f"{told}, which is the same", remedy)
    return fail("unit.shadowed", f"{told}, which is another one", remedy)


def _credential(unit: UnitFile, environment: Mapping[str, str]) -> list[Finding]:
    """Look for a secret that is asked for and is not there: the service cannot start then."""
    missing = [
        path
        for value in unit.settings.get("LoadCredential", [])
        if (path := Path(unit_file.expand(value.partition(":")[2], environment))).is_absolute()
        and not path.exists()
    ]
    if not missing:
        return []
    told = f"the unit wants {missing[0]}, which is not there: it cannot start"
    return [fail("unit.credential", told, "voicectl secret set, or: voicectl secret rm")]


def _sandbox(unit: UnitFile, around: Surroundings) -> Finding:
    mounts = [name for name in MOUNTS if unit.last(name).casefold() not in OFF]
    if not mounts and FILTER not in unit.settings:
        return warn("unit.sandbox", "the unit has no sandbox", INSTALL)
    if not mounts:
        return ok("unit.sandbox", "only calls are filtered; nothing needs a user namespace")
    if (around.manager or {}).get("ActiveState") == "active":
        return ok("unit.sandbox", "in force")
    if forbidden := _forbids_namespaces(around.sysctl):
        told = f"{forbidden}: the sandbox of the unit may keep it from starting"
        return warn("unit.sandbox", told, f"{INSTALL} --no-user-namespaces")
    return ok("unit.sandbox", "user namespaces are allowed")


def _forbids_namespaces(sysctl: Path) -> str:
    """Return what of the kernel's settings forbids user namespaces; empty where none does."""
    forbidding = {
        "kernel/unprivileged_userns_clone": "0",
        "kernel/apparmor_restrict_unprivileged_userns": "1",
        "user/max_user_namespaces": "0",
    }
    for name, value in forbidding.items():
        if _text(sysctl / name).strip() == value:
            return f"{name.replace('/', '.')} = {value}"
    return ""


def _is_masked(path: Path) -> bool:
    return path.resolve() == Path(os.devnull) or (path.is_file() and not path.stat().st_size)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
