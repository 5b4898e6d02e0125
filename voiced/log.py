"""Where messages go: the journal, a terminal, or whatever stderr is.

Our log writes to a copy of stderr, because PortAudio's noise is kept off the original.
"""

import logging
import os
from collections.abc import Mapping
from typing import Final

PRIORITIES: Final = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}
"""Level -> priority of syslog(3)."""

NOISY: Final = ("asyncio", "websockets")


class _JournalFormatter(logging.Formatter):
    """Puts the priority in front, as sd-daemon(3) says."""

    def format(self, record: logging.LogRecord) -> str:
        priority = PRIORITIES.get(record.levelno, 6)
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).split("\n"))


def set_up(level: str, environment: Mapping[str, str]) -> None:
    """Begin to log.

    Args:
        level: "debug", "info", "warning" or "error".
        environment: Tells whether stderr is the journal.
    """
    stream = os.fdopen(os.dup(2), "w", buffering=1)
    handler = logging.StreamHandler(stream)
    if _is_journal(environment.get("JOURNAL_STREAM", ""), stream.fileno()):
        handler.setFormatter(_JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)-7s %(message)s", "%H:%M:%S")
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)


def set_level(level: str) -> None:
    """Change what is written down."""
    logging.getLogger().setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _is_journal(stream: str, descriptor: int) -> bool:
    """Compare ``$JOURNAL_STREAM`` with a descriptor, as systemd.exec(5) says."""
    found = os.fstat(descriptor)
    return stream == f"{found.st_dev}:{found.st_ino}"
