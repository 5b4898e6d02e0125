from itertools import combinations
from typing import Any

import pytest

from tests.voicectl.timelines import answer
from voicectl.outcome import VersionError
from voicectl.timeline import Mark, end_with_labels, lanes, read, stairs, ticks


def test_what_is_drawn_is_what_the_daemon_told() -> None:
    found = read(answer(sound=True))

    assert (found.number, found.source, found.is_confirmed) == (7, "local", True)
    assert found.title.startswith("Interruption 7, ")
    assert found.title.endswith(": noticed here, confirmed, 2.1 s heard")
    assert found.subtitle == (
        "your first sound → quieter 62 ms → told to be silent 168 ms → silent 172 ms"
    )
    assert found.origin == "your first sound"
    assert found.sound is not None
    assert max(found.sound.peaks["loudspeaker"]) == pytest.approx(1.0, abs=0.3)


def test_what_is_not_known_is_not_said() -> None:
    told = answer(confirmed=False, frames=False)
    figures = told["interruption"]
    figures |= dict.fromkeys(("sound_to_duck_ms", "sound_to_cut_ms", "sound_to_silent_ms"))
    figures["source"] = "somebody"
    told["marks"] = [{"at_ms": 0.0, "name": "noticed", "gain_db": None}]
    found = read(told)

    assert found.title.endswith(": somebody, words given back")
    assert (found.subtitle, found.origin) == ("", "the moment it was noticed")


def test_a_mark_says_what_happened_and_when() -> None:
    assert Mark(0.0, "first_sound").label == "your first sound"
    assert Mark(62.4, "ducked", -14.0).label == "quieter by 14 dB, 62 ms"
    assert Mark(62.4, "ducked").label == "quieter, 62 ms"
    assert Mark(-0.1, "server_heard").label == "the server hears you, 0 ms"
    assert Mark(7.0, "something_new").label == "something new, 7 ms"


def test_the_gain_goes_down_to_silence_and_comes_back() -> None:
    assert read(answer()).gain() == [(-1500.0, 0.0), (62.0, -14.0), (168.0, None)]
    back = read(answer(confirmed=False))

    assert back.gain()[2:] == [(168.0, None), (1168.0, -14.0), (1168.5, 0.0)]
    assert [back.gain_at(at_ms) for at_ms in (-2000.0, 100.0, 168.0, 2000.0)] == [
        0.0,
        -14.0,
        None,
        0.0,
    ]


def test_a_level_that_changes_in_silence_is_that_of_what_goes_on() -> None:
    told = answer()
    told["marks"] = [
        {"at_ms": 1.0, "name": "held", "gain_db": None},
        {"at_ms": 2.0, "name": "restored", "gain_db": 0.0},
        {"at_ms": 3.0, "name": "resumed", "gain_db": None},
    ]

    assert read(told).gain() == [(-1500.0, 0.0), (1.0, None), (3.0, 0.0)]


def test_frames_are_found_by_the_time_they_cover() -> None:
    found = read(answer())

    assert found.at_ms[found.between(-1500.0, -1480.0)] == [-1490.0, -1480.0]
    assert found.at_ms[found.between(-1485.0, -1484.0)] == [-1480.0]
    assert found.at_ms[found.between(5000.0, 6000.0)] == []


def test_voices_are_spans_of_time() -> None:
    told = answer()
    count = len(told["frames"]["at_ms"])
    told["frames"]["voice"] = [1, 1, 0, 1] + [0] * (count - 4)

    assert read(told).voice_spans() == [(-1500.0, -1480.0), (-1470.0, -1460.0)]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told.pop("marks"),
        lambda told: told["frames"]["voice"].pop(),
        lambda told: told.update(frames=None),
        lambda told: told["sound"].update(cancelled="AAA"),
    ],
)
def test_an_answer_that_cannot_be_read_is_of_another_version(spoil: Any) -> None:  # noqa: ANN401 - any change
    told = answer(sound=True)
    spoil(told)

    with pytest.raises(VersionError):
        read(told)


def test_labels_neither_overlap_nor_are_crossed_by_a_line() -> None:
    starts, widths = [0.0, 1.0, 1.0, 4.0, 30.0, 31.0], [9.0, 9.0, 2.0, 3.0, 5.0, 5.0]
    found = lanes(starts, widths)

    for early, late in combinations(range(len(starts)), 2):
        if starts[late] < starts[early] + widths[early]:
            assert found[early] > found[late]
    assert found == [2, 1, 0, 0, 1, 0]
    assert lanes([], []) == []


def test_the_axis_ends_where_every_label_has_room() -> None:
    found = read(answer())

    assert end_with_labels(found, [0.0] * 7) == 1700.0
    # What begins after 1810 ms and takes half of the axis.
    assert end_with_labels(found, [0.0] * 6 + [0.5]) == pytest.approx(-1500 + 1810 / 0.5)
    assert end_with_labels(found, [0.0] * 6 + [7.0]) == pytest.approx(-1500 + 1810 / 0.4)


def test_the_axis_has_round_figures() -> None:
    assert ticks(-1500.0, 1700.0, 8) == [-1500, -1000, -500, 0, 500, 1000, 1500]
    assert ticks(-20.0, 25.0, 5) == [-20, -10, 0, 10, 20]
    assert ticks(0.0, 90_000.0, 3)[:2] == [0, 5000]


def test_steps_have_corners() -> None:
    assert stairs([(0.0, 1.0), (2.0, 5.0)], 3.0) == [(0.0, 1.0), (2.0, 1.0), (2.0, 5.0), (3.0, 5.0)]
