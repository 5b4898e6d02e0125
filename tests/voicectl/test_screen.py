import io
from typing import Any

import pytest
from rich.console import Console

from tests.voicectl.test_render import report
from tests.voicectl.test_view import level, notice, words
from voicectl.screen import Screen, meter
from voicectl.view import Needle, View

STARTED_S = 1_700_000_000.0


def talking(**changes: Any) -> View:  # noqa: ANN401 - any field of a report
    view = View()
    shown = {
        "state": "speaking",
        "online": True,
        "session": {"model": "gpt-realtime-2.1", "started": STARTED_S, "turns": 1},
        "audio": {"input": "Jabra Evolve", "output": "Built-in Audio Analog Stereo"},
        "cost": {"usd_today": 0.1374, "usd_session": 0.0211},
    }
    view.take(notice("state", **report(**shown | changes)))
    view.take(notice("interruption", source="server", silent_ms=3.2, heard_ms=1234))
    view.take(words("Tell me a story.", role="user", item_id="u", final=True))
    view.take(words("Here is a story", item_id="a"))
    view.take_levels({"microphone": level(-42.0, -31.0), "loudspeaker": level(-14.0, -2.0)}, 1.0)
    return view


def drawn(view: View, columns: int = 80, lines: int = 24, **options: Any) -> list[str]:  # noqa: ANN401 - of Screen
    """Draw and return the lines, without spaces at the end."""
    console = Console(width=columns, height=lines, file=io.StringIO(), record=True)
    screen = Screen(view, STARTED_S + 754, **{"has_keys": True} | options)
    console.print(screen, end="")
    return [line.rstrip() for line in console.export_text().split("\n")]


def test_a_conversation_is_shown_with_all_its_figures() -> None:
    text = "\n".join(drawn(talking(audio={"input": "Jabra Evolve", "underruns": 2})))

    for shown in (
        "voiced 0.1.0",
        "● speaking",
        "local, gpt-realtime-2.1  12:34",
        "-42 dB  Jabra Evolve",
        "interrupted   silent after 3.2 ms, 1.2 s heard, by server",
        "conversation  1 turn, 0 reconnects",
        "cost          0.1374 USD today, 0.0211 this conversation",
        "sound         2 underruns",
        "you        Tell me a story.",
        "assistant  Here is a story",
        "q quit  t talk  m mute  i interrupt",
    ):
        assert shown in text


@pytest.mark.parametrize(
    ("columns", "lines"),
    [(80, 24), (120, 40), (64, 17), (63, 17), (40, 12), (20, 5), (10, 2), (1, 1)],
)
@pytest.mark.parametrize("state", ["speaking", "stopped", "error"])
def test_a_drawing_fits_the_screen_exactly(columns: int, lines: int, state: str) -> None:
    view = talking(state=state, error="no network " * 20)
    for number in range(50):
        view.take(words("word " * 30, item_id=f"a{number}", final=True))
    shown = drawn(view, columns, lines)

    assert len(shown) == lines
    assert max(map(len, shown)) <= columns


def test_the_newest_words_are_seen_when_there_are_too_many() -> None:
    view = talking()
    for number in range(100):
        view.take(words(f"line {number}", item_id=f"a{number}", final=True))

    for columns, lines in ((80, 24), (40, 12)):
        text = "\n".join(drawn(view, columns, lines))
        assert "line 99" in text
        assert "line 9\n" not in text


def test_a_narrow_screen_shows_what_matters() -> None:
    shown = drawn(talking(), 40, 12)

    assert shown[0] == "● speaking" + "12:34".rjust(30)
    assert shown[1].startswith("mic ━")
    assert shown[2].endswith("-14 dB")
    assert shown[3] == "silent after 3.2 ms, 1.2 s heard, by se…"
    assert shown[4:6] == ["you Tell me a story.", "it  Here is a story"]
    assert "q quit" in shown[-1]


def test_a_narrow_screen_of_a_quiet_daemon_is_quiet() -> None:
    view = View()
    view.take(notice("state", **report()))

    assert drawn(view, 40, 6) == [
        "○ idle",
        "mic closed",
        "spk closed",
        "",
        "",
        " q quit  t talk  m mute  i interrupt",
    ]


def test_a_daemon_that_is_stopped_is_waited_for_and_its_words_stay() -> None:
    view = talking()
    view.take(notice("state", state="stopped"))
    text = "\n".join(drawn(view))

    assert "○ stopped" in text
    assert "waiting for the daemon" in text
    assert "microphone   closed" in text
    assert "Tell me a story." in text


def test_a_microphone_that_is_muted_says_so() -> None:
    text = "\n".join(drawn(talking(muted=True, ptt=True, paused="locked", audio={"input": None})))

    assert "● speaking  muted  ptt  paused" in text
    assert "microphone    muted" in text


def test_a_problem_that_lasts_is_shown_rather_than_one_that_was() -> None:
    view = talking()
    view.take(notice("error", STARTED_S + 700, code="x", message="something passed"))
    assert "something passed" in "\n".join(drawn(view))

    view.take(notice("state", **report(error="no network")))
    text = "\n".join(drawn(view))
    assert "problem       no network" in text
    assert "something passed" not in text


def test_a_problem_of_long_ago_is_not_shown() -> None:
    view = talking()
    view.take(notice("error", STARTED_S, code="x", message="something passed"))

    assert "something passed" not in "\n".join(drawn(view))


def test_nothing_that_was_said_is_a_command_of_the_terminal_or_of_ours() -> None:
    view = View()
    view.take(notice("state", **report(error="\x1b[2Jred", audio={"input": "[red]mic\x07"})))
    view.take(words("[bold]\x1b]0;title\x07 \x9b31m\ud800", final=True))
    text = "\n".join(drawn(view))

    assert "[bold] ]0;title" in text
    assert "[red]mic" in text
    assert all(each.isprintable() or each == "\n" for each in text)


def test_without_a_keyboard_no_keys_are_offered() -> None:
    assert drawn(talking(), has_keys=False)[-1] == " Ctrl-C ends it"


@pytest.mark.parametrize(
    ("rms_dbfs", "peak_dbfs", "bar"),
    [
        (-30.0, -12.0, "━━━━━──╸──"),
        (0.0, 0.0, "━━━━━━━━━━"),
        (-96.0, -96.0, "──────────"),
        (None, None, "──────────"),
    ],
)
def test_a_bar_is_solid_up_to_the_loudness_and_marked_at_the_peak(
    rms_dbfs: float | None, peak_dbfs: float | None, bar: str
) -> None:
    assert meter(Needle(rms_dbfs, peak_dbfs), 10).plain == bar


def test_a_bar_is_green_and_yellow_and_red() -> None:
    colours = {str(span.style) for span in meter(Needle(0.0, 0.0), 60).spans}

    assert colours == {"green", "yellow", "red"}
