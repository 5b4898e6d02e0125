import pytest

from voiced.conversation.key import DISORDER_S, REPEAT_WITHIN_S, Edge, Key


def test_a_press_goes_down() -> None:
    assert Key().press(10.0, is_held=False) is Edge.DOWN


def test_a_press_that_its_release_overtook_opens_nothing() -> None:
    key = Key()
    key.release(10.05)

    assert key.press(10.0, is_held=False) is Edge.NOTHING


def test_a_repetition_whose_process_began_just_after_the_release_opens_nothing() -> None:
    key = Key()
    key.press(10.0, is_held=False)
    key.release(11.0)

    assert key.press(11.0 + DISORDER_S, is_held=False) is Edge.NOTHING
    assert key.press(11.0 + DISORDER_S + 0.01, is_held=False) is Edge.DOWN


def test_a_key_that_repeats_itself_is_still_down() -> None:
    key = Key()
    key.press(10.0, is_held=False)
    repetitions = [10.66 + 0.04 * number for number in range(50)]

    assert {key.press(at_s, is_held=True) for at_s in repetitions} == {Edge.NOTHING}


def test_a_second_press_stands_for_a_release_that_was_lost() -> None:
    key = Key()
    key.press(10.0, is_held=False)

    assert key.press(10.0 + REPEAT_WITHIN_S, is_held=True) is Edge.UP


def test_repetitions_after_the_hold_was_ended_otherwise_open_nothing() -> None:
    key = Key()
    key.press(10.0, is_held=False)
    key.end(11.0)
    repetitions = [10.66 + 0.04 * number for number in range(50)]

    assert {key.press(at_s, is_held=False) for at_s in repetitions} == {Edge.NOTHING}
    key.release(12.7)
    assert key.press(12.8, is_held=False) is Edge.DOWN


def test_a_press_long_after_a_lost_release_goes_down() -> None:
    key = Key()
    key.press(10.0, is_held=False)
    key.end(11.0)

    assert key.press(20.0, is_held=False) is Edge.DOWN


@pytest.mark.parametrize("late_s", [9.0, 10.5])
def test_an_older_release_does_not_take_back_a_newer_one(late_s: float) -> None:
    key = Key()
    key.release(11.0)

    key.release(late_s)

    assert key.press(10.9, is_held=False) is Edge.NOTHING


def test_presses_in_the_wrong_order_keep_the_newest() -> None:
    key = Key()
    key.press(10.4, is_held=False)

    assert key.press(10.3, is_held=True) is Edge.NOTHING
    assert key.pressed_s == 10.4
