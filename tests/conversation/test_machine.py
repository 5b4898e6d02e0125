from collections.abc import Callable
from dataclasses import replace

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
from voiced.conversation.input import LONGEST_SPEECH_S
from voiced.conversation.machine import QUIET_BEFORE_RENEW_S, SILENT_SERVER_S
from voiced.settings import Limits, Provider, Session, Settings

NEVER = Settings(session=Session(idle_hangup_s=0))


def test_a_new_conversation_is_idle_and_waits_for_nothing() -> None:
    stage = Stage()

    assert stage.state is State.IDLE
    assert stage.core.deadline is None
    assert stage.wait(1e6) == []


def test_the_state_is_told_when_it_changes_and_only_then() -> None:
    stage = Stage()

    assert [told.status.state for told in only(fx.TellState, stage.take(ev.Start()))] == [
        "connecting"
    ]
    assert only(fx.TellState, stage.take(ev.Start())) == []


def test_the_same_events_at_the_same_times_have_the_same_effects() -> None:
    assert speaking().effects == speaking().effects


def test_zeros_are_sent_when_they_are_due() -> None:
    stage = listening()
    stage.take(ev.Mute(wish=True))

    assert stage.core.deadline == stage.now + 0.04
    assert [len(effect.pcm) for effect in only(fx.SendAudio, stage.wait(0.04))] == [1920]


def test_a_conversation_nobody_takes_part_in_is_ended() -> None:
    stage = listening(settings=Settings(session=Session(idle_hangup_s=300)))
    stage.wait(299.0)
    assert stage.state is State.LISTENING

    effects = stage.wait(1.0)

    assert stage.state is State.IDLE
    assert only(fx.TellSession, effects) == [fx.TellSession("ended", "nobody spoke for 300 s")]
    assert fx.CloseMicrophone() in effects


def test_a_reply_that_no_loudspeaker_plays_keeps_nobody_busy() -> None:
    stage = listening(settings=Settings(session=Session(idle_hangup_s=300)))
    stage.take(se.SpeakerLost("unplugged"))
    stage.reply()
    stage.finish()
    assert stage.state is State.SPEAKING

    stage.wait(300.0)

    assert stage.state is State.IDLE


def test_a_command_puts_the_idle_end_off() -> None:
    stage = listening(settings=Settings(session=Session(idle_hangup_s=300)))
    stage.wait(299.0)
    stage.take(ev.Interrupt())

    stage.wait(2.0)

    assert stage.state is State.LISTENING


def test_speech_puts_the_idle_end_off() -> None:
    stage = listening(settings=Settings(session=Session(idle_hangup_s=300)))
    stage.wait(200.0)
    stage.hear(ev.SpeechStarted("user_1"))
    stage.wait(200.0)
    assert stage.state is State.LISTENING

    stage.hear(ev.SpeechStopped("user_1"))
    stage.wait(299.0)

    assert stage.state is State.LISTENING


def test_an_old_session_is_replaced_in_a_quiet_moment() -> None:
    stage = listening(settings=Settings(session=Session(idle_hangup_s=0, max_age_s=100)))
    before = stage.session

    effects = stage.wait(100.0)

    assert silent(effects)[-2:] == [fx.CloseSession(), fx.OpenSession(before + 1)]
    assert stage.state is State.CONNECTING


def test_an_old_session_is_not_replaced_when_somebody_has_just_spoken() -> None:
    stage = listening(settings=Settings(session=Session(idle_hangup_s=0, max_age_s=100)))
    stage.wait(99.0)
    stage.hear(ev.SpeechStarted("user_1"))
    stage.now += 5.0
    stage.hear(ev.SpeechStopped("user_1"))

    assert only(fx.OpenSession, stage.wait(QUIET_BEFORE_RENEW_S - 0.1)) == []
    assert only(fx.OpenSession, stage.wait(0.2)) != []


