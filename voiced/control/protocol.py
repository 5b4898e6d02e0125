"""The names and numbers of the control protocol, and nothing else.

voicectl answers a key press with this module, so it imports nothing: ``typing`` alone
would take longer than the whole exchange with the daemon.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

VERSION: "Final" = 1
DIRECTORY: "Final" = "voiced"
"""Name of the private directory below $XDG_RUNTIME_DIR."""
CONTROL_SOCKET: "Final" = "control.sock"
EVENTS_SOCKET: "Final" = "events.sock"
NOTICES: "Final" = b"{"
"""What the notices on the events' socket begin with; they are JSON objects."""
LEVELS: "Final" = b"levels"
"""What the loudness begins with, there too, followed by a JSON object.  It is measured
only while somebody subscribes to this very word."""
MAX_REQUEST_BYTES: "Final" = 65_536
STALE_AFTER_S: "Final" = 1.0
"""A wish to open the microphone that is older than this is refused."""

VERBS: "Final" = frozenset(
    {
        "start",
        "stop",
        "toggle",
        "interrupt",
        "mute",
        "ptt",
        "say",
        "status",
        "reload",
        "transcript",
        "stats",
        "timeline",
        "recorder",
        "version",
    }
)
STALE_VERBS: "Final" = frozenset({"start", "toggle"})

EXIT_CODES: "Final" = {
    "refused": 1,
    "usage": 2,
    "stale": 4,
    "version": 5,
    "unavailable": 6,
}
"""Error code of a reply -> exit status of voicectl."""

STATES: "Final" = (
    "stopped",
    "starting",
    "idle",
    "connecting",
    "listening",
    "thinking",
    "speaking",
    "muted",
    "error",
)
"""Every state a script can see; the first two are never said by a running daemon."""
