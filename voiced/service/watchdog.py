"""Tells the service manager that all is well, for as long as it is.

Rules
1. A ping is sent from the event loop, so a loop that hangs sends none.
2. A ping is sent only if every part that must move has moved since the last look.  Each
   part is a *pulse*: it returns a number that changes when the part has moved, or None
   while it has no reason to move (a closed stream).
3. Three looks fit into the time the service manager allows, so one that comes late ends
   nothing.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from typing import Final

from systemd.daemon import notify

logger = logging.getLogger(__name__)

LOOKS: Final = 3
"""How often we look within the time the service manager allows."""

Pulse = Callable[[], int | None]


def allowed_s(environment: Mapping[str, str]) -> float | None:
    """Return how long the service manager waits for a ping; None where it does not."""
    time_us = environment.get("WATCHDOG_USEC", "")
    pid = environment.get("WATCHDOG_PID") or str(os.getpid())
    if not time_us.isdecimal() or int(time_us) == 0 or pid != str(os.getpid()):
        return None
    return int(time_us) / 1e6


class Watchdog:
    """Looks at the pulses and pings.

    Args:
        allowed_s: How long the service manager waits for a ping; None means for ever.
        pulses: Name of a part -> its pulse.
    """

    def __init__(self, allowed_s: float | None, pulses: Mapping[str, Pulse]) -> None:
        self._every_s = None if allowed_s is None else allowed_s / LOOKS
        self._pulses = pulses
        self._last: dict[str, int | None] = {}

    async def run(self) -> None:
        """Look and ping until cancelled."""
        while self._every_s is not None:
            if self.look():
                notify("WATCHDOG=1")
            await asyncio.sleep(self._every_s)

    def look(self) -> bool:
        """Tell whether every part has moved since the last look."""
        seen = {name: pulse() for name, pulse in self._pulses.items()}
        stuck = [
            name
            for name, count in seen.items()
            if count is not None and self._last.get(name) == count
        ]
        self._last = seen
        if stuck:
            logger.error("%s does not move; the service manager is not pinged", ", ".join(stuck))
        return not stuck
