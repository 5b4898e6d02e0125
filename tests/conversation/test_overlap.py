from dataclasses import replace

import pytest

from tests.conversation.stage import (
    FORGETFUL,
    MANUAL,
    SECOND,
    SERVER_VAD,
    Stage,
    listening,
    only,
)
from tests.conversation.stage import silent as untold
from voiced.conversation import State, overlap
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.status import Interruption
from voiced.settings import Interruption as Options
from voiced.settings import Session, Settings

SOUND_S = 99.84
"""When the user's first sound was heard, 160 ms before the stage's time."""
SUSPECTED = se.VoiceSuspected(SOUND_S)
CONFIRMED = se.VoiceConfirmed(SOUND_S)
QUIETER = fx.DuckPlayback(-14.0)
AS_LOUD = fx.DuckPlayback(0.0)
HEARD = se.Heard("item_1", 0, 24_000)


def speaking(
    facts: ev.SessionReady = SERVER_VAD,
    options: Options | None = None,
    *,
    can_detect: bool = True,
    is_whole: bool = True,
) -> Stage:
    """Return a conversation in which a reply of two seconds sounds, and voices are noticed."""
    settings = Settings(session=Session(idle_hangup_s=0), interruption=options or Options())
    stage = listening(facts, settings)
    stage.take(se.HearingChanged("cancelled", can_detect=can_detect))
    stage.hear(ev.SpeechStarted("user_1"))
    stage.hear(ev.SpeechStopped("user_1"))
    stage.hear(ev.TurnCommitted("user_1"))
    stage.reply(seconds=2)
    if is_whole:
        stage.finish()
    return stage


def held(facts: ev.SessionReady = SERVER_VAD, *, is_whole: bool = True) -> Stage:
    """Return a conversation whose reply is held because the server alone heard somebody."""
    stage = speaking(facts, is_whole=is_whole)
    veto(stage)
    assert stage.hear(ev.SpeechStarted("user_2")) == [fx.HoldPlayback(1)]
    return stage


def veto(stage: Stage) -> None:
    """Have this machine take a sound for no speech."""
    stage.take(SUSPECTED)
    stage.take(se.VoiceDismissed())


def silent(effects: list[fx.Effect]) -> list[fx.Effect]:
    """Return the effects that neither tell people something nor keep the microphone's time."""
    return [effect for effect in untold(effects) if not isinstance(effect, fx.SendAudio)]


def due_s(stage: Stage) -> float:
    """Return when there has been enough doubt."""
    due = overlap.due_s(stage.core.scene)
    assert due is not None
    assert stage.core.deadline is not None
    assert stage.core.deadline <= due
    return due


def figures(effects: list[fx.Effect]) -> Interruption:
    (told,) = only(fx.TellInterruption, effects)
    return told.interruption


# --- this machine suspects -----------------------------------------------------------------


def test_a_suspicion_makes_the_assistant_quieter_and_nothing_else() -> None:
    stage = speaking()

    assert stage.take(SUSPECTED) == [QUIETER]
    assert stage.state is State.SPEAKING
    assert stage.core.status().last_interruption is None


def test_a_second_suspicion_changes_nothing() -> None:
    stage = speaking()
    stage.take(SUSPECTED)
    before_s = due_s(stage)
    stage.now += 0.1

    assert stage.take(se.VoiceSuspected(99.99)) == []
    assert due_s(stage) == before_s


def test_a_voice_that_is_sure_cuts_before_the_server_knows() -> None:
    stage = speaking(is_whole=False)
    stage.take(SUSPECTED)
    stage.now += 0.05

    first = stage.take(CONFIRMED)
    second = stage.silence(HEARD)

    assert silent(first) == [fx.CutPlayback(1), AS_LOUD]
    assert silent(second) == [
        fx.CancelResponse("cancel_1", "resp_1"),
        fx.TruncateItem("truncate_2", "item_1", 0, 1000),
    ]
    told = figures(second)
    assert (told.number, told.source, told.confirmed) == (1, "local", True)
    assert told.at_s == SOUND_S
    assert told.heard_ms == 1000
    assert told.silent_ms == pytest.approx(4.0)
    assert told.sound_to_duck_ms == pytest.approx(160.0)
    assert told.sound_to_cut_ms == pytest.approx(210.0)
    assert told.sound_to_silent_ms == pytest.approx(214.0)


