from tests.voicectl.test_render import report
from voicectl import picture


def test_a_state_is_the_whole_picture() -> None:
    notice = {"v": 1, "t": 2.0, "event": "state", "state": "stopped"}

    assert picture.updated(report(), notice) == {"v": 1, "state": "stopped"}


def test_other_notices_bring_their_part_up_to_date() -> None:
    before = report()
    stamps = {"v": 1, "t": 2.0}
    cost = {"usd_today": 1.0, "usd_session": 0.5}
    last = {"source": "server", "silent_ms": 3.2, "heard_ms": 1200}

    assert picture.updated(before, {**stamps, "event": "cost", **cost}) == report(cost=cost)
    after = picture.updated(before, {**stamps, "event": "interruption", **last})
    assert after == report(last_interruption=last)
    assert picture.updated(before, {**stamps, "event": "news", "x": 1}) == before
    assert before == report()


def test_the_clock_alone_changes_nothing_that_stands() -> None:
    earlier = report(session={"age_s": 1.0, "started": 5.0}) | {"t": 1.0}
    later = report(session={"age_s": 2.0, "started": 5.001}) | {"t": 2.0}

    assert picture.standing(earlier) == picture.standing(later)
    assert picture.standing(later) != picture.standing(report(session={"turns": 3}))
    assert picture.standing({"state": "stopped", "t": 1}) == picture.standing({"state": "stopped"})
