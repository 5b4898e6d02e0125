"""The state as one line for a status bar: pure.

Rules
1. Never a word of what was said.
2. One line whatever it holds: control characters and halves of characters are replaced.
3. Waybar gets JSON in ASCII; its text and its tooltip are escaped for Pango, which would
   refuse the whole line otherwise.
"""

import json

from voicectl.render import outcome_of
from voiced.control.messages import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

ESCAPES: "Final" = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
)
FLAGS: "Final" = {"muted": "muted", "ptt": "ptt", "paused": "paused"}
"""Flag of a status -> how the line says it, where the state does not."""
CLASSES: "Final" = {**FLAGS, "mic_open": "mic-open", "online": "online"}
"""Flag of a status -> class for the bar's style sheet."""


def text(report: "dict[str, Any]") -> str:
    """Return the state, its flags, and what is wrong."""
    error = report.get("error")
    return one_line(f"{polybar(report)}: {error}" if error else polybar(report))


def polybar(report: "dict[str, Any]") -> str:
    """Return the state and its flags."""
    state = report["state"]
    flags = [said for flag, said in FLAGS.items() if report.get(flag) and said != state]
    # polybar takes "%{" for a command.
    return one_line(" ".join([state, *(f"({flag})" for flag in flags)])).replace("%{", "% {")


def waybar(report: "dict[str, Any]") -> str:
    """Return the JSON object of a custom module."""
    state = one_line(report["state"])
    classes = [said for flag, said in CLASSES.items() if report.get(flag) and said != state]
    return json.dumps(
        {
            "text": state.translate(ESCAPES),
            "alt": state,
            "tooltip": "\n".join(map(one_line, _tooltip(report))).translate(ESCAPES),
            "class": [state, *classes],
        }
    )


FORMATS: "Final[dict[str, Callable[[dict[str, Any]], str]]]" = {
    "text": text,
    "waybar": waybar,
    "polybar": polybar,
}
"""Name of a format -> what writes it."""
APART_S: "Final" = {"polybar": 0.1}
"""Name of a format -> how far apart its lines must be.  Of two that come at once, polybar up
to 3.7 shows the first until a third one comes."""


def _tooltip(report: "dict[str, Any]") -> "list[str]":
    lines = [f"voiced: {polybar(report)}"]
    if report.get("paused"):
        lines.append(f"paused: {report['paused']}")
    if report.get("error"):
        lines.append(report["error"])
    session, audio = report.get("session") or {}, report.get("audio") or {}
    if session:
        lines.append(f"{session['provider']}, {session['model']}")
    if audio.get("input"):
        lines.append(f"microphone: {audio['input']}")
    last = report.get("last_interruption")
    if last:
        lines.append(f"interrupted: {outcome_of(last)}")
    usd_today = (report.get("cost") or {}).get("usd_today")
    if usd_today:
        lines.append(f"{usd_today:.2f} USD today")
    return lines
