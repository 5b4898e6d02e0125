"""What was found of the service, and what keeps us from installing it: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from voicectl.unit_file import Programs, UnitFile


@dataclass(frozen=True, slots=True)
class State:
    """What the service manager says about the service."""

    load: str
    load_error: str
    active: str
    enabled: str
    path: str
    """The file it has read."""
    drop_ins: Sequence[str]
    pid: int
    restarts: int
    sub: str
    result: str
    exit_status: int
    status: str
    """The line the daemon says about itself."""
    since: str
    needs_reload: bool
    """It goes by an older file."""

    @classmethod
    def of(cls, shown: Mapping[str, str]) -> Self:
        """Read what ``systemctl show`` prints."""

        def number(name: str) -> int:
            return int(shown[name]) if shown.get(name, "").isdecimal() else 0

        return cls(
            load=shown.get("LoadState", ""),
            load_error=shown.get("LoadError", ""),
            active=shown.get("ActiveState", ""),
            enabled=shown.get("UnitFileState", ""),
            path=shown.get("FragmentPath", ""),
            drop_ins=shown.get("DropInPaths", "").split(),
            pid=number("MainPID"),
            restarts=number("NRestarts"),
            sub=shown.get("SubState", ""),
            result=shown.get("Result", ""),
            exit_status=number("ExecMainStatus"),
            status=shown.get("StatusText", ""),
            since=shown.get("ActiveEnterTimestamp", ""),
            needs_reload=shown.get("NeedDaemonReload") == "yes",
        )


@dataclass(frozen=True, slots=True)
class Program:
    """What the service starts."""

    path: str
    fault: str = ""
    """Why it cannot be run; follows its path in a sentence."""
    lost_interpreter: str = ""
    """What should run it and is not there."""
    is_ours: bool = True
    """It is of the same installation as this voicectl."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found on the disk and heard from the service manager."""

    programs: Programs | None = None
    """Ours; None where they are not installed."""
    above: Sequence[UnitFile] = ()
    """What counts instead of ours; the first one first."""
    ours: UnitFile | None = None
    below: Sequence[UnitFile] = ()
    """What ours counts instead of."""
    in_use: UnitFile | None = None
    """The file that counts, with its drop-ins."""
    program: Program | None = None
    """What that file starts."""
    lost: Sequence[str] = ()
    """Files that the service is to get secrets from and that are not there."""
    forbidden: str = ""
    """The setting of the kernel that forbids user namespaces."""
    state: State | None = None
    """None where the service manager cannot be reached."""
    complaint: str = ""
    """Why it cannot."""

    @property
    def copies(self) -> list[UnitFile]:
        """Return every file that defines the service; the first one counts."""
        return [*self.above, *([self.ours] if self.ours else []), *self.below]


def obstacle(facts: Facts) -> tuple[str, str] | None:
    """Return what keeps us from installing the service, if anything does, and the remedy."""
    if facts.above:
        path = facts.above[0].path
        return f"{path} would be used instead of ours", f"remove {path}"
    if facts.ours is not None and facts.ours.generated_by is None:
        path = facts.ours.path
        return f"{path} was not made by voicectl", f"remove {path}"
    if facts.below and facts.ours is None:
        message = f"{facts.below[0].path} is there already, and ours would hide it"
        return message, "use it: voicectl service enable --now"
    return None
