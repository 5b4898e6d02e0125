from voiced.conversation.backoff import CAP_S, FLOOR_S, Backoff


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    backoff = Backoff(lambda: 1.0)

    assert [backoff.next_delay_s() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_the_delay_is_drawn_from_the_whole_range() -> None:
    assert Backoff(lambda: 0.5).next_delay_s() == 0.25


def test_an_attempt_never_follows_at_once() -> None:
    assert Backoff(lambda: 0.0).next_delay_s() == FLOOR_S


def test_a_thousand_failures_do_not_overflow() -> None:
    backoff = Backoff(lambda: 1.0)

    assert [backoff.next_delay_s() for _ in range(2000)][-1] == CAP_S


def test_reset_begins_anew() -> None:
    backoff = Backoff(lambda: 1.0)
    backoff.next_delay_s()
    backoff.next_delay_s()

    backoff.reset()

    assert backoff.next_delay_s() == 0.5
