"""Completion as the shells themselves load it."""

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from voicectl import cli

WITHIN_S = 60.0


@pytest.fixture
def script(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Path:
    """Write the completion of a shell where zsh looks for it."""
    shell = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert cli.run(["completion", shell]) == 0
    path = tmp_path / "_voicectl"
    path.write_text(capsys.readouterr().out)
    return path


BASH = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
function=$(complete -p voicectl | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function" voicectl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
echo "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("script", ["bash"], indirect=True)
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["tog"], "toggle"),
        (["mute", ""], "on off toggle"),
        (["wait", "--for", "lis"], "listening"),
        (["completion", "z"], "zsh"),
    ],
)
def test_bash_completes(script: Path, words: list[str], completed: str) -> None:
    done = subprocess.run(
        ["bash", "-c", BASH, "bash", script, "voicectl", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=WITHIN_S,
    )

    assert (done.stdout.strip(), done.stderr) == (completed, "")


@pytest.mark.parametrize("script", ["fish"], indirect=True)
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("tog", {"toggle"}),
        ("mute ", {"on", "off", "toggle"}),
        ("wait --for lis", {"listening"}),
    ],
)
def test_fish_completes(script: Path, line: str, completed: set[str], tmp_path: Path) -> None:
    done = subprocess.run(
        ["fish", "--no-config", "-c", f'source {script}; complete -C "voicectl {line}"'],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=WITHIN_S,
    )

    words = {shown.split("\t")[0] for shown in done.stdout.splitlines()}
    assert completed <= words
    assert done.stderr == ""


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh_completes(script: Path) -> None:
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        ["zsh", "-f", "-i"],
        env={**os.environ, "TERM": "dumb"},
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )
    try:
        setup = f"fpath=({script.parent} $fpath); autoload -Uz compinit; compinit -u -D"
        os.write(terminal, f"{setup}; echo RE''ADY\n".encode())
        read_until(terminal, b"READY\r\n")
        os.write(terminal, b"voicectl wait --for lis\t")
        read_until(terminal, b"listening ")
        os.write(terminal, b"\x15voicectl tog\t")
        read_until(terminal, b"toggle ")
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
        os.close(inner)


def read_until(terminal: int, wanted: bytes) -> None:
    """Read what a terminal shows until something is there."""
    shown = b""
    until_s = time.monotonic() + WITHIN_S
    while wanted not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0.0, until_s - time.monotonic()))
        assert ready, f"no {wanted!r} came, but {shown!r}"
        shown += os.read(terminal, 4096)
