"""What the service manager keeps for us while we are restarted: open descriptors.

It hands all of them to the next process, also after a crash, and lets go of them when the
service is stopped.
"""

import os
from typing import Final

from systemd.daemon import listen_fds_with_names, notify

PASSED_ON: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
"""Variables that are meant for us and not for our children."""


def kept() -> dict[int, str]:
    """Return what was kept for us and under which names; asked once, it is ours."""
    found: dict[int, str] = listen_fds_with_names()
    for name in PASSED_ON:
        # libsystemd takes them out of the environment, but not out of Python's copy of it.
        os.environ.pop(name, None)
    return found


def keep(name: str, descriptor: int) -> None:
    """Have a descriptor kept; without a service manager nothing happens."""
    notify(f"FDSTORE=1\nFDNAME={name}", fds=[descriptor])


def forget(name: str) -> None:
    """Have everything of a name let go of."""
    notify(f"FDSTOREREMOVE=1\nFDNAME={name}")
