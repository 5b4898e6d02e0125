"""Where voicectl begins: what keys and bars ask is answered here, at once.

These verbs, in their plain form, load nothing but a few small modules.  Everything else,
down to the flag ``--timeout``, goes to the parser of ``voicectl.cli``, which does the same
things by the same functions of ``quick``.
"""

import os
import sys
from io import TextIOWrapper

from voicectl import outcome, quick
from voicectl.claims import CLAIMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

WISHES: "Final" = {
    ("start",): ("start", {}),
    ("stop",): ("stop", {}),
    ("toggle",): ("toggle", {}),
    ("interrupt",): ("interrupt", {}),
    ("unmute",): ("mute", {"wish": "off"}),
    ("mute",): ("mute", {"wish": "on"}),
    ("mute", "on"): ("mute", {"wish": "on"}),
    ("mute", "off"): ("mute", {"wish": "off"}),
    ("mute", "toggle"): ("mute", {"wish": "toggle"}),
    ("ptt", "press"): ("ptt", {"edge": "press"}),
    ("ptt", "release"): ("ptt", {"edge": "release"}),
    ("ptt", "cancel"): ("ptt", {"edge": "cancel"}),
}
"""Command line -> verb of the control protocol and its arguments."""


def main() -> None:
    """Run the command and end the process."""
    arguments = tuple(sys.argv[1:])
    if isinstance(sys.stdout, TextIOWrapper):
        # The name of a device must not be what a status fails by.
        sys.stdout.reconfigure(errors="replace")
    if not is_plain(arguments):
        from voicectl import cli

        sys.exit(cli.run(arguments))
    status = outcome.conclude(arguments[0], lambda: run(arguments))
    # Everything is written; what Python tidies up at its end takes longer than the exchange.
    os._exit(status)


def is_plain(arguments: "Sequence[str]") -> bool:
    """Tell whether this is one of the command lines that are answered here."""
    match arguments:
        case ("status",) | ("status", "--json"):
            return True
        case ("is", claim):
            return claim in CLAIMS
        case _:
            return tuple(arguments) in WISHES


def run(arguments: "Sequence[str]") -> int:
    """Do what a plain command line says and return the exit status.

    Raises:
        CommandError: It was not done.
    """
    match arguments:
        case ("status", *rest):
            return quick.status(is_json=bool(rest))
        case ("is", claim):
            return quick.claim(claim)
        case _:
            return quick.wish(*WISHES[tuple(arguments)])
