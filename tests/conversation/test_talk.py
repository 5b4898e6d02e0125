"""Hold to talk: with turns of its own, and over a server that finds the turns."""

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
from voiced.conversation.talk import EARLY_S
from voiced.settings import Limits, Session, Settings, Turns

HELD = replace(SERVER_VAD, detects_turns=False, interrupts=False, replies=False)
"""What a server confirms that was told not to look for turns."""
KEY = Settings(session=Session(idle_hangup_s=0), turns=Turns(detection="manual"))


def talk(stage: Stage, seconds: float) -> list[fx.Effect]:
    """Let the microphone deliver for a while."""
    sent: list[fx.Effect] = []
    for _ in range(int(seconds / 0.02)):
        stage.now += 0.02
        sent += stage.take(se.MicrophoneFrames(SECOND[:960]))
    return sent


def kinds(effects: list[fx.Effect]) -> list[str]:
    """Return the names of the effects that are not only told, once for a run of equals."""
    names = [type(effect).__name__ for effect in silent(effects)]
    return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


# --- with turns of its own -----------------------------------------------------------------


def test_the_microphone_reaches_the_server_only_while_the_key_is_held() -> None:
    stage = listening(MANUAL)

    assert talk(stage, 0.2) == []
    stage.take(ev.TalkPress())
    assert len(only(fx.SendAudio, talk(stage, 0.2))) == 10
    stage.take(ev.TalkRelease())
    assert talk(stage, 0.2) == []


def test_a_held_turn_is_cleared_committed_and_answered() -> None:
    stage = listening(MANUAL)

    assert silent(stage.take(ev.TalkPress(7))) == [fx.ClearInput("clear_1"), fx.Answer(7)]
    assert stage.core.status().ptt
    talk(stage, 0.5)
    assert silent(stage.take(ev.TalkRelease(8))) == [fx.CommitInput("commit_2"), fx.Answer(8)]
    assert stage.state is State.THINKING
    assert silent(stage.hear(ev.TurnCommitted("user_1"))) == [fx.CreateResponse("response_3")]


def test_press_silences_the_assistant_before_anything_is_sent() -> None:
    stage = speaking(MANUAL)

    first = stage.take(ev.TalkPress())
    second = stage.silence(se.Heard("item_1", 0, 4800))

    assert silent(first) == [fx.CutPlayback(1), fx.Answer(ev.NOBODY)]
    assert silent(second) == [
        fx.CancelResponse("cancel_2", "resp_1"),
        fx.TruncateItem("truncate_3", "item_1", 0, 200),
        fx.ClearInput("clear_1"),
    ]


def test_a_turn_too_short_to_be_one_is_cleared() -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkPress())
    talk(stage, 0.06)

    effects = stage.take(ev.TalkRelease())

    assert only(fx.CommitInput, effects) == []
    assert len(only(fx.ClearInput, effects)) == 1
    assert stage.state is State.LISTENING


def test_a_cancelled_turn_is_cleared() -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkPress())
    talk(stage, 0.5)

    effects = stage.take(ev.TalkCancel(7))

    assert silent(effects) == [fx.ClearInput("clear_2"), fx.Answer(7)]
    assert not stage.core.status().ptt


def test_a_refused_commit_ends_the_waiting() -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkPress())
    talk(stage, 0.5)
    stage.take(ev.TalkRelease())

    stage.hear(ev.ServerError("input_audio_buffer_commit_empty", "too small", "commit_2"))

    assert stage.state is State.LISTENING


def test_a_commit_refused_without_our_id_ends_the_waiting_too() -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkPress())
    talk(stage, 0.2)
    stage.take(ev.TalkRelease())

    stage.hear(ev.ServerError("input_audio_buffer_commit_empty", "buffer too small"))

    assert stage.state is State.LISTENING


def test_silence_into_a_held_key_waits_for_the_cut_like_speech() -> None:
    stage = speaking(MANUAL)
    stage.take(se.MicrophoneLost("unplugged"))
    stage.take(ev.TalkPress())

    assert only(fx.SendAudio, stage.wait(0.2)) == []
    sent = silent(stage.silence(se.Heard("item_1", 0, 24_000)))
    kinds = [type(effect) for effect in sent]
    assert kinds.index(fx.ClearInput) < kinds.index(fx.SendAudio)


