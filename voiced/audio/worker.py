"""One thread for the calls that wait for the sound server, in order.

The thread is a daemon thread: one that hangs in a dead sound server does not keep the
process from ending.
"""

import asyncio
import queue
import threading
from collections.abc import Callable

Outcome = Callable[[Exception | None], None]
"""Called on the event loop with what went wrong, or None."""


class Worker:
    """Runs calls one after the other on a thread of its own.

    Args:
        name: Name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._start()

    def submit(self, call: Callable[[], None], then: Outcome) -> None:
        """Run a call on the thread, and ``then`` on the running event loop."""
        loop = asyncio.get_running_loop()

        def run() -> None:
            error: Exception | None = None
            try:
                call()
            except Exception as caught:  # noqa: BLE001 - handed to the loop, which knows what to do
                error = caught
            if not loop.is_closed():
                loop.call_soon_threadsafe(then, error)

        self._calls.put(run)

    def abandon(self) -> None:
        """Leave a thread that hangs to itself and go on with a new one."""
        self._calls.put(None)
        self._start()

    def close(self) -> None:
        """Take no more calls; those asked for are still done."""
        self._calls.put(None)

    def join(self, within_s: float) -> bool:
        """Wait until everything asked for is done; false when something hangs."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _start(self) -> None:
        calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

        def serve() -> None:
            while (call := calls.get()) is not None:
                call()

        self._calls = calls
        self._thread = threading.Thread(target=serve, name=self._name, daemon=True)
        self._thread.start()
