"""What people watch: the transcript, the monitor."""

import argparse
from typing import Final

from voicectl.outcome import DONE
from voicectl.verbs.tree import Verbs

TRANSCRIPT: Final = (
    "voicectl transcript           what was said lately",
    "voicectl transcript --follow  and what is said from now on",
    "voicectl transcript --json    one JSON object a line",
)


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


def transcript(arguments: argparse.Namespace) -> int:
    """Print what was said."""
    from voicectl import transcript as printer

    if arguments.follow:
        printer.follow_lines(is_json=arguments.json)
    else:
        printer.show(is_json=arguments.json)
    return DONE
