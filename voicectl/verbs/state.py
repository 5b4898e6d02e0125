"""What people ask about the daemon: status, is, wait, events, version."""

import argparse
import json
import time
from typing import Final

from voicectl import bars, client, exchange, quick
from voicectl.claims import CLAIMS, holds
from voicectl.outcome import DONE, NO_ANSWER, USAGE, NotRunningError, VersionError, complain
from voicectl.verbs.tree import Verbs, seconds
from voiced import __version__
from voiced.control.protocol import STATES

GOALS: Final = (*(state for state in STATES if state != "starting"), "running", "connected")
"""What ``wait`` can wait for."""
STOPPED: Final = {"v": 1, "state": "stopped"}
"""The status of a daemon that is not there."""
STATUS: Final = (
    "voicectl status                           what is going on",
    "voicectl status --json                    one JSON object",
    "voicectl status --follow --format waybar  a line of JSON for every change",
)
EVENTS: Final = (
    "voicectl events",
    "voicectl events | jq -r 'select(.event == \"interruption\") | .heard_ms'",
)
VERSION: Final = ("voicectl version",)
IS: Final = (
    "voicectl is speaking && echo yes",
    "voicectl is running || voicectl service start",
)
WAIT: Final = (
    "voicectl wait --for listening               however long it takes",
    "voicectl wait --for idle --timeout 30       exit status 4 when it is not so in time",
    "voicectl wait --for stopped",
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
        help="text for people, or one line for a bar, which is also told what is stopped",
    )
    verbs.verb("version", "both versions", version, examples=VERSION, json=True, timeout=True)
    verbs.verb(
        "events", "print every change as one JSON object a line", events, examples=EVENTS, json=True
    )
    asked = verbs.verb("is", "ask by the exit status", claim, examples=IS, timeout=True)
    asked.add_argument("claim", choices=CLAIMS, metavar="|".join(CLAIMS), help="what may be so")
    waiting = verbs.verb("wait", "wait until something is so", wait, examples=WAIT)
    waiting.add_argument(
        "--for",
        dest="goal",
        choices=GOALS,
        default="running",
        metavar="STATE",
        help=f"what is waited for: {', '.join(GOALS)} (default: running)",
    )
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
        if arguments.format != "text":
            return status_for_bar(arguments)
    except KeyError as error:
        raise VersionError(f"the status of the daemon has no {error}") from error
    return quick.status(arguments.timeout, is_json=arguments.json)


def status_for_bar(arguments: argparse.Namespace) -> int:
    """Print the status as a line for a bar.

    A bar hides what ends with another status than 0, so it is told what is stopped.
    """
    try:
        report = exchange.ask("status", {}, arguments.timeout)
    except NotRunningError:
        report = STOPPED
    print(bars.FORMATS[arguments.format](report))
    return DONE


def follow_status(arguments: argparse.Namespace) -> int:
    """Print the status whenever it reads differently."""
    from voicectl import follow

    if arguments.json:
        follow.follow_json()
    else:
        apart_s = bars.APART_S.get(arguments.format, 0.0)
        follow.follow(bars.FORMATS[arguments.format], apart_s)
    return DONE


def claim(arguments: argparse.Namespace) -> int:
    """Say by the exit status whether something is so."""
    return quick.claim(arguments.claim, arguments.timeout)


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
    try:
        reply = client.ask("version", {}, arguments.timeout)
    except NotRunningError:
        show_versions(None, is_json=arguments.json)
    except VersionError as error:
        show_versions(error.voiced or "unknown", is_json=arguments.json)
        raise
    else:
        show_versions((reply.result or {}).get("voiced"), is_json=arguments.json)
    return DONE


def show_versions(voiced: str | None, *, is_json: bool) -> None:
    """Print both versions; the daemon has none when it does not run."""
    if is_json:
        print(json.dumps({"voicectl": __version__, "voiced": voiced}))
    else:
        print(f"voicectl {__version__}, voiced {voiced or 'not running'}")
