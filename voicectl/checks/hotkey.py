"""Whether what runs your hotkeys finds voicectl.

A desktop has a PATH of its own, which is not that of your shell.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voicectl import systemctl
from voicectl.checks.finding import Finding, ok, skip, warn

PROC: Final = Path("/proc")
DESKTOPS: Final[Mapping[str, str]] = {
    "gsd-media-keys": "gnome",
    "kglobalacceld": "kde",
    "kglobalaccel5": "kde",
    "sxhkd": "sxhkd",
    "xremap": "xremap",
    "sway": "sway",
    "Hyprland": "hyprland",
    "i3": "i3",
    "gnome-shell": "gnome",
    "kwin_wayland": "kde",
    "kwin_x11": "kde",
}
"""Programs that run hotkeys, the nearest to them first; what ``hotkeys show`` calls them."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A program that runs hotkeys."""

    name: str
    path: str
    """Its PATH."""

    @property
    def remedy(self) -> str:
        """Return how to do without its PATH."""
        desktop = DESKTOPS.get(self.name, "DESKTOP")
        return f"bind the whole path, as printed by: voicectl hotkeys show {desktop}"


def check(program: Path | None, *, proc: Path = PROC) -> list[Finding]:
    """Look for voicectl where the hotkeys look.

    Args:
        program: This voicectl; None where it has no place of its own.
        proc: The processes.
    """
    order = list(DESKTOPS)
    runners = sorted(running(proc), key=lambda runner: order.index(runner.name))
    if not runners and (path := manager_path()):
        runners = [Runner("the service manager", path)]
    if not runners:
        return [skip("hotkey.path", "no desktop of yours is running")]
    return [judged(runners, program)]


def judged(runners: list[Runner], program: Path | None) -> Finding:
    """Return what the PATHs mean."""
    for runner in runners:
        found = shutil.which("voicectl", path=runner.path)
        if found is None:
            told = f"{runner.name} does not find voicectl in its PATH"
            return warn("hotkey.path", told, runner.remedy)
        if program is not None and Path(found).resolve() != program.resolve():
            told = f"{runner.name} finds another one: {found}"
            return warn("hotkey.path", told, runner.remedy)
    names = ", ".join(runner.name for runner in runners)
    return ok("hotkey.path", f"{names} finds {shutil.which('voicectl', path=runners[0].path)}")


def running(proc: Path) -> Iterator[Runner]:
    """Find the programs of this user that run hotkeys."""
    seen: set[str] = set()
    for process in proc.iterdir():
        if not process.name.isdecimal():
            continue
        try:
            # A wrapper's name, as NixOS has it, is ".sway-wrapped".
            name = (process / "comm").read_text().strip().lstrip(".").partition("-wrapp")[0]
            if name not in DESKTOPS or name in seen or process.stat().st_uid != os.getuid():
                continue
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended, or is not ours to look at
        seen.add(name)
        yield Runner(name, _path(os.fsdecode(each) for each in variables))


def manager_path() -> str:
    """Return the PATH of what the service manager starts; empty without one."""
    try:
        return systemctl.environment().get("PATH", "")
    except systemctl.ManagerError:
        return ""


def _path(variables: Iterable[str]) -> str:
    return next((each[5:] for each in variables if each.startswith("PATH=")), "")
