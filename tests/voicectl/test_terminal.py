"""``voicectl monitor`` on a pseudo-terminal: how it begins, what ends it, what it leaves."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.rig.pretender import environment, outcome, voicectl

WITHIN_S = 20.0
"""What is waited for comes at once; this only ends a test that would hang."""
ENTERS, LEAVES = "\x1b[?1049h", "\x1b[?1049l"
HIDES, SHOWS = "\x1b[?25l", "\x1b[?25h"


class Pty:
    """A monitor on a terminal of 80 columns and 24 lines."""

    def __init__(
        self, runtime: Path, term: str = "xterm-256color", *, keyboard: bool = True
    ) -> None:
        self._ours, theirs = pty.openpty()
        self.seen = ""
        self.resize(80, 24)
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "voicectl", "monitor"],
            env=environment(runtime, TERM=term, COLUMNS="200", LINES="9"),
            stdin=theirs if keyboard else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        self._theirs = theirs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def until(self, text: str) -> None:
        """Read until something has been written since the last time."""
        deadline_s = time.monotonic() + WITHIN_S
        come = ""
        while text not in come:
            assert time.monotonic() < deadline_s, f"no {text!r} in {come!r}"
            come += self._read(0.1)
        self.seen += come

    def end(self) -> int:
        """Wait for the end, and return the exit status."""
        status = self.process.wait(WITHIN_S)
        self.drain()
        return status

    def drain(self) -> None:
        """Read what has been written."""
        while come := self._read(0):
            self.seen += come

    def is_as_before(self) -> bool:
        """Tell whether the terminal is left as it was found."""
        left = all(self.seen.rfind(last) > self.seen.rfind(first) for first, last in PAIRS)
        return left and termios.tcgetattr(self._theirs) == self.before

    def _read(self, within_s: float) -> str:
        if not select.select([self._ours], [], [], within_s)[0]:
            return ""
        return os.read(self._ours, 65_536).decode(errors="replace")


PAIRS = ((ENTERS, LEAVES), (HIDES, SHOWS))


@pytest.fixture
def terminal(runtime: Path) -> Iterator[Pty]:
    """Give a monitor that has drawn."""
    with Pty(runtime) as made:
        made.until("interrupt")
        yield made


def test_the_whole_screen_is_drawn_without_a_cursor_and_given_back(terminal: Pty) -> None:
    assert ENTERS in terminal.seen
    assert HIDES in terminal.seen
    assert "stopped" in terminal.seen
    # The size is that of the terminal, whatever the environment says.
    assert "─" * 79 not in terminal.seen.replace("\x1b[0m", "")
    terminal.press("x\x1b[Aq")

    assert terminal.end() == 0
    assert terminal.is_as_before()
    assert "Traceback" not in terminal.seen


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, -signal.SIGTERM),
        (signal.SIGHUP, -signal.SIGHUP),
    ],
)
def test_a_signal_ends_it_and_the_terminal_is_given_back(
    terminal: Pty, number: signal.Signals, status: int
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("ignored by whoever runs the tests, and so by what they start")
    terminal.process.send_signal(number)

    assert terminal.end() == status
    assert terminal.is_as_before()
    assert "Traceback" not in terminal.seen


def test_it_can_be_suspended_and_goes_on(terminal: Pty) -> None:
    terminal.process.send_signal(signal.SIGTSTP)
    os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
    terminal.drain()
    assert terminal.is_as_before()

    terminal.process.send_signal(signal.SIGCONT)
    terminal.until("interrupt")
    terminal.press("q")
    assert terminal.end() == 0
    assert terminal.is_as_before()


def test_it_is_drawn_anew_when_the_terminal_changes_its_size(terminal: Pty) -> None:
    terminal.resize(40, 12)
    terminal.process.send_signal(signal.SIGWINCH)
    terminal.until("mic")


def test_without_a_keyboard_a_signal_ends_it(runtime: Path) -> None:
    with Pty(runtime, keyboard=False) as terminal:
        terminal.until("Ctrl-C ends it")
        terminal.process.send_signal(signal.SIGINT)

        assert terminal.end() == 130


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_be_drawn_on_is_refused(runtime: Path, term: str) -> None:
    with Pty(runtime, term) as terminal:
        terminal.until("monitor needs a terminal")

        assert terminal.end() == 2
        assert ENTERS not in terminal.seen


def test_no_terminal_is_refused_in_one_line(runtime: Path) -> None:
    assert outcome(voicectl(runtime, "monitor")) == (
        2,
        "voicectl: monitor needs a terminal that it can draw on;"
        " voicectl status --follow prints a line for every change\n",
    )


def test_a_place_that_is_none_is_told_on_a_terminal_that_is_given_back(runtime: Path) -> None:
    (runtime / "voiced").write_text("")
    with Pty(runtime) as terminal:
        terminal.until("cannot reach voiced at")

        assert terminal.end() == 3
        assert terminal.is_as_before()
