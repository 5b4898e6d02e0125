"""What people want to know of their interruptions: stats, timeline."""

import argparse
import json
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from voicectl import exchange
from voicectl.outcome import DONE, USAGE, CommandError, VersionError, complain
from voicectl.verbs.tree import Verbs

STATS: Final = (
    "voicectl stats            how often, how quickly, how many were given back",
    "voicectl stats --json     one JSON object",
)
TIMELINE: Final = (
    "voicectl timeline                 the last interruption, drawn in the terminal",
    "voicectl timeline 3               number 3; status and events tell the numbers",
    "voicectl timeline 3 -o 3.png      a picture; 3.svg can be enlarged",
    "voicectl timeline --json          what is drawn, as one JSON object",
)
PIPE_COLUMNS: Final = 80
MOST_COLUMNS: Final = 160
MOST_DIGITS: Final = 18
PATIENCE_S: Final = 8.0
"""What has just ended is drawn with what comes after it."""


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    verbs.verb(
        "stats",
        "today's interruptions: how often, how quickly",
        stats,
        examples=STATS,
        json=True,
        timeout=True,
    )
    drawn = verbs.verb(
        "timeline",
        "draw an interruption: levels, voice detection and what happened",
        timeline,
        examples=TIMELINE,
        json=True,
    )
    drawn.add_argument(
        "number", nargs="?", type=whole, metavar="N", help="which one (default: the last)"
    )
    drawn.add_argument(
        "-o",
        "--output",
        type=picture_file,
        metavar="FILE",
        help="draw a picture into a file that ends with .png or .svg",
    )


def whole(text: str) -> int:
    """Read the number of an interruption.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is no number of an interruption")
    if len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"an interruption has no number of {len(text)} digits")
    return int(text)


def picture_file(text: str) -> Path:
    """Read the name of a picture.

    Raises:
        argparse.ArgumentTypeError: It cannot be told what kind it is to be.
    """
    path = Path(text)
    if path.suffix.lower() not in {".png", ".svg"}:
        raise argparse.ArgumentTypeError(f"{text} must end with .png or .svg")
    return path


def stats(arguments: argparse.Namespace) -> int:
    """Print the figures of the day."""
    from voicectl import histogram

    report = exchange.ask("stats", {}, arguments.timeout)
    if arguments.json:
        print(json.dumps(report))
        return DONE
    try:
        since = time.strftime("%H:%M", time.localtime(report["since"]))
        print(histogram.stats(report, since))
    except (KeyError, TypeError) as error:
        raise VersionError(f"the figures of the daemon cannot be read: {error}") from error
    return DONE


def timeline(arguments: argparse.Namespace) -> int:
    """Draw an interruption."""
    path: Path | None = arguments.output
    if path is not None and arguments.json:
        complain("--json and -o exclude each other")
        return USAGE
    if path is not None and find_spec("matplotlib") is None:
        raise CommandError("pictures need matplotlib", "pip install 'voiced[pictures]'")
    number = arguments.number
    answer = exchange.ask("timeline", {} if number is None else {"number": str(number)}, PATIENCE_S)
    if arguments.json:
        print(json.dumps(answer))
        return DONE
    from voicectl.timeline import read

    found = read(answer)
    if path is None:
        from voicectl.timeline_text import draw

        print(draw(found, _columns()))
        return DONE
    from voicectl.timeline_picture import picture

    path.write_bytes(picture(found, path.suffix[1:].lower()))
    print(path)
    return DONE


def _columns() -> int:
    if not sys.stdout.isatty():
        return PIPE_COLUMNS
    return min(MOST_COLUMNS, shutil.get_terminal_size((PIPE_COLUMNS, 24)).columns)
