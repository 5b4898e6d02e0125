"""The audio formats of the protocol, to and from 24 kHz samples.

Inside the server all audio is s16 little-endian mono at 24 kHz.
"""

import binascii
from functools import cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from voiced.audio.pcm import Resampler
from voiced.local.errors import ClientError

AudioFormat = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]

PCM_RATE_HZ: Final = 24_000
PHONE_RATE_HZ: Final = 8_000
FRAMES_PER_MS: Final = 24
BYTES_PER_FRAME: Final = 2
BYTES_PER_MS: Final = FRAMES_PER_MS * BYTES_PER_FRAME
ENCODED_BYTES_PER_MS: Final = {"audio/pcm": BYTES_PER_MS, "audio/pcmu": 8, "audio/pcma": 8}
MAX_AUDIO_BYTES: Final = 15 * 1024 * 1024
"""The most audio one event may carry."""

WANTED: Final = {
    "audio/pcm": "mono PCM16 at 24kHz",
    "audio/pcmu": "mono G.711 mu-law at 8kHz",
    "audio/pcma": "mono G.711 A-law at 8kHz",
}


def to_ms(frames: int) -> int:
    """Return a position or a length in whole milliseconds."""
    return frames // FRAMES_PER_MS


def decode_base64(text: str, audio_format: AudioFormat, *, param: str = "audio") -> bytes:
    """Return the bytes of an audio field.

    Raises:
        ClientError: They are no base64, no whole samples, or too many.
    """
    try:
        audio = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as exc:
        raise _bad_audio(audio_format, param) from exc
    if audio_format == "audio/pcm" and len(audio) % BYTES_PER_FRAME:
        raise _bad_audio(audio_format, param)
    if len(audio) > MAX_AUDIO_BYTES:
        raise ClientError(
            "invalid_value",
            f"Invalid '{param}': at most {MAX_AUDIO_BYTES} bytes of audio fit in one event.",
            param=param,
        )
    return audio


class Decoder:
    """Turns the client's audio into 24 kHz samples, piece by piece."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self.audio_format = audio_format
        self._resampler = Resampler(PHONE_RATE_HZ, PCM_RATE_HZ)

    def decode(self, audio: bytes) -> bytes:
        """Return the samples of the next piece."""
        if self.audio_format == "audio/pcm":
            return audio
        table = _g711_samples(self.audio_format)
        samples = table[np.frombuffer(audio, dtype=np.uint8)]
        return self._resampler.process(samples.astype("<i2").tobytes())


class Encoder:
    """Turns 24 kHz samples into the audio a client wants, piece by piece."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self.audio_format = audio_format
        self._resampler = Resampler(PCM_RATE_HZ, PHONE_RATE_HZ)

    def encode(self, pcm: bytes) -> bytes:
        """Return the audio of the next piece."""
        if self.audio_format == "audio/pcm":
            return pcm
        samples = np.frombuffer(self._resampler.process(pcm), dtype="<i2")
        codes = _g711_codes(self.audio_format)
        return codes[samples.astype(np.int32) + 32768].tobytes()


@cache
def _g711_samples(audio_format: AudioFormat) -> npt.NDArray[np.int16]:
    """Return the sample that each of the 256 codes stands for (ITU-T G.711)."""
    codes = np.arange(256)
    if audio_format == "audio/pcmu":
        bits = ~codes & 0xFF
        exponent, mantissa = (bits >> 4) & 7, bits & 0x0F
        size = (((mantissa << 3) + 0x84) << exponent) - 0x84
        return np.where(bits & 0x80, -size, size).astype(np.int16)
    bits = codes ^ 0x55
    exponent, mantissa = (bits >> 4) & 7, bits & 0x0F
    low = (mantissa << 4) + 8
    size = np.where(exponent == 0, low, (low + 0x100) << np.maximum(exponent - 1, 0))
    return np.where(bits & 0x80, size, -size).astype(np.int16)


@cache
def _g711_codes(audio_format: AudioFormat) -> npt.NDArray[np.uint8]:
    """Return the nearest code for each of the 65536 samples."""
    samples = _g711_samples(audio_format).astype(np.int32)
    order = np.argsort(samples, kind="stable")
    ladder = samples[order]
    borders = (ladder[1:] + ladder[:-1]) / 2
    nearest = np.searchsorted(borders, np.arange(-32768, 32768))
    return order[nearest].astype(np.uint8)


def _bad_audio(audio_format: AudioFormat, param: str) -> ClientError:
    return ClientError(
        "invalid_value",
        f"Invalid '{param}'. Expected base64-encoded audio bytes ({WANTED[audio_format]}) "
        "but got an invalid value.",
        param=param,
    )
