import pytest

from tests.conversation.stage import SECOND, Stage, listening, only, silent, speaking
from voiced.conversation import State
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.hearing import TAIL_S
from voiced.conversation.sound import RETRY_S


def test_captured_samples_are_sent() -> None:
    assert listening().take(se.MicrophoneFrames(SECOND[:960])) == [fx.SendAudio(SECOND[:960])]


def test_captured_samples_of_a_muted_microphone_are_not_sent() -> None:
    stage = listening()
    stage.take(ev.Mute(wish=True))

    assert stage.take(se.MicrophoneFrames(SECOND[:960])) == []


def test_captured_samples_without_a_session_are_not_sent() -> None:
    assert Stage().take(se.MicrophoneFrames(SECOND[:960])) == []


def test_a_lost_microphone_is_told_and_tried_again() -> None:
    stage = listening()

    effects = stage.take(se.MicrophoneLost("unplugged"))

    assert only(fx.TellError, effects) == [fx.TellError("no_microphone", "unplugged")]
    assert stage.core.status().error == "unplugged"
    assert not stage.core.status().mic_open
    assert only(fx.OpenMicrophone, stage.wait(RETRY_S)) == [fx.OpenMicrophone()]


def test_silence_takes_the_place_of_a_lost_microphone() -> None:
    stage = listening()
    stage.take(se.MicrophoneLost("unplugged"))

    sent = only(fx.SendAudio, [effect for _ in range(25) for effect in stage.wait(0.04)])

    assert sum(len(effect.pcm) for effect in sent) == len(SECOND)


def test_a_microphone_that_is_back_clears_the_problem() -> None:
    stage = listening()
    stage.take(se.MicrophoneLost("unplugged"))
    stage.wait(RETRY_S)

    stage.take(se.MicrophoneOpened())

    assert stage.core.status().error is None
    assert stage.core.status().mic_open


def test_a_microphone_nobody_wants_is_not_missed() -> None:
    muted = listening()
    muted.take(ev.Mute(wish=True))

    assert muted.take(se.MicrophoneLost("unplugged")) == []
    assert Stage().take(se.MicrophoneLost("unplugged")) == []


def test_a_lost_loudspeaker_is_told_and_tried_again() -> None:
    stage = listening()

    effects = stage.take(se.SpeakerLost("unplugged"))

    assert only(fx.TellError, effects) == [fx.TellError("no_loudspeaker", "unplugged")]
    assert only(fx.OpenSpeaker, stage.wait(RETRY_S)) == [fx.OpenSpeaker()]
    stage.take(se.SpeakerOpened())
    assert stage.core.status().error is None


def test_a_loudspeaker_nobody_wants_is_not_missed() -> None:
    assert Stage().take(se.SpeakerLost("unplugged")) == []


def test_speaking_ends_with_the_last_sample_and_not_with_the_response() -> None:
    stage = speaking()
    stage.finish()
    assert stage.state is State.SPEAKING

    stage.drain()

    assert stage.state is State.LISTENING


def test_a_report_older_than_the_newest_samples_does_not_end_the_speaking() -> None:
    stage = speaking()
    stage.finish()

    stage.take(se.PlaybackDrained(stage.core.scene.turns.plays - 1))

    assert stage.state is State.SPEAKING


def test_a_report_of_a_cut_nobody_ordered_is_dropped() -> None:
    assert silent(speaking().take(se.PlaybackCut(99, (), 0.0))) == []


def test_a_microphone_that_opens_when_nobody_wants_it_is_closed_again() -> None:
    assert Stage().take(se.MicrophoneOpened()) == [fx.CloseMicrophone()]
    assert not Stage().core.status().mic_open


def test_a_start_without_a_network_is_still_told_about_the_microphone() -> None:
    for report, answer in (
        (se.MicrophoneOpened(), fx.Answer(7)),
        (se.MicrophoneLost("none"), fx.Answer(7, "unavailable", "none")),
    ):
        stage = Stage()
        stage.take(ev.Start(7))
        assert only(fx.Answer, stage.hear(ev.SessionLost("offline"))) == []

        assert only(fx.Answer, stage.take(report)) == [answer]
        assert only(fx.OpenMicrophone, stage.wait(60.0)) == []


