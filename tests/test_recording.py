import asyncio
import stat
import wave
from pathlib import Path

import pytest

from voiced import recording as module
from voiced.audio.recorder import Recorder
from voiced.errors import ConfigError, WireError
from voiced.recording import Recording, tidy, write

SAVE = {"wish": "save"}


def heard(seconds: int = 5, stretches: int = 50) -> Recorder:
    recorder = Recorder(seconds)
    for number in range(stretches):
        recorder.note(number / 100, b"\1\0" * 240, b"\2\0" * 240, b"\3\0" * 240)
    return recorder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def files(directory: Path) -> list[Path]:
    return list(directory.iterdir())


async def test_what_was_heard_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    saved = await Recording(heard(), tmp_path).answer(SAVE)

    path = Path(saved["file"])
    assert path.parent == tmp_path
    assert mode(path) == 0o600
    assert (saved["seconds"], saved["channels"]) == (
        0.5,
        ["microphone", "cancelled", "loudspeaker"],
    )
    with wave.open(str(path)) as wav:
        assert (wav.getnchannels(), wav.getnframes()) == (3, 12_000)


async def test_two_recordings_are_two_files(tmp_path: Path) -> None:
    recording = Recording(heard(), tmp_path)
    saved = await asyncio.gather(recording.answer(SAVE), recording.answer(SAVE))

    assert len({each["file"] for each in saved}) == 2


async def test_what_nobody_takes_away_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNCLAIMED_S", 0.0)
    removed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def remove(path: Path) -> None:
        path.unlink()
        loop.call_soon_threadsafe(removed.set)

    monkeypatch.setattr(module, "remove", remove)
    await Recording(heard(), tmp_path).answer(SAVE)
    async with asyncio.timeout(20):
        await removed.wait()

    assert files(tmp_path) == []


def test_the_next_daemon_removes_what_is_left(tmp_path: Path) -> None:
    path, _ = write(tmp_path, heard().between(0.0, 1.0))
    (tmp_path / "lock").touch()
    tidy(tmp_path)

    assert not path.exists()
    assert (tmp_path / "lock").exists()


async def test_a_recorder_that_is_off_says_how_to_switch_it_on(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is off; set seconds = 60 in the table \[recorder\]"):
        await Recording(Recorder(), tmp_path).answer(SAVE)


async def test_nothing_heard_is_nothing_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="heard nothing yet"):
        await Recording(Recorder(5), tmp_path).answer(SAVE)

    assert files(tmp_path) == []


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot write to .*: No such file"):
        await Recording(heard(), tmp_path / "nowhere").answer(SAVE)


def test_a_file_that_cannot_be_finished_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_wav", full)
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path, heard().between(0.0, 1.0))

    assert list(tmp_path.iterdir()) == []


async def test_the_status_tells_how_much_there_is_until_it_is_cleared(tmp_path: Path) -> None:
    recording = Recording(heard(), tmp_path)

    assert await recording.answer({"wish": "status"}) == {"seconds": 5, "kept_s": 0.5}
    assert await recording.answer({"wish": "clear"}) == {"seconds": 5, "kept_s": 0.0}
    with pytest.raises(WireError, match="not 'sing'"):
        await recording.answer({"wish": "sing"})
