import pytest

from tests.conversation.stage import (
    FORGETFUL,
    MANUAL,
    SECOND,
    SERVER_VAD,
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
from voiced.conversation.responses import ALREADY_ACTIVE
from voiced.conversation.server import ASK_AGAIN_S, LOST_RACES

# --- the session ---------------------------------------------------------------------------


def test_a_ready_session_listens() -> None:
    stage = connecting()

    effects = stage.hear(SERVER_VAD)

    assert stage.state is State.LISTENING
    assert only(fx.TellSession, effects) == [fx.TellSession("ready", "gpt-realtime")]
    assert stage.core.status().online
    assert stage.core.status().model == "gpt-realtime"


def test_what_an_older_session_says_is_dropped() -> None:
    stage = listening()
    old = stage.session
    stage.hear(ev.SessionLost("gone"))
    stage.wait(10.0)
    stage.hear(SERVER_VAD)

    assert stage.hear(ev.SpeechStarted("user_1"), session=old) == []
    assert stage.hear(ev.SessionLost("gone"), session=old) == []
    assert stage.state is State.LISTENING


def test_a_lost_session_is_retried_after_the_delay_and_not_before() -> None:
    stage = listening()

    effects = stage.hear(ev.SessionLost("reset", close_code=1006))

    assert stage.state is State.OFFLINE
    assert only(fx.TellSession, effects) == [fx.TellSession("lost", "reset", 0.25)]
    assert stage.wait(0.24) == []
    assert only(fx.OpenSession, stage.wait(0.02)) == [fx.OpenSession(stage.session)]
    assert stage.state is State.CONNECTING


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1011])
def test_every_close_we_did_not_ask_for_is_retried(code: int) -> None:
    stage = listening()

    stage.hear(ev.SessionLost("closed", close_code=code))

    assert stage.state is State.OFFLINE


def test_the_microphone_is_closed_while_there_is_no_session() -> None:
    stage = listening()

    assert fx.CloseMicrophone() in stage.hear(ev.SessionLost("gone"))
    assert not stage.core.status().mic_open
    stage.wait(10.0)
    assert fx.OpenMicrophone() in stage.hear(SERVER_VAD)


def test_a_lost_session_lets_what_is_sounding_sound_on() -> None:
    stage = speaking()

    effects = stage.hear(ev.SessionLost("gone"))

    assert only(fx.CutPlayback, effects) == []
    stage.wait(10.0)
    stage.hear(SERVER_VAD)
    assert stage.state is State.SPEAKING


def test_a_reply_of_a_lost_session_is_cut_and_not_truncated_in_the_next() -> None:
    stage = speaking()
    stage.hear(ev.SessionLost("gone"))
    stage.wait(10.0)
    stage.hear(SERVER_VAD)

    assert only(fx.CutPlayback, stage.hear(ev.SpeechStarted("user_2"))) == [fx.CutPlayback(1)]
    assert silent(stage.silence(se.Heard("item_1", 0, 4800))) == []


def test_a_refusal_for_good_ends_the_conversation_and_says_what_to_change() -> None:
    stage = connecting()

    effects = stage.hear(ev.SessionLost("", error_code="no_api_key"))

    assert stage.state is State.FAILED
    assert stage.core.status().state == "error"
    (told,) = only(fx.TellError, effects)
    assert "OPENAI_API_KEY" in told.message
    assert stage.core.status().error == told.message
    assert fx.CloseMicrophone() in effects
    assert stage.core.deadline is None


def test_a_refusal_for_good_answers_a_start_that_waits() -> None:
    stage = Stage()
    stage.take(ev.Start(7))

    effects = stage.hear(ev.SessionLost("", http_status=401))

    (given,) = only(fx.Answer, effects)
    assert (given.ask, given.code) == (7, "unavailable")


def test_an_expired_session_is_replaced() -> None:
    stage = listening()

    effects = stage.hear(ev.ServerError("session_expired", "60 minutes"))

    assert fx.CloseSession() in effects
    assert stage.state is State.OFFLINE


# --- errors --------------------------------------------------------------------------------


