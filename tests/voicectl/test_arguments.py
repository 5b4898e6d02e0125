"""The parser: help from anywhere, and one line for what is wrong."""

import argparse
from collections.abc import Sequence

import pytest

from voicectl.arguments import Parser


def parser() -> Parser:
    made = Parser(prog="prog", description="It does things.", examples=("prog go",))
    made.add_argument("--version", action="version", version="prog 1")
    verbs = made.take_verbs("verb")
    go = verbs.add_parser("go", description="go somewhere")
    go.add_argument("where", choices=("home", "away"))
    go.add_argument("--speed", choices=("slow", "fast"))
    say = verbs.add_parser("say", examples=("prog say hello",))
    say.add_argument("words", nargs="+", metavar="WORD")
    group = verbs.add_parser("group").take_verbs("subverb")
    group.add_parser("install")
    group.add_parser("status").add_argument("--json", action="store_true")
    return made


def complaint(capsys: pytest.CaptureFixture[str], words: Sequence[str]) -> str:
    """Return what is said of a wrong command line."""
    with pytest.raises(SystemExit) as caught:
        parser().parse(words)
    assert caught.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err.removeprefix("voicectl: ").rstrip()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sya"], "no verb `sya`, did you mean `say`?"),
        (["fly"], "no verb `fly`; prog -h shows how"),
        ([], "missing: VERB; prog -h shows how"),
        (["group", "instal"], "group: no verb `instal`, did you mean `install`?"),
        (["group"], "group: missing: VERB; prog group -h shows how"),
        (["go"], "go: missing: where; prog go -h shows how"),
        (["go", "hoem"], "go: `hoem` is none of home, away, did you mean `home`?"),
        (["go", "7"], "go: `7` is none of home, away; prog go -h shows how"),
        (
            ["go", "home", "--speed", "fats"],
            "go: --speed: `fats` is none of slow, fast, did you mean `fast`?",
        ),
        (["go", "home", "--sped", "x"], "go: `--sped` is not understood, did you mean `--speed`?"),
        (["go", "home", "--spee", "x"], "go: `--spee` is not understood, did you mean `--speed`?"),
        (["go", "home", "now"], "go: `now` is not understood; prog go -h shows how"),
        (
            ["--json", "group", "status"],
            "group status: `--json` goes behind `prog group status`;"
            " prog group status -h shows how",
        ),
        (["sya", "-h"], "no verb `sya`, did you mean `say`?"),
        (["group", "instal", "--help"], "group: no verb `instal`, did you mean `install`?"),
    ],
)
def test_what_is_wrong_is_one_line_with_what_was_meant(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert complaint(capsys, words) == said


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (["-h"], "prog"),
        (["go", "-h"], "prog go"),
        (["-h", "go"], "prog go"),
        (["--help", "group", "status"], "prog group status"),
        (["group", "-h"], "prog group"),
        (["group", "-h", "status"], "prog group status"),
        (["go", "home", "--speed", "slow", "-h"], "prog go"),
        (["go", "nowhere", "-h"], "prog go"),
        (["say", "go", "-h"], "prog say"),
    ],
)
def test_help_is_given_wherever_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], words: list[str], about: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse(words)

    assert caught.value.code == 0
    assert f"\nusage: {about} [-h]" in capsys.readouterr().out


def test_help_that_is_only_a_word_is_no_question() -> None:
    assert parser().parse(["say", "--", "-h"]).words == ["-h"]


def test_a_right_command_line_is_read() -> None:
    arguments = parser().parse(["go", "away", "--speed", "fast"])

    assert (arguments.verb, arguments.where, arguments.speed) == ("go", "away", "fast")


def test_help_begins_with_examples_that_are_made_up_where_none_are_written() -> None:
    whole = parser()

    assert whole.format_help().startswith("examples:\n  prog go\n\nusage: prog [-h]")
    assert whole.verbs["go"].examples == ("prog go home",)
    assert whole.verbs["group"].examples == ("prog group install", "prog group status")
    assert whole.verbs["say"].examples == ("prog say hello",)


def test_the_verbs_are_listed_without_a_headline() -> None:
    assert "verbs:\n  go        \n  say" not in parser().format_help()
    assert "verbs:\n  go" in _with_summaries().format_help()


def _with_summaries() -> argparse.ArgumentParser:
    made = Parser(prog="prog")
    made.take_verbs("verb").add_parser("go", help="go somewhere")
    return made
