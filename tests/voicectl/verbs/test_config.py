import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import tomli

from tests.voicectl.stand_in import StandIn
from voicectl.cli import run
from voiced.config import load, parse
from voiced.control.messages import Failure

BAD = "[audio]\ninptu = 1\n"
SET_JABRA = """sed -i 's/^#input = .*/input = "Jabra"/'"""
BREAK = "sed -i s/^#input/inptu/"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a home of one's own; its path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vc", dir="/tmp") as name:
        for variable in ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
            monkeypatch.setenv(variable, name)
        yield Path(name)


@pytest.fixture
def file(home: Path) -> Path:
    """Give the place of the user's own file."""
    path = home / "voiced" / "config.toml"
    path.parent.mkdir()
    return path


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_the_path_is_printed_also_of_a_file_that_is_not_there(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "path"]) == 0
    first = capsys.readouterr()
    file.touch()
    assert run(["config", "path"]) == 0
    second = capsys.readouterr()

    assert first.out == second.out == f"{file}\n"
    assert "there is no such file, the defaults hold" in first.err
    assert second.err == ""


def test_the_file_is_the_one_that_the_running_daemon_reads(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = home / "other.toml"
    other.write_text('[audio]\ninput = "Jabra"\n')
    with StandIn(home, {"version": {"config": str(other)}}):
        assert run(["config", "path"]) == 0
        assert capsys.readouterr().out == f"{other}\n"
        assert run(["config", "show", "--changed"]) == 0
        assert "Jabra" in capsys.readouterr().out


def test_a_daemon_that_cannot_be_understood_is_no_hindrance(
    file: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with StandIn(home, {"version": b"nonsense"}):
        assert run(["config", "path"]) == 0
    assert capsys.readouterr().out == f"{file}\n"


def test_what_is_shown_can_be_used_as_a_file(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text('[audio]\ninput = "a \\"b\\" \\u0007"\n[session]\nidle_hangup_s = 60\n')

    assert run(["config", "show"]) == 0
    whole = capsys.readouterr().out
    assert run(["config", "show", "--changed"]) == 0
    changed = capsys.readouterr().out

    assert parse(whole) == parse(changed) == load(file, {})
    assert 'input = "a \\"b\\" \\u0007"  # default: "default"\n' in whole
    assert 'output = "default"\n' in whole
    assert changed == (
        f"# {file}\n\n"
        '[audio]\ninput = "a \\"b\\" \\u0007"  # default: "default"\n\n'
        "[session]\nidle_hangup_s = 60.0  # default: 300.0\n"
    )


def test_what_holds_is_json_for_scripts(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text('[audio]\ninput = "Jabra"\n')

    assert run(["config", "show", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert run(["config", "show", "--json", "--changed"]) == 0
    changed = json.loads(capsys.readouterr().out)

    assert (whole["file"], whole["exists"]) == (str(file), True)
    assert whole["changed"] == ["audio.input"]
    assert whole["settings"]["audio"]["output"] == "default"
    assert changed["settings"] == {"audio": {"input": "Jabra"}}


def test_a_file_that_is_broken_is_not_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(BAD)

    assert run(["config", "show"]) == 1
    assert f"{file}:2:1: unknown key" in capsys.readouterr().err


def test_a_check_says_what_the_daemon_would_say(
    file: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "check"]) == 0
    assert capsys.readouterr().out == f"{file}: there is no such file, the defaults hold\n"

    file.write_text(BAD)
    assert run(["config", "check"]) == 1
    assert capsys.readouterr().err == (
        f"voicectl: {file}:2:1: unknown key `[audio] inptu`, did you mean `input`?\n"
    )

    good = home / "good.toml"
    good.write_text("[log]\n")
    assert run(["config", "check", str(good)]) == 0
    assert capsys.readouterr().out == f"{good}: good\n"

    assert run(["config", "check", str(home / "none.toml")]) == 1
    assert "none.toml: there is no such file" in capsys.readouterr().err


def test_a_text_from_another_program_is_checked_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[log]\n")))
    assert run(["config", "check", "-"]) == 0
    assert capsys.readouterr().out == "standard input: good\n"

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert run(["config", "check", "-"]) == 1
    assert "standard input:2:1: unknown key" in capsys.readouterr().err


def test_what_was_edited_is_read_by_the_daemon(
    file: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VISUAL", SET_JABRA)
    with StandIn(home, {"reload": {"next_start": ["audio"]}}) as daemon:
        assert run(["config", "edit"]) == 0

    assert daemon.asked == ["version", "reload"]
    assert load(file, {}).audio.input == "Jabra"
    assert capsys.readouterr().out == (
        f"{file} is saved\nreloaded; [audio] take effect with the next conversation\n"
    )


def test_a_daemon_that_does_not_run_reads_it_later(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VISUAL", SET_JABRA)
    assert run(["config", "edit"]) == 0
    assert "it reads the file when it starts" in capsys.readouterr().out

    monkeypatch.setenv("VISUAL", "true")
    assert run(["config", "edit"]) == 0
    assert capsys.readouterr().out == "nothing was changed\n"


def test_what_the_daemon_refuses_is_told(
    file: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VISUAL", SET_JABRA)
    refusal = Failure("refused", "the key can be read by others", "chmod 600 it")
    with StandIn(home, {"reload": refusal}):
        assert run(["config", "edit"]) == 1

    told = capsys.readouterr()
    assert told.out == f"{file} is saved\n"
    assert told.err == "voicectl: the key can be read by others; chmod 600 it\n"


def test_without_a_terminal_what_is_wrong_is_kept_and_nothing_is_replaced(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VISUAL", BREAK)

    assert run(["config", "edit"]) == 1
    complaint, end = capsys.readouterr().err.splitlines()
    copy = Path(end.rpartition(" ")[2])
    assert complaint.startswith(f"voicectl: {copy}:")
    assert "unknown key `[audio] inptu`, did you mean `input`?" in complaint
    assert not file.exists()
    assert "inptu = " in copy.read_text()


@pytest.mark.parametrize(("typed", "edits"), [("n\n", 1), ("\nN\n", 2), ("y\nno\n", 2), ("", 1)])
def test_on_a_terminal_one_may_edit_again_or_give_up(
    file: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    edits: int,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    monkeypatch.setenv("VISUAL", f"sh -c 'echo >> {home}/count; echo inptu = 1 >> $0'")

    assert run(["config", "edit"]) == 1
    assert (home / "count").read_text().count("\n") == edits
    assert "nothing was replaced; your text is kept in" in capsys.readouterr().err


def test_the_schema_is_one_and_takes_the_defaults(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert run(["config", "show"]) == 0

    jsonschema.validate(tomli.loads(capsys.readouterr().out), schema)
