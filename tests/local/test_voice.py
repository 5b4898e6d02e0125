import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.local.checkpoint import checkpoint
from voiced.errors import ConfigError
from voiced.local import voice as module
from voiced.local.errors import ReplyError
from voiced.local.voice import (
    PROGRAMS,
    EspeakVoice,
    FliteVoice,
    NoVoice,
    Sound,
    Voice,
    find_voice,
)

VOICES = pytest.mark.parametrize("voice", [EspeakVoice(), FliteVoice()], ids=["espeak", "flite"])


def program(folder: Path, name: str, script: str) -> None:
    """Put a shell script on the path in place of a voice program."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that is all of PATH, with the bare tools a script needs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def loudest(sound: Sound) -> int:
    return int(np.abs(np.frombuffer(sound.pcm, dtype="<i2").astype(int)).max())


@VOICES
async def test_a_sentence_is_spoken(voice: Voice) -> None:
    sound = await voice.speak("Twice a day the sea comes up.", "marin", 1.0)

    assert 1000 < sound.length_ms < 4000
    assert loudest(sound) > 3000


@VOICES
@pytest.mark.parametrize("text", ["-w /tmp/x hello", "--help", "-f /etc/passwd"])
async def test_a_text_that_looks_like_an_option_is_spoken(voice: Voice, text: str) -> None:
    assert (await voice.speak(text, "marin", 1.0)).length_ms > 200


@VOICES
@pytest.mark.parametrize("text", ["Ça va, Zoë? “Oui” — 東京", "a < b & c", "[[nonsense", "$(id)"])
async def test_any_letters_may_come(voice: Voice, text: str) -> None:
    assert (await voice.speak(text, "marin", 1.0)).length_ms > 100


@VOICES
async def test_a_text_without_words_is_no_failure(voice: Voice) -> None:
    for text in ("…", "🙂", "-"):
        assert (await voice.speak(text, "marin", 1.0)).rate_hz > 0


@VOICES
async def test_the_speed_is_kept_to(voice: Voice) -> None:
    slow, normal, fast = [
        (await voice.speak("The tide comes in twice a day.", "marin", speed)).length_ms
        for speed in (0.6, 1.0, 1.5)
    ]

    assert slow > 1.3 * normal
    assert fast < 0.8 * normal


@VOICES
async def test_each_name_has_a_voice_and_an_unknown_one_the_default(voice: Voice) -> None:
    names = [*module.ESPEAK_VOICES, "nobody", "-f", "../../etc"]

    sounds = [await voice.speak("Hello.", name, 1.0) for name in names]

    assert all(loudest(sound) > 1000 for sound in sounds)
    assert len({sound.pcm for sound in sounds}) >= 4


def test_the_first_program_that_is_installed_speaks(bin_folder: Path) -> None:
    program(bin_folder, "flite", "exit 0")
    assert isinstance(find_voice(None), FliteVoice)

    program(bin_folder, "espeak-ng", "exit 0")
    assert isinstance(find_voice(None), EspeakVoice)
    assert isinstance(find_voice("flite"), FliteVoice)


@pytest.mark.parametrize(("wanted", "package"), [(None, "espeak-ng"), ("flite", "flite")])
def test_a_missing_program_is_named_with_its_package(
    bin_folder: Path, wanted: str | None, package: str
) -> None:
    assert not list(bin_folder.iterdir())

    with pytest.raises(ConfigError, match=f"apt install {package}"):
        find_voice(wanted)


async def test_without_a_voice_a_spoken_reply_fails() -> None:
    voice = find_voice("none")

    assert isinstance(voice, NoVoice)
    with pytest.raises(ReplyError, match="without a voice"):
        await voice.speak("Hello.", "marin", 1.0)


@pytest.mark.parametrize("name", list(PROGRAMS))
async def test_a_program_that_has_gone_fails_the_reply(bin_folder: Path, name: str) -> None:
    assert bin_folder.name  # an empty PATH

    with pytest.raises(ReplyError, match=f"apt install {name}"):
        await PROGRAMS[name]().speak("Hello.", "marin", 1.0)


async def test_a_program_that_fails_fails_the_reply(bin_folder: Path) -> None:
    program(bin_folder, "espeak-ng", "exit 3")

    with pytest.raises(ReplyError, match="failed with 3"):
        await EspeakVoice().speak("Hello.", "marin", 1.0)


async def test_a_program_that_writes_nothing_had_nothing_to_say(bin_folder: Path) -> None:
    program(bin_folder, "espeak-ng", "exit 0")

    assert (await EspeakVoice().speak("Hello.", "marin", 1.0)).pcm == b""


async def test_a_program_that_writes_no_wav_fails_the_reply(bin_folder: Path) -> None:
    program(bin_folder, "espeak-ng", 'printf "%060d" 5')

    with pytest.raises(ReplyError, match="no WAV file"):
        await EspeakVoice().speak("Hello.", "marin", 1.0)


async def test_a_program_that_hangs_is_killed(
    bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(bin_folder, "espeak-ng", "exec /bin/sleep 60")
    monkeypatch.setattr(module, "TIMEOUT_S", 0.05)

    with pytest.raises(ReplyError, match="takes too long"):
        await EspeakVoice().speak("Hello.", "marin", 1.0)


async def test_a_program_nobody_waits_for_is_killed(bin_folder: Path) -> None:
    async with checkpoint(bin_folder) as point:
        (bin_folder / "hang.py").write_text(f"{point.code}\ncheckpoint()", encoding="utf-8")
        program(bin_folder, "espeak-ng", f'exec {sys.executable} "{bin_folder}/hang.py"')
        speaking = asyncio.create_task(EspeakVoice().speak("Hello.", "marin", 1.0), name="speak")
        held = await point.held()
        pid = point.pid

        speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await speaking
        held.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_sentence_takes_less_time_to_make_than_to_say() -> None:
    began_s = time.monotonic()

    sound = await EspeakVoice().speak("I am a parrot, so I say what I hear. " * 10, "marin", 1.0)

    assert time.monotonic() - began_s < sound.length_ms / 1000


async def test_a_program_that_cannot_be_run_fails_the_reply(bin_folder: Path) -> None:
    program(bin_folder, "espeak-ng", "exit 0")
    (bin_folder / "espeak-ng").chmod(0o600)

    with pytest.raises(ReplyError, match="cannot be run"):
        await EspeakVoice().speak("Hello.", "marin", 1.0)


async def test_a_program_that_speaks_at_no_rate_fails_the_reply(bin_folder: Path) -> None:
    header = b"RIFF" + bytes(20) + (10_001).to_bytes(4, "little") + bytes(8) + b"data" + bytes(4)
    (bin_folder / "sound.wav").write_bytes(header + bytes(100))
    program(bin_folder, "espeak-ng", f'exec /bin/cat "{bin_folder}/sound.wav"')

    with pytest.raises(ReplyError, match="10001 Hz"):
        await EspeakVoice().speak("Hello.", "marin", 1.0)
