from dataclasses import replace

from tests.conversation.stage import MANUAL
from voiced.conversation.backoff import HEALTHY_AFTER_S
from voiced.conversation.events import SessionReady
from voiced.conversation.link import BEFORE_EXPIRY_S, Link

FACTS = SessionReady("model", detects_turns=True, interrupts=True, replies=True)


def link(max_age_s: float = 0.0) -> Link:
    return Link(lambda: 1.0, max_age_s)


def test_every_attempt_has_a_number_of_its_own() -> None:
    session = link()
    numbers = [session.attempt(), session.attempt()]
    session.close()

    assert len({*numbers, session.number}) == 3


def test_nothing_is_known_before_the_session_is_ready() -> None:
    session = link()
    session.attempt()

    assert (session.is_ready, session.interrupts, session.detects_turns) == (False, False, False)
    session.ready(FACTS, 5.0)
    assert (session.is_ready, session.interrupts, session.detects_turns) == (True, True, True)


def test_a_loss_is_retried_later_and_later() -> None:
    session = link()
    delays = []
    for _ in range(3):
        session.attempt()
        delays.append(session.lost(10.0))

    assert delays == [0.5, 1.0, 2.0]
    assert session.retry_s == 12.0
    assert session.reconnects == 3


def test_a_session_that_lasted_clears_the_count_of_failures() -> None:
    session = link()
    session.attempt()
    session.lost(0.0)
    session.attempt()
    session.ready(FACTS, 10.0)

    assert session.lost(10.0 + HEALTHY_AFTER_S) == 0.5


def test_a_session_that_did_not_last_does_not() -> None:
    session = link()
    session.attempt()
    session.lost(0.0)
    session.attempt()
    session.ready(FACTS, 10.0)

    assert session.lost(10.0 + HEALTHY_AFTER_S - 1) == 1.0


def test_an_old_session_is_due_for_renewal_if_there_is_a_limit() -> None:
    session = link(max_age_s=60.0)
    assert session.renew_s() is None

    session.ready(FACTS, 10.0)

    assert session.renew_s() == 70.0
    session.max_age_s = 0.0
    assert session.renew_s() is None


def test_a_session_is_due_before_it_expires() -> None:
    session = link(max_age_s=3300.0)
    session.attempt()
    session.ready(replace(FACTS, expires_in_s=600.0), 10.0)
    assert session.renew_s() == 10.0 + 600.0 - BEFORE_EXPIRY_S

    session.max_age_s = 0.0
    assert session.renew_s() == 10.0 + 600.0 - BEFORE_EXPIRY_S
    session.ready(replace(FACTS, expires_in_s=30.0), 10.0)
    assert session.renew_s() == 25.0


def test_changed_settings_do_not_change_when_a_session_expires() -> None:
    session = link()
    session.attempt()
    session.changed(FACTS)
    assert session.facts == FACTS
    session.ready(replace(FACTS, expires_in_s=600.0), 10.0)

    session.changed(MANUAL)

    assert session.facts == replace(MANUAL, expires_in_s=600.0)
