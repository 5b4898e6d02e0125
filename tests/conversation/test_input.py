import pytest

from voiced.conversation.input import (
    LONGEST_SPEECH_S,
    MAX_APPEND_FRAMES,
    MAX_LEAD_S,
    RATE_HZ,
    STALL_S,
    Input,
)

TWENTY_MS = b"\x01\x02" * 480


def flowing() -> Input:
    """Return an input whose microphone is open and whose session began at 10 s."""
    audio = Input()
    audio.opened(9.0)
    audio.begin(10.0)
    return audio


def frames(parts: list[bytes]) -> int:
    return sum(len(part) for part in parts) // 2


def test_nothing_flows_before_it_begins() -> None:
    audio = Input()

    assert list(audio.captured(TWENTY_MS, 10.0)) == []
    assert audio.due_s() is None
    assert list(audio.fill(99.0)) == []


def test_what_the_microphone_hears_is_sent_as_it_is() -> None:
    assert list(flowing().captured(TWENTY_MS, 10.02)) == [TWENTY_MS]


def test_no_append_is_longer_than_40_ms() -> None:
    parts = list(flowing().captured(TWENTY_MS * 5, 10.1))

    assert [len(part) // 2 for part in parts] == [MAX_APPEND_FRAMES, MAX_APPEND_FRAMES, 480]


def test_a_muted_microphone_is_replaced_by_zeros_at_real_time() -> None:
    audio = flowing()
    audio.is_muted = True

    assert list(audio.captured(TWENTY_MS, 10.02)) == []
    sent = [part for tick in range(1, 26) for part in audio.fill(10.0 + tick * 0.04)]
    assert frames(sent) == RATE_HZ
    assert set(b"".join(sent)) == {0}


def test_zeros_are_due_when_the_next_40_ms_are_over() -> None:
    audio = flowing()
    audio.is_open = False

    assert audio.due_s() == 10.0 + 0.04
    assert list(audio.fill(10.039)) == []
    assert frames(list(audio.fill(10.04))) == MAX_APPEND_FRAMES


def test_a_live_microphone_is_not_filled_in_for_before_it_stalls() -> None:
    audio = flowing()
    list(audio.captured(TWENTY_MS, 10.02))

    assert audio.due_s() == 10.02 + STALL_S
    assert list(audio.fill(10.02 + STALL_S - 0.001)) == []


def test_a_stalled_microphone_is_filled_in_for_up_to_now() -> None:
    audio = flowing()
    list(audio.captured(TWENTY_MS, 10.02))
    sent = list(audio.fill(10.3))

    assert abs(frames(sent) - (0.3 - 0.02) * RATE_HZ) <= 1
    assert max(len(part) for part in sent) <= MAX_APPEND_FRAMES * 2


def test_time_the_machine_slept_is_not_made_up_for() -> None:
    audio = flowing()
    audio.is_muted = True
    sent = list(audio.fill(10.0 + 3600))

    assert frames(sent) == 2 * RATE_HZ
    assert audio.due_s() is not None
    assert list(audio.fill(10.0 + 3600)) == []


def test_a_turn_is_something_from_100_ms_on() -> None:
    audio = flowing()
    audio.hold(10.0)
    for _ in range(4):
        list(audio.captured(TWENTY_MS, 10.1))
    assert not audio.has_turn()

    list(audio.captured(TWENTY_MS, 10.1))

    assert audio.has_turn()


def test_what_was_filled_in_for_does_not_leave_a_hole_when_it_comes_late() -> None:
    """The microphone stalls for 1.5 s, zeros take its place, then all of it comes at once."""
    audio = flowing()
    audio.opened(10.0)
    zeros = b"".join(audio.fill(11.5))
    late = b"".join(part for _ in range(75) for part in audio.captured(TWENTY_MS, 11.5))
    audio.is_muted = True

    assert len(zeros) == len(late) == 1500 * 48
    assert audio.due_s() == pytest.approx(11.5 + MAX_LEAD_S + 0.04)


def test_a_flow_that_is_a_little_ahead_is_left_alone() -> None:
    audio = flowing()
    for _ in range(4):
        list(audio.captured(TWENTY_MS, 10.0))

    assert audio.origin_s == 10.0


def test_speech_that_never_ends_is_believed_for_a_while() -> None:
    audio = flowing()
    assert audio.speech_ends_s() is None

    audio.speaking_since_s = 20.0

    assert audio.speech_ends_s() == 20.0 + LONGEST_SPEECH_S


def test_the_end_ends_the_flow_and_whoever_speaks() -> None:
    audio = flowing()
    audio.is_held, audio.speaking_since_s = True, 10.0

    audio.end()

    assert not audio.is_held
    assert not audio.is_user_speaking
    assert list(audio.captured(TWENTY_MS, 10.1)) == []
