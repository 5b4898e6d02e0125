from voiced.conversation.responses import ALREADY_ACTIVE, REMEMBERED, Responses


def created(responses: Responses, response_id: str, marker: str | None = None) -> bool:
    return responses.created(response_id, marker, user_is_speaking=False)


def test_a_wish_is_sent_when_the_server_is_free() -> None:
    responses = Responses()

    assert responses.want("e1")
    assert responses.requested == "e1"
    assert responses.is_pending()


def test_a_wish_waits_while_a_response_is_under_way() -> None:
    responses = Responses()
    created(responses, "r1")

    assert not responses.want("e1")
    assert responses.is_wanted
    assert responses.requested is None


def test_a_wish_waits_while_another_has_no_answer() -> None:
    responses = Responses()
    responses.want("e1")

    assert not responses.want("e2")
    assert responses.requested == "e1"


def test_our_response_is_known_by_its_marker() -> None:
    responses = Responses()
    responses.want("e1")

    assert created(responses, "r1", "e1")
    assert responses.requested is None
    assert responses.is_living()


def test_a_response_without_marker_answers_our_request_when_nothing_else_is_expected() -> None:
    responses = Responses()
    responses.want("e1")

    assert created(responses, "r1")
    assert responses.requested is None


def test_a_response_without_marker_is_the_servers_when_one_is_expected() -> None:
    responses = Responses()
    responses.want("e1")
    responses.expect()

    assert created(responses, "r1")
    assert responses.requested == "e1"


def test_a_killed_response_is_dead_before_and_after_it_is_done() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.kill(server_cancels=True, server_replies=True)

    assert responses.is_dead("r1")
    assert not responses.is_living()
    responses.done("r1")
    assert responses.is_dead("r1")


def test_what_the_server_cancels_is_not_cancelled_by_us() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.kill(server_cancels=True, server_replies=True)

    assert tuple(responses.to_cancel()) == ()


def test_what_the_server_does_not_cancel_is_cancelled_once() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.kill(server_cancels=False, server_replies=True)

    assert tuple(responses.to_cancel()) == ("r1",)
    assert tuple(responses.to_cancel()) == ()


def test_what_is_over_is_not_cancelled() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.kill(server_cancels=False, server_replies=True)
    responses.done("r1")

    assert tuple(responses.to_cancel()) == ()


def test_killing_twice_does_not_cancel_what_the_server_cancels() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.kill(server_cancels=True, server_replies=True)
    responses.kill(server_cancels=False, server_replies=True)

    assert tuple(responses.to_cancel()) == ()


def test_a_response_killed_before_it_was_created_is_dead_on_arrival() -> None:
    responses = Responses()
    responses.want("e1")
    responses.kill(server_cancels=False, server_replies=True)

    assert not responses.is_pending()
    assert not created(responses, "r1", "e1")
    assert tuple(responses.to_cancel()) == ("r1",)


def test_a_late_marker_of_a_killed_request_is_still_dead() -> None:
    responses = Responses()
    responses.want("e1")
    responses.kill(server_cancels=False, server_replies=True)
    responses.requested = None

    assert not created(responses, "r1", "e1")


def test_a_reply_the_server_owed_to_an_interrupted_turn_is_dead_on_arrival() -> None:
    responses = Responses()
    responses.expect()
    responses.kill(server_cancels=True, server_replies=True)

    assert not created(responses, "r1")
    assert created(responses, "r2")


def test_the_reply_to_the_next_turn_lives_though_the_one_before_never_came() -> None:
    responses = Responses()
    responses.expect()
    responses.kill(server_cancels=True, server_replies=True)
    responses.expect()

    assert created(responses, "r1")


def test_a_reply_the_server_begins_while_the_user_speaks_is_dead() -> None:
    responses = Responses()

    assert not responses.created("r1", None, user_is_speaking=True)
    assert tuple(responses.to_cancel()) == ("r1",)


def test_our_own_response_lives_though_the_user_speaks() -> None:
    responses = Responses()
    responses.want("e1")

    assert responses.created("r1", "e1", user_is_speaking=True)


def test_a_dead_response_announced_again_stays_dead() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.kill(server_cancels=True, server_replies=True)

    assert not created(responses, "r1")


def test_the_end_of_a_response_nobody_announced_ends_the_waiting() -> None:
    responses = Responses()
    responses.expect()
    responses.done("r0")
    assert not responses.is_pending()

    responses.want("e1")
    responses.done("r1")
    assert not responses.is_busy()


def test_the_end_of_another_response_changes_nothing() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.done("r0")

    assert responses.active == "r1"


def test_the_end_of_a_dead_response_does_not_end_the_waiting_for_the_next() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.kill(server_cancels=True, server_replies=True)
    responses.done("r1")
    responses.expect()
    responses.done("r1")

    assert responses.is_expected