def test_an_error_does_not_end_the_session() -> None:
    stage = listening()

    effects = stage.hear(ev.ServerError("server_error", "the server had an error"))

    assert effects == [fx.TellError("server_error", "the server had an error")]
    assert stage.state is State.LISTENING


def test_an_error_without_words_is_told_in_ours() -> None:
    (told,) = only(fx.TellError, listening().hear(ev.ServerError(None, "")))

    assert told.message == "the server gave no reason"


def test_an_error_without_a_code_is_told_all_the_same() -> None:
    effects = listening().hear(ev.ServerError(None, "oops"))

    assert effects == [fx.TellError("server_error", "oops")]


@pytest.mark.parametrize("code", sorted(LOST_RACES))
def test_a_lost_race_is_nobodys_business(code: str) -> None:
    assert listening().hear(ev.ServerError(code, "too late")) == []


@pytest.mark.parametrize("event_id", ["truncate_3", "delete_4", "cancel_5", "clear_6"])
def test_a_refused_correction_is_nobodys_business(event_id: str) -> None:
    assert listening().hear(ev.ServerError("not_implemented", "no", event_id)) == []


def test_an_error_about_new_settings_does_not_end_the_conversation() -> None:
    stage = listening()

    effects = stage.hear(ev.ServerError("model_not_found", "no such model", "configure_1"))

    assert stage.state is State.LISTENING
    assert [told.code for told in only(fx.TellError, effects)] == ["model_not_found"]


def test_new_settings_are_gone_by_as_soon_as_the_server_confirms_them() -> None:
    stage = listening()
    stage.hear(ev.SessionChanged(MANUAL))
    assert only(fx.SendAudio, stage.take(se.MicrophoneFrames(bytes(960)))) == []
    assert only(fx.Answer, stage.take(ev.TalkPress(3))) == [fx.Answer(3)]
    stage.take(ev.TalkCancel())

    stage.hear(ev.SessionChanged(SERVER_VAD))

    assert only(fx.SendAudio, stage.take(se.MicrophoneFrames(bytes(960)))) != []


def test_a_repeated_confirmation_leaves_the_flow_alone() -> None:
    stage = listening()
    origin_s = stage.core.scene.input.origin_s
    stage.now += 5

    stage.hear(ev.SessionChanged(SERVER_VAD))

    assert stage.core.scene.input.origin_s == origin_s


def test_a_cancel_that_finds_nothing_ends_the_waiting_for_the_dead_response() -> None:
    stage = speaking(FORGETFUL)
    stage.hear(ev.SpeechStarted("user_2"))
    stage.silence(se.Heard("item_1", 0, 24_000))
    cancel = only(fx.CancelResponse, stage.effects)[0]
    assert only(fx.CreateResponse, stage.take(ev.Say("hello"))) == []

    effects = stage.hear(
        ev.ServerError("response_cancel_not_active", "no active response", cancel.event_id)
    )

    assert only(fx.CreateResponse, effects) != []
    assert only(fx.TellError, effects) == []


def test_a_refused_request_that_was_interrupted_is_nobodys_business() -> None:
    stage = listening()
    stage.take(ev.Say("hello"))
    create = only(fx.CreateResponse, stage.effects)[0]
    stage.take(ev.Interrupt())

    effects = stage.hear(ev.ServerError(ALREADY_ACTIVE, "busy", create.event_id))

    assert only(fx.TellError, effects) == []
    assert only(fx.CreateResponse, stage.wait(ASK_AGAIN_S)) == []


def test_a_problem_that_is_known_is_not_told_again() -> None:
    stage = listening()

    first = stage.take(se.MicrophoneLost("unplugged"))
    again = stage.take(se.MicrophoneLost("unplugged"))
    other = stage.take(se.MicrophoneLost("busy"))

    assert [len(only(fx.TellError, effects)) for effects in (first, again, other)] == [1, 0, 1]


def test_an_error_about_the_key_clears_what_was_wrong_before() -> None:
    stage = listening()
    stage.hear(ev.SessionLost("no network"))
    stage.wait(10.0)
    stage.hear(ev.SessionLost("", error_code="invalid_api_key"))

    assert "no network" not in (stage.core.status().error or "")


