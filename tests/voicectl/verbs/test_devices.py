import json
from pathlib import Path

import pytest

from tests.rig.soundcard import VirtualSoundCard
from voicectl.cli import run


def configure(sound: VirtualSoundCard, text: str) -> Path:
    path = sound.base / "config" / "voiced" / "config.toml"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_devices_are_listed_by_the_names_the_configuration_takes(
    sound: VirtualSoundCard, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(sound, '[audio]\noutput = "mic"\n')
    sound.pactl("set-sink-mute", "speaker", "1")

    assert run(["devices"]) == 0
    assert capfd.readouterr() == (
        'microphones ([audio] input = "default")\n'
        "* Monitor of Null Output  mic.monitor  default, hears what is played\n"
        "\n"
        'loudspeakers ([audio] output = "mic")\n'
        "  Null Output  speaker  default, muted\n"
        "* Null Output  mic\n",
        "",
    )


def test_monitors_are_listed_when_they_are_asked_for(
    sound: VirtualSoundCard, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["devices", "--all"]) == 0
    assert "  Monitor of Null Output  speaker.monitor  hears what is played\n" in (
        capfd.readouterr().out
    )


def test_devices_are_json_for_scripts(
    sound: VirtualSoundCard, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["devices", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)

    assert told["server"] == "pulseaudio"
    assert (told["input"]["configured"], told["input"]["used"]) == ("default", "mic.monitor")
    assert told["output"]["devices"][0] == {
        "name": "speaker",
        "description": "Null Output",
        "default": True,
        "used": True,
        "muted": False,
        "monitor": False,
    }


def test_a_name_that_no_device_has_is_told(
    sound: VirtualSoundCard, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(sound, '[audio]\ninput = "Jabbra"\n')

    assert run(["devices"]) == 0
    told = capfd.readouterr()
    assert "  Monitor of Null Output  mic.monitor  default" in told.out
    assert 'voicectl: [audio] input: no microphone named "Jabbra"' in told.err


def test_without_a_sound_server_one_line_says_so(
    sound: VirtualSoundCard, capfd: pytest.CaptureFixture[str]
) -> None:
    sound.stop()

    assert run(["devices"]) == 1
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "there is no sound server and no sound device" in told.err

    assert run(["devices", "--json"]) == 1
    assert json.loads(capfd.readouterr().out)["server"] is None


def test_a_library_that_fails_is_one_line(
    sound: VirtualSoundCard, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(sound.base / "nothing"))

    assert run(["devices"]) == 1
    assert capfd.readouterr().err.startswith("voicectl: the sound library failed")


def test_a_broken_configuration_is_no_hindrance(
    sound: VirtualSoundCard, capfd: pytest.CaptureFixture[str]
) -> None:
    path = configure(sound, "[adio]\n")

    assert run(["devices"]) == 0
    told = capfd.readouterr()
    assert "* Null Output" in told.out
    assert f"{path}:1:2: unknown table" in told.err
    assert "the defaults are taken" in told.err
