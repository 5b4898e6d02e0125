"""How long to wait before the next attempt: full jitter, capped.

Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 ("full jitter"):
the wait is drawn evenly from nothing to the ceiling, so clients that were cut off
together do not come back together.
"""

from collections.abc import Callable

BASE_S = 0.5
CAP_S = 30.0
FLOOR_S = 0.1
"""However the dice fall, an attempt never follows at once."""
HEALTHY_AFTER_S = 60.0
"""A session that lasted this long clears the count of failures."""


class Backoff:
    """Counts failures and says how long to wait.

    Args:
        random: Returns a number in [0, 1); the only source of chance in the core.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self.failures = 0
        self._random = random

    def next_delay_s(self) -> float:
        """Count one more failure and return the wait before the next attempt."""
        ceiling_s = min(CAP_S, BASE_S * 2.0 ** min(self.failures, 16))
        self.failures += 1
        return max(FLOOR_S, ceiling_s * self._random())

    def reset(self) -> None:
        """Forget the failures: the session is healthy or the user asked."""
        self.failures = 0