def test_a_session_that_is_replaced_does_not_put_the_idle_end_off() -> None:
    stage = listening(settings=Settings(session=Session(idle_hangup_s=300, max_age_s=200)))
    stage.wait(200.0)
    stage.hear(SERVER_VAD)

    stage.wait(100.0)

    assert stage.state is State.IDLE


def test_speech_that_never_ends_does_not_keep_a_conversation_for_ever() -> None:
    stage = listening(settings=Settings(session=Session(idle_hangup_s=300)))
    stage.hear(ev.SpeechStarted("user_1"))
    stage.wait(LONGEST_SPEECH_S)
    stage.wait(300.0)

    assert stage.state is State.IDLE


def test_an_old_session_is_not_replaced_while_somebody_speaks() -> None:
    stage = listening(settings=Settings(session=Session(idle_hangup_s=0, max_age_s=100)))
    stage.hear(ev.SpeechStarted("user_1"))

    assert only(fx.OpenSession, stage.wait(200.0)) == []


def test_a_reply_that_never_comes_is_given_up() -> None:
    stage = listening()
    stage.take(ev.Say("hello"))
    stage.wait(SILENT_SERVER_S - 1)
    assert stage.state is State.THINKING

    effects = stage.wait(1.0)

    assert [told.code for told in only(fx.TellError, effects)] == ["reply_missing"]
    assert stage.state is State.LISTENING


def test_a_reply_that_stops_in_the_middle_is_played_to_its_end() -> None:
    """The server breaks off: no more samples, no end of the item, none of the response."""
    stage = speaking()
    stage.hear(ev.ServerError("server_error", "out of order"))

    effects = stage.wait(SILENT_SERVER_S)

    assert fx.FinishPlay("item_1", 0) in effects
    assert stage.state is State.SPEAKING
    stage.drain()
    assert stage.state is State.LISTENING


def test_samples_of_a_response_that_was_never_announced_are_played_to_their_end() -> None:
    stage = listening()
    stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND))
    assert stage.state is State.SPEAKING

    assert fx.FinishPlay("item_1", 0) in stage.wait(SILENT_SERVER_S)
    stage.drain()
    assert stage.state is State.LISTENING


def test_a_reply_that_comes_late_is_played_all_the_same() -> None:
    stage = listening()
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.ResponseCreated("resp_1"))
    stage.wait(SILENT_SERVER_S + 1)
    assert stage.state is State.LISTENING

    effects = stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND))

    assert only(fx.Play, effects) != []
    assert stage.state is State.SPEAKING


def test_a_late_reply_is_cancelled_when_something_else_is_asked_for() -> None:
    stage = listening()
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.ResponseCreated("resp_1"))
    stage.wait(SILENT_SERVER_S)

    said = stage.take(ev.Say("are you there"))

    assert [cancel.response_id for cancel in only(fx.CancelResponse, said)] == ["resp_1"]
    assert only(fx.CreateResponse, said) == []
    assert only(fx.CreateResponse, stage.hear(ev.ResponseDone("resp_1", "cancelled"))) != []


def test_a_late_reply_is_dead_once_the_user_speaks() -> None:
    stage = listening()
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.ResponseCreated("resp_1"))
    stage.wait(SILENT_SERVER_S)
    stage.hear(ev.SpeechStarted("user_2"))

    assert only(fx.Play, stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND))) == []


def test_who_tries_again_and_again_does_not_keep_a_dead_response_alive() -> None:
    stage = listening(MANUAL)
    stage.take(ev.Say("one"))
    stage.hear(ev.ResponseCreated("resp_1", only(fx.CreateResponse, stage.effects)[0].event_id))
    stage.take(ev.Interrupt())
    asked: list[fx.CreateResponse] = []
    for _ in range(5):
        stage.wait(10.0)
        asked += only(fx.CreateResponse, stage.take(ev.Say("again")))

    assert asked != []


