import io
import struct

import msgspec
import pytest

from tests.rig.soundcard import VirtualSoundCard
from voicectl.probe import listen, look, main, measured
from voicectl.sound import Survey, Task
from voiced.settings import Audio


def test_what_is_used_is_what_the_daemon_would_take(sound: VirtualSoundCard) -> None:
    default = look(Audio())
    named = look(Audio(input="speaker.monitor", output="MIC"))

    assert (default.server, default.has_door) == ("pulseaudio", True)
    assert (default.input.used, default.output.used) == ("mic.monitor", "speaker")
    assert (named.input.used, named.output.used) == ("speaker.monitor", "mic")
    assert [device.name for device in default.output.devices] == ["speaker", "mic"]


def test_a_device_that_is_not_there_is_told_with_those_that_are(sound: VirtualSoundCard) -> None:
    found = look(Audio(input="Jabbra"))

    assert found.input.used == ""
    assert 'no microphone named "Jabbra"; there is: ' in found.input.error
    assert '"mic.monitor"' in found.input.error
    assert found.output.error == ""


def test_without_a_sound_server_what_leads_to_one_is_nothing(sound: VirtualSoundCard) -> None:
    sound.stop()
    found = look(Audio())

    assert found.is_empty
    assert found.server is None
    assert found.input.error == "there is no microphone at all"
    assert found.output.error == "there is no loudspeaker at all"


async def test_a_silent_microphone_is_heard_to_be_silent(sound: VirtualSoundCard) -> None:
    level = await listen(Audio(), 0.1)

    assert (level.error, level.peak) == ("", 0.0)


async def test_a_microphone_that_cannot_be_opened_is_told(sound: VirtualSoundCard) -> None:
    level = await listen(Audio(input="Jabbra"), 0.1)

    assert 'no microphone named "Jabbra"' in level.error


@pytest.mark.parametrize(
    ("samples", "peak", "clipped"),
    [((0, 0, 0, 0), 0.0, 0.0), ((0, -16384, 1, 2), 0.5, 0.0), ((32767, -32768, 0, 0), 1.0, 0.5)],
)
def test_loudness_is_measured(samples: tuple[int, ...], peak: float, clipped: float) -> None:
    level = measured(struct.pack("<4h", *samples))

    assert (level.peak, level.clipped) == (peak, clipped)


@pytest.mark.parametrize("listen_s", [0.0, 0.05])
def test_a_task_goes_in_and_a_survey_comes_out(
    sound: VirtualSoundCard, monkeypatch: pytest.MonkeyPatch, listen_s: float
) -> None:
    task = msgspec.json.encode(Task(Audio(), listen_s))
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(task)))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written))

    assert main() == 0
    found = msgspec.json.decode(written.getvalue(), type=Survey)
    assert found.input.used == "mic.monitor"
    assert (found.level is not None) == bool(listen_s)
