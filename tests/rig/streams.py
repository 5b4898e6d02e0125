"""Sound in and out of a sound server, a few ms at a time, by libpulse's simple interface.

What is played keeps its place in time: who writes too late loses those samples, and what
comes after them is where it belongs.  A pipe into ``pacat`` would be late ever after.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from tests.rig.soundcard import SoundCardError

RATE_HZ: Final = 24_000
BYTES_PER_FRAME: Final = 2
S16_LITTLE_ENDIAN: Final = 3
PLAYS, RECORDS = 1, 2
UNSET: Final = 0xFFFF_FFFF
ROOM_BYTES: Final = RATE_HZ * BYTES_PER_FRAME
"""So much may be written ahead: a second, so that a write never waits."""


class _Format(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_int),
        ("rate", ctypes.c_uint32),
        ("channels", ctypes.c_uint8),
    )


class _Buffering(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize")
    )


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libpulse-simple.so.0")
    except OSError as error:
        raise SoundCardError(f"not installed: libpulse ({error})") from error
    library.pa_simple_new.restype = ctypes.c_void_p
    library.pa_simple_new.argtypes = [
        *(ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p),
        *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
    ]
    for name in ("pa_simple_read", "pa_simple_write"):
        call = getattr(library, name)
        call.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    return library


class Stream:
    """One stream, s16 mono at 24 kHz, of the server that ``PULSE_SERVER`` names.

    It is closed by the end of the process.
    """

    def __init__(self, direction: int, device: str, *, block_bytes: int) -> None:
        buffering = _Buffering(UNSET, UNSET, UNSET, UNSET, block_bytes)
        if direction == PLAYS:
            # No prebuf: the stream runs from now on, whether there are samples or not.
            buffering = _Buffering(UNSET, ROOM_BYTES, 0, block_bytes, UNSET)
        error = ctypes.c_int()
        self._stream = _library().pa_simple_new(
            *(None, b"room", direction, device.encode(), b"room"),
            ctypes.byref(_Format(S16_LITTLE_ENDIAN, RATE_HZ, 1)),
            None,
            ctypes.byref(buffering),
            ctypes.byref(error),
        )
        if not self._stream:
            raise SoundCardError(f"no stream of {device}: PulseAudio says {error.value}")
        self._block = ctypes.create_string_buffer(block_bytes)

    def read(self) -> bytes:
        """Return the next block; wait for it."""
        self._call(_library().pa_simple_read, self._block, len(self._block))
        return self._block.raw

    def write(self, pcm: bytes) -> None:
        """Hand samples over."""
        if pcm:
            self._call(_library().pa_simple_write, pcm, len(pcm))

    def _call(self, function: Callable[..., Any], data: object, size: int) -> None:
        error = ctypes.c_int()
        if function(self._stream, data, size, ctypes.byref(error)) < 0:
            raise SoundCardError(f"the sound server went away: PulseAudio says {error.value}")
