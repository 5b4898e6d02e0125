"""The live view of the daemon."""

import os
import queue
import signal
import threading
import time
from typing import Final

from rich.console import Console

from voicectl import client, exchange, outcome, transcript
from voicectl.link import Link
from voicectl.screen import Screen
from voicectl.terminal import Terminal
from voicectl.view import View
from voiced.control.messages import decode_levels
from voiced.control.protocol import LEVELS
from voiced.errors import WireError

LEAST_S: Final = 1 / 15
"""Between two drawings."""
FALL_S: Final = 0.1
"""Between two drawings of a needle that falls."""
CLOCK_S: Final = 1.0
"""Between two drawings of the clock."""
START_WITHIN_S: Final = 6.0
WISHES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "t": ("toggle", {}),
    "m": ("mute", {"wish": "toggle"}),
    "i": ("interrupt", {}),
}
"""Key -> what is asked of the daemon."""
QUIT: Final = "q"
ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP)


def run() -> int:
    """Draw until the user has seen enough, and return the exit status.

    Raises:
        ConfigError: The place of the socket cannot be used.
        VersionError: The daemon speaks another version of the protocol.
    """
    monitor = _Monitor()
    while (ended_by := monitor.show()) == signal.SIGTSTP:
        os.kill(os.getpid(), signal.SIGSTOP)
    if ended_by == signal.SIGINT:
        return outcome.INTERRUPTED
    if ended_by is not None:
        signal.raise_signal(ended_by)
    return outcome.DONE


class _Monitor:
    """What is drawn, and who asks for it."""

    def __init__(self) -> None:
        self._view = View()
        self._link = Link(client.directory(), LEVELS)
        self._console = Console()
        self._connections = 0
        self._failures: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._must_draw = True
        self._drawn_s = 0.0

    def show(self) -> signal.Signals | None:
        """Draw until a key or a signal ends it; return the signal."""
        with Terminal() as terminal, self._console.screen():
            self._must_draw = True
            while True:
                self._listen()
                if self._is_due():
                    self._draw(terminal)
                keys, signals = terminal.wait(self._link.descriptors, self._timeout_s())
                if QUIT in keys:
                    return None
                for number in signals:
                    if number in ENDS:
                        return number
                    self._must_draw = True
                for key in keys:
                    if key in WISHES:
                        threading.Thread(
                            target=self._ask, args=(*WISHES[key], terminal), daemon=True
                        ).start()

    # --- what comes --------------------------------------------------------------------

    def _listen(self) -> None:
        """Take what the daemon says."""
        for notice in self._link.advance():
            self._view.take(notice)
            self._must_draw = True
        if self._connections != self._link.connections:
            self._connections = self._link.connections
            self._remember()
        try:
            for message in self._link.others:
                self._view.take_levels(decode_levels(message), time.monotonic())
                self._must_draw = True
        except (WireError, KeyError) as error:
            raise outcome.VersionError(f"the levels cannot be read: {error}") from error
        self._link.others.clear()
        while not self._failures.empty():
            self._complain(self._failures.get())

    def _remember(self) -> None:
        """Ask a daemon that is new to us what was said."""
        try:
            self._view.remember(*transcript.remembered())
        except (outcome.NotRunningError, outcome.NoAnswerError):
            # It has gone again, or will be found silent by who waits for it.
            return

    def _ask(self, verb: str, args: dict[str, str], terminal: Terminal) -> None:
        """Ask for something, on a thread of its own: a start can take seconds."""
        try:
            exchange.ask(verb, args, START_WITHIN_S)
        except outcome.CommandError as failure:
            self._failures.put(f"{verb}: {failure.message}")
        terminal.wake()

    def _complain(self, message: str) -> None:
        self._view.complain(message, time.time())
        self._must_draw = True

    # --- what is drawn -----------------------------------------------------------------

    def _draw(self, terminal: Terminal) -> None:
        self._drawn_s = time.monotonic()
        for needle in (self._view.microphone, self._view.loudspeaker):
            needle.settle(self._drawn_s)
        # Not what the environment says: the size of a terminal changes.
        self._console.size = os.get_terminal_size(1)
        drawing = Screen(self._view, time.time(), has_keys=terminal.has_keys)
        self._console.update_screen(drawing)
        self._must_draw = False

    def _is_due(self) -> bool:
        timeout_s = self._next_drawing_s()
        return timeout_s is not None and timeout_s <= 0.0

    def _next_drawing_s(self) -> float | None:
        """Return after how long to draw; None where nothing changes by itself."""
        since_s = time.monotonic() - self._drawn_s
        if self._must_draw:
            return LEAST_S - since_s
        if self._view.microphone.is_moving or self._view.loudspeaker.is_moving:
            return FALL_S - since_s
        return None if self._view.started_s is None else CLOCK_S - since_s

    def _timeout_s(self) -> float | None:
        both = (self._link.timeout_s, self._next_drawing_s())
        waits = [each for each in both if each is not None]
        return max(0.0, min(waits)) if waits else None
