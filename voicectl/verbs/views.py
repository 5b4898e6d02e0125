"""What people watch: the transcript, the monitor."""

import argparse
from typing import Final

from voicectl.outcome import DONE, USAGE, complain
from voicectl.verbs.tree import Verbs

TRANSCRIPT: Final = (
    "voicectl transcript           what was said lately",
    "voicectl transcript --follow  and what is said from now on",
    "voicectl transcript --json    one JSON object a line",
)
MONITOR: Final = ("voicectl monitor",)


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    shown = verbs.verb(
        "transcript",
        "what was said; kept in memory unless [transcript] file says more",
        transcript,
        examples=TRANSCRIPT,
        json=True,
    )
    shown.add_argument("--follow", action="store_true", help="go on with what is said")
    verbs.verb(
        "monitor",
        "watch: levels, words, interruptions, cost; keys: q t m i",
        monitor,
        examples=MONITOR,
    )


def transcript(arguments: argparse.Namespace) -> int:
    """Print what was said."""
    from voicectl import transcript as printer

    if arguments.follow:
        printer.follow_lines(is_json=arguments.json)
    else:
        printer.show(is_json=arguments.json)
    return DONE


def monitor(_: argparse.Namespace) -> int:
    """Draw what is going on, until the user has seen enough."""
    import os

    from voicectl import terminal

    if not terminal.is_fit(os.environ):
        complain(
            "monitor needs a terminal that it can draw on",
            "voicectl status --follow prints a line for every change",
        )
        return USAGE
    from voicectl import monitor as view

    return view.run()
