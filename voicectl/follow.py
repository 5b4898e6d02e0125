"""Prints a line for every change, for as long as somebody reads."""

import json
import select
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from voicectl import client, picture
from voicectl.link import Link, Notice

Report = dict[str, Any]


def notices(link: Link | None = None) -> Iterator[Notice]:
    """Yield what the daemon publishes, and that it is not there, for ever.

    Args:
        link: The link that is listened on.

    Raises:
        BrokenPipeError: Nobody reads what we print any more.
        ConfigError: The place of the socket cannot be used.
        VersionError: The daemon speaks another version of the protocol.
    """
    link = link or Link(client.directory())
    while True:
        yield from link.advance()
        _wait(link)


def follow(line_of: Callable[[Report], str], apart_s: float = 0.0) -> None:
    """Print a line for the state, and one whenever it reads differently.

    Args:
        line_of: Writes the line.
        apart_s: Two lines do not follow each other sooner.
    """
    report: Report = {}
    printed = None
    for notice in notices():
        report = picture.updated(report, notice)
        line = line_of(report)
        if line != printed:
            print(line, flush=True)
            printed = line
            time.sleep(apart_s)


def follow_json() -> None:
    """Print the status as a JSON object, and once more whenever something has happened."""
    report: Report = {}
    printed: Report = {}
    for notice in notices():
        report = picture.updated(report, notice)
        if (now := picture.standing(report)) != printed:
            print(json.dumps(report), flush=True)
            printed = now


def events() -> None:
    """Print every notice as a JSON object; a state that is told again is not one."""
    printed: Report = {}
    for notice in notices():
        if notice["event"] == "state":
            now = picture.standing(notice)
            if now == printed:
                continue
            printed = now
        print(json.dumps(notice), flush=True)


def _wait(link: Link) -> None:
    """Wait until there is something to do."""
    poll = select.poll()
    for descriptor in link.descriptors:
        poll.register(descriptor, select.POLLIN)
    # Asks for nothing, and so is told only that the reader has gone.
    poll.register(sys.stdout.fileno(), 0)
    timeout_s = link.timeout_s
    ready = poll.poll(None if timeout_s is None else timeout_s * 1000 + 1)
    if any(descriptor == sys.stdout.fileno() for descriptor, _ in ready):
        raise BrokenPipeError