def test_a_voice_that_is_sure_at_once_cuts_without_a_suspicion() -> None:
    stage = speaking()

    assert silent(stage.take(CONFIRMED)) == [fx.CutPlayback(1)]
    told = figures(stage.silence(HEARD))
    assert told.source == "local"
    assert told.sound_to_duck_ms is None
    assert told.sound_to_cut_ms == pytest.approx(160.0)


def test_the_server_that_notices_later_is_told_nothing_twice() -> None:
    stage = speaking(is_whole=False)
    stage.take(CONFIRMED)
    stage.silence(HEARD)

    assert silent(stage.hear(ev.SpeechStarted("user_2"))) == []
    assert silent(stage.hear(ev.ResponseDone("resp_1", "cancelled"))) == []


def test_a_response_the_server_cancels_meanwhile_is_not_cancelled_by_us() -> None:
    stage = speaking(is_whole=False)
    stage.take(CONFIRMED)
    stage.hear(ev.SpeechStarted("user_2"))

    assert silent(stage.silence(HEARD)) == [fx.TruncateItem("truncate_1", "item_1", 0, 1000)]


def test_a_voice_while_nothing_sounds_is_nothing() -> None:
    stage = speaking()
    stage.drain()

    for event in (SUSPECTED, CONFIRMED, se.VoiceDismissed()):
        assert stage.take(event) == []


def test_a_dismissed_voice_gives_the_level_back_and_is_told() -> None:
    stage = speaking()
    stage.take(SUSPECTED)

    effects = stage.take(se.VoiceDismissed())

    assert silent(effects) == [AS_LOUD]
    told = figures(effects)
    assert told == Interruption(
        "local", None, None, "item_1", False, 1, SOUND_S, told.sound_to_duck_ms
    )
    assert told.sound_to_duck_ms == pytest.approx(160.0)
    assert stage.core.status().last_interruption == told
    assert stage.state is State.SPEAKING


def test_what_is_not_sure_in_time_was_no_speech() -> None:
    stage = speaking()
    stage.take(SUSPECTED)
    assert due_s(stage) == pytest.approx(stage.now + 0.8)
    assert silent(stage.wait(0.79)) == []

    effects = stage.wait(0.02)

    assert silent(effects) == [AS_LOUD]
    assert not figures(effects).confirmed
    assert silent(stage.wait(5.0)) == []


def test_a_voice_that_is_sure_after_all_still_cuts() -> None:
    stage = speaking()
    stage.take(SUSPECTED)
    stage.wait(0.9)

    assert silent(stage.take(CONFIRMED)) == [fx.CutPlayback(1)]
    assert figures(stage.silence(HEARD)).number == 2


def test_a_level_of_zero_leaves_the_assistant_as_loud_as_it_is() -> None:
    stage = speaking(options=Options(duck_db=0.0))

    assert stage.take(SUSPECTED) == []
    assert silent(stage.take(se.VoiceDismissed())) == []
    stage.take(SUSPECTED)
    assert silent(stage.take(CONFIRMED)) == [fx.CutPlayback(1)]


def test_a_reply_that_ends_under_a_suspicion_gives_the_level_back() -> None:
    stage = speaking()
    stage.take(SUSPECTED)

    effects = stage.drain()

    assert silent(effects) == [AS_LOUD]
    assert not figures(effects).confirmed
    assert stage.take(CONFIRMED) == []


def test_a_report_of_older_samples_leaves_the_suspicion() -> None:
    stage = speaking()
    stage.take(SUSPECTED)

    assert silent(stage.take(se.PlaybackDrained(1))) == []
    assert stage.core.scene.doubt.is_ducked


@pytest.mark.parametrize(
    ("options", "can_detect"), [(Options(local=False), True), (Options(), False)]
)
def test_a_voice_counts_only_where_this_machine_is_to_notice_it(
    options: Options, *, can_detect: bool
) -> None:
    stage = speaking(options=options, can_detect=can_detect)

    assert stage.take(SUSPECTED) == []
    assert stage.take(CONFIRMED) == []


