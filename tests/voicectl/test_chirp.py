"""A chirp through paths whose delay and gain are known."""

import io

import msgspec
import numpy as np
import pytest

from tests.audio.probe import Trial, repeated_if_disturbed
from tests.rig.acoustics import EchoPath
from tests.rig.room import Room
from tests.rig.soundcard import VirtualSoundCard
from voicectl.chirp import PLAYED_DBFS, chirp, figures, main, sound_out
from voicectl.sounding import Sounding, Task
from voiced.audio.echo import EchoCanceller
from voiced.audio.pcm import RATE_HZ, frames_of, level_dbfs, peak_dbfs, silence
from voiced.settings import Audio, Settings

BEFORE = silence(RATE_HZ)
AFTER = silence(RATE_HZ)


def recorded(delay_ms: int, gain_db: float, noise_dbfs: float = -60.0) -> tuple[bytes, bytes]:
    """Return a microphone and a loudspeaker, as the pairing gives them."""
    loudspeaker = BEFORE + chirp() + AFTER
    played = np.frombuffer(loudspeaker, "<i2").astype(np.float64)
    late = np.concatenate([np.zeros(delay_ms * 24), played])[: played.size]
    random = np.random.default_rng(1)
    noise = random.normal(0, 32768 * 10 ** (noise_dbfs / 20), played.size)
    heard = np.rint(late * 10 ** (gain_db / 20) + noise)
    return np.clip(heard, -32768, 32767).astype("<i2").tobytes(), loudspeaker


def test_the_chirp_is_as_loud_as_speech_and_shorter_than_two_seconds() -> None:
    assert frames_of(chirp()) < 2 * RATE_HZ
    assert level_dbfs(chirp()) == pytest.approx(PLAYED_DBFS, abs=0.1)
    assert peak_dbfs(chirp()) < -20


@pytest.mark.parametrize("delay_ms", [7, 60, 333, 700])
@pytest.mark.parametrize("gain_db", [3.0, -20.0])
def test_delay_and_levels_are_what_they_are(delay_ms: int, gain_db: float) -> None:
    told = figures(*recorded(delay_ms, gain_db), None)

    assert told.latency_ms == pytest.approx(delay_ms, abs=0.1)
    assert told.echo_dbfs == pytest.approx(PLAYED_DBFS + gain_db, abs=1.5)
    assert told.noise_dbfs == pytest.approx(-60, abs=0.5)
    assert told.cancelled_dbfs is None


def test_what_the_canceller_leaves_is_measured() -> None:
    told = figures(*recorded(60, -6), EchoCanceller())

    assert told.cancelled_dbfs is not None
    assert told.cancelled_dbfs < told.echo_dbfs - 20


def test_an_echo_below_the_noise_is_found_and_none_is_found_where_there_is_none() -> None:
    buried = figures(*recorded(60, -45), None)
    microphone, loudspeaker = recorded(60, -200)

    assert buried.latency_ms == pytest.approx(60, abs=0.2)
    assert figures(microphone, loudspeaker, None).latency_ms is None
    assert figures(silence(RATE_HZ * 3), loudspeaker[: RATE_HZ * 6], None).latency_ms is None


def test_a_recording_that_ends_too_soon_has_no_echo() -> None:
    microphone, loudspeaker = recorded(60, 0)
    end = len(BEFORE + chirp())

    assert figures(microphone[:end], loudspeaker[:end], None).latency_ms is None


def test_a_loudspeaker_that_took_nothing_is_told() -> None:
    assert figures(BEFORE, BEFORE, None).error == "the loudspeaker took no sound"


# --- with a sound server -----------------------------------------------------------------------


@repeated_if_disturbed
async def test_a_room_is_measured_as_it_is(trial: Trial, sound: VirtualSoundCard) -> None:
    told: list[Sounding] = []
    with Room(sound, EchoPath(delay_ms=60, gain_db=-10, t60_s=0.2)) as room, trial.recorder(sound):
        for delay_ms in (60, 160):
            room.change(EchoPath(delay_ms=delay_ms, gain_db=-10, t60_s=0.2))
            told.append(await sound_out(Settings()))

    assert [each.error for each in told] == ["", ""]
    near, far = (each.latency_ms for each in told)
    assert near is not None
    assert far is not None
    assert far - near == pytest.approx(100, abs=15)
    assert 40 < near < 110
    assert told[0].echo_dbfs == pytest.approx(PLAYED_DBFS - 10, abs=2)
    assert (told[0].echo, told[0].can_detect) == ("cancelled", True)
    assert (told[0].microphone.name, told[0].loudspeaker.name) == ("mic.monitor", "speaker")


async def test_a_device_that_does_not_exist_is_told(sound: VirtualSoundCard) -> None:
    told = await sound_out(Settings(audio=Audio(output="Jabbra")))

    assert 'no loudspeaker named "Jabbra"' in told.error


def test_the_child_answers_with_figures(
    sound: VirtualSoundCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    task = msgspec.json.encode(Task(Settings()))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(task)))
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out))

    assert main() == 0
    told = msgspec.json.decode(out.getvalue(), type=Sounding)
    assert (told.error, told.latency_ms) == ("", None)
