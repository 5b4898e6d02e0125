"""What people ask about the daemon: status, is, wait, events, version."""

import argparse
import json
import time
from typing import Any, Final

from voicectl import bars, client, render
from voicectl.outcome import (
    DONE,
    FALSE,
    NO_ANSWER,
    USAGE,
    NotRunningError,
    VersionError,
    complain,
)
from voicectl.verbs.tree import Verbs, seconds
from voiced import __version__
from voiced.control.protocol import STATES, VERSION

CLAIMS: Final = ("running", "connected", "listening", "thinking", "speaking", "muted")
"""What ``is`` can be asked."""
GOALS: Final = (*(state for state in STATES if state != "starting"), "running", "connected")
"""What ``wait`` can wait for."""
STATUS: Final = (
    "voicectl status                           what is going on",
    "voicectl status --json                    one JSON object",
    "voicectl status --follow --format waybar  a line of JSON for every change",
)
EVENTS: Final = (
    "voicectl events",
    "voicectl events | jq -r 'select(.event == \"interruption\") | .heard_ms'",
)


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    asked = verbs.verb(
        "status", "what voiced is doing", status, examples=STATUS, json=True, timeout=True
    )
    asked.add_argument(
        "--follow",
        action="store_true",
        help="a line now and one for every change, also while voiced is stopped",
    )
    asked.add_argument(
        "--format",
        choices=tuple(bars.FORMATS),
        default="text",
        help="for people, or one line for a bar, which is also told what is stopped",
    )
    verbs.verb("version", "both versions", version, json=True, timeout=True)
    verbs.verb(
        "events", "print every change as one JSON object a line", events, examples=EVENTS, json=True
    )
    asked = verbs.verb("is", "ask by the exit status", claim, timeout=True)
    asked.add_argument("claim", choices=CLAIMS)
    waiting = verbs.verb("wait", "wait until something is so", wait)
    waiting.add_argument("--for", dest="goal", choices=GOALS, default="running")
    waiting.add_argument(
        "--timeout", type=seconds, metavar="S", help="seconds; none waits for ever"
    )


def status(arguments: argparse.Namespace) -> int:
    """Print the status, once or for every change."""
    if arguments.json and arguments.format != "text":
        complain("--json and --format exclude each other")
        return USAGE
    try:
        if arguments.follow:
            return follow_status(arguments)
        return status_now(arguments)
    except KeyError as error:
        raise VersionError(f"the status of the daemon has no {error}") from error


def status_now(arguments: argparse.Namespace) -> int:
    """Print the status."""
    is_line = arguments.format != "text"
    try:
        reply = client.ask("status", {}, arguments.timeout)
    except NotRunningError:
        stopped = {"v": VERSION, "state": "stopped"}
        if is_line:
            # A bar hides what ends with another status, and shows this.
            print(bars.FORMATS[arguments.format](stopped))
            return DONE
        if arguments.json:
            print(json.dumps(stopped))
        raise
    if reply.error is not None:
        return client.refused(reply.error)
    report = reply.result or {}
    if arguments.json:
        print(json.dumps(report))
    else:
        print(bars.FORMATS[arguments.format](report) if is_line else render.status(report))
    return DONE


def follow_status(arguments: argparse.Namespace) -> int:
    """Print the status whenever it reads differently."""
    from voicectl import follow

    if arguments.json:
        follow.follow_json()
    else:
        follow.follow(bars.FORMATS[arguments.format])
    return DONE


def claim(arguments: argparse.Namespace) -> int:
    """Say by the exit status whether something is so."""
    try:
        reply = client.ask("status", {}, arguments.timeout)
    except NotRunningError:
        if arguments.claim == "running":
            return FALSE
        raise
    return DONE if holds(arguments.claim, reply.result or {}) else FALSE


def wait(arguments: argparse.Namespace) -> int:
    """Wait until something is so."""
    until_s = None if arguments.timeout is None else time.monotonic() + arguments.timeout
    if arguments.goal == "stopped":
        return wait_for_the_end(until_s)
    for notice in client.listen(until_s):
        if notice["event"] == "state" and holds(arguments.goal, notice):
            return DONE
    complain(f"not {arguments.goal} within {arguments.timeout:g} s", "voicectl status says why")
    return NO_ANSWER


def wait_for_the_end(until_s: float | None) -> int:
    """Wait until no daemon serves the socket."""
    if client.wait_until_gone(until_s):
        return DONE
    complain("voiced is still running", "systemctl --user stop voiced")
    return NO_ANSWER


def events(_: argparse.Namespace) -> int:
    """Print what the daemon publishes, one JSON object a line."""
    from voicectl import follow

    follow.events()
    return DONE


def version(arguments: argparse.Namespace) -> int:
    """Print our version, and the daemon's where one runs."""
    versions: dict[str, Any] = {"voicectl": __version__, "voiced": None}
    try:
        reply = client.ask("version", {}, arguments.timeout)
        versions["voiced"] = (reply.result or {}).get("voiced")
    except NotRunningError:
        versions["voiced"] = None
    if arguments.json:
        print(json.dumps(versions))
    else:
        print(f"voicectl {__version__}, voiced {versions['voiced'] or 'not running'}")
    return DONE


def holds(what: str, report: dict[str, Any]) -> bool:
    """Tell whether a state or flag is there in a status."""
    match what:
        case "running":
            return True
        case "connected":
            return bool(report.get("online"))
        case "muted":
            return bool(report.get("muted"))
        case state:
            return report.get("state") == state
