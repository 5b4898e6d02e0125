import numpy as np
import pytest

from voiced.audio.pcm import level_dbfs, silence
from voiced.audio.recorder import Recorder
from voiced.audio.trace import KEPT_FRAMES, Trace

QUIET = silence(240)
HALF = np.full(240, 16_384, "<i2").tobytes()


def note(trace: Trace, at_s: float, loudspeaker: bytes = QUIET) -> None:
    trace.note(at_s, HALF, QUIET, loudspeaker, is_voice=True, probability=0.5)


def test_a_stretch_of_time_is_found_again_in_order() -> None:
    trace = Trace()
    for at_s in (1.0, 2.0, 3.0):
        note(trace, at_s)

    assert [frame.at_s for frame in trace.between(1.5, 3.0)] == [2.0, 3.0]


def test_levels_are_those_of_the_samples_and_silence_has_a_floor() -> None:
    noise = np.random.default_rng(1).integers(-20_000, 20_000, 240).astype("<i2").tobytes()
    trace = Trace()
    note(trace, 1.0, noise)
    trace.note(2.0, b"", b"", b"", is_voice=False, probability=None)
    first, empty = trace.between(0.0, 2.0)

    assert first.microphone_dbfs == -6.0
    assert first.cancelled_dbfs == -96.0
    assert first.loudspeaker_dbfs == pytest.approx(level_dbfs(noise), abs=0.06)
    assert (first.is_voice, first.probability) == (True, 0.5)
    assert empty.microphone_dbfs == -96.0


def test_a_minute_is_kept() -> None:
    trace = Trace()
    for number in range(KEPT_FRAMES + 1):
        note(trace, number / 100)

    kept = trace.between(0.0, 100.0)
    assert len(kept) == KEPT_FRAMES
    assert kept[0].at_s == pytest.approx(0.01)


def test_the_sound_goes_to_the_recorder_while_it_is_on() -> None:
    recorder = Recorder()
    trace = Trace(recorder)
    note(trace, 1.0)
    recorder.resize(1)
    note(trace, 2.0)

    (kept,) = recorder.between(0.0, 9.0)
    assert (kept.at_s, kept.microphone, kept.cancelled) == (2.0, HALF, QUIET)
