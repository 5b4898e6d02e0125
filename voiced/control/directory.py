"""The private directory of the sockets, and the lock that keeps a second daemon out.

libzmq's ``bind`` takes a socket away from whoever serves it, without a word.  So the lock
is taken before anything is bound, and held for as long as the process lives.
"""

import fcntl
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from voiced.control import place
from voiced.errors import ConfigError, LockError

LOCK: Final = "lock"
MAX_SOCKET_PATH: Final = 107
"""Longest path of a unix socket, in bytes (unix(7))."""


def runtime_directory(environment: Mapping[str, str]) -> Path:
    """Return where the sockets are; the directory need not exist.

    Raises:
        ConfigError: There is no place for them.
    """
    try:
        return Path(place.runtime_directory(environment))
    except ValueError as error:
        raise ConfigError(str(error)) from error


def prepare(directory: Path, names: Iterable[str]) -> None:
    """Make the directory, for us alone.

    Args:
        directory: Where the sockets go.
        names: File names of the sockets in it.

    Raises:
        ConfigError: It cannot be used.
    """
    paths = [directory / name for name in names]
    path = max(paths, key=lambda each: len(os.fsencode(each)))
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise ConfigError(
            f"the path of the control socket is longer than {MAX_SOCKET_PATH} bytes: {path};"
            " set XDG_RUNTIME_DIR to a shorter one"
        )
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"cannot use {directory}: {error.strerror}") from error
    for each in paths:
        # libzmq would remove a file without a word.
        if each.exists() and not each.is_socket():
            raise ConfigError(f"cannot serve on {each}: something else is there; remove it")


class InstanceLock:
    """Held by the one daemon of this user; the kernel lets go of it when the process ends."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            ConfigError: The file cannot be used.
            LockError: Another daemon has it.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise ConfigError(f"cannot lock {self._path}: {error.strerror}; remove it") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            raise LockError(str(self._path), int(owner) if owner.isdigit() else None) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another daemon have it; the file stays, it means nothing without the lock."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