def test_an_interrupted_held_turn_does_not_doom_the_reply_to_the_next() -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkPress())
    talk(stage, 0.2)
    stage.take(ev.TalkRelease())
    stage.take(ev.Interrupt())
    stage.hear(ev.TurnCommitted("user_1"))
    stage.take(ev.Say("hello"))

    stage.hear(ev.ResponseCreated("resp_1"))

    assert only(fx.Play, stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND))) != []


def test_a_release_without_a_press_changes_nothing() -> None:
    stage = listening(MANUAL)

    assert stage.take(ev.TalkRelease(8)) == [fx.Answer(8)]
    assert stage.take(ev.TalkCancel(9)) == [fx.Answer(9)]


# --- the lease -----------------------------------------------------------------------------


def test_a_release_that_overtakes_its_press_leaves_nothing_open() -> None:
    stage = listening(MANUAL)

    stage.take(ev.TalkRelease(7, at_s=99.95))

    assert silent(stage.take(ev.TalkPress(8, at_s=99.94))) == [fx.Answer(8)]
    assert not stage.core.status().ptt


def test_a_clock_that_runs_ahead_does_not_lock_the_key() -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkRelease(at_s=1e9))
    stage.now += 1.0

    stage.take(ev.TalkPress())

    assert stage.core.status().ptt


def test_a_second_press_ends_the_turn_as_the_lost_release_would_have() -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkPress())
    talk(stage, 2.0)

    effects = stage.take(ev.TalkPress(7))

    assert kinds(effects) == ["CommitInput", "Answer"]
    assert not stage.core.status().ptt


def test_a_key_that_repeats_itself_holds_one_turn() -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkPress())
    for _ in range(50):
        talk(stage, 0.04)

        assert silent(stage.take(ev.TalkPress(7))) == [fx.Answer(7)]
    assert stage.core.status().ptt


def test_a_turn_is_ended_after_the_time_limit_and_that_is_told() -> None:
    stage = listening(MANUAL, Settings(turns=Turns(hold_max_s=3.0)))
    stage.take(ev.TalkPress())
    talk(stage, 2.9)

    due = stage.wait(0.2)

    assert kinds(due) == ["SendAudio", "CommitInput", "TellError"]
    assert [told.code for told in only(fx.TellError, due)] == ["held_too_long"]
    assert not stage.core.status().ptt


@pytest.mark.parametrize("facts", [MANUAL, SERVER_VAD])
@pytest.mark.parametrize(
    "event", [ev.Stop(), ev.Mute(wish=True), ev.TalkCancel()], ids=lambda it: type(it).__name__
)
def test_whatever_ends_the_hold_commits_nothing(facts: ev.SessionReady, event: ev.Wish) -> None:
    stage = listening(facts)
    stage.take(ev.TalkPress())
    talk(stage, 0.5)

    effects = stage.take(event)

    assert only(fx.CommitInput, effects) == []
    assert not stage.core.status().ptt
    assert only(fx.SendAudio, talk(stage, 0.2)) == [] or facts.detects_turns


def test_a_press_that_is_older_than_the_stop_starts_nothing() -> None:
    stage = listening(MANUAL)
    stage.take(ev.Stop(at_s=100.0))

    assert silent(stage.take(ev.TalkPress(7, at_s=99.9))) == [fx.Answer(7)]
    assert stage.state is State.IDLE


def test_a_hold_ends_with_its_session_and_that_is_told() -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkPress())
    talk(stage, 0.5)

    effects = stage.hear(ev.SessionLost("gone"))

    assert [told.code for told in only(fx.TellError, effects)] == ["not_sent"]
    assert not stage.core.status().ptt


def test_a_hold_is_refused_when_the_money_is_spent() -> None:
    stage = listening(MANUAL, Settings(limits=Limits(usd_per_day=1.0)))
    stage.core.scene.purse.usd_today = 2.0

    (answer,) = only(fx.Answer, stage.take(ev.TalkPress(7)))

    assert answer.code == "refused"
    assert not stage.core.status().ptt


@pytest.mark.parametrize(
    "event", [ev.Stop(), ev.Mute(wish=True), ev.Toggle(), ev.TalkCancel(), ev.Away("locked")]
)
def test_a_key_that_repeats_itself_does_not_undo_what_ended_the_hold(
    event: ev.Wish | ev.Away,
) -> None:
    stage = listening(MANUAL)
    stage.take(ev.TalkPress())
    for _ in range(25):
        talk(stage, 0.04)
        stage.take(ev.TalkPress())
    stage.take(event)

    for _ in range(25):
        stage.now += 0.04
        stage.take(ev.TalkPress())

    assert not stage.core.status().ptt


