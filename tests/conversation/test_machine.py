from collections.abc import Callable

import pytest

from tests.conversation.stage import (
    FORGETFUL,
    MANUAL,
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
from voiced.conversation.machine import SILENT_SERVER_S
from voiced.settings import Limits, Session, Settings

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


def test_a_new_day_starts_again_at_zero() -> None:
    stage = listening()
    stage.core.scene.purse.usd_today = 5.0
    stage.core.scene.purse.usd_session = 2.0

    assert stage.take(ev.NewDay()) == [fx.TellCost(0.0, 2.0)]
    assert stage.core.status().usd_today == 0.0


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
    kinds = [type(effect) for effect in silent(stage.silence(ev.Heard("item_1", 0, 24)))]
    assert kinds == [fx.CancelResponse, fx.TruncateItem, fx.SendText]


def test_a_turn_that_ends_before_the_silence_is_reported_is_thought_about() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.hear(ev.SpeechStopped("user_2"))

    stage.hear(ev.TurnCommitted("user_2"))

    assert stage.state is State.THINKING
    stage.silence(ev.Heard("item_1", 0, 24))
    assert stage.state is State.THINKING


def test_a_reply_that_begins_before_the_silence_is_reported_is_spoken() -> None:
    stage = speaking()
    stage.hear(ev.SpeechStarted("user_2"))
    stage.hear(ev.TurnCommitted("user_2"))
    stage.hear(ev.ResponseDone("resp_1", "cancelled"))

    stage.reply("resp_2", "item_2")

    assert stage.state is State.SPEAKING
    effects = stage.silence(ev.Heard("item_1", 0, 24_000))
    assert silent(effects) == [fx.TruncateItem("truncate_1", "item_1", 0, 1000)]
    assert stage.state is State.SPEAKING


@pytest.mark.parametrize("facts", [SERVER_VAD, MANUAL, FORGETFUL])
def test_every_event_can_come_at_every_time(facts: ev.SessionReady) -> None:
    """Nothing that arrives, in whatever state, may raise."""
    heard = (ev.Heard("item_1", 0, 100), ev.Heard("nobody", 3, 5))
    events: list[ev.Event] = [
        ev.Start(1),
        ev.Toggle(2),
        ev.Interrupt(3),
        ev.Mute(None, 4),
        ev.Say("hi", 5),
        ev.TalkPress(6),
        ev.TalkRelease(7),
        ev.TalkCancel(8),
        ev.MicrophoneOpened(),
        ev.MicrophoneLost("x"),
        ev.MicrophoneFrames(bytes(960)),
        ev.SpeakerOpened(),
        ev.SpeakerLost("x"),
        ev.PlaybackDrained(1),
        ev.PlaybackCut(1, heard, 0.0),
        ev.NewDay(),
    ]
    server: list[ev.ServerEvent] = [
        facts,
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
