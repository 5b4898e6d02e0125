import io
import wave

import numpy as np
import pytest

from voiced.audio.pcm import RATE_HZ
from voiced.audio.recorder import Recorder, captured_s, joined, peaks, write_wav


def samples(value: int) -> bytes:
    return np.full(240, value, "<i2").tobytes()


def full(seconds: int, stretches: int) -> Recorder:
    """Return a recorder that heard some stretches, each louder than the one before."""
    recorder = Recorder(seconds)
    for number in range(stretches):
        recorder.note(number / 100, samples(number), samples(-number), samples(0))
    return recorder


def test_the_last_seconds_are_kept_and_no_more() -> None:
    recorder = full(1, 150)

    assert recorder.kept_s == 1.0
    assert recorder.between(0.0, 9.0)[0].at_s == 0.5


def test_a_recorder_that_is_switched_off_forgets() -> None:
    recorder = full(1, 10)
    recorder.resize(0)
    recorder.resize(1)

    assert recorder.is_on
    assert recorder.kept_s == 0.0


def test_a_shorter_one_keeps_the_newest_and_the_same_length_keeps_all() -> None:
    recorder = full(3, 250)
    recorder.resize(3)
    assert recorder.kept_s == 2.5
    recorder.resize(1)

    assert [recorder.kept_s, recorder.between(0.0, 9.0)[-1].at_s] == [1.0, 2.49]


def test_what_is_cleared_is_gone() -> None:
    recorder = full(1, 10)
    recorder.clear()

    assert recorder.between(0.0, 9.0) == []


def test_the_channels_stand_side_by_side() -> None:
    rows = joined(full(1, 3).between(0.0, 9.0))

    assert rows.shape == (3, 720)
    assert rows[:, ::240].tolist() == [[0, 1, 2], [0, -1, -2], [0, 0, 0]]


def test_what_was_not_captured_is_silence_of_the_same_length() -> None:
    recorder = Recorder(5)
    for at_s in (1.0, 1.02, 2.02):
        recorder.note(at_s, samples(7), samples(7), samples(7))
    rows = joined(recorder.between(0.0, 9.0))

    # A callback that is late is no gap.
    assert rows.shape[1] == 3 * 240 + round(0.99 * RATE_HZ)
    assert not rows[:, 480:-240].any()


def test_what_is_delivered_late_and_at_once_was_captured_before() -> None:
    late_s = [1.0, 1.01, 1.42, 1.41, 1.43, 1.42, 1.44, 2.0]

    assert captured_s(late_s) == pytest.approx([1.0, 1.01, 1.39, 1.4, 1.41, 1.42, 1.44, 2.0])
    assert captured_s([]) == []


def test_a_machine_that_was_busy_makes_no_silence() -> None:
    recorder = Recorder(5)
    for number in range(40):
        # Nothing is handed over for 200 ms, and then everything.
        late_s = 0.2 - number % 20 / 100 if number >= 20 else 0.0
        recorder.note(number / 100 + late_s, samples(7), samples(7), samples(7))

    assert joined(recorder.between(0.0, 9.0)).shape[1] == 40 * 240


def test_nothing_is_joined_to_nothing() -> None:
    assert joined([]).shape == (3, 0)
    assert peaks(joined([]), 1000).shape == (3, 0)


def test_peaks_are_the_loudest_samples_of_either_sign() -> None:
    row = np.zeros(60, np.int16)
    row[[5, 30]] = -32_768, 100

    assert peaks(row.reshape(1, -1), 1000).tolist() == [[32_767, 100]]


def test_the_file_has_a_channel_for_each_row() -> None:
    file = io.BytesIO()
    write_wav(file, joined(full(1, 3).between(0.0, 9.0)))
    file.seek(0)
    with wave.open(file) as wav:
        assert (wav.getnchannels(), wav.getframerate(), wav.getnframes()) == (3, 24_000, 720)
        read = np.frombuffer(wav.readframes(720), "<i2").reshape(-1, 3)

    assert read[240].tolist() == [1, -1, 0]
