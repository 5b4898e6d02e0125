import json
from typing import Any

import pytest

from tests.voicectl.test_render import report
from voicectl import bars

STOPPED = {"v": 1, "state": "stopped"}


def waybar(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a report
    shown: dict[str, Any] = json.loads(bars.waybar(report(**changes)))
    return shown


def test_a_line_is_the_state_and_the_flags_it_does_not_say() -> None:
    assert bars.polybar(report()) == "idle"
    assert bars.polybar(report(state="muted", muted=True)) == "muted"
    assert bars.polybar(report(state="speaking", muted=True, ptt=True)) == "speaking (muted) (ptt)"
    assert bars.polybar(STOPPED) == "stopped"


def test_people_are_told_what_is_wrong_and_a_narrow_bar_is_not() -> None:
    assert bars.text(report()) == "idle"
    assert bars.text(report(state="error", error="no key\nat all")) == "error: no key at all"
    assert bars.polybar(report(state="error", error="no key")) == "error"


def test_waybar_gets_the_fields_of_a_custom_module() -> None:
    shown = waybar(state="listening", mic_open=True, online=True, ptt=True, muted=True)

    assert shown == {
        "text": "listening",
        "alt": "listening",
        "tooltip": "voiced: listening (muted) (ptt)\nlocal, parrot",
        "class": ["listening", "muted", "ptt", "mic-open", "online"],
    }
    assert json.loads(bars.waybar(STOPPED)) == {
        "text": "stopped",
        "alt": "stopped",
        "tooltip": "voiced: stopped",
        "class": ["stopped"],
    }


def test_a_class_is_there_once() -> None:
    assert waybar(state="muted", muted=True)["class"] == ["muted"]


def test_the_tooltip_says_what_the_bar_has_no_room_for() -> None:
    shown = waybar(
        error="no loudspeaker",
        paused="locked",
        audio={"input": "Jabra"},
        cost={"usd_today": 0.137},
        last_interruption={"silent_ms": 3.2},
    )

    assert shown["tooltip"].split("\n") == [
        "voiced: idle (paused)",
        "paused: locked",
        "no loudspeaker",
        "local, parrot",
        "microphone: Jabra",
        "interrupted: silent after 3.2 ms",
        "0.14 USD today",
    ]


@pytest.mark.parametrize(
    "name",
    ['<b>Mike & Co\'s "USB"</b>', "caf\xe9 \U0001f399", "tab\tnul\0 line\n\x1b[1m", "half \ud800"],
)
def test_whatever_a_device_is_called_the_line_stays_one_and_is_fit_for_pango(name: str) -> None:
    line = bars.waybar(report(audio={"input": name}))
    tooltip = json.loads(line)["tooltip"]
    shown = tooltip.split("\n")

    assert line.isascii()
    assert "\n" not in line
    assert len(shown) == 3
    assert all(each.isprintable() for each in shown)
    assert not set("<>\"'") & set(tooltip)
    assert tooltip.count("&") == tooltip.count(";")
    assert "\ud800" not in tooltip


def test_no_state_is_a_command_of_polybar() -> None:
    assert bars.polybar({"state": "%{F#f00}\nnew"}) == "% {F#f00} new"


def test_every_format_of_the_command_line_is_written_here() -> None:
    assert set(bars.FORMATS) == {"text", "waybar", "polybar"}
