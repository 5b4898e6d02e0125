"""The manual pages are those of this version, and a manual reader has nothing to say."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.manual import roff
from tests.manual.pages import pages

DIRECTORY = Path(__file__).resolve().parents[1] / "config" / "man"

pytestmark = pytest.mark.repository


@pytest.mark.parametrize("name", pages())
def test_every_page_is_printed_from_the_programs(name: str) -> None:
    # Not so? Run: ./dev man
    assert (DIRECTORY / name).read_text() == pages()[name]


def test_there_is_no_other_page() -> None:
    assert {path.name for path in DIRECTORY.iterdir()} == set(pages())


@pytest.mark.skipif(shutil.which("man") is None, reason="no manual reader here")
@pytest.mark.parametrize("name", pages())
def test_every_page_is_read_without_a_warning(name: str) -> None:
    done = subprocess.run(
        ["man", "--warnings", "-l", str(DIRECTORY / name)],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stderr == ""
    assert "NAME" in done.stdout


def test_what_is_typed_is_no_mark_of_roff() -> None:
    assert roff.text(".a -b \\c 'd' \"e\" `f` ~g ^h") == (
        "\\&.a \\-b \\ec \\(aqd\\(aq \\(dqe\\(dq \\(gaf\\(ga \\(tig \\(hah"
    )
