from pathlib import Path

import pytest

from tests.voicectl.checks.said import levels, only
from voicectl.checks.config import check
from voiced.settings import Settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the place of the user's own file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "voiced" / "config.toml"
    path.parent.mkdir()
    return path


def test_a_file_that_can_be_used_is_good(file: Path) -> None:
    file.write_text('[audio]\ninput = "Jabra"\n')
    found, settings = check(None)

    assert levels(found) == {"config.file": "ok"}
    assert settings is not None
    assert settings.audio.input == "Jabra"


def test_no_file_is_good_too(file: Path) -> None:
    found, settings = check(None)

    assert levels(found) == {"config.file": "ok"}
    assert "the defaults hold" in only(found, "config.file").message
    assert settings == Settings()


def test_a_broken_file_fails_with_its_place(file: Path) -> None:
    file.write_text("[audio]\ninptu = 1\n")
    found, settings = check(None)

    finding = only(found, "config.file")
    assert levels(found) == {"config.file": "fail"}
    assert finding.message.startswith(f"{file}:2:1: unknown key")
    assert finding.remedy == "voicectl config edit"
    assert settings is None


def test_a_daemon_that_reads_another_file_is_told(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("")
    assert levels(check(other)[0]) == {"config.file": "ok"}

    file.write_text("")
    found, _ = check(other)
    assert levels(found) == {"config.file": "ok", "config.other": "warn"}
    assert str(other) in only(found, "config.file").message