def test_with_a_talk_key_nobody_interrupts_by_speaking() -> None:
    stage = listening(MANUAL)
    stage.take(se.HearingChanged("cancelled", can_detect=True))
    stage.take(ev.Say("hello"))
    stage.reply(seconds=2)

    assert stage.take(SUSPECTED) == []
    assert stage.take(CONFIRMED) == []


def test_a_muted_microphone_suspects_nobody() -> None:
    stage = speaking()
    stage.take(ev.Mute(wish=True))

    assert stage.take(SUSPECTED) == []


def test_whoever_mutes_under_a_suspicion_gets_the_level_back() -> None:
    stage = speaking()
    stage.take(SUSPECTED)

    effects = stage.take(ev.Mute(wish=True))

    assert silent(effects) == [AS_LOUD, fx.CloseMicrophone(), fx.Answer(0)]
    assert not figures(effects).confirmed


def test_the_server_confirms_a_suspicion_at_once() -> None:
    stage = speaking()
    stage.take(SUSPECTED)
    stage.now += 0.1

    assert silent(stage.hear(ev.SpeechStarted("user_2"))) == [fx.CutPlayback(1), AS_LOUD]
    told = figures(stage.silence(HEARD))
    assert (told.source, told.confirmed) == ("server", True)
    assert told.sound_to_duck_ms == pytest.approx(160.0)
    assert told.sound_to_cut_ms == pytest.approx(260.0)


@pytest.mark.parametrize(
    "wish", [ev.Interrupt(), ev.Stop(), ev.Say("stop"), ev.TalkPress()], ids=type
)
def test_whatever_else_cuts_ends_the_suspicion(wish: ev.Wish) -> None:
    stage = speaking()
    stage.take(SUSPECTED)

    effects = stage.take(wish)

    assert effects[:2] == [fx.CutPlayback(1), AS_LOUD]
    assert not stage.core.scene.doubt.is_ducked
    told = figures(stage.silence(HEARD))
    assert (told.source, told.sound_to_cut_ms) == ("control", None)
    assert silent(stage.wait(1.0)) == []


def test_a_lost_session_leaves_the_suspicion_to_its_time() -> None:
    stage = speaking()
    stage.take(SUSPECTED)
    stage.hear(ev.SessionLost("gone"))

    assert AS_LOUD in stage.wait(0.8)


def test_the_end_of_a_suspicion_is_the_one_thing_that_wakes_the_core() -> None:
    stage = speaking()
    stage.take(SUSPECTED)
    stage.take(se.SpeakerLost("unplugged"))

    assert AS_LOUD in stage.wait(0.8)


# --- the server alone ----------------------------------------------------------------------


def test_what_the_server_alone_hears_holds_the_assistant_and_sends_nothing() -> None:
    stage = held()

    assert stage.hold() == []
    assert stage.state is State.SPEAKING
    assert stage.core.status().state == "speaking"
    last = stage.core.status().last_interruption
    assert last is not None
    assert (last.source, last.confirmed) == ("local", False)


@pytest.mark.parametrize(
    ("options", "can_detect"),
    [(Options(), False), (Options(local=False), True), (Options(hold_ms=0), True)],
)
def test_the_server_is_believed_where_this_machine_has_no_say(
    options: Options, *, can_detect: bool
) -> None:
    stage = speaking(options=options, can_detect=can_detect)
    veto(stage)

    assert silent(stage.hear(ev.SpeechStarted("user_2"))) == [fx.CutPlayback(1)]


def test_the_server_is_believed_where_this_machine_has_heard_nothing() -> None:
    stage = speaking()

    assert silent(stage.hear(ev.SpeechStarted("user_2"))) == [fx.CutPlayback(1)]


def test_a_veto_is_about_one_sound() -> None:
    stage = speaking()
    veto(stage)
    stage.now += 2.1

    assert silent(stage.hear(ev.SpeechStarted("user_2"))) == [fx.CutPlayback(1)]


