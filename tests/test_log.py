import logging
import os
import signal
import subprocess
import sys

import pytest

SCRIPT = """
import logging, os
from voiced import log
log.set_up("info", os.environ)
os.close(2)  # our log has a descriptor of its own
logging.getLogger("voiced.x").info("hello %s", "there")
logging.getLogger("voiced.x").debug("not this")
logging.getLogger("voiced.x").error("two\\nlines")
logging.getLogger("asyncio").info("nor this")
log.set_level("debug")
logging.getLogger("voiced.x").debug("but this")
"""


def written(**environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()


def test_a_file_gets_times_and_levels() -> None:
    lines = written()

    assert [
        line.split(maxsplit=1)[1] for line in lines if "two" not in line and line != "lines"
    ] == [
        "INFO    hello there",
        "DEBUG   but this",
    ]


AS_JOURNAL = SCRIPT.replace(
    "os.environ)", '{"JOURNAL_STREAM": "%d:%d" % ((s := os.fstat(2)).st_dev, s.st_ino)})'
)


def test_without_its_library_the_journal_gets_a_priority_for_each_line() -> None:
    script = "import sys; sys.modules['systemd.journal'] = None\n" + AS_JOURNAL
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stderr.splitlines() == ["<6>hello there", "<3>two", "<3>lines", "<7>but this"]


def test_the_journal_is_written_to_by_its_library() -> None:
    """What it writes is seen in ``tests/service/test_user_manager.py``."""
    script = AS_JOURNAL + "print(type(logging.getLogger().handlers[0]).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == ("JournalHandler\n", "")


def on_a_terminal(**environment: str) -> str:
    """Return what a terminal shows."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb") as terminal:
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment},
            stderr=theirs,
            check=True,
        )
        shown = os.read(terminal.fileno(), 10_000).decode()
        os.close(theirs)
    return shown


def test_a_terminal_gets_colours() -> None:
    shown = on_a_terminal()

    assert "\x1b[32mINFO   \x1b[0m hello there" in shown
    assert "\x1b[31mERROR  \x1b[0m two" in shown


@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(variable: tuple[str, str]) -> None:
    shown = on_a_terminal(**dict([variable]))

    assert "INFO    hello there" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(("stream", "expected"), [("", "voiced: no key"), ("own", "<3>no key")])
def test_the_last_words_are_one_line(stream: str, expected: str) -> None:
    script = AS_JOURNAL if stream else SCRIPT
    script = script.replace('log.set_up("info", ', 'log.last_words("no key", ').split("os.close")[0]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stderr == f"{expected}\n"


def test_a_process_that_is_aborted_says_where_it_was() -> None:
    script = f"{SCRIPT}\ndef hung():\n    os.abort()\nhung()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == -signal.SIGABRT
    assert "in hung" in done.stderr


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_every_level_of_the_settings_is_one(level: str) -> None:
    assert isinstance(logging.getLevelName(level.upper()), int)
