from voiced.conversation.ledger import REMEMBERED, Delete, Ledger, Truncate, settle
from voiced.conversation.sound_events import Heard

MS = 48
"""Bytes of a millisecond."""


def ledger_with(*received_ms: int) -> Ledger:
    """Return a ledger with one item for each number: item_0, item_1 and so on."""
    ledger = Ledger()
    for number, milliseconds in enumerate(received_ms):
        ledger.add_item(1, "resp", f"item_{number}")
        if milliseconds:
            ledger.receive(1, "resp", (f"item_{number}", 0), size=milliseconds * MS, play=1)
    return ledger


def heard(item_id: str, milliseconds: float, content_index: int = 0) -> Heard:
    return Heard(item_id, content_index, int(milliseconds * 24))


def test_an_item_without_samples_does_not_sound() -> None:
    assert not ledger_with(0).is_sounding()
    assert ledger_with(0, 1).is_sounding()


def test_an_item_heard_in_part_is_truncated_at_what_was_heard() -> None:
    settlement = settle(ledger_with(1000).take(), [heard("item_0", 400.9)], session=1)

    assert settlement.remedies == (Truncate("item_0", 0, 400),)
    assert (settlement.sounding_item, settlement.heard_ms) == ("item_0", 400)


def test_an_item_heard_in_full_needs_nothing() -> None:
    ledger = ledger_with(1000)
    ledger.complete("item_0", 0)

    assert settle(ledger.take(), [heard("item_0", 1000)], session=1).remedies == ()


def test_an_item_heard_as_far_as_it_came_is_truncated_there() -> None:
    settlement = settle(ledger_with(1000).take(), [heard("item_0", 1000)], session=1)

    assert settlement.remedies == (Truncate("item_0", 0, 1000),)


def test_more_heard_than_received_counts_as_received() -> None:
    settlement = settle(ledger_with(1000).take(), [heard("item_0", 5000)], session=1)

    assert settlement.remedies == (Truncate("item_0", 0, 1000),)


def test_an_item_of_which_nothing_was_heard_is_deleted() -> None:
    for report in ([], [heard("item_0", 0)], [heard("item_0", 0.9)]):
        settlement = settle(ledger_with(1000).take(), report, session=1)

        assert settlement.remedies == (Delete("resp", "item_0"),)
        assert settlement.sounding_item is None


def test_each_item_is_settled_by_its_own_clock() -> None:
    ledger = ledger_with(500, 700, 900, 0)
    ledger.complete("item_0", 0)
    settlement = settle(ledger.take(), [heard("item_0", 500), heard("item_1", 100)], session=1)

    assert settlement.remedies == (
        Truncate("item_1", 0, 100),
        Delete("resp", "item_2"),
        Delete("resp", "item_3"),
    )
    assert (settlement.sounding_item, settlement.heard_ms) == ("item_1", 100)


def test_a_second_part_of_an_item_is_cut_and_not_deleted() -> None:
    ledger = ledger_with(500)
    ledger.receive(1, "resp", ("item_0", 1), size=500 * MS, play=1)
    ledger.complete("item_0", 0)
    settlement = settle(ledger.take(), [heard("item_0", 500)], session=1)

    assert settlement.remedies == (Truncate("item_0", 1, 0),)


def test_an_item_gets_one_remedy_whatever_its_parts() -> None:
    ledger = ledger_with(500)
    ledger.receive(1, "resp", ("item_0", 1), size=500 * MS, play=1)
    settlement = settle(ledger.take(), [heard("item_0", 100)], session=1)

    assert settlement.remedies == (Truncate("item_0", 0, 100),)


def test_a_part_without_samples_of_an_item_that_was_played_needs_nothing() -> None:
    ledger = ledger_with(500)
    ledger.complete("item_0", 0)
    ledger.drained(9)
    ledger.receive(1, "resp", ("item_0", 1), size=0, play=1)

    assert settle(ledger.take(), [], session=1).remedies == ()


