"""Text to speech, by a program of its own for each sentence.

Rules
1. The text goes in by standard input: it can be no option, and no list of processes
   shows it.
2. The program is killed when nobody waits for its sound any more.
3. The programs are not linked in; espeak-ng's licence stays with espeak-ng.

The names of the provider's voices stand for voices these programs have.  A name that is
not known gets the default voice.  Below half speed espeak-ng speaks no slower.
"""

import asyncio
import os
import shutil
import struct
import unicodedata
from dataclasses import dataclass
from typing import Final, Protocol

from voiced.errors import ConfigError
from voiced.local.errors import ReplyError

TIMEOUT_S: Final = 10.0
ESPEAK_WPM: Final = 175
ESPEAK_LIMITS_WPM: Final = (80, 450)
WAV_HEADER_BYTES: Final = 44
DEFAULT_RATE_HZ: Final = 22_050
RATES_HZ: Final = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""What a voice may speak at."""

ESPEAK_VOICES: Final = {
    "alloy": "en-us",
    "ash": "en-us+m3",
    "ballad": "en-gb+m1",
    "coral": "en-us+f2",
    "echo": "en-us+m7",
    "sage": "en-gb+f4",
    "shimmer": "en-us+f3",
    "verse": "en-gb-scotland+m2",
    "marin": "en-gb+f5",
    "cedar": "en-gb+m8",
}
ESPEAK_DEFAULT: Final = "en-us"
FLITE_VOICES: Final = {
    "alloy": "kal16",
    "ash": "rms",
    "ballad": "awb",
    "coral": "slt",
    "echo": "rms",
    "sage": "slt",
    "shimmer": "slt",
    "verse": "awb",
    "marin": "slt",
    "cedar": "rms",
}
FLITE_DEFAULT: Final = "slt"


@dataclass(frozen=True, slots=True)
class Sound:
    """Spoken samples, s16 mono."""

    rate_hz: int
    pcm: bytes

    @property
    def length_ms(self) -> int:
        """Return how long it lasts."""
        return len(self.pcm) // 2 * 1000 // self.rate_hz


class Voice(Protocol):
    """Speaks."""

    async def speak(self, text: str, voice: str, speed: float) -> Sound:
        """Return a sentence, spoken.

        Args:
            text: The sentence.
            voice: Name of the wanted voice.
            speed: 1.0 is normal.

        Raises:
            ReplyError: It cannot be spoken.
        """


class EspeakVoice:
    """Speaks with espeak-ng: always intelligible, first sound after some 12 ms."""

    async def speak(self, text: str, voice: str, speed: float) -> Sound:
        """Return a sentence, spoken."""
        slowest, fastest = ESPEAK_LIMITS_WPM
        wpm = min(max(round(ESPEAK_WPM * speed), slowest), fastest)
        variant = ESPEAK_VOICES.get(voice, ESPEAK_DEFAULT)
        command = ["espeak-ng", "--stdin", "--stdout", "-b", "1", "-s", str(wpm), "-v", variant]
        return _read_wav(await _run(command, text.encode()), "espeak-ng")


class FliteVoice:
    """Speaks with flite: more natural, some 50 ms for a sentence."""

    async def speak(self, text: str, voice: str, speed: float) -> Sound:
        """Return a sentence, spoken."""
        # flite reads its own output back to mend the header, which a pipe cannot give.
        try:
            file = os.memfd_create("speech")
        except OSError as exc:
            raise ReplyError("voice_failed", f"No room for speech: {exc.strerror}.") from exc
        try:
            command = ["flite", "-voice", FLITE_VOICES.get(voice, FLITE_DEFAULT)]
            command += ["--setf", f"duration_stretch={1 / speed:.3f}"]
            command += ["-f", "/dev/stdin", "-o", f"/dev/fd/{file}"]
            await _run(command, _plain(text).encode("ascii"), keep=(file,))
            wav = os.pread(file, os.fstat(file).st_size, 0)
        finally:
            os.close(file)
        return _read_wav(wav, "flite")


class NoVoice:
    """Cannot speak; written replies need no voice."""

    async def speak(self, text: str, voice: str, speed: float) -> Sound:
        """Say why not."""
        raise ReplyError("voice_failed", "This server was started without a voice.")


PROGRAMS: Final[dict[str, type[Voice]]] = {"espeak-ng": EspeakVoice, "flite": FliteVoice}


def find_voice(wanted: str | None) -> Voice:
    """Return the voice to use.

    Args:
        wanted: A program, "none", or ``None`` for the first that is installed.

    Raises:
        ConfigError: The program is not installed.
    """
    if wanted == "none":
        return NoVoice()
    for name in [wanted] if wanted else PROGRAMS:
        if shutil.which(name):
            return PROGRAMS[name]()
    package = wanted or "espeak-ng"
    raise ConfigError(
        f"{package} is not installed: apt install {package} "
        "(or --voice none, for sessions with text output only)"
    )


async def _run(command: list[str], text: bytes, *, keep: tuple[int, ...] = ()) -> bytes:
    """Run a voice program on a text and return what it wrote."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=keep,
        )
    except FileNotFoundError as exc:
        raise ReplyError(
            "voice_failed", f"{command[0]} is not installed: apt install {command[0]}"
        ) from exc
    except OSError as exc:
        raise ReplyError("voice_failed", f"{command[0]} cannot be run: {exc.strerror}.") from exc
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, _ = await process.communicate(text)
    except TimeoutError as exc:
        raise ReplyError("voice_failed", f"{command[0]} takes too long.") from exc
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    if process.returncode:
        raise ReplyError("voice_failed", f"{command[0]} failed with {process.returncode}.")
    return output


def _read_wav(wav: bytes, program: str) -> Sound:
    """Return the samples of a WAV file whose length fields cannot be trusted."""
    if len(wav) < WAV_HEADER_BYTES:
        return Sound(DEFAULT_RATE_HZ, b"")  # there was nothing to pronounce
    if wav[:4] != b"RIFF" or wav[36:40] != b"data":
        raise ReplyError("voice_failed", f"{program} wrote something that is no WAV file.")
    (rate_hz,) = struct.unpack_from("<I", wav, 24)
    if rate_hz not in RATES_HZ:
        raise ReplyError("voice_failed", f"{program} speaks at {rate_hz} Hz, which is no rate.")
    pcm = wav[WAV_HEADER_BYTES:]
    return Sound(rate_hz, pcm[: len(pcm) // 2 * 2])


def _plain(text: str) -> str:
    """Return a text in the letters that flite knows."""
    text = text.translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2014: ", "})
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