def test_an_error_about_the_key_ends_the_conversation() -> None:
    stage = listening()

    stage.hear(ev.ServerError("invalid_api_key", "wrong"))

    assert stage.state is State.FAILED


def test_a_refused_request_for_a_reply_is_sent_again_after_the_response_under_way() -> None:
    stage = listening()
    stage.take(ev.Say("hello"))

    refused = stage.hear(ev.ServerError(ALREADY_ACTIVE, "resp_9 is active", "response_2"))
    over = stage.hear(ev.ResponseDone("resp_9", "completed"))

    assert silent(refused) == []
    assert only(fx.CreateResponse, over) == [fx.CreateResponse("response_3")]


def test_a_refused_request_for_a_reply_is_sent_again_when_nothing_else_happens() -> None:
    stage = listening()
    stage.take(ev.Say("hello"))
    stage.hear(ev.ServerError(ALREADY_ACTIVE, "active", "response_2"))

    assert only(fx.CreateResponse, stage.wait(ASK_AGAIN_S)) == [fx.CreateResponse("response_3")]


def test_a_request_for_a_reply_refused_for_another_reason_is_told() -> None:
    stage = listening()
    stage.take(ev.Say("hello"))

    effects = stage.hear(ev.ServerError("invalid_value", "no", "response_2"))

    assert only(fx.TellError, effects) == [fx.TellError("invalid_value", "no")]
    assert stage.state is State.LISTENING


# --- the user ------------------------------------------------------------------------------


def test_the_users_speech_cuts_first_and_tells_the_server_how_much_was_heard() -> None:
    stage = speaking()

    first = stage.hear(ev.SpeechStarted("user_2"))
    assert stage.state is State.INTERRUPTED
    second = stage.silence(se.Heard("item_1", 0, 24_000))

    assert silent(first) == [fx.CutPlayback(1)]
    assert silent(second) == [fx.TruncateItem("truncate_1", "item_1", 0, 1000)]
    assert stage.state is State.LISTENING


def test_the_figures_of_an_interruption_are_told() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))

    (told,) = only(fx.TellInterruption, stage.silence(se.Heard("item_1", 0, 24_000)))

    assert told.interruption.source == "server"
    assert told.interruption.silent_ms == pytest.approx(4.0)
    assert told.interruption.heard_ms == 1000
    assert told.interruption.item_id == "item_1"
    assert stage.core.status().last_interruption == told.interruption


def test_a_server_that_does_not_cancel_is_told_to_by_id() -> None:
    stage = speaking(FORGETFUL)
    stage.hear(ev.SpeechStarted("user_2"))

    effects = stage.silence(se.Heard("item_1", 0, 24_000))

    assert only(fx.CancelResponse, effects) == [fx.CancelResponse("cancel_1", "resp_1")]


def test_samples_that_come_after_the_cut_are_not_played() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    late = ev.AudioDelta("resp_1", "item_1", 0, SECOND)

    assert only(fx.Play, stage.hear(late)) == []
    stage.silence()
    assert only(fx.Play, stage.hear(late)) == []
    stage.hear(ev.ResponseDone("resp_1", "cancelled", "turn_detected"))
    assert only(fx.Play, stage.hear(late)) == []


def test_the_reply_after_an_interruption_is_played() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.silence(se.Heard("item_1", 0, 24_000))
    stage.hear(ev.ResponseDone("resp_1", "cancelled"))
    stage.hear(ev.SpeechStopped("user_2"))
    stage.hear(ev.TurnCommitted("user_2"))

    stage.reply("resp_2", "item_2")

    assert only(fx.Play, stage.effects)[-1] == fx.Play("item_2", 0, SECOND)
    assert stage.state is State.SPEAKING


def test_an_interruption_in_the_tail_is_an_interruption() -> None:
    stage = speaking()
    stage.finish()

    assert only(fx.CutPlayback, stage.hear(ev.SpeechStarted("user_2"))) == [fx.CutPlayback(1)]
    effects = stage.silence(se.Heard("item_1", 0, 36_000))
    assert silent(effects) == [fx.TruncateItem("truncate_1", "item_1", 0, 1500)]


