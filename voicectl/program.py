"""Where this voicectl is, as something that outlives the next upgrade."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

PROGRAM = "voicectl"


def stable_path() -> Path | None:
    """Return an absolute path by which a desktop can start this voicectl.

    A link that a person or an installer has put into ``~/.local/bin``, or elsewhere in
    PATH, is better than the place it leads to: that moves with every new Python.
    Returns None when this voicectl is not installed as a program.
    """
    own = _own_path()
    if own is None:
        return None
    found = shutil.which(PROGRAM)
    for candidate in (Path.home() / ".local" / "bin" / PROGRAM, found and Path(found)):
        if candidate and _is_same(candidate, own):
            return candidate.absolute()
    return own


def _own_path() -> Path | None:
    """Return where the program lies that is running, or would be."""
    for candidate in (Path(sys.argv[0]), Path(sysconfig.get_path("scripts"), PROGRAM)):
        if candidate.name == PROGRAM and _is_program(candidate):
            return candidate.absolute()
    return None


def _is_same(one: Path, other: Path) -> bool:
    return _is_program(one) and one.resolve() == other.resolve()


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
