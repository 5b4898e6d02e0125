"""The verbs of keys and bars, from what is asked to what is printed."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.rig.pretender import Pretender, refusal, result
from tests.voicectl.test_render import REPORT
from voicectl import fast, quick
from voicectl.outcome import NotRunningError, RefusedError, VersionError
from voiced.control.messages import Request


@pytest.fixture
def ours(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a runtime directory the one of this process."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    return runtime


def answered(runtime: Path, reply: bytes, ask: Callable[[], int]) -> tuple[int, Request]:
    """Ask a daemon that answers this; return the exit status and what it was asked."""
    with Pretender(runtime) as daemon, ThreadPoolExecutor(1) as other:
        request = other.submit(daemon.answer, reply)
        return ask(), request.result()


@pytest.mark.parametrize(
    ("arguments", "verb", "args"),
    [
        (("toggle",), "toggle", {}),
        (("unmute",), "mute", {"wish": "off"}),
        (("ptt", "press"), "ptt", {"edge": "press"}),
    ],
)
def test_a_wish_prints_the_state_it_leads_to(
    ours: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    verb: str,
    args: dict[str, str],
) -> None:
    reply = result("0.1.0", state="listening")
    status, request = answered(ours, reply, lambda: fast.run(arguments))

    assert (status, request.verb, request.args) == (0, verb, args)
    assert capsys.readouterr().out == "listening\n"


def test_a_wish_that_leads_to_nothing_prints_nothing(
    ours: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(ours, result(), lambda: quick.wish("ptt", {"edge": "release"}))

    assert capsys.readouterr().out == ""


def test_a_wish_can_print_json(ours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answered(ours, result(state="idle"), lambda: quick.wish("stop", {}, is_json=True))

    assert json.loads(capsys.readouterr().out) == {"state": "idle"}


def test_a_refusal_is_passed_on(ours: Path) -> None:
    with pytest.raises(RefusedError, match="no microphone"):
        answered(ours, refusal("unavailable", "no microphone"), lambda: fast.run(("start",)))


def test_a_status_is_shown_to_people_and_to_programs(
    ours: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(ours, result(**REPORT), lambda: fast.run(("status",)))
    (ours / "voiced").rename(ours / "before")
    shown = capsys.readouterr().out
    answered(ours, result(**REPORT), lambda: fast.run(("status", "--json")))

    assert shown.startswith("idle\nprovider: ")
    assert json.loads(capsys.readouterr().out) == REPORT


def test_a_status_that_lacks_something_is_another_version(ours: Path) -> None:
    with pytest.raises(VersionError, match="has no 'muted'"):
        answered(ours, result(state="idle"), quick.status)


def test_a_daemon_that_is_not_there_has_a_status_for_programs(
    ours: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ours.exists()
    with pytest.raises(NotRunningError):
        quick.status()
    assert capsys.readouterr().out == ""

    with pytest.raises(NotRunningError):
        quick.status(is_json=True)
    assert json.loads(capsys.readouterr().out) == {"v": 1, "state": "stopped"}


def test_a_claim_is_answered_by_the_status(ours: Path) -> None:
    status, _ = answered(ours, result(**REPORT), lambda: fast.run(("is", "running")))
    assert status == 0

    (ours / "voiced").rename(ours / "before")
    status, _ = answered(ours, result(**REPORT), lambda: fast.run(("is", "muted")))
    assert status == 1


def test_only_whether_it_runs_can_be_told_of_a_daemon_that_does_not(ours: Path) -> None:
    assert ours.exists()
    assert quick.claim("running") == 1
    with pytest.raises(NotRunningError):
        quick.claim("muted")
