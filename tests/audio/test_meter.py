import numpy as np

from voiced.audio.meter import FLOOR_DBFS, MOST_BUFFERS, Level, Meter
from voiced.audio.pcm import silence

HALF = np.full(480, 16_384, "<i2").tobytes()


def test_nothing_is_kept_while_nobody_asks() -> None:
    meter = Meter()
    meter.note(HALF)
    meter.turn(on=True)

    assert meter.take() is None


def test_the_level_is_that_of_all_the_sound_since_the_last_time() -> None:
    meter = Meter()
    meter.turn(on=True)
    meter.note(HALF)
    meter.note(silence(480))

    assert meter.take() == Level(rms_dbfs=-9.0, peak_dbfs=-6.0)
    assert meter.take() is None


def test_silence_has_a_level_that_can_be_written_down() -> None:
    meter = Meter()
    meter.turn(on=True)
    meter.note(silence(480))

    assert meter.take() == Level(FLOOR_DBFS, FLOOR_DBFS)


def test_a_reader_that_went_away_leaves_nothing_behind() -> None:
    meter = Meter()
    meter.turn(on=True)
    meter.note(HALF)
    meter.turn(on=False)
    meter.note(HALF)
    meter.turn(on=True)

    assert meter.take() is None


def test_a_reader_that_is_late_misses_the_oldest() -> None:
    meter = Meter()
    meter.turn(on=True)
    meter.note(HALF)
    for _ in range(MOST_BUFFERS):
        meter.note(silence(1))

    assert meter.take() == Level(FLOOR_DBFS, FLOOR_DBFS)
