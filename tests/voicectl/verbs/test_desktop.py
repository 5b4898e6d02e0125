"""``voicectl hotkeys show`` and ``voicectl bar show``."""

import sys
from pathlib import Path

import pytest

from voicectl import cli, outcome


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a voicectl that is installed as a program."""
    path = tmp_path / "bin" / "voicectl"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path.with_name("python")))
    monkeypatch.setenv("HOME", str(tmp_path))
    return path


def test_the_lines_name_the_voicectl_that_prints_them(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["hotkeys", "show", "sway", "--key", "F16"]) == outcome.DONE
    assert f"bindcode --no-repeat 194 exec exec {installed} toggle\n" in capsys.readouterr().out

    assert cli.run(["bar", "show", "polybar"]) == outcome.DONE
    assert f"exec = {installed} status --follow" in capsys.readouterr().out


def test_the_style_sheet_is_asked_for_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bar", "show", "waybar", "--css"]) == outcome.DONE
    assert capsys.readouterr().out.startswith("/* voiced:")

    assert cli.run(["bar", "show", "i3blocks", "--css"]) == outcome.USAGE
    assert "i3blocks has no style sheet" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["gnome", "--hold"], ["sway", "--key", "v"], ["kde", "--key", "F13"]],
)
def test_a_key_that_cannot_be_bound_is_one_line_and_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["hotkeys", "show", *arguments]) == outcome.USAGE

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1


def test_a_path_that_cannot_be_written_is_one_line_and_status_1(
    installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = installed.parent.parent / "100%" / "voicectl"
    odd.parent.mkdir()
    installed.rename(odd)
    monkeypatch.setattr(sys, "executable", str(odd.with_name("python")))

    for command in (["hotkeys", "show", "i3"], ["bar", "show", "waybar"]):
        assert cli.run(command) == outcome.FALSE
        assert capsys.readouterr().err.count("\n") == 1


def test_a_link_to_the_program_is_named_rather_than_what_it_leads_to(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = installed.parent.parent / ".local" / "bin" / "voicectl"
    link.parent.mkdir(parents=True)
    link.symlink_to(installed)

    assert cli.run(["hotkeys", "show", "i3"]) == outcome.DONE
    assert f"exec {link} toggle\n" in capsys.readouterr().out


def test_a_voicectl_that_is_no_program_says_so(
    installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.unlink()
    monkeypatch.setattr(sys, "argv", ["-m"])

    for command in (["hotkeys", "show", "i3"], ["bar", "show", "waybar"]):
        assert cli.run(command) == outcome.FALSE
        assert "install the package" in capsys.readouterr().err
