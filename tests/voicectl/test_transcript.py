"""``voicectl transcript`` as a process, against a daemon that remembers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.rig.pretender import Pretender, line, outcome, result, voicectl
from tests.voicectl.test_follow import following
from voiced.control.messages import encode_notice


def said(role: str, item_id: str, text: str, **more: object) -> dict[str, Any]:
    made = {"t": 1.0, "role": role, "item_id": item_id, "text": text, "final": True}
    return made | {"cut": False, "heard_ms": None} | more


BEFORE = [
    said("user", "u1", "What time is it?"),
    said("assistant", "a1", "Ten o'clock, and", cut=True, heard_ms=1234),
]
UNDER_WAY = said("assistant", "a2", "It is", final=False)


def reply(*lines: dict[str, Any]) -> bytes:
    return result(t=1.5, lines=lines)


def notice(role: str, item_id: str, text: str, **more: object) -> bytes:
    fields = {"role": role, "item_id": item_id, "text": text, "final": True}
    return encode_notice("transcript", 2.0, fields | more)


def test_what_was_said_is_printed_with_what_is_under_way(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        asked = voicectl(runtime, "transcript")
        assert daemon.answer(reply(*BEFORE, UNDER_WAY)).verb == "transcript"
        printed = [line(asked) for _ in range(3)]
        assert outcome(asked) == (0, "")

    assert printed == [
        "you: What time is it?",
        "assistant: Ten o'clock, and … (interrupted, 1.2 s heard)",
        "assistant: It is",
    ]


def test_json_is_one_object_a_line(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        asked = voicectl(runtime, "transcript", "--json")
        daemon.answer(reply(*BEFORE))

        assert [json.loads(line(asked)) for _ in BEFORE] == BEFORE
        assert outcome(asked) == (0, "")


def test_without_a_daemon_there_is_none(runtime: Path) -> None:
    status, complaint = outcome(voicectl(runtime, "transcript"))

    assert status == 3
    assert "voiced is not running" in complaint


def test_an_answer_without_lines_is_another_version(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        asked = voicectl(runtime, "transcript")
        daemon.answer(b'{"v": 1, "id": "", "ok": true, "result": {}}')

        assert outcome(asked)[0] == 5


@pytest.mark.parametrize("arguments", [("--follow",), ("--follow", "--json")])
def test_following_prints_each_line_once_when_it_is_complete(
    runtime: Path, arguments: tuple[str, ...]
) -> None:
    with (
        Pretender(runtime) as daemon,
        following(runtime, "transcript", *arguments) as process,
    ):
        daemon.publish(encode_notice("state", 1.0, {"state": "listening"}))
        # These came before the daemon was asked: they are in its answer, too.
        daemon.events.send(notice("user", "u1", "What time is it?"))
        cut = {"cut": True, "heard_ms": 1234}
        daemon.events.send(notice("assistant", "a1", "Ten o'clock, and", **cut))
        daemon.answer(reply(*BEFORE, UNDER_WAY))
        daemon.events.send(notice("user", "u2", "", final=False))
        daemon.events.send(notice("assistant", "a2", " late", final=False))
        daemon.events.send(notice("assistant", "a2", "It is late."))
        daemon.events.send(notice("user", "u2", "Stop."))
        daemon.events.send(notice("assistant", "a2", "It is late.", cut=True, heard_ms=0))
        daemon.events.send(encode_notice("state", 2.0, {"state": "idle"}))
        daemon.events.send(notice("user", "u3", "Bye."))
        printed = [line(process) for _ in range(6)]

    if "--json" in arguments:
        lines = [json.loads(each) for each in printed]
        assert [each["text"] for each in lines[2:]] == [
            "It is late.",
            "Stop.",
            "It is late.",
            "Bye.",
        ]
        assert lines[4] == said("assistant", "a2", "It is late.", t=2.0, cut=True, heard_ms=0)
    else:
        assert printed[2:] == [
            "assistant: It is late.",
            "you: Stop.",
            "assistant: … (not heard)",
            "you: Bye.",
        ]


def test_following_waits_for_a_daemon_and_for_the_next_one(runtime: Path) -> None:
    with following(runtime, "transcript", "--follow") as process:
        assert process.stderr is not None
        assert b"waiting for it" in process.stderr.readline()
        for _ in range(2):
            with Pretender(runtime) as daemon:
                daemon.publish(encode_notice("state", 1.0, {"state": "idle"}))
                daemon.answer(reply(BEFORE[0]))
                assert line(process) == "you: What time is it?"
            assert b"waiting for it" in process.stderr.readline()
