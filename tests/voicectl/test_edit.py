import os
import shlex
import signal
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from voicectl.edit import EditError, edit, editor
from voiced.config import load

GOOD = '[audio]\ninput = "Jabra"\n'
BAD = "[audio]\ninptu = 1\n"


def writes(text: str, also: str = "") -> list[str]:
    """Return an editor that replaces the text, and does something else."""
    program = (
        f"import pathlib, sys; f = pathlib.Path(sys.argv[1]); f.write_text({text!r})\n{also}\n"
    )
    return [sys.executable, "-I", "-c", program]


def never(complaint: str) -> bool:
    pytest.fail(f"nobody should be asked about {complaint}")


def give_up(_: str) -> bool:
    return False


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def copies(file: Path) -> list[Path]:
    return list(file.parent.glob(".edit-*/*"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "voiced" / "config.toml"
    made.parent.mkdir()
    made.write_text("[log]\n")
    return made


def test_what_was_edited_takes_the_place_of_the_file_and_keeps_its_mode(file: Path) -> None:
    file.chmod(0o640)

    assert edit(file, writes(GOOD), never)
    assert file.read_text() == GOOD
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert names(file.parent) == ["config.toml"]


def test_the_editor_gets_the_text_in_a_private_place(file: Path) -> None:
    look = (
        "assert f.name == 'config.toml' and f.parent.parent.name == 'voiced'\n"
        "assert f.parent.stat().st_mode & 0o77 == 0"
    )

    assert edit(file, [*writes(GOOD, look)], never)


def test_a_text_that_is_left_alone_changes_nothing(file: Path) -> None:
    before = file.stat()

    assert not edit(file, ["true"], never)
    assert file.stat().st_ino == before.st_ino
    assert names(file.parent) == ["config.toml"]


def test_a_file_that_is_not_there_begins_with_every_option_as_a_comment(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    program = "import pathlib, sys; f = pathlib.Path(sys.argv[1]); f.write_text("
    program += "f.read_text().replace('#input = \"default\"', 'input = \"Jabra\"'))"

    assert edit(file, [sys.executable, "-I", "-c", program], never)
    assert load(file, {}).audio.input == "Jabra"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "#output" in file.read_text()


def test_a_file_that_is_not_there_and_not_wanted_is_not_made(tmp_path: Path) -> None:
    assert not edit(tmp_path / "config.toml", ["true"], never)
    assert names(tmp_path) == []


def test_what_is_wrong_is_told_and_may_be_edited_again(file: Path) -> None:
    told: list[str] = []
    program = (
        "import pathlib, sys; f = pathlib.Path(sys.argv[1])\n"
        f"f.write_text({GOOD!r} if 'inptu' in f.read_text() else {BAD!r})"
    )

    def again(complaint: str) -> bool:
        told.append(complaint)
        return True

    assert edit(file, [sys.executable, "-I", "-c", program], again)
    assert file.read_text() == GOOD
    assert len(told) == 1
    assert "config.toml:2:1: unknown key `[audio] inptu`, did you mean `input`?" in told[0]


def test_what_is_wrong_never_gets_in_and_is_kept(file: Path) -> None:
    with pytest.raises(EditError, match="nothing was replaced") as caught:
        edit(file, writes(BAD), give_up)

    (copy,) = copies(file)
    assert file.read_text() == "[log]\n"
    assert copy.read_text() == BAD
    assert str(copy) in caught.value.hint


@pytest.mark.parametrize(
    "meanwhile", ["o.write_text('[turns]')", "o.unlink()"], ids=["changed", "removed"]
)
def test_a_file_that_changed_meanwhile_is_left_alone(file: Path, meanwhile: str) -> None:
    command = writes(GOOD, f"o = pathlib.Path({str(file)!r}); {meanwhile}")

    with pytest.raises(EditError, match="was changed meanwhile and is left alone"):
        edit(file, command, never)

    (copy,) = (path for path in copies(file) if path.name == file.name)
    assert copy.read_text() == GOOD
    assert not file.exists() or file.read_text() == "[turns]"


def test_a_file_that_was_made_meanwhile_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    command = writes(GOOD, f"pathlib.Path({str(file)!r}).write_text('[turns]')")

    with pytest.raises(EditError, match="was changed meanwhile"):
        edit(file, command, never)
    assert file.read_text() == "[turns]"


def test_a_symbolic_link_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)

    assert edit(link, writes(GOOD), never)
    assert link.is_symlink()
    assert file.read_text() == GOOD


def test_a_link_to_nothing_is_followed_too(tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(tmp_path / "dotfiles" / "voiced.toml")

    assert edit(link, writes(GOOD), never)
    assert (tmp_path / "dotfiles" / "voiced.toml").read_text() == GOOD


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (["false"], "false failed with status 1, nothing was replaced"),
        (["/nowhere/ed"], "cannot run /nowhere/ed: No such file or directory"),
        (["rm"], "cannot read .*: No such file or directory"),
    ],
)
def test_an_editor_that_fails_is_told(file: Path, command: list[str], complaint: str) -> None:
    with pytest.raises(EditError, match=complaint):
        edit(file, command, never)
    assert file.read_text() == "[log]\n"


def test_what_was_written_before_the_editor_failed_is_kept(file: Path) -> None:
    with pytest.raises(EditError, match="failed with status 3") as caught:
        edit(file, writes(GOOD, "sys.exit(3)"), never)

    assert "your text is kept in" in caught.value.hint
    assert copies(file)[0].read_text() == GOOD


def test_an_interrupt_is_the_editors(file: Path) -> None:
    command = writes(GOOD, f"import os; os.kill({os.getpid()}, {int(signal.SIGINT)})")

    assert edit(file, command, never)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def make_directory(path: Path) -> None:
    path.mkdir()


def make_loop(path: Path) -> None:
    path.symlink_to(path)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [make_directory, make_loop, make_pipe])
def test_what_is_no_file_is_not_edited(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "config.toml")

    with pytest.raises(EditError, match=r"is no file|cannot read"):
        edit(tmp_path / "config.toml", ["true"], never)


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(EditError, match="cannot"):
        edit(tmp_path / "file" / "config.toml", ["true"], never)


def test_the_editor_is_the_one_people_set(tmp_path: Path) -> None:
    assert editor({"VISUAL": "code --wait", "EDITOR": "ed"}) == ["code", "--wait"]
    assert editor({"VISUAL": " ", "EDITOR": "ed"}) == ["ed"]
    with pytest.raises(EditError, match="EDITOR = 'ed cannot be read"):
        editor({"EDITOR": "'ed"})


def test_without_a_wish_an_editor_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(EditError, match="there is no editor"):
        editor({"PATH": str(tmp_path)})

    for name in ("vi", "nano"):
        (tmp_path / name).touch(mode=0o755)
    assert editor({"PATH": str(tmp_path)}) == [str(tmp_path / "nano")]
    assert shlex.join(editor({"PATH": str(tmp_path), "EDITOR": ""})).endswith("nano")