def test_a_dead_response_that_never_ends_does_not_block_the_next() -> None:
    stage = speaking()
    stage.take(ev.Interrupt())
    stage.silence()

    effects = stage.wait(SILENT_SERVER_S)

    assert only(fx.TellError, effects) == []
    assert only(fx.CreateResponse, stage.take(ev.Say("hello"))) != []


def test_a_user_who_speaks_for_long_does_not_make_the_server_late() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.silence()

    assert only(fx.TellError, stage.wait(SILENT_SERVER_S * 2)) == []


def test_the_spent_cap_ends_the_conversation_when_the_reply_has_been_heard() -> None:
    stage = listening(settings=Settings(limits=Limits(usd_per_day=0.05)))
    stage.hear(ev.TurnCommitted("user_1"))
    stage.reply()
    stage.hear(ev.AudioDone("resp_1", "item_1", 0))
    stage.hear(ev.ResponseDone("resp_1", "completed", usage=ev.Usage(audio_out=1000)))
    assert stage.state is State.SPEAKING

    effects = stage.drain()

    assert stage.state is State.IDLE
    assert [told.code for told in only(fx.TellError, effects)] == ["daily_cap"]
    assert stage.core.status().error == "the daily cap of 0.05 USD is spent"
    stage.take(ev.NewDay())
    assert stage.core.status().error is None


def test_what_would_cost_more_is_refused_when_the_cap_is_spent() -> None:
    for facts, wish in ((SERVER_VAD, ev.Say("hello", 5)), (MANUAL, ev.TalkPress(5))):
        stage = listening(facts, Settings(limits=Limits(usd_per_day=0.05)))
        stage.hear(ev.TurnCommitted("user_1"))
        stage.reply()
        stage.hear(ev.ResponseDone("resp_1", "completed", usage=ev.Usage(audio_out=1000)))

        (answer,) = only(fx.Answer, stage.take(wish))

        assert (answer.ask, answer.code) == (5, "refused")
        assert "daily cap" in answer.message


def test_a_cap_that_cannot_be_kept_is_told() -> None:
    unknown = replace(SERVER_VAD, model="my-deployment")
    capped = listening(unknown, Settings(limits=Limits(usd_per_day=0.05)))

    assert [told.code for told in only(fx.TellError, capped.effects)] == ["no_price"]
    assert only(fx.TellError, listening(unknown).effects) == []


def test_a_new_day_starts_again_at_zero() -> None:
    stage = listening()
    stage.core.scene.purse.usd_today = 5.0
    stage.core.scene.purse.usd_session = 2.0

    assert stage.take(ev.NewDay()) == [fx.TellCost(0.0, 2.0)]
    assert stage.core.status().usd_today == 0.0


def test_the_built_in_server_costs_nothing() -> None:
    free = Settings(provider=Provider(kind="local"), limits=Limits(usd_per_day=0.05))
    stage = listening(replace(SERVER_VAD, model="unheard of"), free)
    stage.hear(SERVER_VAD)
    stage.reply()
    stage.hear(ev.ResponseDone("resp_1", "completed", usage=ev.Usage(audio_out=10**6)))

    assert stage.core.status().usd_today == 0.0
    assert only(fx.TellError, stage.effects) == []


def test_another_provider_is_named_when_it_is_used() -> None:
    stage = listening()
    stage.core.configure(Settings(provider=Provider(kind="local")))
    assert stage.core.status().provider == "openai"

    stage.hear(ev.SessionLost("gone"))
    stage.wait(10.0)

    assert stage.core.status().provider == "local"


def test_one_trouble_of_two_devices_is_told_once() -> None:
    stage = listening()
    stage.take(se.MicrophoneLost("no sound server"))
    stage.take(se.SpeakerLost("no sound server"))

    assert stage.core.status().error == "no sound server"


def test_new_settings_are_taken() -> None:
    stage = listening()

    stage.core.configure(Settings(session=Session(max_age_s=7), limits=Limits(usd_per_day=3)))

    assert stage.core.scene.link.max_age_s == 7
    assert stage.core.scene.purse.usd_per_day == 3