def test_the_server_is_believed_while_nothing_sounds() -> None:
    stage = speaking()
    stage.drain()

    stage.hear(ev.SpeechStarted("user_2"))

    assert stage.core.scene.doubt.hold is None
    assert stage.core.scene.has_floor()


def test_the_server_is_believed_while_a_cut_is_under_way() -> None:
    stage = speaking()
    stage.take(ev.Say("hello"))
    stage.hear(ev.ResponseCreated("resp_2", "response_1"))
    stage.hear(ev.AudioDelta("resp_2", "item_2", 0, SECOND))
    assert stage.core.scene.turns.is_cutting

    assert only(fx.CutPlayback, stage.hear(ev.SpeechStarted("user_2"))) == [fx.CutPlayback(2)]


def test_speech_of_which_nothing_more_comes_gives_the_words_back() -> None:
    stage = held()
    stage.hold()
    assert due_s(stage) == pytest.approx(stage.now + 1.0)
    assert silent(stage.wait(0.99)) == []

    effects = stage.wait(0.02)

    assert silent(effects) == [fx.ResumePlayback()]
    told = figures(effects)
    assert (told.source, told.confirmed, told.heard_ms) == ("server", False, None)
    assert told.silent_ms == pytest.approx(4.0)
    assert told.item_id == "item_1"
    assert stage.state is State.SPEAKING
    stage.hear(ev.SpeechStopped("user_2"))
    stage.drain()
    assert stage.state is State.LISTENING


def test_a_loudspeaker_that_never_said_it_was_silent_leaves_that_out() -> None:
    assert figures(held().wait(1.0)).silent_ms is None


def test_the_held_reply_goes_on_arriving() -> None:
    stage = held(FORGETFUL, is_whole=False)

    assert stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND)) == [
        fx.Play("item_1", 0, SECOND)
    ]
    assert silent(stage.hear(ev.AudioDone("resp_1", "item_1", 0))) == [fx.FinishPlay("item_1", 0)]
    assert silent(stage.hear(ev.ResponseDone("resp_1", "completed"))) == []
    assert silent(stage.wait(1.0)) == [fx.ResumePlayback()]


@pytest.mark.parametrize("event", [SUSPECTED, CONFIRMED], ids=type)
def test_a_voice_this_machine_hears_makes_the_hold_a_cut(event: se.SoundEvent) -> None:
    stage = held()
    stage.hold()
    stage.now += 0.2

    assert silent(stage.take(event)) == [fx.CutPlayback(1)]
    effects = stage.silence(HEARD)

    assert silent(effects) == [fx.TruncateItem("truncate_1", "item_1", 0, 1000)]
    told = figures(effects)
    assert (told.source, told.confirmed, told.heard_ms) == ("server", True, 1000)
    # The loudspeaker was silent since the hold.
    assert told.silent_ms == pytest.approx(4.0)
    assert told.sound_to_silent_ms == pytest.approx(164.0)


def test_a_hold_that_is_told_after_its_cut_is_measured_all_the_same() -> None:
    stage = held()
    stage.take(ev.Interrupt())
    stage.now += 0.5
    stage.take(se.PlaybackHeld(1, 100.006))
    stage.take(se.PlaybackHeld(99, 100.5))

    assert figures(stage.silence(HEARD)).silent_ms == pytest.approx(6.0)


def test_words_make_the_hold_a_cut() -> None:
    stage = held()

    assert silent(stage.hear(ev.UserTranscript("user_1", "late words", is_final=True))) == []
    assert silent(stage.hear(ev.UserTranscript("user_2", "", is_final=False))) == []
    assert silent(stage.hear(ev.UserTranscript("user_2", "wait", is_final=False))) == [
        fx.CutPlayback(1)
    ]


def test_a_turn_makes_the_hold_a_cut_and_is_answered() -> None:
    stage = held()
    stage.hear(ev.SpeechStopped("user_2"))

    assert silent(stage.hear(ev.TurnCommitted("user_2"))) == [fx.CutPlayback(1)]
    assert stage.core.scene.turns.responses.is_pending()


