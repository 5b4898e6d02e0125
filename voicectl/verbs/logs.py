"""The verb that shows the log of the service."""

import argparse
import os
from typing import Final

from voicectl.outcome import FALSE, USAGE, complain
from voicectl.verbs.tree import Verbs

PRIORITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""Of syslog(3); journalctl takes a number as well."""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    made = verbs.verb(
        "logs",
        "what the service has written down; never what was said",
        logs,
        examples=(
            "voicectl logs -f               follow it",
            "voicectl logs -n 20            the last lines",
            "voicectl logs -p warning       only what is as bad as that, or worse",
            "voicectl logs VOICED_EVENT=lost",
        ),
    )
    made.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
    made.add_argument("-n", "--lines", type=int, metavar="N", help="only the last lines")
    made.add_argument("-p", "--priority", choices=PRIORITIES, metavar="P", help="emerg ... debug")
    made.add_argument("--json", action="store_true", help="print JSON, one object a line")
    made.add_argument("matches", nargs="*", metavar="FIELD=VALUE", help="only such records")


def logs(arguments: argparse.Namespace) -> int:
    """Become journalctl."""
    if wrong := [each for each in arguments.matches if "=" not in each]:
        complain(f"{wrong[0]} is no FIELD=VALUE", "try: voicectl logs VOICED_EVENT=lost")
        return USAGE
    try:
        os.execvp("journalctl", command_line(arguments))  # noqa: S606 - no shell is wanted
    except FileNotFoundError:
        complain(
            "journalctl is not installed", "without it the log is what voiced writes to stderr"
        )
        return FALSE


def command_line(arguments: argparse.Namespace) -> list[str]:
    """Return what journalctl is asked."""
    command = ["journalctl", "--user", "--unit=voiced.service"]
    if arguments.follow:
        command.append("--follow")
    if arguments.lines is not None:
        command.append(f"--lines={arguments.lines}")
    if arguments.priority:
        command.append(f"--priority={arguments.priority}")
    if arguments.json:
        command.append("--output=json")
    return [*command, *arguments.matches]
