"""Where voicectl says it is."""

import sys
import sysconfig
from pathlib import Path

import pytest

from voicectl.program import stable_path


def program(path: Path) -> Path:
    """Make something that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home without a voicectl, and a PATH without one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(sys, "argv", ["voicectl"])
    return tmp_path


def test_a_link_in_the_home_is_named_rather_than_what_it_leads_to(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = program(home / "venv" / "bin" / "voicectl")
    monkeypatch.setattr(sys, "argv", [str(own)])
    link = home / ".local" / "bin" / "voicectl"
    link.parent.mkdir(parents=True)
    link.symlink_to(own)

    assert stable_path() == link


def test_a_link_in_the_path_is_named_rather_than_what_it_leads_to(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = program(home / "venv" / "bin" / "voicectl")
    monkeypatch.setattr(sys, "argv", [str(own)])
    (home / "bin").mkdir()
    (home / "bin" / "voicectl").symlink_to(own)
    monkeypatch.setenv("PATH", str(home / "bin"))

    assert stable_path() == home / "bin" / "voicectl"


def test_another_voicectl_is_not_taken_for_this_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = program(home / "venv" / "bin" / "voicectl")
    monkeypatch.setattr(sys, "argv", [str(own)])
    program(home / ".local" / "bin" / "voicectl")

    assert stable_path() == own


def test_a_voicectl_run_as_a_module_names_the_program_beside_its_python(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/voicectl/__main__.py"])
    own = program(home / "scripts" / "voicectl")
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(own.parent))

    assert stable_path() == own


def test_a_voicectl_that_is_no_program_has_no_path(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(home))

    assert stable_path() is None
