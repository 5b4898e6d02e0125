import json
from pathlib import Path
from typing import Any

import pytest

from tests.rig.pretender import refusal, result
from tests.voicectl.timelines import answer
from tests.voicectl.verbs.asking import answering
from voicectl.cli import run
from voicectl.verbs import figures as module
from voiced.tally import Tally

Capture = pytest.CaptureFixture[str]


def test_the_figures_of_the_day_are_printed(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    report: Any = Tally(0.0).report()
    with answering(runtime, monkeypatch, result(**report), result(**report)) as asked:
        assert run(["stats"]) == 0
        assert ": no interruptions\n" in capsys.readouterr().out
        assert run(["stats", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == report

    assert [request.verb for request in asked] == ["stats", "stats"]


def test_figures_that_cannot_be_read_are_of_another_version(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with answering(runtime, monkeypatch, result(), result()):
        assert run(["stats"]) == 5
        assert run(["timeline"]) == 5

    assert "cannot be read" in capsys.readouterr().err


def test_an_interruption_is_drawn_in_the_terminal(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    with answering(runtime, monkeypatch, result(**answer()), result(**answer())) as asked:
        assert run(["timeline"]) == 0
        drawn = capsys.readouterr().out
        assert run(["timeline", "7", "--json"]) == 0

    assert "╰ your first sound\n" in drawn
    assert max(map(len, drawn.splitlines())) <= 80
    assert json.loads(capsys.readouterr().out) == answer()
    assert [request.args for request in asked] == [{}, {"number": "7"}]


def test_a_picture_is_drawn_into_a_file(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "7.PNG"
    with answering(runtime, monkeypatch, result(**answer()), result(**answer())):
        assert run(["timeline", "-o", str(path)]) == 0
        assert run(["timeline", "-o", str(tmp_path / "nowhere" / "7.png")]) == 1

    assert path.read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr()
    assert printed.out == f"{path}\n"
    assert printed.err == f"voicectl: {tmp_path}/nowhere/7.png: No such file or directory\n"


def test_a_number_that_is_not_there_is_told_with_those_that_are(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    why = "there is no interruption 9; there is: 1 to 7"
    with answering(runtime, monkeypatch, refusal("refused", why)):
        assert run(["timeline", "9"]) == 1

    assert capsys.readouterr().err == f"voicectl: {why}\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-o", "7.jpg"], "7.jpg must end with .png or .svg"),
        (["-o", "png"], "png must end with .png or .svg"),
        (["last"], "last is no number of an interruption"),
        (["9" * 5000], "an interruption has no number of 5000 digits"),
        (["-o", "7.png", "--json"], "--json and -o exclude each other"),
    ],
)
def test_what_makes_no_sense_is_told(words: list[str], complaint: str, capsys: Capture) -> None:
    assert run(["timeline", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_without_matplotlib_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)

    assert run(["timeline", "-o", "7.png"]) == 1
    assert capsys.readouterr().err == (
        "voicectl: pictures need matplotlib; pip install 'voiced[pictures]'\n"
    )