def test_a_microphone_that_opens_after_it_was_muted_is_closed_again() -> None:
    stage = listening()
    stage.take(ev.Mute(wish=True))

    effects = stage.take(se.MicrophoneOpened())

    assert fx.CloseMicrophone() in effects
    assert not stage.core.status().mic_open


# --- half duplex -----------------------------------------------------------------------------

VOICE = b"\x01\x02" * 480
HALF_DUPLEX = se.HearingChanged("half_duplex", can_detect=False, reason="no canceller")


def heard(stage: Stage) -> bytes:
    """Return what is sent of 20 ms of the microphone."""
    (sent,) = only(fx.SendAudio, stage.take(se.MicrophoneFrames(VOICE)))
    return sent.pcm


def half_duplex() -> Stage:
    """Return a conversation whose microphone must not be heard while the assistant speaks."""
    stage = speaking()
    stage.take(HALF_DUPLEX)
    return stage


def test_half_duplex_hears_zeros_while_the_assistant_speaks() -> None:
    assert heard(half_duplex()) == bytes(len(VOICE))


def test_a_microphone_without_an_echo_is_heard_while_the_assistant_speaks() -> None:
    stage = speaking()
    stage.take(se.HearingChanged("cancelled", can_detect=True))

    assert heard(stage) == VOICE


def test_half_duplex_hears_the_user_when_the_room_is_silent_again() -> None:
    stage = half_duplex()
    stage.finish()
    stage.drain()
    assert heard(stage) == bytes(len(VOICE))

    stage.now += TAIL_S

    assert heard(stage) == VOICE


def test_half_duplex_hears_the_user_while_there_is_no_loudspeaker() -> None:
    stage = half_duplex()
    stage.take(se.SpeakerLost("unplugged"))
    assert heard(stage) == bytes(len(VOICE)), "the room still sounds"
    stage.now += TAIL_S
    stage.take(se.SpeakerLost("there is none"))
    assert heard(stage) == VOICE
    stage.take(se.SpeakerOpened())
    assert heard(stage) == bytes(len(VOICE))


def test_half_duplex_hears_zeros_until_a_cut_is_silent_and_for_a_tail() -> None:
    stage = half_duplex()
    stage.take(ev.Interrupt())
    stage.now += 1.0
    assert heard(stage) == bytes(len(VOICE))

    stage.silence(se.Heard("item_1", 0, 24_000))
    stage.now += TAIL_S

    assert heard(stage) == VOICE


LEARNING = se.HearingChanged("cancelled", can_detect=False, is_learning=True)


@pytest.mark.parametrize("hearing", [HALF_DUPLEX, LEARNING])
def test_a_held_key_is_heard_at_once(hearing: se.HearingChanged) -> None:
    stage = speaking()
    stage.take(hearing)
    stage.take(se.MicrophoneFrames(VOICE))
    stage.take(ev.TalkPress())
    stage.take(se.MicrophoneFrames(VOICE))

    sent = only(fx.SendAudio, stage.silence(se.Heard("item_1", 0, 24_000)))

    # What came before the press is the assistant's own voice.
    assert [effect.pcm for effect in sent] == [bytes(len(VOICE)), VOICE]


def test_what_is_done_about_the_echo_is_told_once_and_stays_in_the_status() -> None:
    stage = listening()

    told = stage.take(HALF_DUPLEX)

    assert [type(effect) for effect in told] == [fx.TellState]
    assert stage.take(HALF_DUPLEX) == []
    status = stage.core.status()
    assert (status.echo, status.echo_reason) == ("half_duplex", "no canceller")
    assert not status.local_detection


def test_detection_that_comes_and_goes_is_not_told() -> None:
    stage = listening()
    stage.take(se.HearingChanged("cancelled", can_detect=True))
    assert stage.core.status().local_detection

    assert stage.take(se.HearingChanged("cancelled", can_detect=False)) == []
    assert not stage.core.status().local_detection
