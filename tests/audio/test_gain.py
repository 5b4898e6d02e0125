import numpy as np
import pytest

from voiced.audio.gain import RAMP_FRAMES, Gain
from voiced.audio.pcm import Floats, level_dbfs

LOUD = np.full(240, 20_000, "<i2").tobytes()


def played(gain: Gain, buffers: int) -> Floats:
    parts = [gain.apply(LOUD) for _ in range(buffers)]
    return np.frombuffer(b"".join(parts), "<i2") / 20_000


def test_full_level_changes_nothing() -> None:
    assert Gain().apply(LOUD) is LOUD


def test_a_ramp_leads_down_to_the_level_in_20_ms_and_stays_there() -> None:
    gain = Gain()
    gain.turn(-14.0)
    levels = played(gain, 4)

    assert levels[0] == pytest.approx(1.0, abs=0.001)
    assert np.all(np.diff(levels) <= 1e-4)
    assert levels[RAMP_FRAMES:] == pytest.approx(10 ** (-14 / 20), abs=0.001)


def test_no_step_of_a_ramp_is_large() -> None:
    gain = Gain()
    gain.turn(-60.0)

    assert np.abs(np.diff(played(gain, 4))).max() < 0.005


def test_a_ramp_back_ends_at_full_level() -> None:
    gain = Gain()
    gain.turn(-14.0)
    played(gain, 3)
    gain.turn(0.0)
    levels = played(gain, 3)

    assert levels[0] == pytest.approx(10 ** (-14 / 20), abs=0.001)
    assert gain.apply(LOUD) is LOUD


def test_a_ramp_that_is_turned_around_goes_on_from_where_it_is() -> None:
    gain = Gain()
    gain.turn(-14.0)
    down = played(gain, 1)
    gain.turn(0.0)
    up = played(gain, 2)

    assert up[0] == pytest.approx(down[-1], abs=0.01)
    assert up[-1] == pytest.approx(1.0, abs=0.001)


def test_a_level_is_reached_at_once_where_nothing_sounds() -> None:
    gain = Gain()
    gain.turn(-14.0)
    gain.arrive()

    assert level_dbfs(gain.apply(LOUD)) - level_dbfs(LOUD) == pytest.approx(-14.0, abs=0.01)
    gain.reset()
    assert gain.apply(LOUD) is LOUD


def test_what_is_made_louder_is_not_folded_over() -> None:
    gain = Gain()
    gain.turn(6.0)
    gain.arrive()

    assert set(np.frombuffer(gain.apply(LOUD), "<i2")) == {32_767}
