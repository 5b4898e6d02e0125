import pytest

from voiced.conversation.hearing import TAIL_S, Hearing
from voiced.conversation.sound_events import HearingChanged


def test_nothing_is_deaf_before_anybody_said_so() -> None:
    assert not Hearing().is_deaf(10.0, is_sounding=True)


@pytest.mark.parametrize("echo", ["cancelled", "server", "headset", "kept"])
def test_only_half_duplex_is_deaf(echo: str) -> None:
    hearing = Hearing()
    hearing.changed(HearingChanged(echo, can_detect=True))

    assert not hearing.is_deaf(10.0, is_sounding=True)


def test_half_duplex_is_deaf_while_it_sounds_and_for_a_tail() -> None:
    hearing = Hearing()
    hearing.changed(HearingChanged("half_duplex", can_detect=False))
    assert hearing.is_deaf(10.0, is_sounding=True)
    assert not hearing.is_deaf(10.0, is_sounding=False)

    hearing.silent_s = 10.0

    assert hearing.is_deaf(10.0 + TAIL_S - 0.001, is_sounding=False)
    assert not hearing.is_deaf(10.0 + TAIL_S, is_sounding=False)


def test_the_newest_report_counts() -> None:
    hearing = Hearing()
    hearing.changed(HearingChanged("cancelled", can_detect=True))
    hearing.changed(HearingChanged("half_duplex", can_detect=False, reason="no canceller"))

    assert hearing == Hearing("half_duplex", "no canceller", can_detect=False)


def test_while_the_room_is_learned_it_is_deaf_as_with_half_duplex() -> None:
    hearing = Hearing()
    hearing.changed(HearingChanged("cancelled", can_detect=False, is_learning=True))
    assert hearing.is_deaf(10.0, is_sounding=True)
    assert not hearing.is_deaf(10.0, is_sounding=False)

    hearing.changed(HearingChanged("cancelled", can_detect=False))

    assert not hearing.is_deaf(10.0, is_sounding=True)
