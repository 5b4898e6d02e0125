"""The verbs of voicectl and their exit statuses."""

import argparse
import json
import sys
import time
from typing import Any, Final

from voicectl import client, render
from voiced import __version__
from voiced.control.messages import EXIT_CODES, MAX_REQUEST_BYTES, STATES, Failure

DONE: Final = 0
FALSE: Final = 1
USAGE: Final = 2
NOT_RUNNING: Final = 3
NO_ANSWER: Final = 4
OTHER_VERSION: Final = 5
INTERRUPTED: Final = 130

CLAIMS: Final = ("running", "connected", "listening", "thinking", "speaking", "muted")
"""What ``is`` can be asked."""
GOALS: Final = (*(state for state in STATES if state != "starting"), "running", "connected")
"""What ``wait`` can wait for."""


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line says and return the exit status."""
    try:
        match arguments.verb:
            case "version":
                return version(arguments)
            case "status":
                return status(arguments)
            case "is":
                return claim(arguments)
            case "wait":
                return wait(arguments)
            case "events":
                return events()
            case _:
                return wish(arguments)
    except client.NotRunningError:
        return not_running()
    except client.TooLongError:
        _complain(f"too long: at most {MAX_REQUEST_BYTES} bytes are taken")
        return USAGE
    except client.NoAnswerError:
        _complain("voiced did not answer in time", "see its log: journalctl --user -u voiced")
        return NO_ANSWER
    except client.VersionError as error:
        _complain(str(error), "restart the daemon: systemctl --user restart voiced")
        return OTHER_VERSION


def wish(arguments: argparse.Namespace) -> int:
    """Ask for something to be done."""
    reply = client.ask(arguments.verb, arguments.args, arguments.timeout)
    if reply.error is not None:
        return refused(reply.error)
    if arguments.json:
        print(json.dumps(reply.result))
    elif text := render.done(reply.result or {}):
        print(text)
    return DONE


def status(arguments: argparse.Namespace) -> int:
    """Print the status."""
    try:
        reply = client.ask("status", {}, arguments.timeout)
    except client.NotRunningError:
        if arguments.json:
            print(json.dumps({"v": 1, "state": "stopped"}))
        raise
    if reply.error is not None:
        return refused(reply.error)
    report = reply.result or {}
    try:
        print(json.dumps(report) if arguments.json else render.status(report))
    except KeyError as error:
        raise client.VersionError(f"the status of the daemon has no {error}") from error
    return DONE


def claim(arguments: argparse.Namespace) -> int:
    """Say by the exit status whether something is so."""
    try:
        reply = client.ask("status", {}, arguments.timeout)
    except client.NotRunningError:
        return FALSE if arguments.claim == "running" else not_running()
    return DONE if holds(arguments.claim, reply.result or {}) else FALSE


def wait(arguments: argparse.Namespace) -> int:
    """Wait until something is so."""
    until_s = None if arguments.timeout is None else time.monotonic() + arguments.timeout
    if arguments.goal == "stopped":
        return wait_for_the_end(until_s)
    for notice in client.listen(until_s):
        if notice["event"] == "state" and holds(arguments.goal, notice):
            return DONE
    _complain(f"not {arguments.goal} within {arguments.timeout:g} s", "voicectl status says why")
    return NO_ANSWER


def wait_for_the_end(until_s: float | None) -> int:
    """Wait until no daemon serves the socket."""
    if client.wait_until_gone(until_s):
        return DONE
    _complain("voiced is still running", "systemctl --user stop voiced")
    return NO_ANSWER


def events() -> int:
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
    except client.NotRunningError:
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


def refused(failure: Failure) -> int:
    """Say why something was not done."""
    _complain(failure.message, failure.hint)
    return EXIT_CODES.get(failure.code, FALSE)


def not_running() -> int:
    """Say that there is no daemon."""
    _complain("voiced is not running", "start it: systemctl --user start voiced, or: voiced")
    return NOT_RUNNING


def _complain(message: str, hint: str = "") -> None:
    print(f"voicectl: {message}{'; ' if hint else ''}{hint}", file=sys.stderr)