def test_a_reply_that_was_heard_to_its_end_is_kept_though_the_user_spoke_before_that_was_told() -> (
    None
):
    stage = speaking()
    stage.finish()
    drained = se.PlaybackDrained(stage.core.scene.turns.plays)

    stage.hear(ev.SpeechStarted("user_2"))
    stage.take(drained)
    effects = stage.silence()

    assert silent(effects) == []
    assert stage.core.status().last_interruption is not None


def test_an_item_that_was_heard_is_kept_though_the_next_began_before_that_was_told() -> None:
    stage = speaking()
    stage.hear(ev.AudioDone("resp_1", "item_1", 0))
    drained = se.PlaybackDrained(stage.core.scene.turns.plays)
    stage.hear(ev.ItemAdded("resp_1", "item_2", is_message=True))
    stage.hear(ev.AudioDelta("resp_1", "item_2", 0, SECOND))
    stage.take(drained)

    stage.hear(ev.SpeechStarted("user_2"))
    effects = stage.silence(se.Heard("item_2", 0, 12_000))

    assert silent(effects) == [fx.TruncateItem("truncate_1", "item_2", 0, 500)]
    assert silent(stage.hear(ev.ResponseDone("resp_1", "cancelled"))) == []


def test_a_response_of_which_something_was_cut_stays_dead_though_another_was_active() -> None:
    stage = speaking()
    stage.hear(ev.ResponseCreated("resp_2"))
    stage.hear(ev.SpeechStarted("user_2"))
    stage.silence(se.Heard("item_1", 0, 24_000))

    assert only(fx.Play, stage.hear(ev.AudioDelta("resp_1", "item_9", 0, SECOND))) == []
    assert only(fx.Play, stage.hear(ev.AudioDelta("resp_2", "item_8", 0, SECOND))) == []


def test_a_new_session_may_use_the_ids_of_the_old_one() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.silence(se.Heard("item_1", 0, 24_000))
    stage.hear(ev.SessionLost("gone"))
    stage.wait(10.0)
    stage.hear(SERVER_VAD)
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.ResponseCreated("resp_1"))

    assert only(fx.Play, stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND))) != []


def test_what_we_asked_for_is_cancelled_at_once_when_it_begins_over_the_user() -> None:
    """The server heard the user before it began, so it will not cancel this one."""
    stage = listening()
    stage.take(ev.Say("hello"))
    create = only(fx.CreateResponse, stage.effects)[0]
    stage.hear(ev.SpeechStarted("user_2"))

    effects = stage.hear(ev.ResponseCreated("resp_1", create.event_id))

    assert [cancel.response_id for cancel in only(fx.CancelResponse, effects)] == ["resp_1"]


def test_an_interruption_right_at_the_end_changes_nothing_on_the_server() -> None:
    stage = speaking()
    stage.finish()
    stage.hear(ev.SpeechStarted("user_2"))

    assert silent(stage.silence(se.Heard("item_1", 0, 48_000))) == []


def test_an_interruption_before_the_first_sample_deletes_the_item_when_the_response_is_over() -> (
    None
):
    stage = listening()
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.ResponseCreated("resp_1"))
    stage.hear(ev.ItemAdded("resp_1", "item_1", is_message=True))

    assert silent(stage.hear(ev.SpeechStarted("user_2"))) == []
    assert stage.state is State.LISTENING
    over = stage.hear(ev.ResponseDone("resp_1", "cancelled", "turn_detected"))
    assert silent(over) == [fx.DeleteItem("delete_1", "item_1")]


def test_items_that_a_dead_response_adds_later_are_deleted_when_it_is_over() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.silence(se.Heard("item_1", 0, 24_000))
    stage.hear(ev.ItemAdded("resp_1", "item_2", is_message=True))
    stage.hear(ev.ItemAdded("resp_1", "call_1", is_message=False))
    stage.hear(ev.AudioDelta("resp_1", "item_3", 0, SECOND))

    over = stage.hear(ev.ResponseDone("resp_1", "cancelled"))

    deleted = [effect.item_id for effect in only(fx.DeleteItem, over)]
    assert deleted == ["item_2", "item_3"]
    assert only(fx.Play, over) == []


