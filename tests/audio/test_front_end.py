"""What the microphone's sound goes through, with parts that do as they are told."""

import pytest

from tests.audio.hearing_rig import SILENCE, FrontEndRig, negated
from tests.audio.probe import noise
from voiced.audio.echo import DELAY_S
from voiced.audio.front_end import BEGIN_S, HOLD_S, LEARN_S, TAIL_S
from voiced.conversation.sound_events import (
    HearingChanged,
    MicrophoneFrames,
    SoundEvent,
    VoiceConfirmed,
    VoiceSuspected,
)
from voiced.settings import Interruption

CANCELLED = HearingChanged("cancelled", can_detect=True)
HEADSET = HearingChanged("headset", can_detect=True)


def heard(events: list[SoundEvent]) -> bytes:
    return b"".join(event.pcm for event in events if isinstance(event, MicrophoneFrames))


def rig(verdict: HearingChanged = CANCELLED) -> FrontEndRig:
    made = FrontEndRig()
    made.front_end.decide(verdict)
    return made


def test_the_echo_is_taken_out_of_every_10_ms() -> None:
    front_end = rig().front_end

    assert heard(front_end.process(noise(30), 1.0)) == negated(noise(30))


@pytest.mark.parametrize("echo", ["server", "headset", "half_duplex", "kept"])
def test_where_nothing_is_cancelled_the_sound_is_left_alone(echo: str) -> None:
    front_end = rig(HearingChanged(echo, can_detect=False)).front_end

    assert heard(front_end.process(noise(30), 1.0)) == noise(30)


def test_what_does_not_make_10_ms_waits_for_the_rest() -> None:
    front_end, spoken = rig(HEADSET).front_end, noise(100)
    chunks = [spoken[start : start + 702] for start in range(0, len(spoken), 702)]
    events = [event for chunk in chunks for event in front_end.process(chunk, 1.0)]

    assert heard(events) == spoken


def test_each_10_ms_have_their_own_time() -> None:
    made = rig(HEADSET)
    made.front_end.process(noise(25), 1.0)

    assert made.reference.taken_at_s == pytest.approx([0.985, 0.995])
    assert [at_s for _, at_s in made.ear.heard] == pytest.approx([0.985, 0.995])


def test_the_ear_is_told_when_a_sound_was_made_and_not_when_it_left_the_canceller() -> None:
    made = rig()
    made.front_end.process(noise(10), 1.0)

    assert made.ear.heard == [(negated(noise(10)), pytest.approx(1.0 - DELAY_S))]


def test_the_trace_is_shown_everything() -> None:
    made = rig()
    made.front_end.process(noise(10), 1.0)

    assert made.trace.notes == [
        (1.0, noise(10), negated(noise(10)), SILENCE, True, 0.25),
    ]


def test_what_is_noticed_comes_right_after_its_sound() -> None:
    made = rig(HEADSET)
    made.ear.answers = [(), (VoiceSuspected(0.9), VoiceConfirmed(0.9)), ()]
    events = made.front_end.process(noise(30), 1.0)

    assert events == [
        HEADSET,
        MicrophoneFrames(noise(30)[:960]),
        VoiceSuspected(0.9),
        VoiceConfirmed(0.9),
        MicrophoneFrames(noise(30)[960:]),
    ]


def test_a_verdict_is_told_before_the_first_sound_it_is_about() -> None:
    made = rig(HEADSET)
    first = made.front_end.process(noise(10), 1.0)
    made.front_end.decide(CANCELLED)
    second = made.front_end.process(noise(10), 1.01)
    third = made.front_end.process(noise(10), 1.02)

    assert first == [HEADSET, MicrophoneFrames(noise(10))]
    assert second == [CANCELLED, MicrophoneFrames(negated(noise(10)))]
    assert third == [MicrophoneFrames(negated(noise(10)))]


def speak(made: FrontEndRig, from_s: float, seconds: float) -> list[SoundEvent]:
    """Let the loudspeaker sound for so long; return what came of it."""
    made.reference.sounds = True
    events: list[SoundEvent] = []
    for number in range(1, round(seconds * 100) + 1):
        events += made.front_end.process(noise(10), from_s + number / 100)
    made.reference.sounds = False
    return events


def knows_the_room() -> FrontEndRig:
    """Return one whose canceller has heard the loudspeaker for long; it is second 10."""
    made = rig()
    speak(made, 0.0, HOLD_S)
    made.front_end.process(noise(10), 10.0)
    return made


def learns(events: list[SoundEvent]) -> list[bool]:
    """Return what was told of the room: it is being learned, or not."""
    return [event.is_learning for event in events if isinstance(event, HearingChanged)]


def test_the_first_words_in_a_room_are_to_be_silenced_and_are_not_heard_here() -> None:
    made = rig()
    unknown = speak(made, 0.0, LEARN_S - 0.02)
    assert not any(b"".join(cancelled for cancelled, _ in made.ear.heard))
    assert learns(unknown) == [True]
    assert isinstance(unknown[0], HearingChanged)

    known = speak(made, LEARN_S - 0.02, 0.04)
    assert learns(known) == [False]
    assert made.ear.heard[-1][0] == negated(noise(10))


