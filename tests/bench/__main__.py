"""``./dev bench``: measures, prints a table or JSON, fails when a figure is missed."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable

from tests.bench import clicks, holds, keys, measure, opening
from tests.bench.figures import Row, as_json, missed, table


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    made.add_argument("--json", action="store_true", help="print JSON instead of the table")
    made.add_argument("--trials", type=int, default=30, help="trials of each measurement")
    made.add_argument("--seconds", type=int, default=10, help="length of the steady measurements")
    return made


async def run(arguments: argparse.Namespace) -> list[Row]:
    """Make every measurement, one after the other."""
    steps: list[tuple[str, Awaitable[list[Row]]]] = [
        ("time to silence, against the article", measure.flush(arguments.trials)),
        ("two ways to cut", measure.cuts(arguments.trials)),
        ("what a cut sounds like", clicks.clicks(arguments.trials)),
        ("hold and resume", holds.holds(arguments.trials)),
        ("truncation and dead responses", measure.truncation(arguments.trials)),
        ("first sample of a reply", measure.first_samples((arguments.trials + 1) // 2)),
        ("microphone to wire", measure.microphone(arguments.seconds)),
        ("beginning of a conversation", opening.opening(arguments.trials)),
        ("key presses", keys.key_presses()),
        ("processor and memory", measure.cost(arguments.seconds)),
    ]
    rows: list[Row] = []
    for name, step in steps:
        print(f"measuring: {name}", file=sys.stderr)
        rows += await step
    return rows


def main() -> int:
    """Run the measurements and show them."""
    arguments = parser().parse_args()
    rows = asyncio.run(run(arguments))
    print(json.dumps(as_json(rows), indent=1) if arguments.json else table(rows))
    for row in missed(rows):
        print(f"missed: {row.subject}, {row.what}: {row.verdict}", file=sys.stderr)
    return 1 if missed(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
