from dataclasses import replace
from typing import Any

from voiced.conversation.status import Interruption
from voiced.tally import SILENT_EDGES_MS, Tally, spread


def interruption(source: str = "local", *, confirmed: bool = True, **more: None) -> Interruption:
    made = Interruption(source, 4.0, 900, "i", confirmed, sound_to_silent_ms=171.0)
    fields: dict[str, Any] = {**more}
    return replace(made, **fields)


def test_interruptions_are_counted_by_who_noticed_and_by_what_became_of_them() -> None:
    tally = Tally(1.0)
    for each in (
        interruption(),
        interruption(confirmed=False),
        interruption("server"),
        interruption("somebody", confirmed=False),
    ):
        tally.take(each)
    tally.duck()
    report = tally.report()

    assert report["since"] == 1.0
    assert report["interruptions"] == {
        "total": 4,
        "confirmed": 2,
        "given_back": 2,
        "ducks": 1,
        "by_source": {
            "local": {"confirmed": 1, "given_back": 1},
            "server": {"confirmed": 1, "given_back": 0},
            "control": {"confirmed": 0, "given_back": 0},
            "somebody": {"confirmed": 0, "given_back": 1},
        },
    }


def test_what_was_never_silent_is_in_no_histogram() -> None:
    tally = Tally(1.0)
    tally.take(interruption())
    tally.take(interruption(silent_ms=None, sound_to_silent_ms=None))
    report = tally.report()

    assert report["silent_ms"]["count"] == report["sound_to_silent_ms"]["count"] == 1
    assert report["sound_to_silent_ms"]["max"] == 171.0


def test_a_new_day_begins_with_nothing() -> None:
    tally = Tally(1.0)
    tally.take(interruption())
    tally.duck()
    tally.begin(2.0)

    assert tally.report() == Tally(2.0).report()


def test_values_are_spread_over_bins_and_the_edge_belongs_to_the_upper_one() -> None:
    found = spread([2.0, 0.1, 1.9, 600.0, -1.0], SILENT_EDGES_MS)

    assert [(each["from_ms"], each["to_ms"], each["count"]) for each in found["bins"]] == [
        (0.0, 2.0, 3),
        (2.0, 5.0, 1),
        (5.0, 10.0, 0),
        (10.0, 20.0, 0),
        (20.0, 50.0, 0),
        (50.0, 100.0, 0),
        (100.0, 200.0, 0),
        (200.0, 500.0, 0),
        (500.0, None, 1),
    ]
    assert (found["count"], found["median"], found["p95"], found["max"]) == (5, 1.9, 600.0, 600.0)


def test_the_95th_of_a_hundred_is_one_of_the_values() -> None:
    assert spread([float(it) for it in range(1, 101)], [0.0])["p95"] == 95.0


def test_nothing_has_no_median() -> None:
    found = spread([], SILENT_EDGES_MS)

    assert (found["count"], found["median"], found["p95"], found["max"]) == (0, None, None, None)
