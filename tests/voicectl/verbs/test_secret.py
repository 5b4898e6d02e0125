import io
import json
import os
import pty
import stat
import sys
from pathlib import Path

import pytest

from tests.voicectl.manager import Manager, write
from voicectl import cli
from voicectl.verbs.secret import LONGEST_KEY, complaint

Output = pytest.CaptureFixture[str]
KEY = "sk-marked-0123456789"


def give(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_from_stdin_is_stored_for_its_owner_alone(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    give(monkeypatch, f"  {KEY}\n")
    assert cli.run(["secret", "set"]) == 0

    assert manager.key.read_text() == f"{KEY}\n"
    assert (mode(manager.key), mode(manager.key.parent)) == (0o600, 0o700)
    shown = capsys.readouterr()
    assert shown.out == f"stored in {manager.key}\n"
    assert KEY not in shown.out + shown.err
    assert not manager.drop_ins.exists()
    assert manager.asked() == []


def test_the_service_is_handed_the_key_where_it_is_ours(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    cli.run(["service", "install"])
    manager.says(ActiveState="active")
    give(monkeypatch, KEY)
    assert cli.run(["secret", "set"]) == 0

    drop_in = (manager.drop_ins / "secret.conf").read_text()
    assert drop_in.endswith(f"[Service]\nLoadCredential=openai:{manager.key}\n")
    assert KEY not in drop_in
    assert manager.asked() == ["daemon-reload"] * 2
    assert "next: voicectl service restart" in capsys.readouterr().out

    manager.says(ActiveState="inactive")
    assert cli.run(["secret", "rm"]) == 0
    assert not manager.key.exists()
    assert not manager.drop_ins.exists()
    assert manager.asked() == ["daemon-reload"] * 3
    assert "next" not in capsys.readouterr().out


def test_a_service_of_somebody_else_is_left_alone(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(manager.unit, "[Service]\nExecStart=/usr/bin/voiced\n")
    give(monkeypatch, KEY)

    assert cli.run(["secret", "set"]) == 0
    assert not manager.drop_ins.exists()


def test_a_manager_that_cannot_be_told_is_named(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    cli.run(["service", "install"])
    manager.fails("daemon-reload", "Failed to connect to bus: No medium found")
    give(monkeypatch, KEY)

    assert cli.run(["secret", "set"]) == 1
    assert "then: systemctl --user daemon-reload" in capsys.readouterr().err
    assert manager.key.exists()


def test_nothing_is_removed_twice(manager: Manager, capsys: Output) -> None:
    assert cli.run(["secret", "rm"]) == 0
    assert capsys.readouterr().out == "no key is stored\n"
    assert manager.asked() == []


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("", "there is no key"),
        ("two words", "one word"),
        ("two\nlines", "one word"),
        ("schlüssel", "one word"),
        ("x" * (LONGEST_KEY + 1), "longer than"),
        (KEY, None),
    ],
)
def test_what_cannot_be_a_key_is_refused_and_not_repeated(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, capsys: Output, key: str, wrong: str | None
) -> None:
    told = complaint(key)
    assert (told is None) if wrong is None else (told is not None and wrong in told)
    give(monkeypatch, key)

    assert cli.run(["secret", "set"]) == (2 if wrong else 0)
    said = capsys.readouterr()
    assert not key or key not in said.out + said.err
    assert manager.key.exists() == (wrong is None)


@pytest.mark.parametrize(("typed", "status"), [(f"{KEY}\n", 0), ("\n", 2), ("\x04", 2)])
def test_at_a_terminal_the_key_is_asked_for_and_not_shown(
    manager: Manager, typed: str, status: int
) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "voicectl", "secret", "set"]
        os.execve(sys.executable, command, {**manager.environment(), "TERM": "dumb"})  # noqa: S606 - a child
    shown = b""
    while not shown.endswith(b"key: "):
        shown += os.read(terminal, 1000)
    os.write(terminal, typed.encode())
    try:
        while more := os.read(terminal, 1000):
            shown += more
    except OSError:
        more = b""  # the other end is closed
    _, ended = os.waitpid(pid, 0)
    os.close(terminal)

    assert os.waitstatus_to_exitcode(ended) == status
    assert KEY.encode() not in shown
    assert manager.key.exists() == (status == 0)


@pytest.mark.parametrize(
    ("file_mode", "handed", "variable", "expected"),
    [
        (None, False, "", (None, 1)),
        (None, False, KEY, ("environment", 0)),
        (0o600, False, KEY, ("file", 0)),
        (0o600, True, "", ("credential", 0)),
        (0o644, False, "", ("file", 1)),
    ],
)
def test_the_status_says_where_a_key_comes_from(
    manager: Manager,
    capsys: Output,
    file_mode: int | None,
    handed: bool,
    variable: str,
    expected: tuple[str | None, int],
) -> None:
    used, status = expected
    if file_mode is not None:
        write(manager.key, KEY)
        manager.key.chmod(file_mode)
    if handed:
        write(manager.drop_ins / "secret.conf", "# generated by voiced 1\n")
    os.environ["OPENAI_API_KEY"] = variable
    assert cli.run(["secret", "status", "--json"]) == status
    as_json = json.loads(capsys.readouterr().out)
    assert cli.run(["secret", "status"]) == status
    as_text = capsys.readouterr()
    del os.environ["OPENAI_API_KEY"]

    assert as_json["used"] == used
    assert as_json["file"]["mode"] == (None if file_mode is None else f"{file_mode:04o}")
    assert as_text.out.splitlines()[-1].startswith(f"used:           {used or 'nothing'}")
    assert ("chmod 600" in as_text.err) == (file_mode == 0o644)
    assert KEY not in as_text.out + as_text.err + json.dumps(as_json)