@pytest.mark.parametrize("wish", [True, None], ids=["mute on", "mute toggle"])
def test_mute_closes_a_muted_microphone_that_a_key_opened(*, wish: bool | None) -> None:
    stage = listening(MANUAL)
    stage.take(ev.Mute(wish=True))
    stage.take(ev.TalkPress())
    stage.take(se.MicrophoneOpened())
    talk(stage, 0.3)

    assert len(only(fx.CloseMicrophone, stage.take(ev.Mute(wish=wish)))) == 1
    assert stage.core.status().muted
    assert not stage.core.status().ptt


# --- over a server that finds the turns ----------------------------------------------------


@pytest.mark.parametrize("facts", [SERVER_VAD, FORGETFUL])
def test_the_server_does_not_look_for_turns_while_the_key_is_down(facts: ev.SessionReady) -> None:
    stage = listening(facts)

    pressed = stage.take(ev.TalkPress(7))
    stage.hear(ev.SessionChanged(HELD))
    said = talk(stage, 0.5)
    released = stage.take(ev.TalkRelease(8))
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.SessionChanged(facts))

    assert silent(pressed) == [
        fx.DetectTurns("detection_1", wanted=False),
        fx.ClearInput("clear_2"),
        fx.Answer(7),
    ]
    assert kinds(said) == ["SendAudio"]
    assert silent(released) == [
        fx.CommitInput("commit_3"),
        fx.DetectTurns("detection_4", wanted=True),
        fx.Answer(8),
    ]
    assert only(fx.CreateResponse, stage.effects) == [fx.CreateResponse("response_5")]
    assert only(fx.SendAudio, talk(stage, 0.2)) != []


def test_a_server_that_confirms_nothing_is_asked_for_the_reply_all_the_same() -> None:
    stage = listening(SERVER_VAD)
    stage.take(ev.TalkPress())
    talk(stage, 0.5)
    stage.take(ev.TalkRelease())

    assert kinds(stage.hear(ev.TurnCommitted("user_1"))) == ["CreateResponse"]


def test_what_was_begun_before_the_key_went_down_belongs_to_the_turn() -> None:
    stage = listening(SERVER_VAD)
    stage.hear(ev.SpeechStarted("user_1"))

    assert kinds(stage.take(ev.TalkPress())) == ["DetectTurns", "Answer"]
    assert not stage.core.scene.input.is_user_speaking


def test_speech_that_the_server_heard_as_the_key_went_down_is_not_waited_for() -> None:
    stage = speaking(SERVER_VAD)
    stage.take(ev.TalkPress())
    stage.hear(ev.SpeechStarted("user_2"))

    sent = stage.silence(se.Heard("item_1", 0, 4800))

    assert only(fx.CancelResponse, sent) == []
    assert not stage.core.scene.input.is_user_speaking


def test_the_answer_to_a_turn_that_crossed_with_the_key_is_not_played() -> None:
    stage = listening(SERVER_VAD)
    stage.hear(ev.SpeechStarted("user_1"))
    stage.take(ev.TalkPress())
    stage.hear(ev.SpeechStopped("user_1"))
    stage.hear(ev.TurnCommitted("user_1"))
    stage.hear(ev.SessionChanged(HELD))

    stage.hear(ev.ResponseCreated("resp_1"))

    assert only(fx.Play, stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND))) == []
    assert [told.response_id for told in only(fx.CancelResponse, stage.effects)] == ["resp_1"]


def test_the_answer_to_the_turn_before_the_hold_is_not_played_after_it() -> None:
    stage = listening(SERVER_VAD)
    stage.hear(ev.SpeechStarted("user_1"))
    stage.hear(ev.SpeechStopped("user_1"))
    stage.hear(ev.TurnCommitted("user_1"))
    stage.take(ev.TalkPress())
    talk(stage, 0.5)
    stage.take(ev.TalkRelease())

    stage.hear(ev.ResponseCreated("resp_1"))

    assert only(fx.Play, stage.hear(ev.AudioDelta("resp_1", "item_1", 0, SECOND))) == []
    stage.hear(ev.TurnCommitted("user_2"))
    assert only(fx.CreateResponse, stage.hear(ev.ResponseDone("resp_1", "cancelled"))) != []


