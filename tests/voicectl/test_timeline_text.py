import pytest

from tests.voicectl.timelines import answer
from voicectl.timeline import read
from voicectl.timeline_text import CLOSED, draw

TRUE = [
    "gain          ████████████████████████████████▄▄",
    "voice?                                      ▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬▬",
    "probability                                 ▁▄▆███",
    "              ┼────────┼─────────┼─────────┼─────────┼─────────┼─────────┼──────",
    "          ms  -1500  -1000     -500        0        500      1000      1500",
    "                                           │ │ │  ╰ the server hears you, 310 ms",
    "                                           │ │ ╰ silent, 172 ms",
    "                                           │ │ ╰ told to be silent, 168 ms",
    "                                           │ │ ╰ confirmed here, 167 ms",
    "                                           │ ╰ quieter by 14 dB, 62 ms",
    "                                           │ ╰ suspected here, 61 ms",
    "                                           ╰ your first sound",
]


def test_an_interruption_is_drawn_with_what_happened_below() -> None:
    lines = draw(read(answer()), 80).splitlines()

    assert lines[3].startswith("microphone    ")
    assert lines[4].startswith(" max -16 dB   ")
    assert lines[5].startswith("without echo")
    # Nothing of it is heard of the assistant, then the user speaks.
    assert set(lines[5][14:40]) == {" "}
    assert lines[8].startswith(" max -8 dB    ██████")
    assert set(lines[8][48:]) == set()
    assert lines[9:] == TRUE


@pytest.mark.parametrize("width", [0, 40, 79, 80, 100, 160])
@pytest.mark.parametrize("is_confirmed", [True, False])
def test_it_fits_the_terminal_and_says_everything(width: int, *, is_confirmed: bool) -> None:
    found = read(answer(confirmed=is_confirmed))
    lines = draw(found, width).splitlines()

    assert all(any(mark.label in line for line in lines) for mark in found.marks)
    if width >= 79:
        assert max(map(len, lines)) <= width


def test_words_that_were_given_back_sound_on() -> None:
    gain = next(
        line
        for line in draw(read(answer(confirmed=False)), 80).splitlines()
        if line.startswith("gain")
    )

    assert "▄ " in gain
    assert gain.endswith("████")


def test_a_closed_microphone_is_told_and_what_happened_all_the_same() -> None:
    told = answer(frames=False)
    lines = draw(read(told), 80).splitlines()
    told["marks"] = []

    assert lines[3] == CLOSED
    assert lines[4].startswith("gain")
    assert lines[-1].endswith("╰ your first sound")
    assert draw(read(told), 80).splitlines()[-1].strip().startswith("ms")