def test_items_of_another_session_are_silenced_and_not_settled() -> None:
    settlement = settle(ledger_with(1000).take(), [heard("item_0", 300)], session=2)

    assert settlement.remedies == ()
    assert settlement.heard_ms == 300


def test_a_closed_item_takes_no_more_samples() -> None:
    ledger = ledger_with(1000)
    ledger.take()

    assert not ledger.receive(1, "resp", ("item_0", 0), size=MS, play=1)
    ledger.add_item(1, "resp", "item_0")
    assert ledger.pieces == []


def test_an_item_is_entered_once() -> None:
    ledger = ledger_with(1000)
    ledger.add_item(1, "resp", "item_0")

    assert len(ledger.pieces) == 1


def test_samples_of_an_item_nobody_announced_are_taken() -> None:
    ledger = Ledger()

    assert ledger.receive(1, "resp", ("item_9", 0), size=MS, play=1)
    assert ledger.is_sounding()


def test_a_piece_is_completed_once() -> None:
    ledger = ledger_with(1000)

    assert ledger.complete("item_0", 0)
    assert not ledger.complete("item_0", 0)
    assert not ledger.complete("item_9", 0)


def test_draining_forgets_what_is_complete_and_keeps_what_is_not() -> None:
    ledger = ledger_with(1000, 0)
    ledger.complete("item_0", 0)

    ledger.drained(1)

    assert [piece.item_id for piece in ledger.pieces] == ["item_1"]


def test_draining_up_to_a_play_keeps_what_came_later() -> None:
    ledger = ledger_with(1000)
    ledger.receive(1, "resp", ("item_1", 0), size=MS, play=2)
    for item_id in ("item_0", "item_1"):
        ledger.complete(item_id, 0)

    ledger.drained(1)

    assert [piece.item_id for piece in ledger.pieces] == ["item_1"]


def test_a_complete_piece_that_the_loudspeaker_does_not_name_was_heard_in_full() -> None:
    ledger = ledger_with(1000, 500)
    ledger.complete("item_0", 0)
    settlement = settle(ledger.take(), [], session=1)

    assert settlement.remedies == (Delete("resp", "item_1"),)
    assert (settlement.sounding_item, settlement.heard_ms) == ("item_0", 1000)


def test_a_new_session_may_use_the_ids_of_the_old_one() -> None:
    ledger = ledger_with(1000)
    ledger.take()
    ledger.new_session()

    assert ledger.receive(2, "resp", ("item_0", 0), size=MS, play=2)
    assert ledger.pieces[0].is_first


def test_the_end_of_a_response_completes_its_pieces_and_forgets_the_silent_ones() -> None:
    ledger = ledger_with(1000, 1000, 0)
    ledger.complete("item_0", 0)
    ledger.receive(1, "other", ("item_9", 0), size=MS, play=1)

    assert [piece.item_id for piece in ledger.end("resp")] == ["item_1"]
    assert [piece.item_id for piece in ledger.pieces] == ["item_0", "item_1", "item_9"]


def test_the_end_of_a_session_completes_every_piece() -> None:
    ledger = ledger_with(1000)
    ledger.receive(1, "other", ("item_9", 0), size=MS, play=1)

    assert [piece.item_id for piece in ledger.end(None)] == ["item_0", "item_9"]


def test_half_a_frame_is_not_a_frame() -> None:
    ledger = Ledger()
    ledger.receive(1, "resp", ("item_0", 0), size=3, play=1)

    assert ledger.pieces[0].received_frames == 1


def test_the_memory_of_items_is_bounded() -> None:
    ledger = Ledger()
    for number in range(REMEMBERED + 10):
        ledger.close(f"item_{number}")

    assert len(ledger.closed) == REMEMBERED
    assert "item_9" not in ledger.closed
    assert f"item_{REMEMBERED + 9}" in ledger.closed