def test_settings_that_were_read_again_count_after_the_hold() -> None:
    stage = listening(SERVER_VAD)
    stage.take(ev.TalkPress())
    stage.hear(ev.SessionChanged(HELD))
    stage.core.configure(KEY)
    talk(stage, 0.5)
    stage.take(ev.TalkRelease())

    stage.hear(ev.SessionChanged(HELD))

    assert only(fx.SendAudio, talk(stage, 0.2)) == []


def test_a_hold_before_the_last_one_was_given_back_is_a_hold_too() -> None:
    stage = listening(SERVER_VAD)
    stage.take(ev.TalkPress())
    stage.hear(ev.SessionChanged(HELD))
    talk(stage, 0.3)
    stage.take(ev.TalkRelease())
    stage.now += 0.1

    assert [told.wanted for told in only(fx.DetectTurns, stage.take(ev.TalkPress()))] == [False]


def test_late_confirmations_of_quick_holds_do_not_make_the_session_deaf() -> None:
    stage = listening(SERVER_VAD)
    for _ in range(3):
        stage.take(ev.TalkPress())
        talk(stage, 0.3)
        stage.take(ev.TalkRelease())
        stage.now += 0.1
    for facts in (HELD, SERVER_VAD) * 3:
        stage.hear(ev.SessionChanged(facts))

        assert only(fx.SendAudio, talk(stage, 0.1)) != []
    assert stage.core.scene.link.unanswered == 0


def test_settings_that_find_turns_since_the_hold_began_are_asked_for() -> None:
    stage = listening(MANUAL, KEY)
    stage.take(ev.TalkPress())
    stage.core.configure(Settings())
    stage.hear(ev.SessionChanged(HELD))
    talk(stage, 0.3)

    released = stage.take(ev.TalkRelease())
    stage.hear(ev.SessionChanged(SERVER_VAD))

    assert [told.wanted for told in only(fx.DetectTurns, released)] == [True]
    assert only(fx.SendAudio, talk(stage, 0.1)) != []


def test_a_refusal_to_stop_looking_is_an_answer() -> None:
    stage = listening(SERVER_VAD)
    stage.take(ev.TalkPress())

    stage.hear(ev.ServerError("invalid_value", "no", "detection_1"))

    assert stage.core.scene.link.unanswered == 0


def test_speech_that_crossed_with_a_short_hold_does_not_cost_the_answer() -> None:
    stage = listening(SERVER_VAD)
    stage.take(ev.TalkPress())
    talk(stage, 0.15)
    stage.take(ev.TalkRelease())

    stage.hear(ev.SpeechStarted("user_1"))
    stage.hear(ev.SessionChanged(HELD))

    assert only(fx.CreateResponse, stage.hear(ev.TurnCommitted("user_1"))) != []


def test_a_muted_microphone_is_open_for_the_time_of_the_hold() -> None:
    stage = listening(SERVER_VAD)
    stage.take(ev.Mute(wish=True))
    assert stage.core.status().state == "muted"

    pressed = stage.take(ev.TalkPress())
    stage.take(se.MicrophoneOpened())
    assert (stage.core.status().state, stage.core.status().mic_open) == ("listening", True)
    talk(stage, 0.5)
    released = stage.take(ev.TalkRelease())

    assert len(only(fx.OpenMicrophone, pressed)) == 1
    assert len(only(fx.CloseMicrophone, released)) == 1
    assert stage.core.status().muted
    assert not stage.core.status().mic_open
    assert silent(stage.take(se.MicrophoneOpened())) == [fx.CloseMicrophone()]


# --- without a session ---------------------------------------------------------------------


@pytest.mark.parametrize("facts", [MANUAL, SERVER_VAD])
def test_a_press_begins_a_conversation_and_its_words_wait_for_the_session(
    facts: ev.SessionReady,
) -> None:
    stage = Stage()

    assert kinds(stage.take(ev.TalkPress(7))) == ["OpenSpeaker", "OpenMicrophone", "OpenSession"]
    assert only(fx.Answer, stage.take(se.MicrophoneOpened())) == [fx.Answer(7)]
    assert only(fx.SendAudio, talk(stage, 0.5)) == []
    ready = stage.hear(facts)

    before = ["DetectTurns"] if facts.detects_turns else []
    assert kinds(ready) == [*before, "SendAudio"]
    assert sum(len(sent.pcm) for sent in only(fx.SendAudio, ready)) == len(SECOND) // 2
    assert kinds(talk(stage, 0.2)) == ["SendAudio"]
    assert kinds(stage.take(ev.TalkRelease()))[0] == "CommitInput"