def test_an_item_that_turns_up_after_the_end_of_its_dead_response_is_deleted_at_once() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.silence(se.Heard("item_1", 0, 24_000))
    stage.hear(ev.ResponseDone("resp_1", "cancelled"))

    effects = stage.hear(ev.ItemAdded("resp_1", "item_2", is_message=True))

    assert [effect.item_id for effect in only(fx.DeleteItem, effects)] == ["item_2"]


def test_an_item_heard_before_the_cut_is_not_deleted_for_a_late_sample() -> None:
    stage = speaking()
    stage.hear(ev.AudioDone("resp_1", "item_1", 0))
    stage.drain()
    stage.hear(ev.SpeechStarted("user_2"))

    stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND))
    over = stage.hear(ev.ResponseDone("resp_1", "cancelled"))

    assert only(fx.DeleteItem, stage.effects + over) == []


def test_a_response_that_begins_while_the_user_speaks_is_not_played() -> None:
    stage = listening()
    stage.hear(ev.SpeechStarted("user_1"))

    stage.reply("resp_1", "item_1")

    assert only(fx.Play, stage.effects) == []
    assert only(fx.CancelResponse, stage.effects) == []


def test_such_a_response_is_cancelled_when_the_turn_ends_if_it_is_still_there() -> None:
    stage = listening()
    stage.hear(ev.SpeechStarted("user_1"))
    stage.hear(ev.ResponseCreated("resp_1"))

    effects = stage.hear(ev.SpeechStopped("user_1"))

    assert only(fx.CancelResponse, effects) == [fx.CancelResponse("cancel_1", "resp_1")]
    assert only(fx.CancelResponse, stage.hear(ev.TurnCommitted("user_1"))) == []


def test_a_server_that_does_not_cancel_is_told_so_as_soon_as_it_begins_over_the_user() -> None:
    stage = listening(FORGETFUL)
    stage.hear(ev.SpeechStarted("user_1"))

    effects = stage.hear(ev.ResponseCreated("resp_1"))

    assert only(fx.CancelResponse, effects) == [fx.CancelResponse("cancel_1", "resp_1")]


def test_a_server_that_finds_the_turns_and_does_not_answer_is_asked() -> None:
    stage = listening(ev.SessionReady("m", detects_turns=True, interrupts=True, replies=False))

    effects = stage.hear(ev.TurnCommitted("user_1"))

    assert only(fx.CreateResponse, effects) == [fx.CreateResponse("response_1")]


def test_a_turn_keeps_its_place_until_it_is_written_down() -> None:
    effects = listening().hear(ev.TurnCommitted("user_1"))

    assert only(fx.TellTranscript, effects) == [
        fx.TellTranscript("user", "user_1", "", is_final=False)
    ]


def test_a_commit_nobody_asked_for_needs_no_reply() -> None:
    assert silent(listening(MANUAL).hear(ev.TurnCommitted("user_1"))) == []


def test_what_the_user_said_is_told() -> None:
    effects = listening().hear(ev.UserTranscript("user_1", "hello", is_final=True))

    assert effects == [fx.TellTranscript("user", "user_1", "hello", is_final=True)]


# --- replies -------------------------------------------------------------------------------


def test_a_turn_goes_from_thinking_to_speaking_to_listening() -> None:
    stage = listening()
    seen = [stage.state]
    for event in (
        ev.SpeechStarted("user_1"),
        ev.SpeechStopped("user_1"),
        ev.TurnCommitted("user_1"),
        ev.ResponseCreated("resp_1"),
        ev.ItemAdded("resp_1", "item_1", is_message=True),
        ev.AudioDelta("resp_1", "item_1", 0, SECOND),
        ev.AudioDone("resp_1", "item_1", 0),
        ev.ResponseDone("resp_1", "completed"),
    ):
        stage.hear(event)
        if stage.state is not seen[-1]:
            seen.append(stage.state)
    stage.drain()

    assert [*seen, stage.state] == [
        State.LISTENING,
        State.THINKING,
        State.SPEAKING,
        State.LISTENING,
    ]


