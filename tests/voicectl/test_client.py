"""voicectl against a daemon that is not there, goes, or speaks in tongues."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig.pretender import Pretender, environment, outcome, voicectl
from voiced.control.messages import encode_notice
from voiced.control.protocol import MAX_REQUEST_BYTES

STATE = {"state": "idle", "muted": False, "online": False}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("say", b"caf\xe9"), "the text is not UTF-8"),
        (("say", " "), "there is nothing to say"),
        (("status", "--timeout", "nan"), "nan is no number of seconds above 0"),
        (("status", "--timeout", "-1"), "-1 is no number of seconds above 0"),
        (("wait", "--for", "idle", "--timeout", "1e300"), "1e300 is no number of seconds"),
        (("wait", "--for", "starting"), "`starting` is none of stopped, idle"),
    ],
)
def test_wrong_arguments_are_told_with_status_2(
    runtime: Path, arguments: tuple[str | bytes, ...], complaint: str
) -> None:
    status, said = outcome(voicectl(runtime, *arguments))

    assert status == 2
    assert complaint in said


def test_a_text_too_long_for_the_daemon_is_refused_at_once(runtime: Path) -> None:
    with Pretender(runtime):
        status, said = outcome(voicectl(runtime, "say", "x" * MAX_REQUEST_BYTES))

    assert status == 2
    assert "too long" in said


def test_a_long_text_in_another_script_is_as_long_as_it_is(runtime: Path) -> None:
    done = b'{"v": 1, "id": "", "ok": true, "result": {"state": "thinking"}}'
    with Pretender(runtime) as daemon:
        asking = voicectl(runtime, "say", "語" * 20_000)
        assert daemon.answer(done).verb == "say"

        assert outcome(asking)[0] == 0


def test_whoever_waits_is_told_when_the_daemon_has_gone(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        listening = voicectl(runtime, "wait", "--for", "speaking")
        daemon.publish(encode_notice("state", 1.0, dict(STATE)))
        daemon.die()
        status, said = outcome(listening)

    assert status == 3
    assert "voiced is not running" in said


@pytest.mark.parametrize("notice", [b"{nonsense", b'{"v": 1}', b'{"v": 2, "event": "state"}'])
@pytest.mark.parametrize("verb", [("events",), ("wait", "--for", "speaking")])
def test_a_daemon_that_cannot_be_understood_is_another_version(
    runtime: Path, verb: tuple[str, ...], notice: bytes
) -> None:
    with Pretender(runtime) as daemon:
        listening = voicectl(runtime, *verb)
        daemon.publish(notice)

        assert outcome(listening)[0] == 5


def test_a_status_without_what_we_show_is_another_version(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        asking = voicectl(runtime, "status")
        daemon.answer(b'{"v": 1, "id": "", "ok": true, "result": {}}')
        status, said = outcome(asking)

    assert status == 5
    assert "the status of the daemon has no 'muted'" in said


def test_a_place_that_is_none_is_told(runtime: Path) -> None:
    (runtime / "file").write_text("")
    status, said = outcome(voicectl(runtime / "file", "status"))

    assert status == 3
    assert "cannot reach voiced at" in said
    assert "Traceback" not in said


def test_output_that_nobody_reads_or_that_does_not_fit_is_no_traceback(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        asking = voicectl(runtime, "status", "--json")
        assert asking.stdout is not None
        asking.stdout.close()
        asking.stdout = None
        daemon.answer(b'{"v": 1, "id": "", "ok": true, "result": {"state": "idle"}}')
        assert outcome(asking) == (0, "")

        with Path("/dev/full").open("w") as full:
            asking = subprocess.Popen(
                [sys.executable, "-m", "voicectl", "status", "--json"],
                env=environment(runtime),
                stdout=full,
                stderr=subprocess.PIPE,
            )
            daemon.answer(b'{"v": 1, "id": "", "ok": true, "result": {"state": "idle"}}')
            assert outcome(asking) == (1, "voicectl: cannot write: No space left on device\n")


def test_whoever_waits_for_the_end_is_told_when_it_comes(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        waiting = voicectl(runtime, "wait", "--for", "stopped")
        early = voicectl(runtime, "wait", "--for", "stopped", "--timeout", "0.3")
        assert outcome(early)[0] == 4
        assert waiting.poll() is None
        daemon.die()

        assert outcome(waiting) == (0, "")