@pytest.mark.parametrize("facts", [MANUAL, SERVER_VAD])
def test_a_turn_that_is_over_before_the_session_is_ready_is_committed_then(
    facts: ev.SessionReady,
) -> None:
    stage = connecting()
    stage.take(se.MicrophoneOpened())
    stage.take(ev.TalkPress())
    talk(stage, 0.5)

    assert silent(stage.take(ev.TalkRelease(7))) == [fx.Answer(7)]
    assert only(fx.SendAudio, talk(stage, 0.5)) == []
    ready = stage.hear(facts)

    around = ["DetectTurns"] if facts.detects_turns else []
    assert kinds(ready) == [*around, "SendAudio", "CommitInput", *around]
    assert stage.state is State.THINKING
    assert only(fx.CreateResponse, stage.hear(ev.TurnCommitted("user_1"))) != []


def test_a_tap_before_the_session_is_ready_sends_nothing() -> None:
    stage = connecting()
    stage.take(se.MicrophoneOpened())
    stage.take(ev.TalkPress())
    talk(stage, 0.04)
    stage.take(ev.TalkRelease())

    assert only(fx.SendAudio, stage.hear(MANUAL)) == []
    assert stage.state is State.LISTENING


@pytest.mark.parametrize("is_released", [True, False])
def test_words_without_a_session_are_thrown_away_when_they_are_stale(*, is_released: bool) -> None:
    stage = connecting()
    stage.take(ev.Mute(wish=True))
    stage.take(ev.TalkPress())
    stage.take(se.MicrophoneOpened())
    talk(stage, 0.5)
    if is_released:
        stage.take(ev.TalkRelease())

    due = stage.wait(EARLY_S)

    assert [told.code for told in only(fx.TellError, due)] == ["not_sent"]
    assert only(fx.SendAudio, stage.hear(MANUAL)) == []
    assert not stage.core.status().mic_open


def test_a_press_tries_a_lost_connection_at_once() -> None:
    stage = listening(MANUAL)
    stage.hear(ev.SessionLost("gone"))
    assert not stage.core.status().mic_open

    effects = stage.take(ev.TalkPress(7))

    assert silent(effects) == [fx.Answer(7), fx.OpenMicrophone(), fx.OpenSession(3)]


def test_a_second_press_before_the_session_is_ready_goes_on_with_the_turn() -> None:
    stage = connecting(KEY)
    stage.take(ev.TalkPress())
    stage.take(se.MicrophoneOpened())
    talk(stage, 1.0)
    stage.take(ev.TalkRelease())
    stage.now += 0.3
    stage.take(ev.TalkPress())
    stage.now += 0.03
    stage.take(ev.TalkRelease())

    ready = stage.hear(MANUAL)

    assert kinds(ready) == ["SendAudio", "CommitInput"]


# --- just before the press -----------------------------------------------------------------


def say(stage: Stage, seconds: float, sample: int) -> list[fx.Effect]:
    """Let the microphone deliver samples that are told apart from others."""
    sent: list[fx.Effect] = []
    for _ in range(round(seconds / 0.02)):
        stage.now += 0.02
        sent += stage.take(se.MicrophoneFrames(bytes([sample, 0]) * 480))
    return sent


def sent(effects: list[fx.Effect]) -> list[int]:
    """Return which samples were sent, once for each 20 ms."""
    pcm = b"".join(effect.pcm for effect in only(fx.SendAudio, effects))
    return [pcm[at] for at in range(0, len(pcm), 960)]


@pytest.mark.parametrize("facts", [MANUAL, SERVER_VAD, FORGETFUL])
def test_what_was_said_just_before_the_press_is_the_front_of_the_turn(
    facts: ev.SessionReady,
) -> None:
    stage = listening(facts)
    say(stage, 1.0, 1)
    say(stage, 0.3, 2)
    stage.now += 0.01

    effects = stage.take(ev.TalkPress())

    assert kinds(effects)[-3:] == ["ClearInput", "SendAudio", "Answer"]
    assert sent(effects) == [2] * 15
    assert max(len(part.pcm) for part in only(fx.SendAudio, effects)) <= 1920
    assert sent(say(stage, 0.1, 3)) == [3] * 5


def test_a_press_that_was_long_on_its_way_reaches_back_from_the_key() -> None:
    stage = listening(MANUAL)
    say(stage, 0.3, 2)
    pressed_s = stage.now
    say(stage, 0.1, 3)

    assert sent(stage.take(ev.TalkPress(at_s=pressed_s))) == [2] * 15 + [3] * 5


