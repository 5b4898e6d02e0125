"""How a command ends: the exit statuses, and why the daemon could not be asked."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

DONE: "Final" = 0
FALSE: "Final" = 1
USAGE: "Final" = 2
NOT_RUNNING: "Final" = 3
NO_ANSWER: "Final" = 4
OTHER_VERSION: "Final" = 5
CANNOT_SERVE: "Final" = 6
INTERRUPTED: "Final" = 130


class NotRunningError(Exception):
    """No daemon serves the control socket."""


class NoAnswerError(Exception):
    """The daemon did not answer in time."""


class TooLongError(Exception):
    """The request is longer than the daemon takes."""


class VersionError(Exception):
    """The daemon speaks another version of the control protocol."""


def complain(message: str, hint: str = "") -> None:
    """Say on stderr what is wrong, and the remedy."""
    print(f"voicectl: {message}{'; ' if hint else ''}{hint}", file=sys.stderr)
