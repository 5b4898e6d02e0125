"""Whether the daemon answers, and is of the same version."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from voicectl import client
from voicectl.checks.finding import Finding, fail, ok, warn
from voicectl.outcome import CommandError, NoAnswerError, NotRunningError, VersionError
from voiced import __version__
from voiced.control.protocol import CONTROL_SOCKET
from voiced.errors import ConfigError

WITHIN_S: Final = 3.0
RESTART: Final = "voicectl service restart"
START: Final = "voicectl service start"
START_BY_HAND: Final = "voicectl service install, or in a terminal: voiced"


@dataclass(frozen=True, slots=True)
class Daemon:
    """What the daemon told, as far as it did."""

    findings: list[Finding]
    config: Path | None = None
    """The file it reads."""
    status: dict[str, Any] = field(default_factory=dict)

    @property
    def keeps_closed(self) -> str:
        """Return why the microphone must not be opened now; empty where it may."""
        if self.status.get("mic_open"):
            return "voiced has the microphone open"
        if self.status.get("muted"):
            return "you have muted the microphone: voicectl unmute"
        return ""


def ask(*, has_service: bool, within_s: float = WITHIN_S) -> Daemon:
    """Ask the daemon, for a short time.

    Args:
        has_service: The service manager can start it.
        within_s: How long each answer may take.
    """
    try:
        directory = client.directory()
    except ConfigError as error:
        told, _, remedy = str(error).partition(": ")
        return Daemon([fail("socket.answers", told, remedy)])
    if complaint := _not_private(directory):
        return Daemon([complaint])
    try:
        reply = client.ask("version", {}, within_s)
    except NotRunningError:
        start = START if has_service else START_BY_HAND
        return Daemon([_not_running(directory / CONTROL_SOCKET, start)])
    except NoAnswerError:
        told = f"voiced does not answer within {within_s:g} s"
        return Daemon([fail("socket.answers", told, RESTART)])
    except VersionError as error:
        return Daemon([fail("socket.version", str(error), RESTART)])
    except CommandError as error:
        return Daemon([fail("socket.answers", error.message, error.hint or RESTART)])
    answers = ok("socket.answers", str(directory / CONTROL_SOCKET))
    file = (reply.result or {}).get("config")
    config = Path(file) if file else None
    if reply.voiced != __version__:
        told = f"voiced {reply.voiced} runs, and this is voicectl {__version__}"
        version = warn("socket.version", told, RESTART)
    else:
        version = ok("socket.version", __version__)
    status = _status(within_s)
    return Daemon([answers, version, _state(status)], config, status)


def _not_running(path: Path, start: str) -> Finding:
    left = f"; {path} is left of one that has ended" if path.exists() else ""
    return fail("socket.answers", f"voiced is not running{left}", start)


def _not_private(directory: Path) -> Finding | None:
    """Return what is wrong with the directory of the sockets."""
    try:
        status = directory.stat()
    except OSError:
        return None  # whoever connects to it says it better
    if status.st_uid != os.getuid():
        told = f"{directory} belongs to somebody else"
        return fail("socket.private", told, "set XDG_RUNTIME_DIR to a directory of your own")
    if stat.S_IMODE(status.st_mode) & 0o077:
        return fail("socket.private", f"others may enter {directory}", f"chmod 700 {directory}")
    return None


def _status(within_s: float) -> dict[str, Any]:
    try:
        return client.ask("status", {}, within_s).result or {}
    except CommandError:
        return {}


def _state(status: dict[str, Any]) -> Finding:
    if not status:
        return fail("socket.state", "voiced does not say what it is doing", RESTART)
    if status.get("error"):
        return warn("socket.state", f"voiced says: {status['error']}", "voicectl status")
    return ok("socket.state", str(status.get("state")))
