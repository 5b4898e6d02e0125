import copy
from typing import Any

from voicectl import render

REPORT: dict[str, Any] = {
    "v": 1,
    "state": "idle",
    "muted": False,
    "mic_open": False,
    "online": False,
    "ptt": False,
    "paused": None,
    "voiced": "0.1.0",
    "session": {
        "provider": "local",
        "model": "parrot",
        "started": None,
        "age_s": None,
        "turns": 0,
        "reconnects": 0,
    },
    "audio": {
        "input": None,
        "output": None,
        "underruns": 0,
        "overruns": 0,
        "starvations": 0,
        "restarts": 0,
        "unsent": 0,
    },
    "last_interruption": None,
    "cost": {"usd_today": 0.0, "usd_session": 0.0},
    "error": None,
}


def report(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a report
    made = copy.deepcopy(REPORT)
    for name, value in changes.items():
        made[name] = {**made[name], **value} if isinstance(made[name], dict) else value
    return made


def test_an_idle_daemon_says_little() -> None:
    assert render.status(report()).splitlines() == [
        "idle",
        "provider:     local, parrot (not connected)",
        "microphone:   closed",
        "loudspeaker:  closed",
    ]


def test_a_busy_daemon_says_what_matters() -> None:
    text = render.status(
        report(
            state="speaking",
            muted=True,
            online=True,
            session={"age_s": 3725.0, "turns": 4},
            audio={"input": "Jabra", "output": "default", "underruns": 2, "unsent": 1},
            last_interruption={"source": "server", "silent_ms": 3.2, "heard_ms": 1200},
            cost={"usd_today": 0.1234, "usd_session": 0.02},
            error="something",
        )
        | {"last_interruption": {"source": "server", "silent_ms": 3.2, "heard_ms": 1200}}
    )

    assert text.splitlines() == [
        "speaking (muted)",
        "problem:      something",
        "provider:     local, parrot",
        "conversation: 1:02:05, 4 turns",
        "microphone:   Jabra",
        "loudspeaker:  default",
        "sound:        2 underruns, 1 unsent",
        "interrupted:  by server, silent after 3.2 ms, 1200 ms heard",
        "cost:         0.1234 USD today, 0.0200 USD this conversation",
    ]


def test_an_interruption_is_told_with_its_number() -> None:
    figures = {"silent_ms": 3.2, "sound_to_silent_ms": 171.4, "heard_ms": 900, "confirmed": True}
    last = {"last_interruption": figures | {"source": "local", "number": 3}}

    assert (
        "interrupted:  by local, silent after 3.2 ms, 171 ms after your first sound,"
        " 900 ms heard (number 3)"
    ) in render.status(report() | last).splitlines()


def test_a_flag_that_is_the_state_is_not_said_twice() -> None:
    assert render.status(report(state="muted", muted=True)).startswith("muted\n")
    assert "conversation: 0:59" in render.status(report(session={"age_s": 59.9}))


def test_a_conversation_that_waits_for_the_user_is_shown() -> None:
    assert render.status(report(paused="locked")).startswith("idle (paused: locked)\n")


def test_the_answer_to_a_wish_is_the_state() -> None:
    assert render.done({"state": "connecting"}) == "connecting"
    assert render.done({}) == ""


def test_the_answer_to_a_reload_says_what_has_to_wait() -> None:
    assert render.done({"next_start": ["audio", "local"]}) == (
        "reloaded; [audio], [local] take effect with the next conversation"
    )


def test_an_interruption_that_gave_the_words_back_has_fewer_figures() -> None:
    last = {"source": "local", "silent_ms": None, "heard_ms": None, "confirmed": False}
    assert render.outcome_of(last) == "went on"

    text = render.status(report() | {"last_interruption": last | {"silent_ms": 4.0}})
    assert "interrupted:  by local, silent after 4 ms, went on" in text.splitlines()


def test_an_interruption_of_which_nothing_is_known_says_nothing() -> None:
    last = {"source": "server", "silent_ms": None, "heard_ms": None, "confirmed": True}

    assert render.outcome_of(last, str) == ""


def test_a_microphone_that_is_not_heard_meanwhile_is_told_with_its_reason() -> None:
    def said(**audio: str) -> list[str]:
        text = render.status(report(audio=audio))
        return [line for line in text.splitlines() if line.startswith("echo:")]

    assert said(echo="cancelled", echo_reason="") == []
    assert said(echo="half_duplex", echo_reason="") == [
        "echo:         nothing is heard while the assistant speaks"
    ]
    assert said(echo="half_duplex", echo_reason="no canceller") == ["echo:         no canceller"]
