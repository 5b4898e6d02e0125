"""The command line as a whole: every verb explains itself, and its examples work."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.pretender import Pretender, outcome, voicectl
from voicectl import cli
from voicectl.arguments import Parser

OPERATORS = {"&&", "||", "|", ">", ">>", "<", ";", "&"}


def everything(parser: Parser) -> Iterator[Parser]:
    """Yield a parser and all below it."""
    yield parser
    for verb in parser.verbs.values():
        yield from everything(verb)


def command_of(example: str) -> list[str]:
    """Return the words of an example, without what the shell makes of the rest."""
    words = shlex.shlex(re.split(r" {2,}", example)[0], posix=True, punctuation_chars=True)
    words.whitespace_split = True
    taken: list[str] = []
    for word in words:
        if word in OPERATORS and taken[0] == "voicectl":
            break
        if word in OPERATORS:
            # Something else comes before it, and feeds it.
            taken.clear()
            continue
        taken.append(word)
    return taken


@pytest.mark.parametrize("parser", list(everything(cli.parser())), ids=lambda it: it.prog)
def test_every_help_begins_with_examples(parser: Parser) -> None:
    assert parser.format_help().startswith("examples:\n  voicectl")
    assert parser.description


@pytest.mark.parametrize(
    "example", sorted({line for parser in everything(cli.parser()) for line in parser.examples})
)
def test_every_example_is_understood(example: str) -> None:
    program, *words = command_of(example)

    assert program == "voicectl"
    assert cli.parser().parse(words).verb == words[0]


def test_an_empty_command_line_is_answered_with_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run([]) == 2
    assert capsys.readouterr().err.startswith("examples:\n")


def test_help_and_version_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["-h"]) == 0
    assert cli.run(["--version"]) == 0
    assert cli.run(["togle"]) == 2
    assert "did you mean `toggle`?" in capsys.readouterr().err


def test_a_place_without_a_daemon_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "run")

    assert cli.run(["events"]) == 3
    assert "no absolute path" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "voicectl 0.1.0, voiced 999.1.0\n"),
        (("--json",), '{"voicectl": "0.1.0", "voiced": "999.1.0"}\n'),
    ],
)
def test_versions_that_differ_are_both_shown(
    runtime: Path, flags: tuple[str, ...], said: str
) -> None:
    with Pretender(runtime) as daemon:
        asking = voicectl(runtime, "version", *flags)
        daemon.answer(b'{"v": 1, "id": "1", "ok": true, "result": {}, "voiced": "999.1.0"}')
        assert asking.stdout is not None
        shown = asking.stdout.read().decode()
        status, _ = outcome(asking)

    assert (shown, status) == (said, 5)