def test_the_status_tells_what_is_going_on() -> None:
    stage = speaking()
    status = stage.core.status()

    assert status.state == "speaking"
    assert (status.muted, status.mic_open, status.online, status.ptt) == (False, True, True, False)
    assert status.started_at_s == 100.0
    assert status.turns == 1
    assert status.error is None


def test_a_muted_conversation_says_so_only_while_it_listens() -> None:
    stage = speaking()
    stage.take(ev.Mute(wish=True))

    assert stage.core.status().state == "speaking"
    stage.finish()
    stage.drain()
    assert stage.core.status().state == "muted"


def test_a_second_interruption_before_the_first_is_over_waits_for_the_silence() -> None:
    stage = speaking()
    stage.take(ev.Interrupt())

    effects = stage.take(ev.Say("listen"))

    assert silent(effects) == [fx.Answer(ev.NOBODY)]
    kinds = [type(effect) for effect in silent(stage.silence(se.Heard("item_1", 0, 24)))]
    assert kinds == [fx.CancelResponse, fx.TruncateItem, fx.SendText]


def test_a_turn_that_ends_before_the_silence_is_reported_is_thought_about() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.hear(ev.SpeechStopped("user_2"))

    stage.hear(ev.TurnCommitted("user_2"))

    assert stage.state is State.THINKING
    stage.silence(se.Heard("item_1", 0, 24))
    assert stage.state is State.THINKING


def test_a_reply_that_begins_before_the_silence_is_reported_is_spoken() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.hear(ev.TurnCommitted("user_2"))
    stage.hear(ev.ResponseDone("resp_1", "cancelled"))

    stage.reply("resp_2", "item_2")

    assert stage.state is State.SPEAKING
    effects = stage.silence(se.Heard("item_1", 0, 24_000))
    assert silent(effects) == [fx.TruncateItem("truncate_1", "item_1", 0, 1000)]
    assert stage.state is State.SPEAKING


@pytest.mark.parametrize("facts", [SERVER_VAD, MANUAL, FORGETFUL])
def test_every_event_can_come_at_every_time(facts: ev.SessionReady) -> None:
    """Nothing that arrives, in whatever state, may raise."""
    heard = (se.Heard("item_1", 0, 100), se.Heard("nobody", 3, 5))
    events: list[ev.Event] = [
        ev.Start(1),
        ev.Toggle(2),
        ev.Interrupt(3),
        ev.Mute(None, 4),
        ev.Say("hi", 5),
        ev.TalkPress(6),
        ev.TalkRelease(7),
        ev.TalkCancel(8),
        se.MicrophoneOpened(),
        se.MicrophoneLost("x"),
        se.MicrophoneFrames(bytes(960)),
        se.SpeakerOpened(),
        se.SpeakerLost("x"),
        se.PlaybackDrained(1),
        se.PlaybackCut(1, heard, 0.0),
        ev.NewDay(),
    ]
    server: list[ev.ServerEvent] = [
        facts,
        ev.SessionChanged(facts),
        ev.SpeechStarted("u"),
        ev.SpeechStopped("u"),
        ev.TurnCommitted("u"),
        ev.ResponseCreated("resp_7"),
        ev.ItemAdded("resp_8", "item_8", is_message=True),
        ev.AudioDelta("resp_9", "item_9", 0, bytes(480)),
        ev.AudioDone("resp_9", "item_9", 0),
        ev.ResponseDone("resp_9", "failed"),
        ev.ServerError("x", "y", "z_1"),
        ev.SessionLost("gone"),
    ]
    makers: list[Callable[[], Stage]] = [
        Stage,
        connecting,
        lambda: listening(facts),
        lambda: speaking(facts),
    ]
    for make in makers:
        for event in events:
            make().take(event)
        for said in server:
            make().hear(said)
