"""The user's absence: reasons come and go in any order."""

import pytest

from voiced.conversation.absence import LOCKED, SUSPENDED, Absence, policy
from voiced.settings import Desktop


def waiting(*reasons: str) -> Absence:
    """Return an absence for which a conversation waits."""
    absence = Absence()
    for reason in reasons:
        absence.begin(reason, is_sure=True)
    absence.is_waiting = True
    return absence


def test_what_waits_begins_when_the_last_reason_is_gone() -> None:
    absence = waiting(LOCKED, SUSPENDED)

    assert absence.paused == LOCKED
    assert not absence.end(LOCKED)
    assert absence.paused == SUSPENDED
    assert absence.end(SUSPENDED)
    assert absence.paused is None


def test_what_waits_begins_once() -> None:
    absence = waiting(LOCKED)

    assert absence.end(LOCKED)
    assert not absence.end(LOCKED)


def test_nothing_begins_where_nothing_waits() -> None:
    absence = waiting(LOCKED)
    absence.is_waiting = False

    assert not absence.end(LOCKED)


def test_a_lock_that_was_only_asked_for_gives_way() -> None:
    absence = Absence()
    absence.begin(LOCKED, is_sure=False)

    assert absence.yields() is None
    assert absence.reasons == {}


def test_a_lock_that_is_sure_by_now_does_not_give_way() -> None:
    absence = Absence()
    absence.begin(LOCKED, is_sure=False)
    absence.begin(LOCKED, is_sure=True)

    assert absence.yields() == "the screen is locked"
    assert absence.reasons == {LOCKED: True}


@pytest.mark.parametrize("reasons", [(LOCKED,), (LOCKED, SUSPENDED)])
def test_what_the_settings_ignore_is_forgotten(reasons: tuple[str, ...]) -> None:
    absence = waiting(*reasons)
    absence.configure(Desktop(on_lock="ignore"))

    assert absence.paused == (SUSPENDED if SUSPENDED in reasons else None)
    assert absence.is_waiting == (SUSPENDED in reasons)


def test_each_reason_has_its_own_setting() -> None:
    settings = Desktop(on_lock="stop", on_suspend="ignore")

    assert policy(settings, LOCKED) == "stop"
    assert policy(settings, SUSPENDED) == "ignore"
