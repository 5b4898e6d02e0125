import json
import stat
from pathlib import Path

import pytest

from tests.rig.pretender import refusal, result
from tests.voicectl.verbs.asking import answering
from voicectl.cli import run
from voicectl.outcome import CommandError
from voicectl.verbs.recorder import take

Capture = pytest.CaptureFixture[str]
CHANNELS = ["microphone", "cancelled", "loudspeaker"]


@pytest.fixture
def sound(runtime: Path) -> Path:
    """Write what the daemon would write."""
    path = runtime / "voiced" / "recording-x1.wav"
    path.parent.mkdir()
    path.write_bytes(b"sound")
    return path


def saved(sound: Path) -> bytes:
    return result(file=str(sound), seconds=12.5, channels=CHANNELS)


def test_the_sound_is_taken_away_and_nobody_else_can_read_it(
    runtime: Path, sound: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "echo.wav"
    with answering(runtime, monkeypatch, saved(sound)) as asked:
        assert run(["recorder", "save", "-o", str(path)]) == 0

    assert capsys.readouterr().out == f"{path}: 12.5 s, microphone, cancelled, loudspeaker\n"
    assert path.read_bytes() == b"sound"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not sound.exists()
    assert [(it.verb, it.args) for it in asked] == [("recorder", {"wish": "save"})]


def test_without_a_name_it_is_named_by_the_time(
    runtime: Path, sound: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with answering(runtime, monkeypatch, saved(sound)):
        assert run(["recorder", "save", "--json"]) == 0

    (path,) = tmp_path.iterdir()
    assert path.match("voiced-????????-??????.wav")
    assert json.loads(capsys.readouterr().out)["file"] == str(path)


def test_a_file_that_is_there_is_replaced_only_by_force(
    runtime: Path, sound: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "echo.wav"
    path.write_bytes(b"before")
    path.chmod(0o644)
    # Nothing is asked of the daemon.
    assert run(["recorder", "save", "-o", str(path)]) == 1
    assert capsys.readouterr().err == f"voicectl: {path} is there already; --force replaces it\n"
    with answering(runtime, monkeypatch, saved(sound)):
        assert run(["recorder", "save", "--force", "-o", str(path)]) == 0

    assert path.read_bytes() == b"sound"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_came_there_meanwhile_stays(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "echo.wav"
    path.write_bytes(b"before")
    with pytest.raises(CommandError, match="is there already"):
        take(sound, path, is_forced=False)

    assert path.read_bytes() == b"before"


def test_half_a_file_is_removed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        take(tmp_path / "nowhere", tmp_path / "echo.wav", is_forced=False)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "status", "complaint"),
    [
        ("echo.mp3", 2, "echo.mp3 must end with .wav"),
        ("nowhere/echo.wav", 1, "there is no directory "),
        ("directory.wav", 1, "directory.wav is no file; name one that ends with .wav"),
    ],
)
def test_a_place_that_cannot_be_is_told_before_anything_is_asked(
    name: str, status: int, complaint: str, capsys: Capture, tmp_path: Path
) -> None:
    (tmp_path / "directory.wav").mkdir()

    assert run(["recorder", "save", "--force", "-o", str(tmp_path / name)]) == status
    assert complaint in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)

    assert run(["recorder", "save", "-o", str(tmp_path / "echo.wav")]) == 1
    assert (
        capsys.readouterr().err == f"voicectl: cannot write to {tmp_path}; name another with -o\n"
    )


def test_only_what_the_daemon_recorded_is_taken(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    with answering(runtime, monkeypatch, result(file="/etc/passwd")):
        assert run(["recorder", "save", "-o", str(tmp_path / "echo.wav")]) == 5

    assert "did not say where the sound is" in capsys.readouterr().err


def test_a_recorder_that_is_off_is_told_with_the_remedy(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    with answering(runtime, monkeypatch, refusal("refused", "the flight recorder is off; do so")):
        assert run(["recorder", "save", "-o", str(tmp_path / "echo.wav")]) == 1

    assert capsys.readouterr().err == "voicectl: the flight recorder is off; do so\n"


def test_how_much_is_kept_is_told(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    on, off = result(seconds=60, kept_s=12.34), result(seconds=0, kept_s=0.0)
    with answering(runtime, monkeypatch, on, off, on, result()) as asked:
        assert run(["recorder", "status"]) == 0
        assert run(["recorder", "clear"]) == 0
        assert run(["recorder", "status", "--json"]) == 0
        printed = capsys.readouterr().out.splitlines()
        assert run(["recorder", "status"]) == 5

    assert printed[:2] == ["keeps 60 s, has 12.3 s", "off ([recorder] seconds = 0)"]
    assert json.loads(printed[2]) == {"seconds": 60, "kept_s": 12.34}
    assert [it.args["wish"] for it in asked] == ["status", "clear", "status", "status"]
