"""A clock that jumps: waiting takes no time, and every time comes out exact.

For tests of what happens when, as long as nothing outside the event loop is waited for.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

Arguments = ParamSpec("Arguments")


class JumpingSelector(selectors.SelectSelector):
    """Does not wait for a timeout but lets the time pass at once.

    Attributes:
        now_s: The time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; without a timeout there is only the outside to wait for."""
        if timeout is None:
            raise AssertionError("everybody waits, and nobody for the time")
        ready = super().select(0)
        if not ready:
            self.now_s += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on that clock."""

    def __init__(self) -> None:
        self._clock = JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        """Return the time, which began at zero."""
        return self._clock.now_s


def in_no_time(
    test: Callable[Arguments, Coroutine[Any, Any, None]],
) -> Callable[Arguments, None]:
    """Run a test on a clock that jumps."""

    @functools.wraps(test)
    def run(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(test(*arguments, **named))

    return run
