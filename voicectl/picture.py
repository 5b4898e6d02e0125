"""What is known of the daemon after each of its notices: pure."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from voiced.control.messages import LineReport

STAMPS: "Final" = ("v", "t", "event")
"""Fields of every notice."""
UPDATES: "Final" = {"cost": "cost", "audio": "audio", "interruption": "last_interruption"}
"""Kind of notice -> the part of the status that it brings up to date."""
CLOCKWORK: "Final" = ("age_s", "started")
"""What moves in a session by itself."""


def updated(report: "dict[str, Any]", notice: "dict[str, Any]") -> "dict[str, Any]":
    """Return the status after a notice."""
    event = notice["event"]
    told = {name: value for name, value in notice.items() if name not in STAMPS}
    if event == "state":
        return {"v": notice["v"], **told}
    if event in UPDATES:
        return {**report, UPDATES[event]: told}
    return report


def standing(report: "dict[str, Any]") -> "dict[str, Any]":
    """Return what does not change by itself: two of these differ when something happened."""
    session = report.get("session")
    if not isinstance(session, dict):
        return {**report, "t": None}
    kept = {name: value for name, value in session.items() if name not in CLOCKWORK}
    return {**report, "session": kept, "t": None}


def line_of(notice: "dict[str, Any]") -> "LineReport":
    """Return the line of the transcript that a notice tells of."""
    return {
        "t": notice["t"],
        "role": notice["role"],
        "item_id": notice["item_id"],
        "text": notice["text"],
        "final": bool(notice["final"]),
        "cut": bool(notice.get("cut")),
        "heard_ms": notice.get("heard_ms"),
    }
