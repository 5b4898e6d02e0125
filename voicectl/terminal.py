"""The terminal while something is drawn on all of it, and how it is left behind.

Rules
1. Whatever ends the drawing, the terminal is as it was before.
2. A signal is a byte that can be waited for, as a key is: nothing is interrupted midway.
"""

import contextlib
import os
import re
import select
import signal
import socket
import sys
import termios
import tty
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import Final, Self

SIGNALS: Final = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGTSTP,
    signal.SIGWINCH,
)
UNFIT: Final = ("", "dumb", "unknown")
"""Names of terminals whose cursor cannot be moved."""
SEQUENCE: Final = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O.|.)?")
"""What an arrow and the like send; the letters in it are no keys."""


def is_fit(environment: Mapping[str, str]) -> bool:
    """Tell whether the standard output can be drawn on."""
    return sys.stdout.isatty() and environment.get("TERM", "") not in UNFIT


class Terminal:
    """Keys as they are pressed, and signals as they come.

    Attributes:
        has_keys: The standard input is a terminal.
    """

    def __init__(self) -> None:
        self.has_keys = sys.stdin.isatty()
        self._undo = contextlib.ExitStack()
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self._woken.close)
            undo.callback(self._wake.close)
            self._catch_signals(undo)
            if self.has_keys:
                keyboard = sys.stdin.fileno()
                before = termios.tcgetattr(keyboard)
                undo.callback(termios.tcsetattr, keyboard, termios.TCSAFLUSH, before)
                tty.setcbreak(keyboard)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()

    def wake(self) -> None:
        """End the wait; on any thread."""
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")

    def wait(self, others: list[int], timeout_s: float | None) -> tuple[str, list[signal.Signals]]:
        """Wait for keys, signals, or something to read elsewhere.

        Args:
            others: Descriptors that end the wait as well.
            timeout_s: How long to wait; None waits for ever.

        Returns:
            The keys and the signals.
        """
        poll = select.poll()
        for descriptor in (*others, self._woken.fileno()):
            poll.register(descriptor, select.POLLIN)
        if self.has_keys:
            poll.register(sys.stdin.fileno(), select.POLLIN)
        ready = [each for each, _ in poll.poll(None if timeout_s is None else timeout_s * 1000 + 1)]
        keys = self._keys() if self.has_keys and sys.stdin.fileno() in ready else ""
        return keys, self._signals()

    def _catch_signals(self, undo: contextlib.ExitStack) -> None:
        undo.callback(
            signal.set_wakeup_fd,
            signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False),
        )
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_IGN:
                # As under nohup: whoever started us wants it so.
                continue
            undo.callback(signal.signal, number, signal.signal(number, _noted))

    def _keys(self) -> str:
        try:
            data = os.read(sys.stdin.fileno(), 1024)
        except OSError:
            data = b""
        # At its end there are no more keys, and it would be ready for ever.
        self.has_keys = bool(data)
        return SEQUENCE.sub("", data.decode(errors="replace"))

    def _signals(self) -> list[signal.Signals]:
        try:
            return [signal.Signals(number) for number in self._woken.recv(1024) if number]
        except BlockingIOError:
            return []


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the byte that came with the signal says it."""
