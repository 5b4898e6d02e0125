import numpy as np
import pytest

from voiced.audio.pcm import (
    FADE_FRAMES,
    RATE_HZ,
    Resampler,
    fade_in,
    fade_out,
    frames_of,
    level_dbfs,
    ms_to_frames,
    peak_dbfs,
    silence,
)


def tone(hz: float, rate_hz: int, seconds: float = 1.0, amplitude: int = 10_000) -> bytes:
    times = np.arange(int(rate_hz * seconds)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * hz * times)).astype("<i2").tobytes()


def samples(pcm: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def test_frames_and_milliseconds() -> None:
    assert frames_of(bytes(961)) == 480
    assert frames_of(silence(7)) == 7
    assert ms_to_frames(20) == 480


def test_the_level_of_a_full_sine_is_3_db_below_full_scale() -> None:
    assert level_dbfs(tone(1000, RATE_HZ, amplitude=32_767)) == pytest.approx(-3.01, abs=0.01)


def test_the_peak_is_that_of_the_largest_sample_on_either_side() -> None:
    assert peak_dbfs(tone(1000, RATE_HZ, amplitude=16_384)) == pytest.approx(-6.02, abs=0.01)
    assert peak_dbfs(np.array([0, -32_768, 5], "<i2").tobytes()) == 0.0


def test_nothing_and_zeros_have_no_level() -> None:
    assert level_dbfs(b"") == level_dbfs(silence(100)) == float("-inf")
    assert peak_dbfs(b"") == peak_dbfs(silence(100)) == float("-inf")


@pytest.mark.parametrize("frames", [0, 1, 60, FADE_FRAMES, 1000])
def test_a_fade_ends_in_silence_and_touches_only_5_ms(frames: int) -> None:
    loud = np.full(frames, 10_000, "<i2").tobytes()
    faded = samples(fade_out(loud))

    assert faded.size == frames
    assert np.all(np.diff(faded) <= 0)
    if frames > 1:
        assert faded[-1] < 100
    assert np.all(faded[: max(0, frames - FADE_FRAMES)] == 10_000)
    assert fade_in(loud) == faded[::-1].astype("<i2").tobytes()


def test_a_faded_cut_has_no_click() -> None:
    """Energy above 5 kHz in the 20 ms around the cut of a 200 Hz tone at its peak."""

    def click_db(pcm: bytes) -> float:
        around = samples(pcm + silence(RATE_HZ))[frames_of(pcm) - 240 :][:480] * np.hanning(480)
        spectrum = np.abs(np.fft.rfft(around))
        return float(20 * np.log10(spectrum[100:].max() / spectrum.max()))

    cut = tone(200, RATE_HZ, seconds=0.50125)

    assert click_db(cut) > -40
    assert click_db(fade_out(cut)) < click_db(cut) - 30


@pytest.mark.parametrize(
    ("from_hz", "to_hz"),
    [
        (48_000, 24_000),
        (44_100, 24_000),
        (22_050, 24_000),
        (8_000, 24_000),
        (24_000, 48_000),
        (24_000, 44_100),
        (24_000, 16_000),
        (24_000, 8_000),
    ],
)
def test_a_tone_survives_resampling(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    chunk = from_hz // 50 * 2
    source = tone(1000, from_hz)
    parts = [resampler.process(source[at : at + chunk]) for at in range(0, len(source), chunk)]
    out = samples(b"".join(parts))[to_hz // 10 : -to_hz // 10]
    times = np.arange(out.size) / to_hz
    basis = np.stack([np.sin(2000 * np.pi * times), np.cos(2000 * np.pi * times)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, out, rcond=None)
    noise = out - basis @ fit

    assert np.hypot(*fit) == pytest.approx(10_000, rel=0.01)
    assert np.sqrt(np.mean(noise**2)) < 10_000 / 2000  # 66 dB below


def test_what_the_new_rate_cannot_hold_is_removed() -> None:
    out = samples(Resampler(48_000, 24_000).process(tone(15_000, 48_000)))

    assert np.abs(out[500:-500]).max() < 10


def test_every_chunk_gives_its_share_of_samples_and_nothing_piles_up() -> None:
    resampler = Resampler(44_100, 24_000)
    sizes = [frames_of(resampler.process(silence(441))) for _ in range(100)]

    assert set(sizes) <= {240, 241}
    assert sum(sizes) == 24_000


def test_a_resampler_that_was_reset_has_nothing_of_the_stream_before() -> None:
    resampler, fresh = Resampler(24_000, 44_100), Resampler(24_000, 44_100)
    resampler.process(tone(1000, 24_000, 0.1003))
    resampler.reset()

    assert resampler.process(silence(100)) == fresh.process(silence(100))


def test_the_end_of_a_stream_is_not_lost() -> None:
    for from_hz, to_hz in ((24_000, 16_000), (22_050, 24_000)):
        resampler = Resampler(from_hz, to_hz)
        click = silence(from_hz // 10) + b"\xff\x7f"
        out = samples(resampler.process(click) + resampler.finish())

        assert np.abs(out).max() > 1000
        assert out.size / to_hz == pytest.approx(0.1, abs=0.002)


@pytest.mark.parametrize("to_hz", [8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000])
def test_what_is_needed_is_known_before_and_is_never_more_than_it_must_be(to_hz: int) -> None:
    resampler, count = Resampler(24_000, to_hz), to_hz // 100
    ready = 0
    for _ in range(200):
        wanted = resampler.needed(count - ready)
        ready += frames_of(resampler.process(silence(wanted))) - count

        assert 0 <= ready <= to_hz // 24_000


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(24_000, 44_100), (24_000, 16_000), (48_000, 24_000)]
)
def test_a_sample_comes_out_as_much_later_as_the_delay_says(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    click = silence(from_hz // 10) + b"\xff\x7f" + silence(from_hz // 10)
    out = np.abs(samples(resampler.process(click)))

    assert np.argmax(out) / to_hz - 0.1 == pytest.approx(resampler.delay_s, abs=1 / to_hz)


def test_nothing_needs_nothing() -> None:
    assert Resampler(24_000, 8_000).needed(0) == 0
    assert Resampler(24_000, 24_000).needed(7) == 7


def test_nothing_gives_nothing() -> None:
    assert Resampler(24_000, 8_000).process(b"") == b""


def test_the_same_rate_changes_nothing() -> None:
    resampler = Resampler(24_000, 24_000)

    assert resampler.process(b"\x01\x02") == b"\x01\x02"
    assert resampler.finish() == b""


def test_loud_samples_do_not_wrap_around() -> None:
    square = np.tile(np.repeat(np.array([32_767, -32_768]), 20), 500).astype("<i2")
    out = samples(Resampler(48_000, 24_000).process(square.tobytes()))

    assert out.max() == 32_767
    assert out.min() == -32_768


def test_an_impossible_pair_of_rates_is_refused() -> None:
    with pytest.raises(ValueError, match="44101 Hz"):
        Resampler(44_101, 24_000)
