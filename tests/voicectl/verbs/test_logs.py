from pathlib import Path

import pytest

from voicectl import cli
from voicectl.verbs.logs import command_line

JOURNAL = ["journalctl", "--user", "--unit=voiced.service"]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("", []),
        ("-f", ["--follow"]),
        ("-n 20 -p warning", ["--lines=20", "--priority=warning"]),
        ("--json VOICED_EVENT=lost", ["--output=json", "VOICED_EVENT=lost"]),
    ],
)
def test_the_journal_is_asked(words: str, asked: list[str]) -> None:
    arguments = cli.parser().parse_args(["logs", *words.split()])

    assert command_line(arguments) == [*JOURNAL, *asked]


def test_what_is_no_field_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["logs", "error"]) == 2
    assert "error is no FIELD=VALUE" in capsys.readouterr().err


def test_without_a_journal_it_is_said_where_the_log_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert cli.run(["logs"]) == 1
    assert "journalctl is not installed" in capsys.readouterr().err
