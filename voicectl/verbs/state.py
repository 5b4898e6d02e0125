"""What people ask about the daemon: status, is, wait, events, version."""

import argparse
import json
import time
from typing import Final

from voicectl import client, quick
from voicectl.claims import CLAIMS, holds
from voicectl.outcome import DONE, NO_ANSWER, NotRunningError, VersionError, complain
from voicectl.verbs.tree import Verbs, seconds
from voiced import __version__
from voiced.control.protocol import STATES

GOALS: Final = (*(state for state in STATES if state != "starting"), "running", "connected")
"""What ``wait`` can wait for."""


VERSION: Final = ("voicectl version",)
IS: Final = (
    "voicectl is speaking && echo yes",
    "voicectl is running || systemctl --user start voiced",
)
WAIT: Final = (
    "voicectl wait --for listening               however long it takes",
    "voicectl wait --for idle --timeout 30       exit status 4 when it is not so in time",
    "voicectl wait --for stopped",
)


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    verbs.verb("status", "what voiced is doing", status, json=True, timeout=True)
    verbs.verb("version", "both versions", version, examples=VERSION, json=True, timeout=True)
    verbs.verb("events", "print every change as one JSON object a line", events)
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
    """Print the status."""
    return quick.status(arguments.timeout, is_json=arguments.json)


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
    client.check_running()
    for notice in client.listen():
        print(json.dumps(notice), flush=True)
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