def test_what_is_said_into_a_key_in_a_room_that_is_not_known_is_there() -> None:
    made = rig()

    # The gate takes two frames to tell it from a scrap of the echo.
    assert heard(speak(made, 0.0, 0.1)) == bytes(2 * 480) + negated(noise(10)) * 8


def test_in_the_pauses_of_the_first_words_the_microphone_is_heard() -> None:
    made = rig()
    speak(made, 0.0, 0.5)

    assert learns(made.front_end.process(noise(10), 0.4 + TAIL_S)) == []
    assert learns(made.front_end.process(noise(10), 0.6 + TAIL_S)) == [False]


def test_another_loudspeaker_has_to_be_learned_anew() -> None:
    made = knows_the_room()
    made.front_end.forget()

    assert learns(speak(made, 10.0, 0.1)) == [True]


def test_after_a_hole_nothing_is_believed_for_two_seconds_of_sound() -> None:
    made = knows_the_room()
    made.reference.repaired += 1
    silent = made.front_end.process(noise(10), 10.01)
    before = speak(made, 11.0, HOLD_S - 0.02)
    speak(made, 13.0, 0.01)
    after = speak(made, 13.01, 0.03)

    doubts = [event for event in before if isinstance(event, HearingChanged)]
    assert silent == [MicrophoneFrames(negated(noise(10)))]
    assert doubts == [
        HearingChanged("cancelled", can_detect=False, is_learning=True),
        HearingChanged("cancelled", can_detect=False),
    ]
    assert any(heard(before))
    assert CANCELLED in after


def test_after_each_start_the_first_words_reach_nobody() -> None:
    made = knows_the_room()
    made.reference.starts += 1
    begins = speak(made, 11.0, BEGIN_S - 0.02)
    speak(made, 11.0 + BEGIN_S - 0.02, 0.01)
    goes_on = speak(made, 11.0 + BEGIN_S - 0.01, 0.03)

    assert [event for event in begins if isinstance(event, HearingChanged)] == [
        HearingChanged("cancelled", can_detect=False, is_learning=True)
    ]
    assert CANCELLED in goes_on


def test_a_pause_in_the_same_sound_is_no_start() -> None:
    made = knows_the_room()
    made.front_end.process(noise(10), 12.0)

    assert not any(isinstance(event, HearingChanged) for event in speak(made, 12.1, 0.1))


def test_a_loudspeaker_that_ran_dry_is_a_hole_at_once() -> None:
    made = knows_the_room()
    made.underruns += 1

    doubt = HearingChanged("cancelled", can_detect=False, is_learning=True)
    assert doubt in speak(made, 11.0, 0.01)


def test_while_nothing_is_believed_the_ear_is_held() -> None:
    made = knows_the_room()
    made.front_end.hold()
    made.ear.held_until_s = 0.0
    speak(made, 11.0, 0.5)

    assert made.ear.held_until_s == pytest.approx(11.51)


def test_with_a_headset_there_is_nothing_to_doubt() -> None:
    made = rig(HEADSET)
    made.front_end.hold()

    assert speak(made, 0.0, 0.02) == [HEADSET, *[MicrophoneFrames(noise(10))] * 2]


def test_an_opened_microphone_tells_its_verdict_anew_and_doubts() -> None:
    made = knows_the_room()
    made.front_end.process(noise(15), 10.0)
    made.front_end.opened()
    silent = made.front_end.process(noise(10), 10.01)
    sounding = speak(made, 10.01, 0.01)

    assert made.reference.listened == 1
    assert silent == [CANCELLED, MicrophoneFrames(negated(noise(10)))]
    assert sounding[0] == HearingChanged("cancelled", can_detect=False, is_learning=True)


def test_where_speech_is_not_to_be_noticed_none_is_told() -> None:
    made = rig(HearingChanged("half_duplex", can_detect=False))
    made.ear.answers = [(VoiceSuspected(1.0),)]

    assert VoiceSuspected(1.0) not in made.front_end.process(noise(10), 1.0)


def test_a_canceller_that_fails_is_off_and_its_sound_is_silent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = rig()
    made.negator.fails = True
    first = heard(made.front_end.process(noise(10), 1.0))
    made.negator.fails = False
    second = heard(made.front_end.process(noise(10), 1.01))

    assert first == second == bytes(480)
    assert made.front_end.trouble == "out of order"
    assert caplog.text.count("the echo cancellation failed") == 1


def test_without_a_canceller_a_wrong_verdict_lets_no_echo_through() -> None:
    made = FrontEndRig(has_canceller=False)
    made.front_end.decide(CANCELLED)

    assert not made.front_end.has_canceller
    assert heard(made.front_end.process(noise(10), 1.0)) == bytes(480)


def test_an_ear_that_fails_is_off_and_the_sound_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = rig(HEADSET)
    made.front_end.process(noise(10), 1.0)
    made.ear.fails = True
    events = made.front_end.process(noise(20), 1.02)
    made.front_end.configure(Interruption(local=False))

    assert heard(events) == noise(20)
    assert HearingChanged("headset", can_detect=False) in events
    assert caplog.text.count("noticing speech here failed") == 1
    assert made.trace.notes[-1][-2:] == (False, None)
    assert made.ear.settings.local


def test_new_settings_reach_the_ear() -> None:
    made = rig()
    made.front_end.configure(Interruption(min_speech_ms=5))

    assert made.ear.settings.min_speech_ms == 5
