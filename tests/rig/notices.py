"""What a daemon publishes, from its first notice on.

A program that is started to wait for a state takes longer to start than many a state
lasts.  Here somebody listens all the time, and a test asks what came next.
"""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import zmq

from voiced.control.messages import decode_notice
from voiced.control.protocol import NOTICES

Notice = dict[str, Any]
LOOK_AGAIN_S = 0.2
"""How often a wait looks whether the daemon still lives."""


class Notices:
    """Listens on a thread of its own and keeps everything.

    Args:
        path: The events' socket; it need not be there yet.

    Attributes:
        kept: Every notice, oldest first.
    """

    def __init__(self, path: Path) -> None:
        self.kept: list[Notice] = []
        self._next = 0
        self._came = threading.Condition()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, 0)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 10)
        self._socket.setsockopt(zmq.SUBSCRIBE, NOTICES)
        self._socket.connect(f"ipc://{path}")
        self._thread = threading.Thread(target=self._listen, name="notices", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more; what was kept stays."""
        # Makes ``recv`` on the thread raise, and waits for the socket to be closed there.
        self._context.term()
        self._thread.join()

    def until(
        self, wanted: Callable[[Notice], bool], within_s: float, is_alive: Callable[[], bool]
    ) -> Notice:
        """Return the next notice that is wanted; those before it are passed over for good.

        Raises:
            TimeoutError: None came, or the daemon has ended.
        """
        deadline_s = time.monotonic() + within_s
        with self._came:
            while True:
                while self._next < len(self.kept):
                    notice = self.kept[self._next]
                    self._next += 1
                    if wanted(notice):
                        return notice
                if time.monotonic() > deadline_s or not is_alive():
                    raise TimeoutError
                self._came.wait(LOOK_AGAIN_S)

    def settle(self, state: str, within_s: float, is_alive: Callable[[], bool]) -> Notice:
        """Wait until the newest state is this one, and pass over everything up to now.

        Raises:
            TimeoutError: It is another, or the daemon has ended.
        """
        deadline_s = time.monotonic() + within_s
        with self._came:
            while True:
                newest = next((it for it in reversed(self.kept) if it["event"] == "state"), {})
                if newest.get("state") == state:
                    self._next = len(self.kept)
                    return newest
                if time.monotonic() > deadline_s or not is_alive():
                    raise TimeoutError
                self._came.wait(LOOK_AGAIN_S)

    def outline(self) -> str:
        """Return what has come, one short line each."""
        return "\n".join(f"{it['event']} {it.get('state', '')}".strip() for it in self.kept)

    def _listen(self) -> None:
        with self._socket:
            while True:
                try:
                    notice = decode_notice(self._socket.recv())
                except zmq.ContextTerminated:
                    return
                with self._came:
                    self.kept.append(notice)
                    self._came.notify_all()


def says(notice: Mapping[str, Any], fields: Mapping[str, object]) -> bool:
    """Tell whether a notice has these values; of an object, only the keys given count."""
    for name, value in fields.items():
        said = notice.get(name)
        if isinstance(value, Mapping) and isinstance(said, Mapping):
            if not says(said, value):
                return False
        elif said != value:
            return False
    return True
