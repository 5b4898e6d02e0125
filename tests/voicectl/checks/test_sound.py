import sys

import pytest

from tests.rig.soundcard import VirtualSoundCard
from tests.voicectl.checks.said import levels, only
from voicectl.checks.sound import check, judged
from voicectl.sound import Device, Level, Side, Survey
from voiced.settings import Audio

MICROPHONE = Device("alsa_input.usb", "Jabra Evolve", is_default=True)
LOUDSPEAKER = Device("alsa_output.pci", "Built-in Audio", is_default=True)
HEARD = Level(peak=0.2)


def survey(
    microphone: Device = MICROPHONE,
    loudspeaker: Device = LOUDSPEAKER,
    level: Level | None = HEARD,
    *,
    server: str | None = "PipeWire",
    has_door: bool = True,
) -> Survey:
    return Survey(
        server,
        has_door,
        Side([microphone], used=microphone.name),
        Side([loudspeaker], used=loudspeaker.name),
        level,
    )


def looked(found: Survey, audio: Audio | None = None, stays_closed: str = "") -> dict[str, str]:
    return levels(judged(found, audio or Audio(), stays_closed=stays_closed))


def test_a_headset_that_is_heard_is_all_that_is_wanted() -> None:
    headset = Device("bluez_output.x", "Jabra Evolve", is_headset=True)

    assert looked(survey(loudspeaker=headset)) == {
        "sound.server": "ok",
        "sound.input": "ok",
        "sound.output": "ok",
        "sound.echo": "ok",
        "sound.level": "ok",
    }


@pytest.mark.parametrize(
    ("found", "identity", "level"),
    [
        (survey(has_door=False), "sound.server", "fail"),
        (survey(Device("x.monitor", is_monitor=True)), "sound.input", "warn"),
        (survey(Device("auto_null.monitor", is_monitor=True)), "sound.input", "warn"),
        (survey(Device("auto_null.monitor", is_monitor=True)), "sound.level", "skip"),
        (survey(loudspeaker=Device("auto_null", "Dummy Output")), "sound.output", "warn"),
        (survey(loudspeaker=Device("x", is_muted=True)), "sound.output", "warn"),
        (survey(), "sound.echo", "ok"),
        (survey(Device("x", is_canceller=True)), "sound.echo", "ok"),
        (survey(loudspeaker=Device("x", is_headset=True)), "sound.echo", "ok"),
        (survey(level=Level(peak=0.0)), "sound.level", "warn"),
        (survey(level=Level(peak=0.0002)), "sound.level", "warn"),
        (survey(level=Level(peak=1.0, clipped=0.01)), "sound.level", "warn"),
        (survey(level=Level(error="it delivered nothing")), "sound.level", "fail"),
        (survey(level=None), "sound.level", "skip"),
    ],
)
def test_what_is_wrong_has_its_id_and_its_remedy(found: Survey, identity: str, level: str) -> None:
    finding = only(judged(found, Audio(), stays_closed=""), identity)

    assert finding.level == level
    assert bool(finding.remedy) == (level in ("warn", "fail"))


def test_a_muted_microphone_is_told_from_a_silent_one() -> None:
    muted = Device("mic", "Jabra", is_muted=True)
    said = only(judged(survey(muted, level=Level()), Audio(), stays_closed=""), "sound.level")
    silent = only(judged(survey(level=Level()), Audio(), stays_closed=""), "sound.level")

    assert said.message == "Jabra (mic) is muted in the mixer"
    assert said.remedy.startswith("pactl set-source-mute mic 0")
    assert silent.message.startswith("the microphone gives only zeros: muted in the mixer")


HEADSET = Device("bluez_output.x", is_headset=True)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (Audio(half_duplex="always"), "nothing is heard, as you asked"),
        (Audio(echo_cancellation=False), "nothing is heard: [audio] echo_cancellation = false"),
        (
            Audio(echo_cancellation=False, half_duplex="never"),
            "the assistant hears itself: [audio] echo_cancellation = false",
        ),
    ],
)
def test_what_the_settings_do_about_the_echo_is_told(audio: Audio, message: str) -> None:
    finding = only(judged(survey(), audio, stays_closed=""), "sound.echo")

    assert finding.message.endswith(message)
    assert finding.level == "warn"


def test_always_means_with_a_headset_too() -> None:
    found = survey(loudspeaker=HEADSET)

    assert looked(found, Audio(half_duplex="always"))["sound.echo"] == "warn"
    assert looked(found, Audio(echo_cancellation=False))["sound.echo"] == "ok"


def test_a_canceller_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pywebrtc_audio", None)
    finding = only(judged(survey(), Audio(), stays_closed=""), "sound.echo")

    assert finding.message.endswith("pywebrtc-audio is not installed")
    assert finding.remedy.startswith("use a headset")


def test_a_microphone_that_must_stay_closed_is_skipped_with_the_reason() -> None:
    found = judged(survey(level=None), Audio(), stays_closed="voiced has it open")

    assert only(found, "sound.level").message == "voiced has it open"
    assert levels(found)["sound.level"] == "skip"


def test_hardware_without_a_sound_server_is_a_warning() -> None:
    found = Survey(None, False, Side([], ["hw:0"], "hw:0"), Side([], ["hw:0"], "hw:0"), HEARD)

    assert looked(found)["sound.server"] == "warn"
    assert looked(found)["sound.input"] == "ok"


# --- with a sound server -----------------------------------------------------------------------


def test_a_silent_microphone_is_found(sound: VirtualSoundCard) -> None:
    found = check(Audio(), stays_closed="")

    assert levels(found) == {
        "sound.server": "ok",
        "sound.input": "warn",
        "sound.output": "ok",
        "sound.echo": "ok",
        "sound.level": "warn",
    }
    assert "only zeros" in only(found, "sound.level").message


def test_a_device_that_does_not_exist_is_found(sound: VirtualSoundCard) -> None:
    found = check(Audio(input="Jabbra", output="Jabbra"), stays_closed="")

    assert levels(found)["sound.input"] == "fail"
    assert levels(found)["sound.output"] == "fail"
    assert levels(found)["sound.level"] == "skip"
    assert 'no microphone named "Jabbra"' in only(found, "sound.input").message


def test_no_sound_server_is_found(sound: VirtualSoundCard) -> None:
    sound.stop()
    found = check(Audio(), stays_closed="")

    assert levels(found) == {"sound.server": "fail"}
    assert "systemctl --user start pipewire-pulse" in only(found, "sound.server").remedy


def test_a_library_that_fails_is_found(
    sound: VirtualSoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(sound.base / "nothing"))

    assert levels(check(Audio(), stays_closed="")) == {"sound.server": "fail"}


def test_without_a_configuration_only_the_server_is_looked_at(sound: VirtualSoundCard) -> None:
    assert levels(check(None, stays_closed="")) == {"sound.server": "ok", "sound.input": "skip"}
