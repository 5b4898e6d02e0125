"""Samples and their arithmetic: s16 little-endian mono, pure.

Inside voiced audio is bytes at 24 kHz, the rate of the Realtime protocol; numpy arrays
of int16 appear only where something is computed.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

RATE_HZ: Final = 24_000
BYTES_PER_FRAME: Final = 2
FADE_MS: Final = 5
FADE_FRAMES: Final = RATE_HZ * FADE_MS // 1000

TAPS_PER_PHASE: Final = 48
"""Length of the resampling filter; about 1 ms of delay and 80 dB of stop band."""
MAX_PHASES: Final = 640
"""More than any pair of the usual rates needs (44.1 kHz to 24 kHz is 80)."""
BLOCK_FRAMES: Final = 8192
"""So much is resampled at once."""
FULL_SCALE: Final = 32_768

Floats = npt.NDArray[np.float64]


def frames_of(pcm: bytes) -> int:
    """Return the number of whole frames in some samples."""
    return len(pcm) // BYTES_PER_FRAME


def silence(frames: int) -> bytes:
    """Return zeros."""
    return bytes(frames * BYTES_PER_FRAME)


def ms_to_frames(milliseconds: float) -> int:
    """Return how many frames last so long at 24 kHz, rounded down."""
    return int(milliseconds * RATE_HZ / 1000)


def level_dbfs(pcm: bytes) -> float:
    """Return the loudness of some samples as RMS in dB below full scale; -inf for zeros."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    if samples.size == 0:
        return float("-inf")
    rms = float(np.sqrt(np.mean(np.square(samples)))) / FULL_SCALE
    return 20.0 * float(np.log10(rms)) if rms > 0 else float("-inf")


def peak_dbfs(pcm: bytes) -> float:
    """Return the largest of some samples in dB below full scale; -inf for zeros."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.int32)
    peak = int(np.abs(samples).max(initial=0)) / FULL_SCALE
    return 20.0 * float(np.log10(peak)) if peak > 0 else float("-inf")


def _ramp(frames: int) -> Floats:
    """Return a raised cosine from 1 down towards 0."""
    steps = (np.arange(frames) + 0.5) / frames
    return 0.5 * (1.0 + np.cos(np.pi * steps))


_FADE_OUT: Final = _ramp(FADE_FRAMES)


def fade_out(pcm: bytes, fade_frames: int = FADE_FRAMES) -> bytes:
    """Let the last 5 ms of some samples die away, so that silence follows without a click.

    Fewer samples than that are faded over their whole length.
    """
    frames = min(fade_frames, frames_of(pcm))
    if frames == 0:
        return pcm
    samples = np.frombuffer(pcm, dtype="<i2").copy()
    ramp = _FADE_OUT if frames == FADE_FRAMES else _ramp(frames)
    samples[-frames:] = np.rint(samples[-frames:] * ramp).astype("<i2")
    return samples.tobytes()


def fade_in(pcm: bytes, fade_frames: int = FADE_FRAMES) -> bytes:
    """Let the first 5 ms of some samples rise from silence."""
    frames = min(fade_frames, frames_of(pcm))
    if frames == 0:
        return pcm
    samples = np.frombuffer(pcm, dtype="<i2").copy()
    ramp = _FADE_OUT if frames == FADE_FRAMES else _ramp(frames)
    samples[:frames] = np.rint(samples[:frames] * ramp[::-1]).astype("<i2")
    return samples.tobytes()


class Resampler:
    """Changes the sample rate of a stream, chunk by chunk.

    A polyphase filter with a Kaiser window: constant delay of about 1 ms, no bursts.
    For n frames in, it returns n * out / in frames out, give or take one.

    Args:
        from_hz: Rate of what comes in.
        to_hz: Rate of what goes out.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        shared = int(np.gcd(from_hz, to_hz))
        self._up, self._down = to_hz // shared, from_hz // shared
        if self._up > MAX_PHASES:
            raise ValueError(f"cannot resample from {from_hz} Hz to {to_hz} Hz")
        self._phases = _filter_bank(self._up, self._down)
        self._taps = self._phases.shape[1]
        self._history: Floats = np.zeros(self._taps - 1)
        self._position = 0
        """Place of the next output sample, in steps of 1 / (up * from_hz)."""
        self._is_same = from_hz == to_hz
        self.delay_s = 0.0 if self._is_same else self._taps / 2 / from_hz
        """How much later a sample comes out than it went in."""

    def needed(self, frames: int) -> int:
        """Return how many frames must go in for at least so many to come out."""
        if self._is_same or frames <= 0:
            return max(0, frames)
        return -(-(self._position + (frames - 1) * self._down + 1) // self._up)

    def reset(self) -> None:
        """Forget the stream; another one begins."""
        self._history = np.zeros(self._taps - 1)
        self._position = 0

    def finish(self) -> bytes:
        """Return the end of the stream, which the filter's delay still holds."""
        return b"" if self._is_same else self.process(silence(self._taps // 2))

    def process(self, pcm: bytes) -> bytes:
        """Return the samples that follow from these."""
        if self._is_same or not pcm:
            return pcm
        # Each sample out needs a window of its own: memory is bounded by the block.
        size = BLOCK_FRAMES * BYTES_PER_FRAME
        blocks = (pcm[start : start + size] for start in range(0, len(pcm), size))
        return b"".join(map(self._process_block, blocks))

    def _process_block(self, pcm: bytes) -> bytes:
        fresh = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
        samples = np.concatenate([self._history, fresh])
        end = fresh.size * self._up
        places = np.arange(self._position, end, self._down)
        self._position = self._position + places.size * self._down - end
        windows = np.lib.stride_tricks.sliding_window_view(samples, self._taps)
        chosen = windows[places // self._up]
        out: Floats = np.einsum("ij,ij->i", chosen, self._phases[places % self._up])
        self._history = samples[samples.size - (self._taps - 1) :]
        return np.clip(np.rint(out), -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()


def _filter_bank(up: int, down: int) -> Floats:
    """Return one row of coefficients for each phase, ready to meet a window of samples."""
    widest = max(1.0, down / up)
    taps = int(np.ceil(TAPS_PER_PHASE * widest))
    length = taps * up
    cutoff = 0.45 / widest
    times = (np.arange(length) - (length - 1) / 2) / up
    prototype = 2 * cutoff * np.sinc(2 * cutoff * times) * np.kaiser(length, 8.0)
    prototype *= up / prototype.sum()
    # Row p holds every up-th coefficient from p on, newest sample last.
    bank: Floats = prototype.reshape(taps, up).T[:, ::-1]
    return np.ascontiguousarray(bank)