def test_nothing_is_older_than_a_press_can_be_late() -> None:
    stage = listening(MANUAL)
    say(stage, 3.0, 2)

    assert len(stage.core.scene.input.recent) <= 41
    assert len(sent(stage.take(ev.TalkPress(at_s=stage.now - 2.0)))) <= 41


def test_the_front_of_the_turn_waits_for_the_silence_and_follows_the_clearing() -> None:
    stage = speaking()
    say(stage, 0.3, 2)

    pressed = stage.take(ev.TalkPress())
    said = say(stage, 0.04, 3)
    effects = stage.silence(se.Heard("item_1", 0, 24_000))

    assert only(fx.SendAudio, [*pressed, *said]) == []
    assert kinds(effects) == [
        "CancelResponse",
        "TruncateItem",
        "DetectTurns",
        "ClearInput",
        "SendAudio",
    ]
    assert sent(effects) == [2] * 15 + [3] * 2


def test_what_the_server_keeps_of_the_turn_is_not_sent_again() -> None:
    stage = listening()
    stage.hear(ev.SpeechStarted("user_1"))
    say(stage, 0.3, 2)

    assert sent(stage.take(ev.TalkPress())) == []


def test_a_tap_does_not_become_a_turn_by_what_was_said_before_it() -> None:
    stage = listening(MANUAL)
    say(stage, 1.0, 2)
    stage.take(ev.TalkPress())
    say(stage, 0.04, 3)

    assert only(fx.CommitInput, stage.take(ev.TalkRelease())) == []


@pytest.mark.parametrize("end", [ev.TalkRelease(), ev.TalkCancel()], ids=type)
def test_nothing_from_before_the_end_of_a_hold_is_in_the_next(end: ev.Wish) -> None:
    stage = listening(MANUAL)
    say(stage, 1.0, 1)
    stage.take(ev.TalkPress())
    say(stage, 1.0, 2)
    stage.take(end)
    say(stage, 0.1, 3)

    assert sent(stage.take(ev.TalkPress())) == [3] * 5


def test_nothing_from_before_a_mute_is_in_the_turn() -> None:
    stage = listening(MANUAL)
    say(stage, 1.0, 1)
    stage.take(ev.Mute(wish=True))
    say(stage, 0.1, 2)
    stage.take(ev.Mute(wish=False))
    stage.take(se.MicrophoneOpened())
    say(stage, 0.1, 3)

    assert sent(stage.take(ev.TalkPress())) == [3] * 5


def test_nothing_from_before_the_microphone_was_lost_is_in_the_turn() -> None:
    stage = listening(MANUAL)
    say(stage, 1.0, 1)
    stage.take(se.MicrophoneLost("unplugged"))

    assert sent(stage.take(ev.TalkPress())) == []


def test_a_microphone_that_stood_still_has_nothing_recent() -> None:
    stage = listening(MANUAL)
    say(stage, 1.0, 1)
    stage.now += 1.0

    assert sent(stage.take(ev.TalkPress())) == []


def test_without_a_time_before_the_press_the_turn_begins_with_it() -> None:
    stage = listening(MANUAL, replace(KEY, turns=Turns(detection="manual", hold_preroll_ms=0)))
    say(stage, 1.0, 1)
    pressed_s = stage.now
    say(stage, 0.04, 2)

    assert sent(stage.take(ev.TalkPress(at_s=pressed_s))) == [2] * 2


def test_what_was_said_before_the_press_waits_for_the_session_with_the_rest() -> None:
    stage = connecting(KEY)
    stage.take(se.MicrophoneOpened())
    say(stage, 0.3, 2)
    stage.take(ev.TalkPress())
    say(stage, 0.2, 3)

    assert sent(stage.hear(MANUAL)) == [2] * 15 + [3] * 10


def test_the_first_syllables_over_the_assistant_reach_a_server_that_finds_turns() -> None:
    stage = speaking()

    assert sent(say(stage, 0.3, 2)) == [2] * 15
    stage.hear(ev.SpeechStarted("user_2"))
    assert sent(say(stage, 0.1, 3)) == [3] * 5


def test_a_press_silences_what_a_lost_session_left() -> None:
    stage = speaking()
    stage.hear(ev.SessionLost("gone"))
    effects = stage.take(ev.TalkPress())

    assert only(fx.CutPlayback, effects)
    assert kinds(effects)[0] == "CutPlayback"
