import pytest

from voiced.conversation.doubt import Doubt, Notice, Suspicion, elapsed_ms


def test_a_time_of_which_an_end_is_not_known_is_not_known() -> None:
    assert elapsed_ms(1.0, 1.0042) == 4.2
    assert elapsed_ms(None, 1.0) is None
    assert elapsed_ms(1.0, None) is None


def test_every_step_of_an_interruption_is_measured_from_the_first_sound() -> None:
    notice = Notice("local", 10.21, 10.0, 10.16, silent_at_s=10.215)

    told = notice.measured(3, heard_ms=1840, item_id="item_1", confirmed=True)

    assert (told.number, told.source, told.confirmed) == (3, "local", True)
    assert (told.heard_ms, told.item_id) == (1840, "item_1")
    assert told.at_s == 10.0
    assert told.silent_ms == pytest.approx(5.0)
    assert told.sound_to_duck_ms == pytest.approx(160.0)
    assert told.sound_to_cut_ms == pytest.approx(210.0)
    assert told.sound_to_silent_ms == pytest.approx(215.0)


def test_an_interruption_whose_first_sound_nobody_knows_is_at_its_cut() -> None:
    told = Notice("server", 10.0, silent_at_s=10.004).measured(
        1, heard_ms=1, item_id="i", confirmed=True
    )

    assert told.at_s == 10.0
    assert told.silent_ms == pytest.approx(4.0)
    assert told.sound_to_cut_ms is None
    assert told.sound_to_silent_ms is None


def test_a_sound_that_came_after_the_silence_measures_nothing() -> None:
    told = Notice("server", 10.0, 10.3, hold=1, silent_at_s=10.004).measured(
        1, heard_ms=1, item_id="i", confirmed=True
    )

    assert told.at_s == 10.0
    assert told.sound_to_silent_ms is None


def test_a_cut_without_doubt_has_only_its_own_time() -> None:
    assert Doubt().settle("server", 5.0) == Notice("server", 5.0)


def test_a_cut_ends_the_suspicion_and_takes_its_figures() -> None:
    doubt = Doubt(suspicion=Suspicion(4.9, 4.7, 4.9))

    assert doubt.settle("server", 5.0) == Notice("server", 5.0, 4.7, 4.9)
    assert doubt.suspicion is None


def test_what_a_person_asks_for_is_not_measured_from_a_sound() -> None:
    doubt = Doubt(suspicion=Suspicion(4.9, 4.7, 4.9))

    assert doubt.settle("control", 5.0) == Notice("control", 5.0)


def test_a_hold_makes_the_server_the_one_who_noticed() -> None:
    doubt = Doubt()
    assert doubt.begin_hold(4.0) == 1
    assert doubt.hold is not None
    doubt.hold.silent_at_s = 4.004

    assert doubt.settle("control", 5.0) == Notice("server", 4.0, hold=1, silent_at_s=4.004)
    assert not doubt.is_disbelieved
    assert doubt.begin_hold(6.0) == 2


def test_only_what_was_made_quieter_is_ducked() -> None:
    assert not Doubt().is_ducked
    assert not Doubt(suspicion=Suspicion(4.9, 4.7, None)).is_ducked
    assert Doubt(suspicion=Suspicion(4.9, 4.7, 4.9)).is_ducked


def test_doubt_ends_in_its_time() -> None:
    doubt = Doubt()
    assert doubt.due_s(0.8, 1.0) is None
    doubt.begin_hold(4.0)
    assert doubt.due_s(0.8, 1.0) == 5.0
    assert Doubt(suspicion=Suspicion(4.0, 3.8, 4.0)).due_s(0.8, 1.0) == 4.8
