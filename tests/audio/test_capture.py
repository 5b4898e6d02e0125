"""The microphone on a real sound server; what was spoken into it is the truth."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from tests.audio import fakes
from tests.audio.hearing_rig import FrontEndRig
from tests.audio.probe import ANSWERS_WITHIN_S, Reports, Trial, find, noise, repeated_if_disturbed
from tests.rig.recorder import write_wav
from tests.rig.soundcard import VirtualSoundCard
from tests.rig.user import speak
from voiced.audio.capture import CaptureQueue, DeviceTime, Microphone
from voiced.audio.devices import InUse
from voiced.audio.meter import Meter
from voiced.audio.pcm import level_dbfs
from voiced.audio.portaudio import INPUT_OVERFLOW, PortAudio
from voiced.audio.surroundings import Surroundings
from voiced.conversation.sound_events import (
    HearingChanged,
    MicrophoneFrames,
    MicrophoneLost,
    MicrophoneOpened,
    VoiceDismissed,
    VoiceSuspected,
)
from voiced.settings import Audio

pytestmark = pytest.mark.timeout(120)

PLAIN = Audio()


@asynccontextmanager
async def microphone(
    settings: Audio = PLAIN,
    library: PortAudio | None = None,
    *,
    trial: Trial | None = None,
    surroundings: Surroundings | None = None,
) -> AsyncIterator[tuple[Microphone, Reports]]:
    """Give an open microphone and its reports."""
    reports = Reports()
    library = library or PortAudio()
    made = Microphone(library, settings, reports, surroundings=surroundings)
    made.open()
    await reports.until(MicrophoneOpened)
    try:
        yield made, reports
    finally:
        if trial is not None:
            trial.losses += made.figures().overruns
        made.end()
        await asyncio.to_thread(made.join, ANSWERS_WITHIN_S)


def captured(reports: Reports) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    pcm = b"".join(event.pcm for event in reports.of(MicrophoneFrames))
    return np.frombuffer(pcm, "<i2")


async def say(
    trial: Trial, card: VirtualSoundCard, folder: Path, reports: Reports, pcm: bytes, sink: str
) -> None:
    """Speak into a sink and wait until the microphone has it."""
    path, spoken = folder / "spoken.wav", np.frombuffer(pcm, "<i2")
    write_wav(path, spoken, 24_000)
    with trial.recorder(card, source=f"{sink}.monitor") as recorder:
        await speak(card, path, sink=sink)
        count = len(reports.of(MicrophoneFrames))
        # What was lost never comes, and the comparison will say so.
        with suppress(TimeoutError):
            async with asyncio.timeout(2):
                while np.count_nonzero(captured(reports)) < np.count_nonzero(spoken):
                    count += 1
                    await reports.until(MicrophoneFrames, count)
        # Whoever speaks can be starved, too, and stutters.
        trial.losses += pcm not in recorder.samples().tobytes()


@repeated_if_disturbed
async def test_what_is_spoken_arrives_bit_by_bit(
    trial: Trial, sound: VirtualSoundCard, tmp_path: Path
) -> None:
    spoken = noise(300)
    async with microphone(trial=trial) as (_, reports):
        await say(trial, sound, tmp_path, reports, spoken, "mic")

    place = find(captured(reports), spoken)
    assert place is not None
    assert captured(reports)[place : place + 7200].tobytes() == spoken


@repeated_if_disturbed
async def test_samples_come_in_buffers_of_20_ms_at_real_time(
    trial: Trial, sound: VirtualSoundCard
) -> None:
    async with microphone(trial=trial) as (_, reports):
        with trial.recorder(sound, source="mic.monitor"):
            before = len(reports.of(MicrophoneFrames))
            started_s = time.monotonic()
            await asyncio.sleep(1.0)
            buffers = reports.of(MicrophoneFrames)[before:]
            seconds = time.monotonic() - started_s

    assert {len(buffer.pcm) for buffer in buffers} == {960}
    assert len(buffers) * 0.02 == pytest.approx(seconds, abs=0.1)


@repeated_if_disturbed
async def test_a_device_of_another_rate_is_resampled(
    trial: Trial, sound: VirtualSoundCard, tmp_path: Path
) -> None:
    times = np.arange(12_000) / 24_000
    tone = (8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes()
    async with microphone(Audio(device_rate_hz=48_000), trial=trial) as (_, reports):
        await say(trial, sound, tmp_path, reports, tone, "mic")

    heard = captured(reports)
    loud = heard[np.argmax(np.abs(heard) > 4000) :][:10_000]
    assert np.argmax(np.abs(np.fft.rfft(loud))) / 10_000 * 24_000 == pytest.approx(440, abs=2)


async def test_nothing_comes_after_close(sound: VirtualSoundCard) -> None:
    async with microphone() as (mic, reports):
        await reports.until(MicrophoneFrames)
        mic.close()
        count = len(reports.events)
        await asyncio.sleep(0.1)

        assert len(reports.events) == count
        assert mic.figures().name is None


async def test_an_open_microphone_that_is_opened_again_says_so(sound: VirtualSoundCard) -> None:
    async with microphone() as (mic, reports):
        mic.open()

        await reports.until(MicrophoneOpened, 2)
        recording = await asyncio.to_thread(sound.pactl, "list", "short", "source-outputs")
        assert len(recording.splitlines()) == 1


@repeated_if_disturbed
async def test_a_microphone_is_found_by_a_part_of_its_name(
    trial: Trial, sound: VirtualSoundCard, tmp_path: Path
) -> None:
    spoken = noise(200)
    async with microphone(Audio(input="speaker.monitor"), trial=trial) as (mic, reports):
        await say(trial, sound, tmp_path, reports, spoken, "speaker")

        assert "speaker" in (mic.figures().name or "")
        assert find(captured(reports), spoken) is not None


async def test_a_name_that_does_not_exist_is_told(sound: VirtualSoundCard) -> None:
    reports = Reports()
    mic = Microphone(PortAudio(), Audio(input="Jabra"), reports)
    mic.open()

    assert "no microphone named" in (await reports.until(MicrophoneLost)).reason
    mic.end()


async def test_a_sound_server_that_dies_is_noticed(sound: VirtualSoundCard) -> None:
    async with microphone() as (mic, reports):
        await reports.until(MicrophoneFrames)
        await asyncio.to_thread(sound.stop)
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            while not reports.of(MicrophoneLost):
                mic.check()
                await asyncio.sleep(0.05)

        await asyncio.to_thread(sound.start)
        mic.open()
        await reports.until(MicrophoneOpened, 2)
        count = len(reports.of(MicrophoneFrames))
        await reports.until(MicrophoneFrames, count + 1)


async def test_new_settings_count_from_the_next_opening_on() -> None:
    library = fakes.FakePortAudio()
    async with microphone(library=library) as (mic, reports):
        mic.configure(Audio(input="USB"))
        assert mic.figures().name == "default"
        mic.close()
        mic.open()
        await reports.until(MicrophoneOpened, 2)

        assert mic.figures().name == fakes.USB.name


async def test_a_microphone_that_cannot_be_started_is_lost() -> None:
    library, reports = fakes.FakePortAudio(refuses={"start"}), Reports()
    mic = Microphone(library, PLAIN, reports)
    mic.open()

    assert "cannot be started" in (await reports.until(MicrophoneLost)).reason
    mic.end()


async def test_the_meter_is_shown_what_is_captured() -> None:
    library, reports, meter = fakes.FakePortAudio(), Reports(), Meter()
    meter.turn(on=True)
    mic = Microphone(library, PLAIN, reports, meter)
    mic.open()
    await reports.until(MicrophoneOpened)
    library.streams[0].capture(noise(20))

    level = meter.take()
    assert level is not None
    assert level.rms_dbfs == round(level_dbfs(noise(20)), 1)
    mic.end()


async def test_an_overflow_is_counted_and_not_fatal() -> None:
    library = fakes.FakePortAudio()
    async with microphone(library=library) as (mic, reports):
        library.streams[0].capture(noise(20), INPUT_OVERFLOW)
        await reports.until(MicrophoneFrames)

        assert mic.figures().overruns == 1


def test_a_full_queue_drops_the_oldest_sound_and_counts_it() -> None:
    queue = CaptureQueue(3)
    frames = [MicrophoneFrames(bytes([number])) for number in range(5)]
    woken = [queue.put([each]) for each in frames]

    assert woken == [True, False, False, False, False]
    assert queue.dropped == 2
    assert queue.take() == frames[2:]
    assert queue.take() == []
    assert queue.put([MicrophoneFrames(b"x")])


async def test_new_settings_of_the_buffers_do_not_change_how_late_the_loop_may_be() -> None:
    library, reports = fakes.FakePortAudio(), Reports()
    mic = Microphone(library, Audio(input_buffer_ms=40), reports)
    mic.configure(Audio(input_buffer_ms=10))
    mic.open()
    await reports.until(MicrophoneOpened)
    # The loop is busy with this, and takes nothing.
    for _ in range(150):
        library.streams[0].capture(bytes(480))

    assert mic.figures().overruns == 0
    mic.end()


def test_what_is_told_of_dropped_sound_is_kept() -> None:
    queue = CaptureQueue(1)
    queue.put([MicrophoneFrames(b"1"), VoiceSuspected(1.0), MicrophoneFrames(b"2")])
    queue.put([VoiceDismissed(), MicrophoneFrames(b"3")])

    assert queue.take() == [VoiceSuspected(1.0), VoiceDismissed(), MicrophoneFrames(b"3")]
    assert queue.dropped == 2


def test_nothing_at_all_wakes_nobody() -> None:
    assert not CaptureQueue(1).put([])


async def test_what_a_voice_is_told_of_comes_after_its_sound() -> None:
    library, rig = fakes.FakePortAudio(), FrontEndRig()
    rig.ear.answers = [(), (VoiceSuspected(1.0),)]
    async with microphone(library=library, surroundings=rig.surroundings) as (_, reports):
        library.streams[0].capture(noise(40))
        await reports.until(MicrophoneFrames, 2)

    kinds = [type(event) for event in reports.events if not isinstance(event, MicrophoneOpened)]
    assert kinds == [HearingChanged, MicrophoneFrames, VoiceSuspected, MicrophoneFrames]
    assert captured(reports).tobytes() == noise(40)


async def test_an_overflow_holds_local_detection() -> None:
    library, rig = fakes.FakePortAudio(), FrontEndRig()
    rig.surroundings.found = InUse()
    async with microphone(library=library, surroundings=rig.surroundings) as (_, reports):
        rig.reference.sounds = True
        for number in range(1, 151):
            library.streams[0].capture(noise(20))
            await reports.until(MicrophoneFrames, number)
        library.streams[0].capture(noise(20), INPUT_OVERFLOW)
        await reports.until(HearingChanged, 4)

    told = [(event.is_learning, event.can_detect) for event in reports.of(HearingChanged)]
    # The first words, which are learned and then believed; the overflow, which is learned anew.
    assert told == [(True, False), (False, False), (False, True), (True, False)]


async def test_a_fault_in_the_callback_is_a_lost_microphone_and_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    library, rig = fakes.FakePortAudio(), FrontEndRig()
    async with microphone(library=library, surroundings=rig.surroundings) as (_, reports):
        rig.reference.fails = True
        library.streams[0].capture(noise(20))

        assert "a fault of voiced" in (await reports.until(MicrophoneLost)).reason
        assert "cannot be worked on" in caplog.text


async def test_the_devices_are_looked_at_before_the_first_sound_and_once_a_second() -> None:
    library, rig = fakes.FakePortAudio(), FrontEndRig()
    async with microphone(library=library, surroundings=rig.surroundings) as (mic, reports):
        before = rig.surroundings.looks
        mic.check()
        mic.check()
        done = asyncio.Event()
        mic.call_when_done(done.set)
        await done.wait()

        assert before == 1
        assert rig.surroundings.looks == 2
        assert not reports.of(MicrophoneLost)


async def test_the_time_of_a_sound_is_the_device_s_and_not_that_of_a_late_call() -> None:
    library, rig = fakes.FakePortAudio(), FrontEndRig()
    async with microphone(library=library, surroundings=rig.surroundings):
        called_s = time.monotonic()
        # A figure that cannot be; then 20 ms, of which the first sample is 75 ms old.
        library.streams[0].capture(noise(20), ago_s=0.005)
        library.streams[0].capture(noise(20), ago_s=0.075)

    ended_s = rig.reference.taken_at_s[1::2]
    assert ended_s[0] >= called_s
    assert called_s - 0.055 <= ended_s[1] <= time.monotonic() - 0.055


def test_a_few_figures_of_the_device_that_err_move_no_time() -> None:
    device = DeviceTime()
    errors_s = [0.0, 0.005, 0.0, 0.0, -0.008, 0.0, -0.02, 0.0001, 0.0]

    ends_s = [
        device.end_s(5.03 + 0.02 * number, 0.02, 0.03 + error_s)
        for number, error_s in enumerate(errors_s)
    ]

    right_s = [5.02 + 0.02 * number for number in range(len(errors_s))]
    assert ends_s[2:] == pytest.approx(right_s[2:], abs=0.0002)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_hole_begins_a_new_count_of_the_device(is_told: bool) -> None:
    device = DeviceTime()
    for number in range(20):
        device.end_s(5.03 + 0.02 * number, 0.02, 0.03)
    if is_told:
        device.begin_anew()

    assert device.end_s(9.0, 0.02, 0.03) == pytest.approx(8.99)
