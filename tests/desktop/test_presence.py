"""What is known of the user's presence."""

import pytest

from voiced.conversation import events as ev
from voiced.desktop.presence import Presence

LOCKED, SUSPENDED = "locked", "suspended"
SURE, ASKED, OPEN = ev.Away(LOCKED), ev.Away(LOCKED, is_sure=False), ev.Back(LOCKED)


@pytest.fixture
def presence() -> Presence:
    """Give what is known when there is a connection to everybody."""
    return Presence(knows_sessions=True, knows_savers=True)


def test_what_a_session_says_is_sure(presence: Presence) -> None:
    presence.session_says("a", is_locked=True)
    assert presence.news() == [SURE]

    presence.session_says("a", is_locked=False)
    assert presence.news() == [OPEN]


def test_what_a_screen_saver_says_is_sure(presence: Presence) -> None:
    presence.saver_says("s", is_active=True)
    assert presence.news() == [SURE]

    presence.saver_says("s", is_active=False)
    assert presence.news() == [OPEN]


def test_what_was_only_asked_for_is_not_sure(presence: Presence) -> None:
    presence.lock_asked("a")
    assert presence.news() == [ASKED]

    presence.unlock_asked("a")
    assert presence.news() == [OPEN]


def test_what_is_confirmed_later_is_told_again(presence: Presence) -> None:
    presence.lock_asked("a")
    assert presence.news() == [ASKED]

    presence.session_says("a", is_locked=True)
    assert presence.news() == [SURE]


def test_what_was_told_is_not_told_again(presence: Presence) -> None:
    presence.session_says("a", is_locked=True)
    presence.news()
    presence.saver_says("s", is_active=True)
    presence.lock_asked("b")

    assert presence.news() == []


def test_the_screen_is_open_when_nobody_says_otherwise(presence: Presence) -> None:
    presence.session_says("a", is_locked=True)
    presence.saver_says("s", is_active=True)
    presence.news()
    presence.session_says("a", is_locked=False)
    assert presence.news() == []

    presence.saver_ended("s")
    assert presence.news() == [OPEN]


@pytest.mark.parametrize("says", ["session", "saver"])
def test_whoever_says_that_the_screen_is_open_settles_what_was_asked(
    presence: Presence, says: str
) -> None:
    presence.lock_asked("a")
    presence.news()
    if says == "session":
        presence.session_says("a", is_locked=False)
    else:
        presence.saver_says("s", is_active=False)

    assert presence.news() == [OPEN]


def test_a_session_that_ended_locks_nothing(presence: Presence) -> None:
    presence.session_says("a", is_locked=True)
    presence.lock_asked("a")
    presence.news()
    presence.session_ended("a")

    assert presence.news() == [OPEN]


def test_without_a_connection_nothing_is_sure_any_more(presence: Presence) -> None:
    presence.session_says("a", is_locked=True)
    presence.is_sleeping = True
    presence.news()
    presence.knows_sessions = False

    assert presence.news() == [ASKED, ev.Away(SUSPENDED, is_sure=False)]


def test_sleep_comes_and_goes(presence: Presence) -> None:
    presence.is_sleeping = True
    assert presence.news() == [ev.Away(SUSPENDED)]

    presence.is_sleeping = False
    assert presence.news() == [ev.Back(SUSPENDED)]
