"""How a command ends: the exit statuses, and why the daemon could not be asked.

A key press runs through this module, so it imports next to nothing.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

DONE: "Final" = 0
FALSE: "Final" = 1
USAGE: "Final" = 2
NOT_RUNNING: "Final" = 3
NO_ANSWER: "Final" = 4
OTHER_VERSION: "Final" = 5
CANNOT_SERVE: "Final" = 6
INTERRUPTED: "Final" = 130

KEY_VERBS: "Final" = frozenset(
    {"start", "stop", "toggle", "interrupt", "ptt", "mute", "unmute"},
)
"""What keys are bound to: who presses one sees no terminal."""


class CommandError(Exception):
    """A command that was not done; says why, and how it ends.

    Attributes:
        status: The exit status.
        message: What is wrong, in one line.
        hint: The remedy.
    """

    status = FALSE
    message = ""
    hint = ""

    def __init__(self, message: str = "", hint: str = "", status: int | None = None) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message
        self.hint = hint or self.hint
        self.status = self.status if status is None else status


class NotRunningError(CommandError):
    """No daemon serves the control socket."""

    status = NOT_RUNNING
    message = "voiced is not running"

    def __init__(self) -> None:
        super().__init__(hint=f"start it: {how_to_start(os.environ)}")


class NoAnswerError(CommandError):
    """The daemon did not answer in time."""

    status = NO_ANSWER
    message = "voiced did not answer in time"
    hint = "see its log: journalctl --user -u voiced"


class TooLongError(CommandError):
    """The request is longer than the daemon takes."""

    status = USAGE
    message = "the request is too long"


class VersionError(CommandError):
    """The daemon is of another version, or cannot be understood.

    Attributes:
        voiced: Its version, where it is known.
    """

    status = OTHER_VERSION
    hint = "restart the daemon: systemctl --user restart voiced"

    def __init__(self, message: str, voiced: str = "") -> None:
        super().__init__(message)
        self.voiced = voiced


class RefusedError(CommandError):
    """The daemon said no."""


def how_to_start(environment: "Mapping[str, str]") -> str:
    """Return the command that starts voiced, as far as the usual places tell."""
    home = environment.get("HOME", "")
    data = environment.get("XDG_DATA_HOME") or f"{home}/.local/share"
    config = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    for place in (data, config, "/usr/lib"):
        if os.access(f"{place}/systemd/user/voiced.service", os.R_OK):
            return "voicectl service start"
    return "voiced, or: voicectl service install"


def complain(message: str, hint: str = "") -> None:
    """Say on stderr what is wrong, and the remedy."""
    if sys.stderr is None:
        return
    try:
        print(f"voicectl: {message}{'; ' if hint else ''}{hint}", file=sys.stderr, flush=True)
    except OSError:
        # Nobody reads it; the exit status still tells.
        return


def conclude(verb: str, run: "Callable[[], int]") -> int:
    """Run a command and return its exit status, whatever happens.

    Args:
        verb: What was asked for.
        run: Does it; its status is that of the command.
    """
    try:
        try:
            status = run()
        except CommandError as error:
            complain(error.message, error.hint)
            if verb in KEY_VERBS and not _is_watched():
                _notify(error)
            status = error.status
        except SystemExit as ended:
            # The parser has printed its help, or what is wrong.
            status = ended.code if isinstance(ended.code, int) else USAGE
        if sys.stdout is not None:
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone.
        _forget_stdout()
        return DONE
    except OSError as error:
        _forget_stdout()
        about = f"{error.filename}: " if error.filename else "cannot write: "
        complain(f"{about}{error.strerror}")
        return FALSE
    return status


def _forget_stdout() -> None:
    """Write to nowhere: Python would complain once more when it closes stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _is_watched() -> bool:
    """Tell whether somebody at a terminal sees what is said."""
    for stream in (sys.stdin, sys.stderr):
        if stream is not None and stream.isatty() and not _is_behind(os.ttyname(stream.fileno())):
            return True
    return False


def _is_behind(terminal: str) -> bool:
    """Tell whether it is the console from which a desktop was started, which now hides it."""
    is_console = terminal[:8] == "/dev/tty" and terminal[8:].isdigit()
    return is_console and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _notify(error: CommandError) -> None:
    from voicectl import notification

    notification.show(error.message, error.hint)
