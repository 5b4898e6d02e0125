"""Where the programs and the files of the service are, on this disk."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from voicectl import unit_file
from voicectl.unit_file import GENERATED, UNIT, UNRUNNABLE, Programs, UnitFile

NO_NAMESPACES: Final = "no-user-namespaces.conf"
SECRET: Final = "secret.conf"  # noqa: S105 - the name of a file
UNITS: Final = "units"
"""Directory of the package that has the templates."""
SYSTEM_DIRECTORIES: Final = (
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
)


class NotInstalledError(Exception):
    """A program of ours is not where it could be started from; the text is one line."""


def template(name: str) -> str:
    """Return the text of a template."""
    return (resources.files("voicectl") / UNITS / name).read_text()


def unit_directory(environment: Mapping[str, str]) -> Path:
    """Return where the services are that programs install for this user."""
    base = environment.get("XDG_DATA_HOME") or ""
    data = Path(base) if base.startswith("/") else _home(environment) / ".local" / "share"
    return data / "systemd" / "user"


def drop_in(name: str, environment: Mapping[str, str]) -> Path:
    """Return where a drop-in of ours belongs."""
    return unit_directory(environment) / f"{UNIT}.d" / name


def directories(
    environment: Mapping[str, str], system: Sequence[str] = SYSTEM_DIRECTORIES
) -> list[str]:
    """Return where services of a user are, the one that wins first (systemd.unit(5)).

    The service manager knows better, where it can be asked.
    """
    config = environment.get("XDG_CONFIG_HOME") or f"{_home(environment)}/.config"
    runtime = environment.get("XDG_RUNTIME_DIR")
    etc, run, *packaged = system
    found = [f"{config}/systemd/user.control", f"{config}/systemd/user", etc]
    found += [f"{runtime}/systemd/user"] if runtime else []
    return [*found, run, str(unit_directory(environment)), *packaged]


def copies(places: Iterable[str]) -> list[UnitFile]:
    """Return every file that defines the service, without drop-ins; the first one counts."""
    found: dict[Path, UnitFile] = {}
    for place in places:
        path = Path(place) / UNIT
        if unit := read(path):
            found.setdefault(path.resolve(), unit)
    return list(found.values())


def drop_ins(places: Iterable[str]) -> list[Path]:
    """Return the drop-ins that hold, in their order: by name, one of each name."""
    found: dict[str, Path] = {}
    for place in places:
        for path in Path(place, f"{UNIT}.d").glob("*.conf"):
            found.setdefault(path.name, path)
    return [found[name] for name in sorted(found)]


def read(path: Path, extra: Iterable[Path] = ()) -> UnitFile | None:
    """Read a file of the service and the drop-ins that can be read; None where it is not."""
    texts = []
    for each in extra:
        with contextlib.suppress(OSError):
            texts.append(each.read_text(errors="replace"))
    try:
        return unit_file.read(str(path), path.read_text(errors="replace"), *texts)
    except OSError as error:
        complaint = error.strerror or str(error)
    # What may not be looked for is not there, as for the service manager.
    return UnitFile(str(path), complaint=complaint) if os.access(path, os.F_OK) else None


def programs(environment: Mapping[str, str]) -> Programs:
    """Return how our programs are best started: by a name that outlives an upgrade.

    Raises:
        NotInstalledError: One of them is not there.
    """
    return Programs(program("voiced", environment), program("voicectl", environment))


def program(name: str, environment: Mapping[str, str]) -> str:
    """Return how one of our programs is best started.

    Raises:
        NotInstalledError: It is not there.
    """
    beside = (Path(sys.executable), Path(sys.argv[0]).absolute())
    for own in (each.with_name(name) for each in beside):
        if own.is_file() and os.access(own, os.X_OK):
            path = str(stable(own, environment))
            if UNRUNNABLE & set(path):
                raise NotInstalledError(f"{path}: a quote or a backslash is too much for systemd")
            return path
    raise NotInstalledError(f"{name} is not beside {beside[0]}: install the package with pip or uv")


def stable(own: Path, environment: Mapping[str, str]) -> Path:
    """Return a link on PATH that leads to a program, or the program where there is none.

    pipx, uv and people link what a virtual environment has into ~/.local/bin: the link
    stays when the environment is made anew somewhere else.
    """
    searched = [
        *environment.get("PATH", "").split(os.pathsep),
        str(_home(environment) / ".local/bin"),
    ]
    real = own.resolve()
    for directory in searched:
        candidate = Path(directory) / own.name
        if candidate.is_absolute() and candidate.is_symlink() and candidate.resolve() == real:
            return candidate
    return own


def write(path: Path, text: str, mode: int = 0o644, directory_mode: int = 0o755) -> None:
    """Write a file so that nobody ever sees a part of it."""
    path.parent.mkdir(mode=directory_mode, parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        Path(made).rename(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def remove_generated(path: Path) -> bool:
    """Remove a file that we wrote, and its directory when nothing else is in it."""
    try:
        if GENERATED not in path.read_text():
            return False
    except FileNotFoundError:
        return False
    path.unlink()
    if path.parent.name == f"{UNIT}.d":
        with contextlib.suppress(OSError):
            path.parent.rmdir()
    return True


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME")
    return Path(home) if home else Path.home()
