"""What the desktop reports, and what becomes of the conversation."""

import pytest

from tests.conversation.stage import (
    MANUAL,
    SECOND,
    SERVER_VAD,
    Stage,
    listening,
    only,
    silent,
    speaking,
)
from voiced.conversation import State
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.absence import LOCKED, SUSPENDED
from voiced.settings import Desktop, Limits, Session, Settings

LOCK, UNLOCK = ev.Away(LOCKED), ev.Back(LOCKED)
SLEEP, WAKE = ev.Away(SUSPENDED), ev.Back(SUSPENDED)


def having(*, autostart: bool = False, **desktop: object) -> Settings:
    """Return settings with something in [desktop]."""
    return Settings(
        session=Session(idle_hangup_s=0, autostart=autostart),
        desktop=Desktop(**desktop),  # type: ignore[arg-type] # each test says what it needs
    )


def opened(effects: list[fx.Effect]) -> bool:
    """Tell whether a conversation begins."""
    kinds = {type(effect) for effect in effects}
    return {fx.OpenSession, fx.OpenSpeaker} <= kinds


# --- leaving and coming back ---------------------------------------------------------------


@pytest.mark.parametrize("away", [LOCK, SLEEP])
def test_leaving_closes_the_microphone_and_the_session(away: ev.Away) -> None:
    stage = listening()
    effects = silent(stage.take(away))

    closes = [fx.CloseSession(), fx.CloseMicrophone(), fx.CloseSpeaker()]
    assert effects == [*closes, *([fx.AllowSleep()] if away is SLEEP else [])]
    assert stage.state is State.IDLE
    assert stage.core.status().paused == away.reason


def test_leaving_silences_a_reply_first() -> None:
    stage = speaking()
    effects = stage.take(LOCK)

    assert isinstance(effects[0], fx.CutPlayback)
    assert only(fx.TellSession, effects) == [fx.TellSession("ended", "the screen is locked")]


def test_a_conversation_that_was_paused_begins_again_on_the_return() -> None:
    stage = listening()
    stage.take(LOCK)
    effects = stage.take(UNLOCK)

    assert opened(effects)
    assert fx.OpenMicrophone() in effects
    assert stage.core.status().paused is None


def test_a_muted_microphone_stays_closed_on_the_return() -> None:
    stage = listening()
    stage.take(ev.Mute(wish=True))
    stage.take(LOCK)
    effects = stage.take(UNLOCK)

    assert opened(effects)
    assert fx.OpenMicrophone() not in effects


@pytest.mark.parametrize("order", [(UNLOCK, WAKE), (WAKE, UNLOCK)])
def test_it_begins_when_no_reason_is_left(order: tuple[ev.Back, ev.Back]) -> None:
    stage = listening()
    stage.take(LOCK)
    stage.take(SLEEP)

    assert not opened(stage.take(order[0]))
    assert opened(stage.take(order[1]))


def test_nothing_begins_where_nothing_ran() -> None:
    stage = Stage()
    stage.take(LOCK)

    assert stage.core.status().paused is None
    assert stage.take(UNLOCK) == []


def test_a_return_that_nobody_left_for_means_nothing() -> None:
    assert listening().take(UNLOCK) == []
    assert Stage().take(WAKE) == []


def test_the_same_news_from_two_places_counts_once() -> None:
    stage = listening()
    stage.take(LOCK)
    assert stage.take(LOCK) == []

    assert opened(stage.take(UNLOCK))
    assert stage.take(UNLOCK) == []


def test_a_conversation_that_is_lost_begins_again_too() -> None:
    stage = listening()
    stage.hear(ev.SessionLost("gone"))
    stage.take(SLEEP)

    assert stage.wait(3600.0) == []
    assert opened(stage.take(WAKE))


@pytest.mark.parametrize("facts", [SERVER_VAD, MANUAL])
def test_a_held_key_ends_with_the_lock(facts: ev.SessionReady) -> None:
    stage = listening(facts)
    stage.take(ev.TalkPress())
    stage.take(se.MicrophoneFrames(SECOND))
    stage.take(LOCK)

    assert not stage.core.status().ptt
    assert only(fx.CommitInput, stage.take(ev.TalkRelease())) == []


def test_a_key_does_not_open_the_microphone_on_a_locked_screen() -> None:
    stage = Stage()
    stage.take(LOCK)
    stage.wait(60.0)
    effects = stage.take(ev.TalkPress(7))

    assert only(fx.OpenMicrophone, effects) == []
    (answer,) = only(fx.Answer, effects)
    assert (answer.ask, answer.code, answer.message) == (7, "refused", "the screen is locked")
    assert not stage.core.status().ptt