def test_a_turn_after_the_words_were_given_back_is_an_interruption() -> None:
    stage = held()
    stage.wait(1.0)
    stage.hear(ev.SpeechStopped("user_2"))

    assert silent(stage.hear(ev.TurnCommitted("user_2"))) == [fx.CutPlayback(1)]
    told = figures(stage.silence(HEARD))
    assert (told.number, told.confirmed) == (3, True)
    assert told.silent_ms == pytest.approx(4.0)


def test_a_turn_after_the_reply_was_played_is_a_turn_like_any_other() -> None:
    stage = held()
    stage.wait(1.0)
    stage.drain()

    assert silent(stage.hear(ev.TurnCommitted("user_2"))) == []
    assert stage.state is State.THINKING


def test_speech_that_begins_anew_is_held_anew() -> None:
    stage = held()
    assert silent(stage.hear(ev.SpeechStarted("user_2"))) == []
    stage.wait(1.0)
    stage.hear(ev.SpeechStopped("user_2"))

    assert silent(stage.hear(ev.SpeechStarted("user_3"))) == [fx.HoldPlayback(2)]
    assert silent(stage.wait(1.0)) == [fx.ResumePlayback()]


@pytest.mark.parametrize(
    "wish",
    [ev.Interrupt(), ev.Stop(), ev.Say("stop"), ev.TalkPress(), ev.Mute(wish=True)],
    ids=type,
)
def test_whatever_a_person_asks_for_makes_the_hold_a_cut(wish: ev.Wish) -> None:
    stage = held()
    stage.hold()

    assert stage.take(wish)[0] == fx.CutPlayback(1)
    assert stage.core.scene.doubt.hold is None
    told = figures(stage.silence(HEARD))
    assert (told.source, told.confirmed) == ("server", True)
    assert told.silent_ms == pytest.approx(4.0)
    assert fx.ResumePlayback() not in stage.wait(1.0)


def test_a_hold_that_becomes_a_cut_is_truncated_once() -> None:
    stage = held()
    stage.take(CONFIRMED)
    stage.silence(HEARD)
    stage.hear(ev.SpeechStopped("user_2"))
    stage.hear(ev.TurnCommitted("user_2"))

    assert len(only(fx.TruncateItem, stage.effects)) == 1


def test_a_reply_the_server_is_cancelling_is_not_whole_and_is_cut_at_once() -> None:
    stage = speaking(is_whole=False)

    assert silent(stage.hear(ev.SpeechStarted("user_2"))) == [fx.CutPlayback(1)]
    assert silent(stage.silence(HEARD)) == [fx.TruncateItem("truncate_1", "item_1", 0, 1000)]


def test_a_held_reply_the_server_cancels_all_the_same_is_cut() -> None:
    stage = held(FORGETFUL, is_whole=False)
    stage.hold()

    effects = stage.hear(ev.ResponseDone("resp_1", "cancelled"))

    assert silent(effects) == [fx.CutPlayback(1)]
    assert silent(stage.silence(HEARD)) == [fx.TruncateItem("truncate_1", "item_1", 0, 1000)]


def test_a_response_that_is_not_the_held_one_may_be_cancelled() -> None:
    stage = held()

    assert silent(stage.hear(ev.ResponseDone("resp_9", "cancelled"))) == []
    assert stage.core.scene.doubt.hold is not None


def test_a_reply_the_server_cancels_after_all_is_played_as_far_as_it_came() -> None:
    stage = held(FORGETFUL, is_whole=False)
    stage.wait(1.0)

    assert silent(stage.hear(ev.ResponseDone("resp_1", "cancelled"))) == [
        fx.FinishPlay("item_1", 0)
    ]
    assert silent(stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND))) == []
    stage.hear(ev.SpeechStopped("user_2"))
    stage.drain()
    assert stage.state is State.LISTENING


def test_a_server_that_does_not_cancel_is_told_to_when_the_hold_is_a_cut() -> None:
    stage = held(FORGETFUL, is_whole=False)
    stage.take(CONFIRMED)

    assert silent(stage.silence(HEARD)) == [
        fx.CancelResponse("cancel_1", "resp_1"),
        fx.TruncateItem("truncate_2", "item_1", 0, 1000),
    ]


