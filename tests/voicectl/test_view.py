from typing import Any

import pytest

from tests.voicectl.test_render import report
from voicectl.view import KEEP_S, PEAK_HOLD_S, Needle, View


def level(rms_dbfs: float, peak_dbfs: float) -> dict[str, float]:
    return {"rms_dbfs": rms_dbfs, "peak_dbfs": peak_dbfs}


def notice(event: str, t: float = 2.0, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {"v": 1, "t": t, "event": event, **fields}


def words(text: str, t: float = 2.0, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    made = {"role": "assistant", "item_id": "a", "text": text, "final": False}
    return notice("transcript", t, **made | fields)


def test_a_needle_rises_at_once_and_falls_in_its_time() -> None:
    needle = Needle()
    assert not needle.is_moving
    needle.take(level(-20.0, -10.0), 10.0)
    assert (needle.rms_dbfs, needle.peak_dbfs) == (-20.0, -10.0)

    needle.take(level(-60.0, -50.0), 10.1)
    assert needle.rms_dbfs == pytest.approx(-24.0)
    assert needle.peak_dbfs == -10.0
    needle.take(level(-5.0, -2.0), 10.2)
    assert (needle.rms_dbfs, needle.peak_dbfs) == (-5.0, -2.0)


def test_a_needle_falls_no_further_than_the_level() -> None:
    needle = Needle()
    needle.take(level(-20.0, -10.0), 10.0)
    needle.take(level(-21.0, -20.0), 10.1)
    needle.settle(10.2)

    assert needle.rms_dbfs == -21.0


def test_a_peak_is_held_and_falls_then() -> None:
    needle = Needle()
    for tenth in range(int(PEAK_HOLD_S * 10) + 4):
        needle.take(level(-50.0, -40.0) if tenth else level(-50.0, -10.0), 10 + tenth / 10)

    assert needle.rms_dbfs == -50.0
    assert needle.peak_dbfs is not None
    assert -50.0 <= needle.peak_dbfs < -10.0


def test_a_level_that_does_not_come_any_more_is_none() -> None:
    needle = Needle()
    needle.take(level(-20.0, -10.0), 10.0)
    needle.take(None, 10.1)
    assert needle.is_moving

    needle.settle(10.2 + KEEP_S)
    assert not needle.is_moving
    assert needle.peak_dbfs is None


def test_both_needles_are_shown_their_level() -> None:
    view = View()
    view.take_levels({"microphone": level(-20.0, -10.0), "loudspeaker": None}, 1.0)

    assert view.microphone.rms_dbfs == -20.0
    assert view.loudspeaker.rms_dbfs is None


def test_the_view_is_what_was_told_last() -> None:
    view = View()
    assert (view.report, view.started_s) == ({"state": "starting"}, None)
    view.take(notice("state", **report(session={"started": 5.0})))
    view.take(notice("error", code="x", message="no network"))

    assert view.report == report(session={"started": 5.0})
    assert view.started_s == 5.0
    assert (view.complaint, view.complained_s) == ("no network", 2.0)


def test_words_are_added_as_they_come_and_marked_when_they_are_cut_off() -> None:
    view = View()
    for text in ("Once", " upon"):
        view.take(words(text))
    assert [line.text for line in view.transcript] == ["Once upon"]

    view.take(words("Once upon", final=True, cut=True, heard_ms=500))
    (line,) = view.transcript
    assert (line.is_cut, line.heard_ms) == (True, 500)


def test_what_another_daemon_remembers_takes_the_place_of_what_was_known() -> None:
    view = View()
    view.take(words("of the last one"))
    known = {"t": 3.0, "role": "user", "item_id": "u", "text": "Hel", "final": False}
    view.remember([known | {"cut": False, "heard_ms": None}], 4.0)  # type: ignore[list-item]  # every key is there
    view.take(words("Hel", t=4.0, role="user", item_id="u"))
    view.take(words("lo", t=4.1, role="user", item_id="u"))

    assert [line.text for line in view.transcript] == ["Hello"]
