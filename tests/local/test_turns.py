from voiced.local.turns import TurnEnded, TurnRules, TurnStarted, TurnTracker

WINDOW = 768
"""Frames of 32 ms at 24 kHz."""
MS = 24


def hear(tracker: TurnTracker, *probabilities: float, first: int = 0) -> list[object]:
    """Give windows from number ``first`` on, and return what they changed."""
    changes: list[object] = []
    for number, probability in enumerate(probabilities, first):
        change = tracker.hear(probability, number * WINDOW, (number + 1) * WINDOW)
        if change is not None:
            changes.append(change)
    return changes


def test_one_loud_window_is_a_click() -> None:
    assert hear(TurnTracker(TurnRules()), 0.9, 0.1, 0.9, 0.1, 0.9) == []


def test_two_loud_windows_in_a_row_are_speech_dated_back_by_the_padding() -> None:
    tracker = TurnTracker(TurnRules(prefix_padding_ms=100))

    changes = hear(tracker, *[0.0] * 10, 0.5, 0.5)

    assert changes == [TurnStarted(10 * WINDOW - 100 * MS)]


def test_a_turn_does_not_begin_before_the_session_or_the_turn_before() -> None:
    assert hear(TurnTracker(TurnRules()), 0.9, 0.9) == [TurnStarted(0)]

    later = TurnTracker(TurnRules(), earliest_frame=1000)
    assert hear(later, 0.0, 0.9, 0.9) == [TurnStarted(1000)]


def test_a_turn_ends_when_the_silence_is_long_enough_and_includes_it() -> None:
    tracker = TurnTracker(TurnRules(silence_ms=96))

    changes = hear(tracker, 0.9, 0.9, 0.0, 0.0, 0.0, 0.0)

    assert changes == [TurnStarted(0), TurnEnded(0, 5 * WINDOW)]


def test_a_short_pause_does_not_end_a_turn() -> None:
    tracker = TurnTracker(TurnRules(silence_ms=96))

    assert hear(tracker, 0.9, 0.9, 0.0, 0.0, 0.9, 0.0, 0.0, 0.9) == [TurnStarted(0)]


def test_within_a_turn_a_lower_threshold_holds() -> None:
    tracker = TurnTracker(TurnRules(threshold=0.5, silence_ms=32))

    assert hear(tracker, 0.5, 0.5, 0.36, 0.36) == [TurnStarted(0)]
    assert hear(tracker, 0.34, first=4) == [TurnEnded(0, 5 * WINDOW)]


def test_even_the_lowest_threshold_lets_a_turn_end() -> None:
    tracker = TurnTracker(TurnRules(threshold=0.0, silence_ms=32))

    assert hear(tracker, 0.0, 0.0, 0.0) == [TurnStarted(0), TurnEnded(0, 3 * WINDOW)]


def test_the_next_turn_begins_after_the_last() -> None:
    tracker = TurnTracker(TurnRules(silence_ms=32, prefix_padding_ms=1000))

    changes = hear(tracker, 0.9, 0.9, 0.0, 0.9, 0.9)

    assert changes == [TurnStarted(0), TurnEnded(0, 3 * WINDOW), TurnStarted(3 * WINDOW)]


def test_a_reset_forgets_the_running_turn() -> None:
    tracker = TurnTracker(TurnRules(silence_ms=32))
    hear(tracker, 0.9, 0.9)

    tracker.reset(2 * WINDOW)

    assert tracker.started_frame is None
    assert hear(tracker, 0.0, 0.9, first=2) == []
    assert hear(tracker, 0.9, first=4) == [TurnStarted(2 * WINDOW)]
