import logging
import os
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


def test_a_terminal_gets_times_and_levels() -> None:
    lines = written()

    assert [
        line.split(maxsplit=1)[1] for line in lines if "two" not in line and line != "lines"
    ] == [
        "INFO    hello there",
        "DEBUG   but this",
    ]


def test_the_journal_gets_a_priority_for_each_line() -> None:
    script = SCRIPT.replace(
        "os.environ)", '{"JOURNAL_STREAM": "%d:%d" % ((s := os.fstat(2)).st_dev, s.st_ino)})'
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stderr.splitlines() == ["<6>hello there", "<3>two", "<3>lines", "<7>but this"]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_every_level_of_the_settings_is_one(level: str) -> None:
    assert isinstance(logging.getLevelName(level.upper()), int)