def test_a_refusal_is_matched_by_event_id_and_tried_again() -> None:
    responses = Responses()
    responses.want("e1")

    assert responses.refused("e1", ALREADY_ACTIVE)
    assert responses.is_wanted
    assert responses.requested is None


def test_a_refusal_without_event_id_is_understood_by_its_code() -> None:
    responses = Responses()
    responses.want("e1")

    assert responses.refused(None, ALREADY_ACTIVE)
    assert responses.is_wanted


def test_a_refusal_that_comes_after_a_mistaken_answer_is_still_ours() -> None:
    responses = Responses()
    responses.want("e1")
    created(responses, "r_of_the_server")

    assert responses.refused("e1", ALREADY_ACTIVE)
    assert responses.is_wanted


def test_a_refusal_for_another_reason_is_not_tried_again() -> None:
    responses = Responses()
    responses.want("e1")

    assert not responses.refused("e1", "invalid_value")
    assert not responses.is_wanted
    assert not responses.is_busy()


def test_the_refusal_of_a_killed_request_is_not_tried_again() -> None:
    responses = Responses()
    responses.want("e1")
    responses.kill(server_cancels=False, server_replies=True)

    assert responses.refused("e1", ALREADY_ACTIVE)
    assert not responses.is_wanted
    assert responses.doomed_requests == set()


def test_an_error_about_something_else_is_no_refusal() -> None:
    responses = Responses()
    responses.want("e1")

    assert not responses.refused("truncate_1", "invalid_value")
    assert not responses.refused(None, "invalid_value")
    assert not Responses().refused(None, ALREADY_ACTIVE)


def test_an_overdue_response_is_waited_for_no_more_and_still_lives() -> None:
    responses = Responses()
    created(responses, "r1")

    assert responses.lose_patience()
    assert not responses.is_pending()
    assert not responses.is_awaited()
    assert not responses.is_dead("r1")
    assert responses.is_busy()


def test_patience_ends_also_with_a_request_a_promise_and_a_dead_response() -> None:
    asked, promised, dead = Responses(), Responses(), Responses()
    asked.want("e1")
    promised.expect()
    created(dead, "r1")
    dead.kill(server_cancels=True, server_replies=True)

    assert asked.lose_patience()
    assert promised.lose_patience()
    assert not dead.lose_patience()
    assert not any(each.is_awaited() or each.is_busy() for each in (asked, promised, dead))


def test_an_overdue_response_that_ends_or_is_followed_is_not_overdue_any_more() -> None:
    ended, followed = Responses(), Responses()
    for responses in (ended, followed):
        created(responses, "r1")
        responses.lose_patience()
    ended.done("r1")
    created(followed, "r2")

    assert not ended.is_busy()
    assert followed.is_living()
    assert followed.is_dead("r1")


def test_an_overdue_response_that_is_killed_is_cancelled() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.lose_patience()
    responses.kill(server_cancels=False, server_replies=True)

    assert tuple(responses.to_cancel()) == ("r1",)
    assert responses.is_awaited()


def test_patience_with_what_is_asked_for_meanwhile_leaves_the_overdue_response() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.lose_patience()
    responses.is_wanted = True

    assert responses.lose_patience()
    assert responses.active == "r1"


def test_a_response_that_is_buried_is_dead_unless_it_is_the_active_one() -> None:
    responses = Responses()
    created(responses, "r2")
    responses.bury("r1")
    responses.bury("r2")

    assert responses.is_dead("r1")
    assert not responses.is_dead("r2")


def test_a_repeated_end_does_not_end_the_waiting_for_the_next_reply() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.done("r1")
    responses.expect()
    responses.done("r1")

    assert responses.is_expected


def test_a_promise_is_only_doomed_where_the_server_replies_by_itself() -> None:
    responses = Responses()
    responses.expect()
    responses.kill(server_cancels=False, server_replies=False)

    assert created(responses, "r1")


def test_only_the_response_that_we_cancel_is_over_when_there_is_nothing_to_cancel() -> None:
    responses = Responses()
    created(responses, "r1")
    assert responses.cancel_refused() is None
    responses.kill(server_cancels=False, server_replies=True)
    tuple(responses.to_cancel())
    assert responses.cancel_refused() == "r1"

    responses.done("r1")
    created(responses, "r2")

    assert responses.cancel_refused() is None


def test_a_reset_forgets_everything() -> None:
    responses = Responses()
    created(responses, "r1")
    responses.kill(server_cancels=True, server_replies=True)
    responses.want("e1")
    responses.reset()

    assert not responses.is_busy()
    assert not responses.is_pending()
    assert not responses.is_dead("r1")


def test_the_memory_of_the_dead_is_bounded() -> None:
    responses = Responses()
    for number in range(REMEMBERED + 5):
        created(responses, f"r{number}")
        responses.kill(server_cancels=True, server_replies=True)

    assert len(responses.dead) == REMEMBERED
    assert responses.is_dead(f"r{REMEMBERED + 4}")
