import pytest

from tests.rig.soundcard import VirtualSoundCard
from voicectl.sound import SoundError, survey
from voiced.settings import Audio

WITHIN_S = 60.0


def test_the_child_tells_what_there_is(sound: VirtualSoundCard) -> None:
    found = survey(Audio(), listen_s=0.05, within_s=WITHIN_S)

    assert found.server == "pulseaudio"
    assert found.input.used == "mic.monitor"
    assert found.level is not None
    assert found.level.error == ""
    assert not found.is_empty


def test_a_library_that_ends_the_child_is_no_harm(
    sound: VirtualSoundCard, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # PortAudio aborts the process without this file.
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(sound.base / "nothing"))

    with pytest.raises(SoundError, match=r"the sound library failed \(status -6\)"):
        survey(Audio(), listen_s=0.0, within_s=WITHIN_S)
    assert capfd.readouterr() == ("", "")


def test_a_sound_server_that_hangs_is_not_waited_for(
    sound: VirtualSoundCard,
) -> None:
    with pytest.raises(SoundError, match="no answer from the sound server within"):
        survey(Audio(), listen_s=0.0, within_s=0.01)
