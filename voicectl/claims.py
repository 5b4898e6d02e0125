"""What can be asked of a status, pure.

A key press runs through this module, so it imports nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

CLAIMS: "Final" = ("running", "connected", "listening", "thinking", "speaking", "muted")
"""What ``is`` can be asked."""


def holds(what: str, report: "dict[str, Any]") -> bool:
    """Tell whether a state or flag is there in a status."""
    if what == "running":
        return True
    if what == "connected":
        return bool(report.get("online"))
    if what == "muted":
        return bool(report.get("muted"))
    return bool(report.get("state") == what)
