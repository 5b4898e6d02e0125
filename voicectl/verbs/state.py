"""What people ask about the daemon: status, is, wait, events, version."""

import argparse
import json
import time
from typing import Any, Final

from voicectl import client, render
from voicectl.outcome import DONE, FALSE, NO_ANSWER, NotRunningError, VersionError, complain
from voicectl.verbs.tree import Verbs, seconds
from voiced import __version__
from voiced.control.protocol import STATES

CLAIMS: Final = ("running", "connected", "listening", "thinking", "speaking", "muted")
"""What ``is`` can be asked."""
GOALS: Final = (*(state for state in STATES if state != "starting"), "running", "connected")
"""What ``wait`` can wait for."""


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    verbs.verb("status", "what voiced is doing", status, json=True, timeout=True)
    verbs.verb("version", "both versions", version, json=True, timeout=True)
    verbs.verb("events", "print every change as one JSON object a line", events)
    asked = verbs.verb("is", "ask by the exit status", claim, timeout=True)
    asked.add_argument("claim", choices=CLAIMS)
    waiting = verbs.verb("wait", "wait until something is so", wait)
    waiting.add_argument("--for", dest="goal", choices=GOALS, default="running")
    waiting.add_argument(
        "--timeout", type=seconds, metavar="S", help="seconds; none waits for ever"
    )


def status(arguments: argparse.Namespace) -> int:
    """Print the status."""
    try:
        reply = client.ask("status", {}, arguments.timeout)
    except NotRunningError:
        if arguments.json:
            print(json.dumps({"v": 1, "state": "stopped"}))
        raise
    if reply.error is not None:
        return client.refused(reply.error)
    report = reply.result or {}
    try:
        print(json.dumps(report) if arguments.json else render.status(report))
    except KeyError as error:
        raise VersionError(f"the status of the daemon has no {error}") from error
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
    client.check_running()
    for notice in client.listen():
        print(json.dumps(notice), flush=True)
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