def test_an_id_that_comes_again_in_the_next_session_is_cancelled_there() -> None:
    stage = speaking(is_whole=False)
    stage.hear(ev.SpeechStarted("user_2"))
    stage.silence(HEARD)
    stage.hear(ev.SessionLost("gone"))
    stage.wait(1.0)
    stage.hear(SERVER_VAD)
    stage.reply(item_id="item_2")
    stage.take(CONFIRMED)

    (cancel,) = only(fx.CancelResponse, stage.silence(se.Heard("item_2", 0, 2400)))
    assert cancel.response_id == "resp_1"


def test_a_reply_that_was_over_before_the_hold_is_not_interrupted() -> None:
    stage = held()

    effects = stage.drain()

    assert silent(effects) == [fx.ResumePlayback()]
    assert only(fx.TellInterruption, effects) == []
    assert stage.core.scene.has_floor()
    assert stage.state is State.LISTENING


def test_a_reply_that_was_over_before_the_hold_takes_its_response_with_it() -> None:
    stage = speaking(FORGETFUL, is_whole=False)
    stage.hear(ev.AudioDone("resp_1", "item_1", 0))
    veto(stage)
    stage.hear(ev.SpeechStarted("user_2"))

    assert silent(stage.drain()) == [fx.ResumePlayback(), fx.CancelResponse("cancel_1", "resp_1")]


def test_a_reply_that_begins_while_speech_is_disbelieved_lives() -> None:
    stage = held(FORGETFUL)
    stage.wait(1.0)
    assert not stage.core.scene.has_floor()

    stage.hear(ev.ResponseCreated("resp_2"))

    assert stage.hear(ev.AudioDelta("resp_2", "item_2", 0, SECOND)) == [
        fx.Play("item_2", 0, SECOND)
    ]


def test_a_key_pressed_into_disbelieved_speech_keeps_what_was_said() -> None:
    stage = held()
    stage.wait(1.0)
    stage.take(ev.TalkPress())

    assert only(fx.ClearInput, stage.silence(HEARD)) == []


def test_a_lost_session_leaves_the_hold_to_its_time() -> None:
    stage = held()
    lost = stage.hear(ev.SessionLost("gone"))
    assert only(fx.CutPlayback, lost) == []

    assert fx.ResumePlayback() in stage.wait(1.0)
    stage.drain()
    assert not stage.core.scene.turns.is_sounding


def test_detection_that_fails_during_a_hold_changes_nothing_about_it() -> None:
    stage = held()
    stage.take(se.HearingChanged("cancelled", can_detect=False))

    assert silent(stage.wait(1.0)) == [fx.ResumePlayback()]


def test_interruptions_are_counted_whether_they_stand_or_not() -> None:
    stage = speaking()
    for number in (1, 2):
        stage.take(SUSPECTED)
        assert figures(stage.take(se.VoiceDismissed())).number == number
    stage.take(CONFIRMED)

    assert figures(stage.silence(HEARD)).number == 3
    assert stage.core.status().last_interruption == replace(
        figures(stage.effects[-1:]), number=3, confirmed=True
    )


# --- a session that is over --------------------------------------------------------------


def test_a_doubt_does_not_outlive_its_session() -> None:
    """The turn that is said into the key afterwards is answered."""
    stage = held()
    stage.wait(2.0)
    stage.hear(ev.SessionLost("gone"))
    stage.drain()
    stage.take(ev.TalkPress())
    for _ in range(10):
        stage.take(se.MicrophoneFrames(SECOND[:960]))
    stage.hear(SERVER_VAD)
    stage.take(ev.TalkRelease())

    assert only(fx.CreateResponse, stage.hear(ev.TurnCommitted("user_3")))


def test_what_is_held_is_cut_by_a_turn_of_the_next_session() -> None:
    stage = held()
    stage.hear(ev.SessionLost("gone"))
    stage.wait(0.5)
    stage.hear(SERVER_VAD)
    stage.hear(ev.SpeechStarted("user_3"))

    assert only(fx.CutPlayback, stage.hear(ev.TurnCommitted("user_3")))
