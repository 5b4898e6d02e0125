"""What is wrong with those who knock, told without filling the log.

The first few complaints of a minute are written down, and at its end how many more there
were.  Whoever sends garbage all day earns a handful of lines a minute.
"""

import asyncio
import logging
from typing import Final

FIRST: Final = 5
PERIOD_S: Final = 60.0


class Complaints:
    """Takes complaints, and writes down few of them.

    Args:
        logger: Where they are written.
        first: How many of a period are written in full.
        period_s: How long a period is; it begins with its first complaint.
    """

    def __init__(
        self, logger: logging.Logger, first: int = FIRST, period_s: float = PERIOD_S
    ) -> None:
        self._logger = logger
        self._first = first
        self._period_s = period_s
        self._count = 0
        self._end: asyncio.TimerHandle | None = None

    def note(self, message: str, *args: object) -> None:
        """Take a complaint; on the event loop only."""
        if self._end is None:
            loop = asyncio.get_running_loop()
            self._end = loop.call_later(self._period_s, self._finish)
        self._count += 1
        if self._count <= self._first:
            self._logger.warning(message, *args)

    def close(self) -> None:
        """Write down what is left, and wait for nothing more."""
        if self._end is not None:
            self._end.cancel()
            self._finish()

    def _finish(self) -> None:
        unwritten, self._count, self._end = self._count - self._first, 0, None
        if unwritten > 0:
            self._logger.warning(
                "%d more like that from the control sockets in the last %g s",
                unwritten,
                self._period_s,
            )
