"""What keys and bars run: it loads next to nothing, and does what the long way does."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.rig.pretender import (
    ROOT,
    WITHIN_S,
    Pretender,
    environment,
    outcome,
    refusal,
    result,
    voicectl,
)
from tests.voicectl.test_render import REPORT
from voicectl import cli, fast
from voicectl.claims import CLAIMS
from voicectl.verbs.session import request_of

ENTRY: Final = ROOT / "voicectl" / "entry" / "voicectl"
SLOW: Final = {
    "argparse", "collections", "contextlib", "dataclasses", "enum", "functools", "json", "pathlib",
    "re", "select", "selectors", "socket", "struct", "subprocess", "typing", "zmq",
    "voicectl.cli", "voicectl.client", "voiced.control.messages", "voiced.errors",
}  # fmt: skip
PLAIN: Final = (*fast.WISHES, ("status",), ("status", "--json"), *(("is", it) for it in CLAIMS))


def loaded(runtime: Path, arguments: tuple[str, ...], reply: bytes) -> tuple[int, set[str]]:
    """Run the installed command, and return its exit status and what it imported."""
    with Pretender(runtime) as daemon:
        running = subprocess.Popen(
            # Without site: what packages of this machine hook into Python is not ours.
            [sys.executable, "-S", "-X", "importtime", str(ENTRY), *arguments],
            env=environment(runtime),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        daemon.answer(reply)
        _, said = running.communicate(timeout=WITHIN_S)
    lines = [line for line in said.decode().splitlines() if line.startswith("import time:")]
    return running.returncode, {line.split("|")[-1].strip() for line in lines}


@pytest.mark.parametrize("arguments", PLAIN, ids=" ".join)
def test_a_plain_command_loads_next_to_nothing(runtime: Path, arguments: tuple[str, ...]) -> None:
    status, modules = loaded(runtime, arguments, result(**REPORT))

    assert status in ((0, 1) if arguments[0] == "is" else (0,))
    assert "voicectl.zmtp" in modules
    assert modules & SLOW == set()


def test_nor_does_one_that_is_refused_where_there_is_no_desktop(runtime: Path) -> None:
    status, modules = loaded(runtime, ("is", "muted"), refusal("refused", "no"))

    assert status == 1
    assert modules & SLOW == set()


def test_the_command_is_a_plain_script_that_installers_make_their_own() -> None:
    assert ENTRY.read_bytes().startswith(b"#!python\n")
    assert os.access(ENTRY, os.X_OK)


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("-h",), ("toggle", "-h"), ("mute", "maybe"), ("ptt",), ("is", "starting"),
        ("status", "--json", "--json"), ("say", "stop"), ("start", "stop"), ("is",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_everything_else_is_left_to_the_parser(arguments: tuple[str, ...]) -> None:
    assert not fast.is_plain(arguments)


@pytest.mark.parametrize("arguments", fast.WISHES, ids=" ".join)
def test_a_wish_is_what_the_parser_makes_of_it(arguments: tuple[str, ...]) -> None:
    assert request_of(cli.parser().parse_args(arguments)) == fast.WISHES[arguments]


@pytest.mark.parametrize(
    ("arguments", "reply", "status"),
    [
        (("toggle",), result("0.1.0", state="connecting"), 0),
        (("mute", "toggle"), result(), 0),
        (("start",), refusal("unavailable", "no microphone", "plug one in"), 6),
        (("ptt", "press"), refusal("stale", "too late"), 4),
        (("stop",), result("999.1.0", state="idle"), 5),
        (("stop",), b'{"v": 2}', 5),
        (("stop",), b"nonsense", 5),
        (("status",), result(**REPORT), 0),
        (("status",), result(**(REPORT | {"error": "Jabra™ ist weg"})), 0),
        (("status",), result(state="idle"), 5),
        (("status", "--json"), result(**REPORT), 0),
        (("is", "connected"), result(online=True), 0),
        (("is", "connected"), result(online=False), 1),
        (("is", "connected"), refusal("refused", "no"), 1),
    ],
)
def test_both_ways_end_in_the_same(
    runtime: Path, arguments: tuple[str, ...], reply: bytes, status: int
) -> None:
    ends = []
    with Pretender(runtime) as daemon:
        for command in (arguments, (*arguments, "--timeout", "60")):
            running = voicectl(runtime, *command, PYTHONIOENCODING="ascii")
            request = daemon.answer(reply)
            said = running.communicate(timeout=WITHIN_S)
            ends.append((running.returncode, said, request.verb, request.args))

    assert ends[0] == ends[1]
    assert ends[0][0] == status


@pytest.mark.parametrize("arguments", [("toggle",), ("status", "--json"), ("is", "running")])
def test_both_ways_tell_the_same_of_a_daemon_that_is_not_there(
    runtime: Path, arguments: tuple[str, ...]
) -> None:
    ends = []
    for command in (arguments, (*arguments, "--timeout", "60")):
        running = voicectl(runtime, *command)
        ends.append((running.communicate(timeout=WITHIN_S), running.returncode))

    assert ends[0] == ends[1]
    assert ends[0][1] == (1 if arguments[0] == "is" else 3)


def test_a_daemon_of_another_version_is_told_with_both_and_the_remedy(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        pressing = voicectl(runtime, "mute", "toggle")
        daemon.answer(result("999.1.0", state="idle"))

        assert outcome(pressing) == (
            5,
            "voicectl: voiced 999.1.0 is running, but this is voicectl 0.1.0;"
            " restart the daemon: systemctl --user restart voiced\n",
        )


def test_a_key_that_is_interrupted_ends_with_130(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        pressing = voicectl(runtime, "toggle")
        assert daemon.router.poll(WITHIN_S * 1000)
        pressing.send_signal(2)

        assert outcome(pressing) == (130, "")


def test_output_that_does_not_fit_is_told(runtime: Path) -> None:
    with Pretender(runtime) as daemon, Path("/dev/full").open("w") as full:
        asking = subprocess.Popen(
            [sys.executable, str(ENTRY), "status"],
            env=environment(runtime),
            stdout=full,
            stderr=subprocess.PIPE,
        )
        daemon.answer(result(**REPORT))

        assert outcome(asking) == (1, "voicectl: cannot write: No space left on device\n")


def test_a_key_without_any_terminal_or_file_to_write_to_works_all_the_same(runtime: Path) -> None:
    shell = 'exec "$@" <&- >&- 2>&-'
    command = ["sh", "-c", shell, "sh", sys.executable, str(ENTRY)]
    with Pretender(runtime) as daemon:
        pressing = subprocess.Popen([*command, "toggle"], env=environment(runtime))
        assert daemon.answer(result(state="idle")).verb == "toggle"
        assert pressing.wait(WITHIN_S) == 0

    assert (
        subprocess.run([*command, "toggle"], env=environment(runtime), check=False).returncode == 3
    )
    assert subprocess.run([*command, "-h"], env=environment(runtime), check=False).returncode == 0
