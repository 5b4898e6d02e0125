"""Where messages go: the journal, a terminal, or whatever stderr is.

Rules
1. The journal gets records with fields: priority, logger, and what a message is about
   (``about``), so that ``journalctl --user -u voiced VOICED_EVENT=lost`` finds it.
2. Where the journal cannot be written to directly, each line begins with its priority.
3. Our log writes to a copy of stderr, because PortAudio's noise is kept off the original.
4. Never words that were said, audio or keys.
"""

import faulthandler
import logging
import os
import sys
from collections.abc import Mapping
from typing import Final, TextIO

PRIORITIES: Final = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
"""Level -> priority of syslog(3)."""

COLOURS: Final = {
    logging.DEBUG: "2",
    logging.INFO: "32",
    logging.WARNING: "33",
    logging.ERROR: "31",
    logging.CRITICAL: "1;31",
}
"""Level -> how a terminal shows it (ECMA-48)."""

NAME: Final = "voiced"
NOISY: Final = ("asyncio", "websockets")
TIME: Final = "%(asctime)s.%(msecs)03d"


class _PriorityFormatter(logging.Formatter):
    """Puts the priority in front of each line, as sd-daemon(3) says."""

    def format(self, record: logging.LogRecord) -> str:
        priority = PRIORITIES.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).split("\n"))


class _ColourFormatter(logging.Formatter):
    """Gives each level its colour, for people who watch."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        colour = COLOURS.get(record.levelno, "0")
        time = f"\x1b[2m{record.asctime}.{record.msecs:03.0f}\x1b[0m"
        level = f"\x1b[{colour}m{record.levelname:<7}\x1b[0m"
        return f"{time} {level} {record.message}"

    def usesTime(self) -> bool:  # noqa: N802 - the same
        return True


def set_up(level: str, environment: Mapping[str, str]) -> None:
    """Begin to log.

    Args:
        level: "debug", "info", "warning" or "error".
        environment: Tells whether stderr is the journal, and whether colours are wanted.
    """
    stream = os.fdopen(os.dup(2), "w", buffering=1)
    # What a hung daemon was doing when the service manager ended it.
    faulthandler.enable(stream)
    root = logging.getLogger()
    root.handlers[:] = [_handler(stream, environment)]
    set_level(level)


def set_level(level: str) -> None:
    """Change what is written down."""
    logging.getLogger().setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def last_words(message: str, environment: Mapping[str, str]) -> None:
    """Say on stderr in one line why the daemon does not run; the log may not be set up."""
    prefix = f"<{PRIORITIES[logging.ERROR]}>" if _is_journal(environment, 2) else f"{NAME}: "
    print(f"{prefix}{message}", file=sys.stderr)


def _handler(stream: TextIO, environment: Mapping[str, str]) -> logging.Handler:
    if _is_journal(environment, stream.fileno()):
        return _journal_handler(stream)
    handler = logging.StreamHandler(stream)
    has_colours = (
        stream.isatty()
        and not environment.get("NO_COLOR")
        and environment.get("TERM", "dumb") != "dumb"
    )
    formatter = _ColourFormatter if has_colours else logging.Formatter
    handler.setFormatter(formatter(f"{TIME} %(levelname)-7s %(message)s", "%H:%M:%S"))
    return handler


def _journal_handler(stream: TextIO) -> logging.Handler:
    try:
        from systemd.journal import JournalHandler  # noqa: PLC0415 - half as slow as all the rest
    except ImportError:
        handler: logging.Handler = logging.StreamHandler(stream)
        handler.setFormatter(_PriorityFormatter("%(message)s"))
    else:
        handler = JournalHandler(SYSLOG_IDENTIFIER=NAME)
    return handler


def _is_journal(environment: Mapping[str, str], descriptor: int) -> bool:
    """Compare ``$JOURNAL_STREAM`` with a descriptor, as systemd.exec(5) says."""
    found = os.fstat(descriptor)
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
