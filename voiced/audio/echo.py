"""Takes the assistant's own voice out of the microphone: WebRTC's echo canceller (AEC3).

Rules
1. One canceller lives as long as the daemon and is never reset: what it has learned of
   the room is kept.  It takes one second to learn it.
2. It is shown every 10 ms of the microphone beside the 10 ms that the loudspeaker was
   given meanwhile, also when those are zeros: the noise suppression and its time line go on.
3. The loudspeaker's samples come 5 to 450 ms before their echo.  It finds the delay
   itself; what comes later than that stays.
4. One thread uses it.
"""

import logging
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from voiced.audio.pcm import BYTES_PER_FRAME, RATE_HZ, frames_of

logger = logging.getLogger(__name__)

FRAME_FRAMES: Final = RATE_HZ // 100
"""10 ms, which is what the canceller and the detectors take at a time."""
FRAME_S: Final = FRAME_FRAMES / RATE_HZ
FRAME_BYTES: Final = FRAME_FRAMES * BYTES_PER_FRAME
DELAY_S: Final = 0.015
"""So much later a voice leaves the canceller than it came in; measured: 9 ms are the echo
canceller's, 6 ms the noise suppression's."""

Samples = npt.NDArray[np.int16]


class Canceller(Protocol):
    """Takes one sound out of another."""

    def process(self, microphone: bytes, loudspeaker: bytes) -> bytes:
        """Return 10 ms of the microphone without what the loudspeaker put into it."""


class EchoCanceller:
    """WebRTC's echo canceller with its noise suppression.

    Raises:
        ImportError: It is not installed: there are no wheels for this processor.
    """

    def __init__(self) -> None:
        from pywebrtc_audio import AudioProcessor  # noqa: PLC0415 - not everywhere installed

        self._processor = AudioProcessor(
            sample_rate=RATE_HZ, echo_cancellation=True, noise_suppression=True
        )

    def process(self, microphone: bytes, loudspeaker: bytes) -> bytes:
        """Return 10 ms of the microphone without what the loudspeaker put into it."""
        near, far = _samples(microphone), _samples(loudspeaker)
        return self._processor.process(near, far).astype("<i2", copy=False).tobytes()


def make_canceller() -> Canceller | None:
    """Make the canceller; None where it is not installed, which the policy tells."""
    try:
        return EchoCanceller()
    except ImportError as error:
        logger.debug("there is no echo cancellation here: %s", error)
        return None


class Framer:
    """Cuts samples into pieces of 10 ms; what is left over waits for the next ones."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def waiting(self) -> int:
        """Return how many frames wait to become 10 ms."""
        return frames_of(self._rest)

    def cut(self, pcm: bytes) -> list[bytes]:
        """Return the pieces that are complete, oldest first."""
        pcm = self._rest + pcm
        end = len(pcm) - len(pcm) % FRAME_BYTES
        self._rest = pcm[end:]
        return [pcm[start : start + FRAME_BYTES] for start in range(0, end, FRAME_BYTES)]


def _samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, dtype="<i2").astype(np.int16, copy=False)
