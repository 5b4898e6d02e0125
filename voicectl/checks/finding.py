"""What a check found, pure."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    """It could not be looked at, or does not matter here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    id: str
    """A part and a subject, such as ``sound.input``; never changes."""
    level: Level
    message: str
    remedy: str = ""
    """What to do about it: a command where there is one."""


def ok(identity: str, message: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(identity, Level.OK, message)


def warn(identity: str, message: str, remedy: str) -> Finding:
    """Return a finding that something may be wrong."""
    return Finding(identity, Level.WARN, message, remedy)


def fail(identity: str, message: str, remedy: str) -> Finding:
    """Return a finding that something does not work."""
    return Finding(identity, Level.FAIL, message, remedy)


def skip(identity: str, message: str) -> Finding:
    """Return a finding that there was nothing to look at; the message says why."""
    return Finding(identity, Level.SKIP, message)