def test_samples_are_played_and_released_when_they_are_complete() -> None:
    stage = speaking()

    assert fx.Play("item_1", 0, SECOND) in stage.effects
    assert stage.hear(ev.AudioDone("resp_1", "item_1", 0)) == [fx.FinishPlay("item_1", 0)]
    assert stage.hear(ev.AudioDone("resp_1", "item_1", 0)) == []


def test_an_empty_delta_is_nothing() -> None:
    assert speaking().hear(ev.AudioDelta("resp_1", "item_1", 0, b"")) == []


def test_the_end_of_a_response_releases_what_was_not_completed() -> None:
    stage = speaking()

    effects = stage.hear(ev.ResponseDone("resp_1", "incomplete", "max_output_tokens"))

    assert silent(effects) == [fx.FinishPlay("item_1", 0)]
    stage.drain()
    assert stage.state is State.LISTENING


def test_a_reply_that_only_calls_a_function_is_over_with_its_response() -> None:
    stage = listening()
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.ResponseCreated("resp_1"))
    stage.hear(ev.ItemAdded("resp_1", "call_1", is_message=False))

    stage.hear(ev.ResponseDone("resp_1", "completed"))

    assert stage.state is State.LISTENING


def test_a_reply_between_two_items_is_still_speaking() -> None:
    stage = speaking()
    stage.hear(ev.AudioDone("resp_1", "item_1", 0))

    stage.drain()

    assert stage.state is State.SPEAKING


def test_what_the_content_filter_stopped_is_silenced() -> None:
    stage = speaking()

    effects = stage.hear(ev.ResponseDone("resp_1", "incomplete", "content_filter"))

    assert only(fx.CutPlayback, effects) == [fx.CutPlayback(1)]


def test_a_failed_response_is_told_and_the_session_goes_on() -> None:
    stage = listening()
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.ResponseCreated("resp_1"))

    effects = stage.hear(ev.ResponseDone("resp_1", "failed", None, "rate_limit_exceeded", "slow"))

    assert only(fx.TellError, effects) == [fx.TellError("rate_limit_exceeded", "slow")]
    assert stage.state is State.LISTENING


def test_a_failed_response_without_a_reason_is_told() -> None:
    stage = speaking()

    effects = stage.hear(ev.ResponseDone("resp_1", "failed"))

    (told,) = only(fx.TellError, effects)
    assert told.code == "response_failed"


def test_a_response_that_failed_for_want_of_quota_ends_the_conversation() -> None:
    stage = speaking()

    stage.hear(ev.ResponseDone("resp_1", "failed", None, "insufficient_quota", "pay"))

    assert stage.state is State.FAILED


def test_the_failure_of_a_dead_response_is_nobodys_business() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.silence()

    effects = stage.hear(ev.ResponseDone("resp_1", "failed", None, "insufficient_quota", "pay"))

    assert only(fx.TellError, effects) == []
    assert stage.state is State.LISTENING


def test_what_a_response_cost_is_told() -> None:
    stage = speaking()

    effects = stage.hear(ev.ResponseDone("resp_1", "completed", usage=ev.Usage(audio_out=1000)))

    assert only(fx.TellCost, effects) == [fx.TellCost(0.064, 0.064)]


def test_the_words_of_a_living_reply_are_told_and_those_of_a_dead_one_are_not() -> None:
    stage = speaking()
    words = ev.ReplyTranscript("resp_1", "item_1", "hello", is_final=False)
    assert stage.hear(words) == [fx.TellTranscript("assistant", "item_1", "hello", is_final=False)]

    stage.hear(ev.SpeechStarted("user_2"))

    assert stage.hear(words) == []


def test_what_the_server_cancels_is_not_cancelled_by_us_when_two_cuts_are_under_way() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.hear(ev.TurnCommitted("user_2"))
    stage.hear(ev.ResponseDone("resp_1", "cancelled"))
    stage.reply("resp_2", "item_2")
    stage.take(ev.Interrupt())
    stage.take(se.PlaybackCut(1, (), stage.now))
    stage.hear(ev.SpeechStarted("user_3"))

    assert only(fx.CancelResponse, stage.silence()) == []
