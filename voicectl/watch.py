"""Tells when something is made in a directory that need not be there yet: inotify(7)."""

import contextlib
import ctypes
import os
from pathlib import Path
from typing import Final

IN_MOVED_TO: Final = 0x80
IN_CREATE: Final = 0x100
IN_DELETE_SELF: Final = 0x400
IN_MOVE_SELF: Final = 0x800
IN_ONLYDIR: Final = 0x100_0000
WANTED: Final = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR


class DirectoryWatch:
    """Watches a directory, or what there is of the way to it.

    Args:
        directory: Where something is going to be made.

    Attributes:
        descriptor: Readable as soon as something was made; None while nothing is watched,
            which is also what a system that has run out of watches gives.
    """

    def __init__(self, directory: Path) -> None:
        self.descriptor: int | None = None
        self._directory = directory
        self._libc = ctypes.CDLL(None, use_errno=True)

    def arm(self) -> None:
        """Begin anew: what is made from now on is told."""
        self.disarm()
        descriptor = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if descriptor < 0:
            return
        if self._watch_nearest(descriptor):
            self.descriptor = descriptor
        else:
            os.close(descriptor)

    def disarm(self) -> None:
        """Watch no more."""
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def has_told(self) -> bool:
        """Tell whether something was made since the last time."""
        with contextlib.suppress(BlockingIOError):
            return self.descriptor is not None and bool(os.read(self.descriptor, 65_536))
        return False

    def _watch_nearest(self, descriptor: int) -> bool:
        """Watch the deepest directory on the way that is there; false when none can be."""
        way = [os.fsencode(each) for each in (self._directory, *self._directory.parents)]

        def is_watched(place: int) -> bool:
            return bool(self._libc.inotify_add_watch(descriptor, way[place], WANTED) >= 0)

        reached = next((place for place in range(len(way)) if is_watched(place)), None)
        if reached is None:
            return False
        # The way may have become longer meanwhile.
        while reached > 0 and is_watched(reached - 1):
            reached -= 1
        return True
