import pytest

from tests.conversation.stage import (
    Stage,
    connecting,
    listening,
    only,
    silent,
    speaking,
)
from voiced.conversation import State
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.settings import Limits, Settings

CONNECTING = fx.OpenSession(1)


def answer(effects: list[fx.Effect]) -> fx.Answer:
    """Return the one answer there is."""
    (given,) = only(fx.Answer, effects)
    return given


# --- start and stop ------------------------------------------------------------------------


def test_start_opens_the_sound_and_a_session() -> None:
    stage = Stage()

    effects = stage.take(ev.Start(7))

    assert silent(effects) == [fx.OpenSpeaker(), fx.OpenMicrophone(), fx.OpenSession(1)]
    assert stage.state is State.CONNECTING


def test_start_is_answered_when_the_microphone_is_open() -> None:
    stage = Stage()
    assert only(fx.Answer, stage.take(ev.Start(7))) == []

    assert answer(stage.take(se.MicrophoneOpened())) == fx.Answer(7)


def test_start_is_refused_when_there_is_no_microphone() -> None:
    stage = Stage()
    stage.take(ev.Start(7))

    effects = stage.take(se.MicrophoneLost("no microphone named x"))

    assert answer(effects) == fx.Answer(7, "unavailable", "no microphone named x")


def test_start_with_a_muted_microphone_is_answered_at_once() -> None:
    stage = Stage()
    stage.take(ev.Mute(wish=True))

    effects = stage.take(ev.Start(7))

    assert answer(effects) == fx.Answer(7)
    assert only(fx.OpenMicrophone, effects) == []


@pytest.mark.parametrize("stage", [connecting(), listening(), speaking()])
def test_start_of_a_running_conversation_is_done_already(stage: Stage) -> None:
    before = stage.state

    effects = stage.take(ev.Start(7))

    assert effects == [fx.Answer(7)]
    assert stage.state is before


def test_start_of_a_lost_conversation_tries_at_once() -> None:
    stage = listening()
    stage.hear(ev.SessionLost("gone"))

    effects = stage.take(ev.Start(7))

    assert answer(effects) == fx.Answer(7)
    assert only(fx.OpenSession, effects) == [fx.OpenSession(stage.session)]
    assert stage.state is State.CONNECTING


def test_start_is_refused_when_the_days_money_is_spent() -> None:
    stage = Stage(Settings(limits=Limits(usd_per_day=2.0)))
    stage.core.scene.purse.usd_today = 2.5

    given = answer(stage.take(ev.Start(7)))

    assert given.code == "refused"
    assert "2 USD" in given.message
    assert "usd_per_day" in given.hint
    assert stage.state is State.IDLE


def test_stop_silences_before_it_hangs_up() -> None:
    stage = speaking()

    effects = stage.take(ev.Stop(7))

    assert silent(effects) == [
        fx.CutPlayback(1),
        fx.CloseSession(),
        fx.CloseMicrophone(),
        fx.CloseSpeaker(),
        fx.Answer(7),
    ]
    assert stage.state is State.IDLE


def test_nothing_is_sent_about_a_reply_that_stop_cut() -> None:
    stage = speaking()
    stage.take(ev.Stop())

    effects = stage.silence(se.Heard("item_1", 0, 4800))

    assert silent(effects) == []
    (told,) = only(fx.TellInterruption, effects)
    assert (told.interruption.source, told.interruption.heard_ms) == ("control", 200)


def test_stop_when_stopped_is_done_already() -> None:
    assert Stage().take(ev.Stop(7)) == [fx.Answer(7)]


def test_stop_answers_a_start_that_still_waits() -> None:
    stage = Stage()
    stage.take(ev.Start(7))

    assert only(fx.Answer, stage.take(ev.Stop(8))) == [fx.Answer(7), fx.Answer(8)]


def test_toggle_starts_what_is_stopped_and_stops_what_is_not() -> None:
    stage = Stage()
    stage.take(ev.Toggle())
    assert stage.state is State.CONNECTING

    stage.take(ev.Toggle())
    assert stage.state is State.IDLE


def test_toggle_starts_again_after_a_failure() -> None:
    stage = connecting()
    stage.hear(ev.SessionLost("", error_code="invalid_api_key"))
    assert stage.state is State.FAILED

    stage.take(ev.Toggle())

    assert stage.state is State.CONNECTING
    assert stage.core.status().error is None


def test_stop_clears_a_failure() -> None:
    stage = connecting()
    stage.hear(ev.SessionLost("", error_code="invalid_api_key"))

    stage.take(ev.Stop())

    assert stage.core.status().state == "idle"
    assert stage.core.status().error is None


# --- interrupt -----------------------------------------------------------------------------


