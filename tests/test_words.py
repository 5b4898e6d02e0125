import asyncio
import errno
import logging
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import Journal
from voiced import words as words_module
from voiced.errors import ConfigError
from voiced.words import Words, append, place_of


class Desk:
    """Words, and who is told of them."""

    def __init__(self, path: Path | None = None) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.problems: Journal[str | None] = Journal()
        self.words = Words(
            lambda event, fields: self.told.append((event, fields)),
            lambda: self.problems.append(self.words.problem),
        )
        self.words.path = path

    async def close(self) -> None:
        self.words.end()
        assert await asyncio.to_thread(self.words.join, 20)


def entries(path: Path) -> list[str]:
    """Return the lines of the file without their times."""
    lines = path.read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in lines)
    return [line[20:] for line in lines]


async def test_words_are_told_and_kept_and_written_nowhere() -> None:
    desk = Desk()
    desk.words.said("user", "u", "hel", is_final=False)
    desk.words.said("user", "u", "Hello.", is_final=True)
    await desk.close()

    assert desk.told == [
        ("transcript", {"role": "user", "item_id": "u", "text": "hel", "final": False}),
        ("transcript", {"role": "user", "item_id": "u", "text": "Hello.", "final": True}),
    ]
    (line,) = desk.words.report()["lines"]
    assert (line["role"], line["text"]) == ("user", "Hello.")


async def test_a_cut_is_told_with_what_was_heard() -> None:
    desk = Desk()
    desk.words.said("assistant", "a", "Once upon", is_final=False)
    desk.words.cut("a", 1234, ())

    assert desk.told[-1] == (
        "transcript",
        {
            "role": "assistant",
            "item_id": "a",
            "text": "Once upon",
            "final": True,
            "cut": True,
            "heard_ms": 1234,
        },
    )


async def test_the_file_gets_each_line_once_and_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "talks.txt"
    desk = Desk(path)
    desk.words.said("user", "u", "Tell me\na story.", is_final=True)
    desk.words.said("assistant", "a", "Once", is_final=False)
    desk.words.said("assistant", "a", "Once upon a time.", is_final=True)
    desk.words.cut("a", 500, ())
    desk.words.said("assistant", "b", "There", is_final=False)
    desk.words.said("assistant", "c", "Well", is_final=False)
    desk.words.session_over()
    await desk.close()

    assert entries(path) == [
        "you: Tell me a story.",
        "assistant: Once upon a time.",
        "assistant: … (interrupted, 0.5 s heard)",
        "assistant: There …",
        "assistant: Well …",
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_goes_wrong_is_told_once_and_taken_back_when_it_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "place" / "talks.txt"
    desk = Desk(path)
    with caplog.at_level(logging.DEBUG):
        for number in range(3):
            desk.words.said("user", f"u{number}", "marked words", is_final=True)
        await desk.problems.until(bool)
        path.parent.mkdir()
        desk.words.said("user", "u", "again", is_final=True)
        await desk.problems.until(lambda it: len(it) == 2)
    await desk.close()

    problem = "[transcript] file cannot be written: No such file or directory"
    assert desk.problems == [problem, None]
    assert [fields for event, fields in desk.told if event == "error"] == [
        {"code": "transcript_file", "message": problem}
    ]
    assert caplog.text.count(problem) == 1
    assert "marked words" not in caplog.text
    assert entries(path)[-1] == "you: again"


async def test_a_sandbox_that_forbids_the_file_is_told_with_what_it_allows() -> None:
    desk = Desk()
    desk.words._written(OSError(errno.EROFS, os.strerror(errno.EROFS)))
    await desk.close()

    assert desk.problems == [
        "[transcript] file cannot be written: Read-only file system;"
        " the service may write to ~/.local/state/voiced only"
    ]


async def test_a_disk_that_hangs_costs_lines_and_not_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words_module, "MOST_WAITING", 2)
    desk = Desk(tmp_path / "talks.txt")
    for number in range(4):
        desk.words.said("user", f"u{number}", "hello", is_final=True)
    await desk.close()

    assert "takes too long" in str(desk.problems[0])
    assert len(entries(tmp_path / "talks.txt")) == 2


def test_a_disk_that_is_full_is_an_error_and_leaves_no_half_line(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        append(Path("/dev/full"), "hello\n")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        append(tmp_path / "pipe", "hello\n")


def test_a_file_that_others_could_read_is_closed_to_them_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "talks.txt"
    path.write_text("before\n")
    path.chmod(0o644)
    for _ in range(2):
        append(path, "hello\n")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "before\nhello\nhello\n"
    assert caplog.text.count("talks.txt could be read by others") == 1


async def test_a_file_of_somebody_else_is_refused_and_that_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talks.txt"
    path.touch()
    path.chmod(0o666)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    desk = Desk(path)
    for number in range(2):
        desk.words.said("user", f"u{number}", "hello", is_final=True)
    await desk.close()

    assert desk.problems == [
        f"[transcript] file cannot be written: {path} belongs to somebody else, and others"
        " can use it; name another"
    ]
    assert path.read_text() == ""


def test_a_file_system_that_keeps_others_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talks.txt"
    path.touch()
    path.chmod(0o644)
    monkeypatch.setattr(os, "fchmod", lambda *_: None)
    with pytest.raises(OSError, match="cannot be closed to others"):
        append(path, "hello\n")
    assert path.read_text() == ""


def test_a_place_that_is_none_is_told_with_the_remedy(tmp_path: Path) -> None:
    assert place_of("") is None
    assert place_of("~/talks.txt") == Path.home() / "talks.txt"
    with pytest.raises(ConfigError, match=r"there is no directory .*; make it"):
        place_of(str(tmp_path / "none" / "talks.txt"))


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("~nobody-of-that-name/talks.txt", "home directory"),
        (f"/{'x' * 300}/talks.txt", "File name too long"),
    ],
)
def test_a_place_that_cannot_be_looked_at_is_told_with_the_key(file: str, why: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[transcript\] file = .*{why}.*; name a file") as told:
        place_of(file)
    assert told.value.option == ("transcript", "file")


def test_a_place_below_a_directory_that_is_not_ours_to_enter_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "inside").mkdir(parents=True)
    closed.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        with pytest.raises(ConfigError, match=r"Permission denied.*; name a file"):
            place_of(str(closed / "inside" / "talks.txt"))
    finally:
        os.seteuid(user)
        closed.chmod(0o700)
