"""``status --follow`` and ``events`` as processes, against a daemon that comes and goes."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.rig.pretender import Pretender, line, outcome, result, voicectl
from tests.voicectl.test_render import report
from voicectl.bars import APART_S
from voiced.control.messages import encode_notice

FOLLOW = ("status", "--follow")


def state(**changes: Any) -> bytes:  # noqa: ANN401 - any field of a report
    return encode_notice("state", 1.0, report(**changes))


@contextmanager
def following(runtime: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = voicectl(runtime, *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_bar_is_told_of_a_daemon_that_comes_goes_and_comes_again(runtime: Path) -> None:
    with following(runtime, *FOLLOW, "--format", "waybar") as bar:
        assert json.loads(line(bar))["alt"] == "stopped"
        for name in ("idle", "listening"):
            with Pretender(runtime) as daemon:
                daemon.publish(state(state=name))
                assert json.loads(line(bar))["alt"] == name
            assert json.loads(line(bar))["alt"] == "stopped"


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (("--format", "polybar"), ["idle", "speaking (muted)", "idle"]),
        ((), ["idle", "speaking (muted)", "speaking (muted): no network", "idle"]),
    ],
)
def test_there_is_one_line_for_each_change_and_none_twice(
    runtime: Path, arguments: tuple[str, ...], lines: list[str]
) -> None:
    with Pretender(runtime) as daemon, following(runtime, *FOLLOW, *arguments) as bar:
        daemon.publish(state())
        daemon.events.send(state(session={"age_s": 5.0}))
        daemon.events.send(encode_notice("transcript", 1.0, {"text": "marked words"}))
        daemon.events.send(state(state="speaking", muted=True))
        daemon.events.send(state(state="speaking", muted=True))
        daemon.events.send(state(state="speaking", muted=True, error="no network"))
        daemon.events.send(state())

        assert [line(bar) for _ in lines] == lines


def test_lines_for_polybar_keep_apart(runtime: Path) -> None:
    """It would show the first of two that come at once."""
    changes = 8
    with (
        Pretender(runtime) as daemon,
        following(runtime, *FOLLOW, "--format", "polybar") as bar,
    ):
        daemon.publish(state())
        assert line(bar) == "idle"
        began_s = time.monotonic()
        for number in range(changes):
            daemon.events.send(state(state="speaking" if number % 2 else "listening"))
        read = [line(bar) for _ in range(changes)]
        took_s = time.monotonic() - began_s

    assert read == ["listening", "speaking"] * (changes // 2)
    assert took_s > (changes - 1) * APART_S["polybar"]


def test_the_cost_and_the_last_interruption_reach_the_tooltip(runtime: Path) -> None:
    with (
        Pretender(runtime) as daemon,
        following(runtime, *FOLLOW, "--format", "waybar") as bar,
    ):
        daemon.publish(state())
        daemon.events.send(encode_notice("cost", 1.0, {"usd_today": 0.5, "usd_session": 0.5}))
        line(bar)

        assert "0.50 USD today" in json.loads(line(bar))["tooltip"]


def test_the_status_as_json_follows_too(runtime: Path) -> None:
    with following(runtime, *FOLLOW, "--json") as script:
        assert json.loads(line(script)) == {"v": 1, "state": "stopped"}
        with Pretender(runtime) as daemon:
            daemon.publish(state())
            daemon.events.send(state(session={"age_s": 5.0, "started": 2.0}))
            daemon.events.send(state(session={"turns": 1}))

            assert json.loads(line(script)) == report()
            assert json.loads(line(script)) == report(session={"turns": 1})


def test_events_are_one_json_object_a_line_and_never_end(runtime: Path) -> None:
    with following(runtime, "events") as script:
        first = json.loads(line(script))
        assert (first["v"], first["event"], first["state"]) == (1, "state", "stopped")
        assert first["t"] > 1e9
        with Pretender(runtime) as daemon:
            daemon.publish(state())
            # Told again because somebody else began to listen.
            daemon.events.send(encode_notice("state", 2.0, report(session={"age_s": 3.0})))
            words = encode_notice("transcript", 3.0, {"role": "user", "text": "hello"})
            daemon.events.send(words)
            daemon.events.send(words)

            assert json.loads(line(script)) == {"t": 1.0, "event": "state", **report()}
            assert json.loads(line(script)) == json.loads(words)
            assert json.loads(line(script)) == json.loads(words)
        assert json.loads(line(script))["state"] == "stopped"


@pytest.mark.parametrize("arguments", [FOLLOW, ("events",)])
def test_it_ends_quietly_as_soon_as_nobody_reads(runtime: Path, arguments: tuple[str, ...]) -> None:
    with following(runtime, *arguments) as process:
        line(process)
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None

        assert outcome(process) == (0, "")


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_signal_ends_it_without_a_word(
    runtime: Path, number: signal.Signals, status: int
) -> None:
    with following(runtime, *FOLLOW) as process:
        line(process)
        process.send_signal(number)

        assert outcome(process) == (status, "")


def test_a_state_without_what_we_show_is_another_version(runtime: Path) -> None:
    with Pretender(runtime) as daemon, following(runtime, *FOLLOW) as bar:
        daemon.publish(encode_notice("state", 1.0, {}))
        status, said = outcome(bar)

    assert status == 5
    assert "the status of the daemon has no 'state'" in said


def test_a_bar_that_asks_once_is_told_too(runtime: Path) -> None:
    asked = voicectl(runtime, "status", "--format", "polybar")
    assert line(asked) == "stopped"
    assert outcome(asked) == (0, "")

    with Pretender(runtime) as daemon:
        asked = voicectl(runtime, "status", "--format", "waybar")
        daemon.answer(result(**report(state="thinking")))
        assert json.loads(line(asked))["alt"] == "thinking"
        assert outcome(asked)[0] == 0


def test_a_format_of_json_is_refused(runtime: Path) -> None:
    status, said = outcome(voicectl(runtime, "status", "--json", "--format", "waybar"))

    assert status == 2
    assert "exclude each other" in said