def test_interrupt_cuts_cancels_and_truncates_in_this_order() -> None:
    stage = speaking()

    first = stage.take(ev.Interrupt(7))
    second = stage.silence(se.Heard("item_1", 0, 4800))

    assert silent(first) == [fx.CutPlayback(1), fx.Answer(7)]
    assert silent(second) == [
        fx.CancelResponse("cancel_1", "resp_1"),
        fx.TruncateItem("truncate_2", "item_1", 0, 200),
    ]
    assert stage.state is State.LISTENING


def test_interrupt_while_the_model_thinks_cancels_at_once() -> None:
    stage = listening()
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.ResponseCreated("resp_1"))

    effects = stage.take(ev.Interrupt(7))

    assert silent(effects) == [fx.CancelResponse("cancel_1", "resp_1"), fx.Answer(7)]
    assert stage.state is State.LISTENING


def test_interrupt_with_nothing_to_interrupt_is_done_already() -> None:
    assert listening().take(ev.Interrupt(7)) == [fx.Answer(7)]
    assert Stage().take(ev.Interrupt(7)) == [fx.Answer(7)]


# --- mute ----------------------------------------------------------------------------------


def test_mute_closes_the_microphone_and_unmute_opens_it() -> None:
    stage = listening()

    assert silent(stage.take(ev.Mute(wish=True, ask=7))) == [fx.CloseMicrophone(), fx.Answer(7)]
    assert stage.core.status().state == "muted"
    assert not stage.core.status().mic_open
    assert silent(stage.take(ev.Mute(wish=False, ask=8))) == [fx.OpenMicrophone(), fx.Answer(8)]


def test_mute_toggles() -> None:
    stage = Stage()
    stage.take(ev.Mute(wish=None))
    assert stage.core.status().muted

    stage.take(ev.Mute(wish=None))
    assert not stage.core.status().muted


def test_mute_when_muted_is_done_already() -> None:
    stage = listening()
    stage.take(ev.Mute(wish=True))

    assert stage.take(ev.Mute(wish=True, ask=7)) == [fx.Answer(7)]


def test_mute_without_a_conversation_touches_no_device() -> None:
    assert silent(Stage().take(ev.Mute(wish=True))) == [fx.Answer(ev.NOBODY)]


def test_mute_answers_a_start_that_waits_for_the_microphone() -> None:
    stage = Stage()
    stage.take(ev.Start(7))

    assert only(fx.Answer, stage.take(ev.Mute(wish=True, ask=8))) == [fx.Answer(7), fx.Answer(8)]


# --- say -----------------------------------------------------------------------------------


def test_say_adds_a_turn_and_asks_for_a_reply() -> None:
    stage = listening()

    effects = stage.take(ev.Say("hello", 7))

    assert silent(effects) == [
        fx.SendText("text_1", "hello"),
        fx.CreateResponse("response_2"),
        fx.Answer(7),
    ]
    assert stage.state is State.THINKING
    assert stage.core.status().turns == 1


def test_say_while_the_assistant_speaks_silences_it_first() -> None:
    stage = speaking()

    first = stage.take(ev.Say("wait", 7))
    second = stage.silence(se.Heard("item_1", 0, 4800))
    third = stage.hear(ev.ResponseDone("resp_1", "cancelled"))

    assert silent(first) == [fx.CutPlayback(1), fx.Answer(7)]
    assert silent(second) == [
        fx.CancelResponse("cancel_2", "resp_1"),
        fx.TruncateItem("truncate_3", "item_1", 0, 200),
        fx.SendText("text_1", "wait"),
    ]
    assert silent(third) == [fx.CreateResponse("response_4")]
    assert only(fx.TellTranscript, first) == []
    assert only(fx.TellTranscript, second) == [
        fx.TellTranscript("user", "text_1", "wait", is_final=True)
    ]


def test_say_in_the_tail_of_a_reply_asks_as_soon_as_it_is_silent() -> None:
    stage = speaking()
    stage.finish()

    stage.take(ev.Say("wait"))
    effects = stage.silence(se.Heard("item_1", 0, 4800))

    assert [type(effect) for effect in silent(effects)] == [
        fx.TruncateItem,
        fx.SendText,
        fx.CreateResponse,
    ]


def test_say_waits_for_the_response_under_way_to_end() -> None:
    stage = listening()
    stage.take(ev.Say("one"))
    stage.hear(ev.ResponseCreated("resp_1", "response_2"))

    effects = stage.take(ev.Say("two"))

    assert only(fx.CreateResponse, effects) == []
    assert only(fx.CancelResponse, effects) == [fx.CancelResponse("cancel_4", "resp_1")]
    done = stage.hear(ev.ResponseDone("resp_1", "cancelled"))
    assert len(only(fx.CreateResponse, done)) == 1


@pytest.mark.parametrize(
    ("stage", "code"),
    [(Stage(), "refused"), (connecting(), "unavailable")],
    ids=["stopped", "connecting"],
)
def test_what_needs_a_session_is_refused_without_one(stage: Stage, code: str) -> None:
    effects = stage.take(ev.Say("hello", 7))

    assert answer(effects).code == code
    assert answer(effects).hint
    assert len(effects) == 1
