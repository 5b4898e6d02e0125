"""The ear, with the real detectors; the canceller is taken to have left nothing behind."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from tests.local.speech import say
from voiced.audio.ear import Ear, VoiceEvent
from voiced.audio.pcm import BYTES_PER_FRAME, RATE_HZ, silence
from voiced.audio.stages import TUNED, Pitch, Thinner
from voiced.audio.vad import Detector, make_second_stage
from voiced.conversation.sound_events import VoiceConfirmed, VoiceDismissed, VoiceSuspected
from voiced.settings import Interruption

FRAMES = RATE_HZ // 100
SIZE = FRAMES * BYTES_PER_FRAME
REPLY = b"\x00\x10\x00\xf0" * (FRAMES // 2)
NOTHING = silence(FRAMES)
LEARNED_S = 0.01 * (TUNED.learning_frames + TUNED.learned_frames)


class Never:
    """A second stage that nothing convinces."""

    window_frames = 512

    def __init__(self, probability: float = 0.0) -> None:
        self.probability = probability
        self.heard = 0

    def speech(self, window: bytes) -> float:
        self.heard += 1
        return self.probability

    def forget(self) -> None:
        self.heard = 0


class Listener:
    """An ear, and a clock that goes with what it hears."""

    def __init__(self, detector: Detector | None = None, **settings: float) -> None:
        self.ear = Ear(Interruption(**settings), detector)  # type: ignore[arg-type]  # by name
        self.now_s = 0.0

    def hear(self, pcm: bytes, loudspeaker: bytes = REPLY) -> list[VoiceEvent]:
        told: list[VoiceEvent] = []
        for start in range(0, len(pcm) - SIZE + 1, SIZE):
            self.now_s += 0.01
            told += self.ear.process(pcm[start : start + SIZE], loudspeaker, self.now_s)
        return told


def quiet(seconds: float) -> bytes:
    return silence(int(seconds * RATE_HZ))


def learned(detector: Detector | None = None, **settings: float) -> Listener:
    """Return a listener whose canceller has learned the room."""
    listener = Listener(detector, **settings)
    assert listener.hear(quiet(LEARNED_S + 0.1)) == []
    return listener


@cache
def silero() -> Detector:
    detector = make_second_stage()
    if detector is None:
        pytest.skip("Silero does not run here")
    return detector


@cache
def sentence() -> bytes:
    """Return a sentence that begins at once."""
    samples = np.frombuffer(say("well, please stop that now", "rms"), dtype="<i2")
    return samples[np.flatnonzero(np.abs(samples) > 300)[0] :].tobytes()


def burst(seconds: float = 0.15) -> bytes:
    """Return a noise such as a door makes."""
    noise = np.random.default_rng(1).standard_normal(int(seconds * RATE_HZ))
    fading = 0.5 ** (np.arange(noise.size) / RATE_HZ / 0.03)
    return np.clip(noise * fading * 8000, -32768, 32767).astype("<i2").tobytes()


def kinds(told: list[VoiceEvent]) -> list[type]:
    return [type(event) for event in told]


def test_speech_over_the_assistant_is_suspected_and_then_confirmed() -> None:
    listener = learned(silero())

    told = listener.hear(sentence())

    assert kinds(told)[:2] == [VoiceSuspected, VoiceConfirmed]
    assert VoiceDismissed not in kinds(told)


def test_what_is_told_of_the_beginning_is_near_the_first_sound() -> None:
    listener = learned(silero())
    began_s = listener.now_s

    told = listener.hear(sentence())

    for event in told[:2]:
        assert isinstance(event, VoiceSuspected | VoiceConfirmed)
        assert event.sound_at_s == pytest.approx(began_s, abs=0.08)


def test_a_noise_interrupts_nobody() -> None:
    listener = learned(silero())

    told = listener.hear(burst() + quiet(0.5))

    assert VoiceConfirmed not in kinds(told)


def test_a_voice_that_does_not_convince_is_dismissed_once_it_is_silent() -> None:
    listener = learned(Never())

    told = listener.hear(sentence()[: int(0.4 * RATE_HZ) * 2] + quiet(0.5))

    assert kinds(told) == [VoiceSuspected, VoiceDismissed]


def test_what_does_not_convince_in_time_is_dismissed_once_however_long_it_lasts() -> None:
    listener = learned(Never(), confirm_within_ms=300)

    told = listener.hear(sentence()[: int(1.0 * RATE_HZ) * 2])

    assert kinds(told) == [VoiceSuspected, VoiceDismissed]


def test_doubted_speech_that_convinces_after_all_is_suspected_and_confirmed_at_once() -> None:
    never = Never()
    listener = learned(never, confirm_within_ms=200)
    told = listener.hear(sentence()[: int(0.5 * RATE_HZ) * 2])
    assert kinds(told) == [VoiceSuspected, VoiceDismissed]

    never.probability = 1.0
    told = listener.hear(sentence()[int(0.5 * RATE_HZ) * 2 :])

    assert kinds(told)[:2] == [VoiceSuspected, VoiceConfirmed]


def test_after_speech_that_was_none_only_what_outlasts_the_ducking_is_confirmed() -> None:
    def confirmed_after_s(listener: Listener) -> float:
        suspected, confirmed = 0.0, 0.0
        for start in range(0, len(sentence()), SIZE):
            told = kinds(listener.hear(sentence()[start : start + SIZE]))
            suspected = listener.now_s if VoiceSuspected in told else suspected
            confirmed = listener.now_s if VoiceConfirmed in told else confirmed
        return confirmed - suspected

    doubtful = Never(0.3)
    listener = learned(doubtful)
    listener.hear(sentence()[: int(0.3 * RATE_HZ) * 2] + quiet(0.5))
    doubtful.probability = 1.0
    assert confirmed_after_s(listener) >= TUNED.duck_s
    listener.hear(quiet(TUNED.doubtful_s))
    assert confirmed_after_s(listener) < TUNED.duck_s


def test_a_voice_that_ends_with_the_cut_makes_the_next_one_doubtful() -> None:
    listener = learned(Never(1.0))
    short = sentence()[: int(0.1 * RATE_HZ) * 2] + quiet(0.5)

    assert kinds(listener.hear(short)) == [VoiceSuspected, VoiceConfirmed]
    assert kinds(listener.hear(short)) == [VoiceSuspected, VoiceDismissed]


def test_the_probability_asked_for_is_the_one_that_decides() -> None:
    strict = learned(Never(0.6), speech_probability=0.7)
    assert VoiceConfirmed not in kinds(strict.hear(sentence()))

    strict = learned(Never(0.6), speech_probability=0.7)
    strict.ear.configure(Interruption(speech_probability=0.5))
    assert VoiceConfirmed in kinds(strict.hear(sentence()))


def test_longer_speech_is_confirmed_later_and_shorter_speech_not() -> None:
    def confirmed_after_s(least_ms: int) -> float:
        listener = learned(Never(1.0), min_speech_ms=least_ms, confirm_within_ms=5000)
        began_s = listener.now_s
        for start in range(0, len(sentence()), SIZE):
            if VoiceConfirmed in kinds(listener.hear(sentence()[start : start + SIZE])):
                return listener.now_s - began_s
        return float("inf")

    waits = [confirmed_after_s(least_ms) for least_ms in (0, 450, 600, 100_000)]

    assert all(sooner < later for sooner, later in pairwise(waits))
    assert waits[-1] == float("inf")


@pytest.mark.parametrize("second_stage", [silero, lambda: None])
def test_nothing_is_told_while_the_loudspeaker_has_been_silent_for_long(
    second_stage: Callable[[], Detector | None],
) -> None:
    listener = learned(second_stage())
    listener.hear(quiet(TUNED.reply_s + 0.1), NOTHING)

    assert listener.hear(sentence(), NOTHING) == []


def test_a_reply_that_is_held_in_silence_can_be_interrupted() -> None:
    listener = learned(silero())
    listener.hear(quiet(1.0), NOTHING)

    assert VoiceConfirmed in kinds(listener.hear(sentence(), NOTHING))


def test_a_suspicion_ends_when_the_reply_does() -> None:
    listener = learned(Never(), confirm_within_ms=5000)
    listener.hear(quiet(TUNED.reply_s - 0.25), NOTHING)

    told = listener.hear(sentence(), NOTHING)

    assert kinds(told) == [VoiceSuspected, VoiceDismissed]


def test_nothing_is_told_before_the_canceller_has_learned_the_room() -> None:
    listener = Listener(silero())
    listener.hear(quiet(0.5))

    assert listener.hear(sentence()) == []


def test_somebody_who_speaks_all_the_time_is_heard_in_the_end() -> None:
    listener = Listener(silero())

    told = [kinds(listener.hear(sentence())) for _ in range(5)]

    assert told[0] == []
    assert any(VoiceConfirmed in each for each in told)


def test_nothing_is_told_while_it_is_held() -> None:
    listener = learned(silero())
    listener.ear.hold(listener.now_s + 1.0)

    assert listener.hear(sentence()[: int(0.9 * RATE_HZ) * 2]) == []
    listener.hear(quiet(0.5))
    assert VoiceConfirmed in kinds(listener.hear(sentence()))


def test_the_second_stage_hears_only_while_the_first_does() -> None:
    never = Never()
    listener = learned(never)
    assert never.heard == 0
    assert listener.ear.probability is None

    listener.hear(sentence()[: int(0.2 * RATE_HZ) * 2])
    assert never.heard > 3
    assert listener.ear.probability == 0.0
    assert listener.ear.is_voice

    listener.hear(quiet(1.0))
    assert listener.ear.probability is None
    assert not listener.ear.is_voice


def test_without_a_second_stage_only_a_voice_that_lasts_is_confirmed() -> None:
    listener = learned()
    short = sentence()[: int(0.2 * RATE_HZ) * 2]

    assert VoiceConfirmed not in kinds(listener.hear(short + quiet(0.5)))
    assert VoiceConfirmed in kinds(listener.hear(sentence() + sentence()))
    assert listener.ear.probability is None


def test_what_was_confirmed_is_told_once_until_there_is_silence() -> None:
    listener = learned(silero())

    told = listener.hear(sentence() + quiet(0.5) + sentence())

    assert kinds(told) == [VoiceSuspected, VoiceConfirmed] * 2


@pytest.mark.parametrize(("hertz", "gain"), [(200, 1.0), (3000, 1.0), (9500, 0.0)])
def test_what_detectors_cannot_hear_is_filtered_out(hertz: int, gain: float) -> None:
    times = np.arange(RATE_HZ) / RATE_HZ
    pcm = (10_000 * np.sin(2 * np.pi * hertz * times)).astype("<i2").tobytes()
    thinner = Thinner()

    thin = b"".join(thinner.process(pcm[at : at + SIZE]) for at in range(0, len(pcm), SIZE))

    samples = np.frombuffer(thin, dtype="<i2")[200:]
    assert samples.size == 16_000 - 200
    assert np.abs(samples).max() / 10_000 == pytest.approx(gain, abs=0.02)


def test_a_tone_has_a_pitch_and_noise_has_none() -> None:
    def periodicity(samples: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
        pitch = Pitch()
        for start in range(0, 640, 160):
            pitch.keep(samples[start : start + 160].astype("<i2").tobytes())
        return pitch.periodicity()

    times = np.arange(640) / 16_000

    assert periodicity(3000 * np.sign(np.sin(2 * np.pi * 130 * times))) > 0.9
    assert periodicity(np.random.default_rng(1).standard_normal(640) * 3000) < 0.5
    assert periodicity(np.zeros(640)) < 0.1
