"""How a command ends, whatever happened in it."""

import errno
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rig.pretender import ROOT, WITHIN_S, environment
from voicectl import outcome


def raising(error: BaseException) -> Callable[[], int]:
    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (outcome.NotRunningError(), 3, "voiced is not running; start it: "),
        (outcome.NoAnswerError(), 4, "voiced did not answer in time; see its log: "),
        (outcome.VersionError("too old"), 5, "too old; restart the daemon: "),
        (outcome.RefusedError("no", "ask again", 6), 6, "no; ask again\n"),
        (outcome.CommandError("no"), 1, "voicectl: no\n"),
        (KeyboardInterrupt(), 130, ""),
        (SystemExit(0), 0, ""),
        (SystemExit(2), 2, ""),
        (SystemExit("text"), 2, ""),
    ],
)
def test_what_went_wrong_is_one_line_and_a_status(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome.conclude("status", raising(error)) == status

    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == bool(said)


def test_a_daemon_is_started_as_a_service_where_there_is_one(tmp_path: Path) -> None:
    for variable, base in (("HOME", ".config"), ("XDG_DATA_HOME", ""), ("XDG_CONFIG_HOME", "")):
        home = {"HOME": "/nowhere", variable: str(tmp_path / variable)}
        assert outcome.how_to_start(home) == "voiced, or: voicectl service install"
        unit = tmp_path / variable / base / "systemd/user/voiced.service"
        unit.parent.mkdir(parents=True)
        unit.touch()
        assert outcome.how_to_start(home) == "voicectl service start"


def test_a_status_is_passed_on() -> None:
    assert outcome.conclude("status", lambda: 1) == 1


def conclude_in_a_process(code: str, stdout: int) -> subprocess.CompletedProcess[str]:
    """Run code as the body of a command."""
    program = f"import sys\nfrom voicectl import outcome\ndef run():\n    {code}\n    return 0\n"
    return subprocess.run(
        [sys.executable, "-c", f"{program}sys.exit(outcome.conclude('', run))"],
        env=environment(Path("/nowhere")),
        cwd=ROOT,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )


def test_a_file_that_cannot_be_used_is_named() -> None:
    done = conclude_in_a_process("open('/nowhere/at/all')", subprocess.DEVNULL)

    assert (done.returncode, done.stderr) == (
        1,
        "voicectl: /nowhere/at/all: No such file or directory\n",
    )


def test_output_that_does_not_fit_is_told_once() -> None:
    with Path("/dev/full").open("w") as full:
        done = conclude_in_a_process("print(1)", full.fileno())

    assert (done.returncode, done.stderr) == (
        1,
        "voicectl: cannot write: No space left on device\n",
    )


def test_a_reader_that_has_gone_ends_it_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    done = conclude_in_a_process("print(1)", write)
    os.close(write)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_complaint_that_nobody_can_read_is_no_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stderr", full)
        outcome.complain("no")
        # What is left in the buffer would be tried again when the file is closed.
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            full.close()
        monkeypatch.setattr(sys, "stderr", None)
        outcome.complain("no")


def test_a_terminal_is_watched_unless_a_desktop_hides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not outcome._is_behind("/dev/tty1")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-1")

    assert outcome._is_behind("/dev/tty1")
    assert not outcome._is_behind("/dev/pts/1")
    assert not outcome._is_behind("/dev/ttyS0")


def test_who_has_a_terminal_anywhere_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as terminal, Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stderr", nothing)
        monkeypatch.setattr(sys, "stdin", None)
        assert not outcome._is_watched()

        monkeypatch.setattr(sys, "stdin", terminal)
        assert outcome._is_watched()
    os.close(ours)
