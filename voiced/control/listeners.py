"""The listening sockets themselves: made by us, or kept for us while we were restarted.

Rules
1. The caller holds the lock: a path is taken away from whoever had it.
2. A socket is 0600 from its first moment.
3. A kept socket is used only if it is the one its path leads to.  A socket cannot be asked
   for the file it is bound to, so the number of that file is a part of the name it is
   kept under.
4. Nothing here removes a file that is not ours: see rule 3.
"""

import contextlib
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voiced.errors import ConfigError

BACKLOG: Final = 128
"""Commands that wait while nobody serves them, during a restart."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening unix socket and the file it is bound to."""

    path: Path
    socket: socket.socket
    inode: int
    """Number of the file."""

    @property
    def name(self) -> str:
        """Return the name it is kept under: what it serves, and the number of its file."""
        return f"{self.path.stem}.{self.inode}"

    def lend(self) -> int:
        """Return a descriptor that whoever gets it may close."""
        return os.dup(self.socket.fileno())

    def remove(self) -> None:
        """Remove the file, so that whoever asks is told at once that nobody is there."""
        if _inode(self.path) == self.inode:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the socket; the file stays."""
        self.socket.close()


def listen(path: Path) -> Listener:
    """Make a socket at a path; what was there is removed.

    Raises:
        ConfigError: It cannot be made.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            made.bind(str(path))
        finally:
            os.umask(before)
        made.listen(BACKLOG)
        made.setblocking(False)
        return Listener(path, made, path.stat().st_ino)
    except OSError as error:
        made.close()
        raise ConfigError(f"cannot serve on {path}: {error.strerror or error}") from error


def adopt(path: Path, kept: Mapping[int, str]) -> Listener | None:
    """Return the socket that was kept for a path, or None where none can be used.

    Args:
        path: Where it has to be bound.
        kept: Descriptors and the names they were kept under; those not used stay open.
    """
    inode = _inode(path)
    for descriptor, name in kept.items():
        if inode is not None and name == f"{path.stem}.{inode}" and _listens(descriptor, path):
            return Listener(path, socket.socket(fileno=descriptor), inode)
    return None


def _inode(path: Path) -> int | None:
    """Return the number of a socket file, or None where there is none."""
    with contextlib.suppress(OSError):
        found = path.lstat()
        return found.st_ino if stat.S_ISSOCK(found.st_mode) else None
    return None


def _listens(descriptor: int, path: Path) -> bool:
    """Tell whether a descriptor is a socket that listens at a path; libzmq asks nothing."""
    try:
        probe = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return False
    with probe:
        return (
            probe.family == socket.AF_UNIX
            and probe.type == socket.SOCK_STREAM
            and probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
            and probe.getsockname() == str(path)
        )