def test_a_press_that_began_before_the_lock_is_over_with_it() -> None:
    stage = listening()
    stage.take(ev.Away(LOCKED, is_sure=False))
    effects = stage.take(ev.TalkPress(7, stage.now - 0.5))

    assert only(fx.OpenMicrophone, effects) == []


def test_the_machine_may_sleep_also_when_nothing_ran() -> None:
    assert silent(Stage().take(SLEEP)) == [fx.AllowSleep()]


# --- what people ask for meanwhile ---------------------------------------------------------


@pytest.mark.parametrize("wish", [ev.Start(7), ev.Toggle(7)])
def test_nobody_begins_a_conversation_on_a_locked_screen(wish: ev.Wish) -> None:
    stage = listening()
    stage.take(LOCK)
    effects = stage.take(wish)

    (answer,) = only(fx.Answer, effects)
    assert (answer.ask, answer.code, answer.message) == (7, "refused", "the screen is locked")
    assert stage.state is State.IDLE
    assert opened(stage.take(UNLOCK))


def test_a_stop_meanwhile_is_for_good() -> None:
    stage = listening()
    stage.take(LOCK)
    effects = stage.take(ev.Stop(7))

    assert only(fx.Answer, effects) == [fx.Answer(7)]
    assert stage.core.status().paused is None
    assert stage.take(UNLOCK) == []


def test_whoever_begins_one_is_believed_where_the_lock_was_only_asked_for() -> None:
    stage = listening()
    stage.take(ev.Away(LOCKED, is_sure=False))
    effects = stage.take(ev.Start(7))

    assert opened(effects)
    assert stage.take(UNLOCK) == []
    assert stage.state is State.CONNECTING


def test_a_conversation_that_begins_by_itself_waits_for_the_user() -> None:
    stage = Stage()
    stage.take(LOCK)
    assert not opened(stage.take(ev.Start()))

    assert stage.core.status().paused == LOCKED
    assert opened(stage.take(UNLOCK))


# --- the settings --------------------------------------------------------------------------


def test_where_the_settings_say_stop_nothing_begins_again() -> None:
    stage = listening(settings=having(on_lock="stop"))
    stage.take(LOCK)

    assert stage.state is State.IDLE
    assert stage.take(UNLOCK) == []


def test_a_stop_on_suspend_settles_a_pause_on_lock() -> None:
    stage = listening(settings=having(on_suspend="stop"))
    stage.take(LOCK)
    stage.take(SLEEP)
    stage.take(WAKE)

    assert stage.take(UNLOCK) == []


def test_where_the_settings_say_ignore_the_talk_goes_on() -> None:
    stage = listening(settings=having(on_lock="ignore", on_suspend="ignore"))

    assert stage.take(LOCK) == []
    assert stage.take(SLEEP) == [fx.AllowSleep()]
    assert stage.state is State.LISTENING


def test_settings_that_come_later_count_at_once() -> None:
    stage = listening()
    stage.take(LOCK)
    stage.core.configure(having(on_lock="ignore"))

    assert opened(stage.take(ev.Start(7)))


# --- other players -------------------------------------------------------------------------


def test_players_pause_while_a_conversation_runs() -> None:
    stage = Stage(having(pause_players=True))
    stage.take(ev.Start())
    stage.take(se.MicrophoneOpened())
    assert only(fx.PausePlayers, stage.effects) == []

    stage.hear(ev.SessionReady("m", detects_turns=True, interrupts=True, replies=True))
    assert only(fx.PausePlayers, stage.effects) == [fx.PausePlayers()]

    stage.hear(ev.SessionLost("gone"))
    stage.wait(60.0)
    assert only(fx.ResumePlayers, stage.effects) == []

    stage.take(ev.Stop())
    assert only(fx.PausePlayers, stage.effects) == [fx.PausePlayers()]
    assert only(fx.ResumePlayers, stage.effects) == [fx.ResumePlayers()]


def test_players_are_left_alone_unless_the_settings_say_so() -> None:
    stage = listening()
    stage.take(ev.Stop())

    assert only(fx.PausePlayers, stage.effects) == []
    assert only(fx.ResumePlayers, stage.effects) == []


def test_players_go_on_while_the_screen_is_locked() -> None:
    stage = listening(settings=having(pause_players=True))

    assert fx.ResumePlayers() in stage.take(LOCK)


def test_a_start_that_the_daily_cap_refuses_does_not_make_the_wait_forgotten() -> None:
    settings = Settings(session=Session(idle_hangup_s=0), limits=Limits(usd_per_day=1.0))
    stage = listening(settings=settings)
    stage.take(ev.Away(LOCKED, is_sure=False))
    stage.core.scene.purse.usd_today = 2.0

    (answer,) = only(fx.Answer, stage.take(ev.Start(7)))

    assert "daily cap" in answer.message
    assert stage.core.status().paused == LOCKED
