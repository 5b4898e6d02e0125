"""``voicectl monitor`` in tmux, against a daemon that says what it is told to."""

import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.rig.pretender import Pretender, environment, refusal, result
from tests.voicectl.test_render import report
from voicectl.screen import ROOMY_COLUMNS
from voiced.control.messages import encode_levels, encode_notice

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="not installed: tmux")

WITHIN_S = 20.0


class Tmux:
    """A window of a tmux server of its own, in which the monitor runs."""

    def __init__(self, runtime: Path) -> None:
        self._socket = str(runtime / "tmux")
        command = shlex.join([sys.executable, "-m", "voicectl", "monitor"])
        self._run(
            *("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24"),
            f"{command}; echo status $?; cat",
            variables=environment(runtime, TERM="xterm-256color"),
        )

    def close(self) -> None:
        self._run("kill-server")

    def screen(self) -> str:
        """Return what is on the screen."""
        return self._run("capture-pane", "-p")

    def press(self, key: str) -> None:
        self._run("send-keys", key)

    def resize(self, columns: int, lines: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(lines))

    def format(self, text: str) -> str:
        return self._run("display-message", "-p", text).strip()

    def until(self, condition: Callable[[str], bool]) -> str:
        """Look at the screen until something is there."""
        deadline_s = time.monotonic() + WITHIN_S
        while not condition(shown := self.screen()):
            assert time.monotonic() < deadline_s, shown
        return shown

    def shows(self, *texts: str) -> str:
        """Wait until all of these are on the screen."""
        return self.until(lambda shown: all(text in shown for text in texts))

    def _run(self, *arguments: str, variables: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *arguments],
            env=variables,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout


@pytest.fixture
def tmux(runtime: Path) -> Iterator[Tmux]:
    made = Tmux(runtime)
    yield made
    made.close()


def state(**changes: Any) -> bytes:  # noqa: ANN401 - any field of a report
    return encode_notice("state", 1.0, report(**changes))


def words(text: str, item_id: str, **more: object) -> bytes:
    fields = {"role": "assistant", "item_id": item_id, "text": text, "final": False}
    return encode_notice("transcript", 2.0, fields | more)


def remembered(text: str) -> bytes:
    line = {"t": 1.0, "role": "user", "item_id": "u0", "text": text, "final": True}
    return result(t=1.5, lines=[line | {"cut": False, "heard_ms": None}])


def welcome(daemon: Pretender, **changes: Any) -> None:  # noqa: ANN401 - any field of a report
    """Say the state to a monitor that begins to listen, and what was said before."""
    for _ in ("notices", "levels"):
        assert daemon.events.poll(20_000)
        daemon.events.recv()
    daemon.events.send(state(**changes))
    daemon.answer(remembered("What was that?"))


def test_it_shows_what_the_daemon_says_and_survives_its_end(runtime: Path, tmux: Tmux) -> None:
    tmux.shows("○ stopped", "waiting for the daemon", "q quit")
    with Pretender(runtime) as daemon:
        welcome(daemon, state="speaking", audio={"input": "Jabra", "output": "Speakers"})
        tmux.shows("● speaking", "Jabra", "What was that?")
        daemon.events.send(words("Once", "a"))
        daemon.events.send(words(" upon a time", "a"))
        last = {"source": "server", "silent_ms": 3.2, "heard_ms": 1234}
        daemon.events.send(encode_notice("interruption", 2.0, last))
        daemon.events.send(words("Once upon a time", "a", final=True, cut=True, heard_ms=1234))
        daemon.events.send(encode_notice("cost", 2.0, {"usd_today": 0.5, "usd_session": 0.1}))
        daemon.events.send(encode_notice("error", time.time(), {"code": "x", "message": "oh no"}))
        tmux.shows(
            "assistant  Once upon a time … (interrupted, 1.2 s heard)",
            "silent after 3.2 ms, 1.2 s heard, by server",
            "0.5000 USD today",
            "oh no",
        )
        loud = {"rms_dbfs": -12.0, "peak_dbfs": -6.0}

        def is_loud(shown: str) -> bool:
            daemon.events.send(encode_levels({"microphone": loud, "loudspeaker": None}))
            return "-12 dB" in shown and "━" * 20 in shown

        tmux.until(is_loud)
        tmux.until(lambda shown: "dB" not in shown)
    tmux.shows("○ stopped", "Once upon a time")
    with Pretender(runtime) as daemon:
        welcome(daemon, state="idle")
        shown = tmux.shows("○ idle", "What was that?")
        assert "Once upon a time" not in shown


def test_it_takes_the_size_of_the_window(runtime: Path, tmux: Tmux) -> None:
    with Pretender(runtime) as daemon:
        welcome(daemon, audio={"input": "Jabra", "output": "Speakers"})
        tmux.shows("○ idle", "Jabra", "What was that?")
        for columns, lines in ((100, 30), (64, 17), (40, 12)):
            tmux.resize(columns, lines)
            shown = tmux.until(partial(fills, columns, lines))
            assert "What was that?" in shown
            assert "q quit" in shown


def fills(columns: int, lines: int, shown: str) -> bool:
    """Tell whether a drawing has the size of the window: its corners are those of the frame."""
    rows = shown.rstrip("\n").split("\n")
    if len(rows) != lines or not rows[-1].startswith(" q quit"):
        return False
    if columns < ROOMY_COLUMNS:
        return rows[0] == "○ idle"
    return rows[0].endswith("╮") and len(rows[0]) == columns and rows[-2].endswith("╯")


@pytest.mark.parametrize(("key", "verb"), [("t", "toggle"), ("m", "mute"), ("i", "interrupt")])
def test_a_key_asks_the_daemon_and_a_refusal_is_shown(
    runtime: Path, tmux: Tmux, key: str, verb: str
) -> None:
    tmux.shows("○ stopped")
    tmux.press(key)
    tmux.shows("voiced is not running")
    with Pretender(runtime) as daemon:
        welcome(daemon)
        tmux.shows("○ idle")
        tmux.press(key)
        assert daemon.answer(refusal("refused", "not now")).verb == verb
        tmux.shows(f"{verb}: not now")


def test_the_terminal_is_clean_after_the_end(tmux: Tmux) -> None:
    tmux.shows("○ stopped")
    assert tmux.format("#{alternate_on}#{cursor_flag}") == "10"
    tmux.press("q")
    shown = tmux.shows("status 0")

    assert shown.strip() == "status 0"
    assert tmux.format("#{alternate_on}#{cursor_flag}") == "01"


def test_a_daemon_of_another_version_is_told_after_the_end(runtime: Path, tmux: Tmux) -> None:
    tmux.shows("○ stopped")
    with Pretender(runtime) as daemon:
        daemon.publish(b'{"v": 2, "event": "state"}')
        tmux.shows("speaks version 2 of the control protocol", "status 5")
