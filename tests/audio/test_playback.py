"""The loudspeaker on a real sound server; a recording of it is the judge."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from tests.audio import fakes
from tests.audio.probe import (
    ANSWERS_WITHIN_S,
    Reports,
    Trial,
    find,
    noise,
    repeated_if_disturbed,
    sounding,
    until,
)
from tests.rig.recorder import Recorder, Samples
from tests.rig.soundcard import VirtualSoundCard
from voiced.audio.buffer import AGAIN_FRAMES
from voiced.audio.meter import FLOOR_DBFS, Meter
from voiced.audio.pcm import FADE_FRAMES, level_dbfs
from voiced.audio.playback import LINGER_S, Speaker
from voiced.audio.playhead import SETTLING_PULLS
from voiced.audio.portaudio import OUTPUT_UNDERFLOW, PortAudio
from voiced.audio.reference import FILLED_PULLS, Reference
from voiced.conversation.sound_events import (
    Heard,
    PlaybackCut,
    PlaybackDrained,
    PlaybackHeld,
    SpeakerLost,
    SpeakerOpened,
)
from voiced.settings import Audio

pytestmark = pytest.mark.timeout(120)

ITEM = "item_1"
AT_ONCE = Audio(prebuffer_ms=0)


@asynccontextmanager
async def speaker(
    settings: Audio = AT_ONCE, *, aborts: bool = True, trial: Trial | None = None
) -> AsyncIterator[tuple[Speaker, Reports]]:
    """Give an open loudspeaker and its reports."""
    library, reports = PortAudio(), Reports()
    made = Speaker(library, settings, reports, aborts=aborts)
    made.open()
    await reports.until(SpeakerOpened)
    try:
        yield made, reports
    finally:
        if trial is not None:
            trial.losses += made.figures().underruns
        made.end()
        await asyncio.to_thread(made.join, ANSWERS_WITHIN_S)
        await asyncio.to_thread(library.close)


def heard_ms(recorder: Recorder) -> float:
    return sounding(recorder.samples()).size / 24


async def cut_and_compare(out: Speaker, reports: Reports, recorder: Recorder, number: int) -> Heard:
    """Cut, and hold the report against the recording: never more, and at most 20 ms less.

    Told apart from that is what a busy machine does: the sink that stalls, and the stream
    that is aborted late.
    """
    ordered_s = time.monotonic()
    out.cut(number)
    report = await reports.until(PlaybackCut, number)
    await asyncio.sleep(0.1)
    truth_ms, stalled_ms = heard_ms(recorder), recorder.late_ms(ordered_s - 0.05)
    (piece,) = report.heard
    told_ms = piece.heard_frames / 24
    took_ms = (report.silent_at_s - ordered_s) * 1000

    assert report.cut == number
    assert told_ms <= truth_ms + stalled_ms
    assert told_ms >= truth_ms - took_ms - stalled_ms - 20
    return piece


@repeated_if_disturbed
async def test_every_sample_is_played_as_it_was_handed_over(
    trial: Trial, sound: VirtualSoundCard
) -> None:
    pcm = noise(250)
    async with speaker(trial=trial) as (out, reports):
        with trial.recorder(sound) as recorder:
            for start in range(0, len(pcm), 2400):
                out.play(ITEM, 0, pcm[start : start + 2400])
            out.finish(ITEM, 0)
            drained = await reports.until(PlaybackDrained)
            recording = await until(recorder, lambda it: sounding(it).size >= len(pcm) // 2)

    assert sounding(recording).astype("<i2").tobytes() == pcm
    assert drained.plays == 5


@repeated_if_disturbed
async def test_drained_comes_when_the_last_sample_has_been_played(
    trial: Trial, sound: VirtualSoundCard
) -> None:
    async with speaker(trial=trial) as (out, reports):
        with trial.recorder(sound) as recorder:
            out.play(ITEM, 0, noise(300))
            out.finish(ITEM, 0)
            await reports.until(PlaybackDrained)
            played_ms = heard_ms(recorder)

    assert played_ms == 300


@pytest.mark.parametrize("pause_ms", [3, 9, 15, 21, 27])
@repeated_if_disturbed
async def test_a_cut_is_silent_at_once_and_says_how_much_was_heard(
    trial: Trial, sound: VirtualSoundCard, pause_ms: int
) -> None:
    """Two cuts each: never more than was heard, and at most 20 ms less."""
    async with speaker(trial=trial) as (out, reports):
        for number in (1, 2):
            with trial.recorder(sound) as recorder:
                out.play(ITEM, 0, noise(10_000, seed=number))
                await until(recorder, lambda it: sounding(it).size > 24 * 200)
                await asyncio.sleep((pause_ms + 3 * number - 3) / 1000)
                piece = await cut_and_compare(out, reports, recorder, number)

            assert (piece.item_id, piece.content_index) == (ITEM, 0)


def stretches(recording: Samples) -> tuple[Samples, Samples]:
    """Return what sounds before and after the longest silence between."""
    sounds = sounding(recording)
    places = np.nonzero(sounds)[0]
    gap = int(np.argmax(np.diff(places)))
    return sounds[: places[gap] + 1], sounds[places[gap + 1] :]


@pytest.mark.parametrize(
    ("aborts", "rate_hz", "pause_ms"),
    [(True, 0, 3), (True, 0, 11), (True, 0, 19), (True, 48_000, 7), (False, 0, 7)],
)
@repeated_if_disturbed
async def test_what_is_held_and_resumed_loses_no_sample(
    trial: Trial, sound: VirtualSoundCard, rate_hz: int, pause_ms: int, *, aborts: bool
) -> None:
    """What sounds after the hold begins some ms before where it broke off, never after."""
    pcm = noise(300, seed=pause_ms)
    settings = Audio(prebuffer_ms=0, device_rate_hz=rate_hz)
    async with speaker(settings, aborts=aborts, trial=trial) as (out, reports):
        with trial.recorder(sound) as recorder:
            out.play(ITEM, 0, pcm[:9600])
            await until(recorder, lambda it: sounding(it).size > 24 * 70)
            await asyncio.sleep(pause_ms / 1000)
            ordered_s = time.monotonic()
            out.hold(1)
            held = await reports.until(PlaybackHeld)
            out.play(ITEM, 0, pcm[9600:])
            out.finish(ITEM, 0)
            await asyncio.sleep(0.1)
            assert not reports.of(PlaybackDrained)
            out.resume()
            await reports.until(PlaybackDrained)
            before, after = stretches(recorder.samples())
            late_frames = 24 * recorder.late_ms(ordered_s - 0.05)

    whole = np.frombuffer(pcm, "<i2")
    took_frames = 24_000 * (held.silent_at_s - ordered_s)
    begins = whole.size - after.size
    assert held.hold == 1
    # The first frames of a fade round to nothing; another rate smears a little.
    edge_frames = 60 if rate_hz else 4
    assert begins <= before.size + edge_frames
    assert begins >= before.size - took_frames - late_frames - 20 * 24 - AGAIN_FRAMES
    if rate_hz == 0:
        steady = before.size - (0 if aborts else FADE_FRAMES)
        assert np.array_equal(before[:steady], whole[:steady])
        assert np.array_equal(after[FADE_FRAMES:], whole[begins + FADE_FRAMES :])


@repeated_if_disturbed
async def test_a_cut_while_held_reports_no_more_than_was_heard(
    trial: Trial, sound: VirtualSoundCard
) -> None:
    async with speaker(trial=trial) as (out, reports):
        for number in (1, 2):
            with trial.recorder(sound) as recorder:
                out.play(ITEM, 0, noise(10_000, seed=number))
                await until(recorder, lambda it: sounding(it).size > 24 * 100)
                ordered_s = time.monotonic()
                out.hold(number)
                held = await reports.until(PlaybackHeld, number)
                await asyncio.sleep(0.05)
                out.cut(number)
                report = await reports.until(PlaybackCut, number)
                truth_ms, stalled_ms = heard_ms(recorder), recorder.late_ms(ordered_s - 0.05)

            told_ms = report.heard[0].heard_frames / 24
            took_ms = (held.silent_at_s - ordered_s) * 1000
            assert told_ms <= truth_ms + stalled_ms
            assert told_ms >= truth_ms - took_ms - stalled_ms - 20


@repeated_if_disturbed
async def test_what_is_ducked_is_14_db_quieter(trial: Trial, sound: VirtualSoundCard) -> None:
    tone = (12_000 * np.sin(np.arange(9600) * 2 * np.pi * 200 / 24_000)).astype("<i2").tobytes()
    async with speaker(trial=trial) as (out, reports):
        with trial.recorder(sound) as recorder:
            out.play(ITEM, 0, tone)
            out.finish(ITEM, 0)
            await until(recorder, lambda it: sounding(it).size > 24 * 70)
            out.duck(-14.0)
            await reports.until(PlaybackDrained)
            played = sounding(recorder.samples())

    loud, quiet = played[:1200], played[-1200:]
    assert level_dbfs(quiet.tobytes()) - level_dbfs(loud.tobytes()) == pytest.approx(-14, abs=0.1)


@repeated_if_disturbed
async def test_nothing_of_before_a_cut_sounds_after_it(
    trial: Trial, sound: VirtualSoundCard
) -> None:
    old, new = noise(3000, seed=1), noise(150, seed=2)
    async with speaker(trial=trial) as (out, reports):
        with trial.recorder(sound) as recorder:
            out.play(ITEM, 0, old)
            await until(recorder, lambda it: sounding(it).size > 2400)
            out.cut(1)
            out.play("item_2", 0, new)  # before the device has stopped
            out.finish("item_2", 0)
            await reports.until(PlaybackDrained)
            recording = recorder.samples()

    place = find(recording, new)
    assert place is not None
    assert np.array_equal(recording[place : place + 3600], np.frombuffer(new, "<i2"))
    assert sounding(recording)[-3600:].tobytes() == new


@repeated_if_disturbed
async def test_a_reply_shorter_than_the_prebuffer_is_heard(
    trial: Trial, sound: VirtualSoundCard
) -> None:
    async with speaker(Audio(prebuffer_ms=2000), trial=trial) as (out, reports):
        with trial.recorder(sound) as recorder:
            out.play(ITEM, 0, noise(50))
            out.finish(ITEM, 0)
            await reports.until(PlaybackDrained)

            assert heard_ms(recorder) == 50


async def test_the_device_rests_when_there_is_nothing_to_play(sound: VirtualSoundCard) -> None:
    async def corked(answer: str) -> None:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            while True:
                if f"Corked: {answer}" in await asyncio.to_thread(
                    sound.pactl, "list", "sink-inputs"
                ):
                    return

    async with speaker() as (out, reports):
        out.play(ITEM, 0, noise(50))
        await corked("no")
        out.finish(ITEM, 0)
        await reports.until(PlaybackDrained)
        drained_s = time.monotonic()
        await corked("yes")
        assert time.monotonic() - drained_s >= LINGER_S

        out.play("item_2", 0, noise(50))
        out.finish("item_2", 0)
        await reports.until(PlaybackDrained, 2)


@repeated_if_disturbed
async def test_a_cut_without_abort_lets_the_device_play_on_into_a_fade(
    trial: Trial,
    sound: VirtualSoundCard,
) -> None:
    tone = np.full(24_000, 10_000, "<i2").tobytes()
    async with speaker(aborts=False, trial=trial) as (out, reports):
        with trial.recorder(sound) as recorder:
            out.play(ITEM, 0, tone)
            await until(recorder, lambda it: sounding(it).size > 2400)
            out.cut(1)
            report = await reports.until(PlaybackCut)
            await asyncio.sleep(0.2)
            played = sounding(recorder.samples())

    assert np.all(np.diff(played[-120:].astype(int)) <= 0)
    assert played[-1] < 100
    # The very last frames of the fade round to zero.
    assert report.heard[0].heard_frames - 3 <= played.size <= report.heard[0].heard_frames


@repeated_if_disturbed
async def test_a_device_of_another_rate_gets_resampled_sound(
    trial: Trial, sound: VirtualSoundCard
) -> None:
    times = np.arange(12_000) / 24_000
    tone = (8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes()
    async with speaker(Audio(prebuffer_ms=0, device_rate_hz=48_000), trial=trial) as (out, reports):
        with trial.recorder(sound) as recorder:
            out.play(ITEM, 0, tone)
            out.finish(ITEM, 0)
            await reports.until(PlaybackDrained)
            played = sounding(recorder.samples())

    spectrum = np.abs(np.fft.rfft(played[1000:11_000]))
    assert abs(played.size - 12_000) < 60
    assert np.argmax(spectrum) / 10_000 * 24_000 == pytest.approx(440, abs=2)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100, 48_000])
@repeated_if_disturbed
async def test_a_cut_at_another_rate_reports_no_more_than_was_heard(
    trial: Trial, sound: VirtualSoundCard, rate_hz: int
) -> None:
    settings = Audio(prebuffer_ms=0, device_rate_hz=rate_hz)
    async with speaker(settings, trial=trial) as (out, reports):
        for number in (1, 2, 3):
            with trial.recorder(sound) as recorder:
                out.play(ITEM, 0, noise(10_000))
                await until(recorder, lambda it: sounding(it).size > 24 * 150)
                await asyncio.sleep(0.003 * number)
                await cut_and_compare(out, reports, recorder, number)


@repeated_if_disturbed
async def test_a_loudspeaker_is_found_by_a_part_of_its_name(
    trial: Trial, sound: VirtualSoundCard
) -> None:
    async with speaker(Audio(prebuffer_ms=0, output="MIC"), trial=trial) as (out, reports):
        with trial.recorder(sound, source="mic.monitor") as recorder:
            out.play(ITEM, 0, noise(100))
            out.finish(ITEM, 0)
            await reports.until(PlaybackDrained)

            assert heard_ms(recorder) == 100


async def test_a_name_that_does_not_exist_is_told_with_those_that_do(
    sound: VirtualSoundCard,
) -> None:
    reports = Reports()
    out = Speaker(PortAudio(), Audio(output="Jabra"), reports)
    out.open()
    lost = await reports.until(SpeakerLost)
    out.end()

    assert 'no loudspeaker named "Jabra"' in lost.reason
    assert '"pulse"' in lost.reason


async def test_new_settings_count_from_the_next_opening_on(sound: VirtualSoundCard) -> None:
    async with speaker() as (out, reports):
        out.configure(Audio(output="mic", prebuffer_ms=0))
        assert out.figures().name == "default"
        out.close()
        out.open()
        await reports.until(SpeakerOpened, 2)

        assert "mic" in (out.figures().name or "")
        assert out.figures().restarts == 0


async def watched(out: Speaker, reports: Reports, hurt: Callable[[], None]) -> SpeakerLost:
    """Hurt the sound server and look after the loudspeaker until it is found lost."""
    await asyncio.to_thread(hurt)
    async with asyncio.timeout(ANSWERS_WITHIN_S):
        while not reports.of(SpeakerLost):
            out.check()
            await asyncio.sleep(0.05)
    return reports.of(SpeakerLost)[0]


async def test_a_sound_server_that_dies_is_noticed_and_a_cut_is_still_answered(
    sound: VirtualSoundCard,
) -> None:
    async with speaker() as (out, reports):
        out.play(ITEM, 0, noise(10_000))
        await asyncio.sleep(0.2)
        await watched(out, reports, sound.stop)
        out.cut(1)

        assert (await reports.until(PlaybackCut)).heard[0].item_id == ITEM


async def test_a_sound_server_that_hangs_cannot_hold_up_a_cut(sound: VirtualSoundCard) -> None:
    pid = sound.pid
    async with speaker() as (out, reports):
        out.play(ITEM, 0, noise(10_000))
        await asyncio.sleep(0.2)
        os.kill(pid, signal.SIGSTOP)
        try:
            out.cut(1)
            await reports.until(PlaybackCut)
            await reports.until(SpeakerLost)
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_a_reply_goes_on_when_the_sound_server_is_back(sound: VirtualSoundCard) -> None:
    async with speaker() as (out, reports):
        out.play(ITEM, 0, noise(2000))
        out.finish(ITEM, 0)
        await asyncio.sleep(0.3)
        await watched(out, reports, sound.stop)
        await asyncio.to_thread(sound.start)
        out.open()
        await reports.until(SpeakerOpened, 2)

        assert (await reports.until(PlaybackDrained)).plays == 1
        assert out.figures().restarts == 1


async def test_a_loudspeaker_that_cannot_be_started_or_stopped_is_lost() -> None:
    for refused in ("start", "abort"):
        reports = Reports()
        out = Speaker(fakes.FakePortAudio(refuses={refused}), AT_ONCE, reports)
        out.open()
        await reports.until(SpeakerOpened)
        out.play(ITEM, 0, noise(50))
        if refused == "abort":
            out.cut(1)
            await reports.until(PlaybackCut)

        assert (await reports.until(SpeakerLost)).reason.startswith("the loudspeaker cannot be")
        out.end()


async def test_an_open_loudspeaker_that_is_opened_again_says_so() -> None:
    library, reports = fakes.FakePortAudio(), Reports()
    out = Speaker(library, AT_ONCE, reports)
    out.open()
    await reports.until(SpeakerOpened)
    out.open()

    await reports.until(SpeakerOpened, 2)
    assert len(library.streams) == 1
    out.end()


async def test_the_meter_is_shown_what_is_played() -> None:
    library, reports, meter = fakes.FakePortAudio(), Reports(), Meter()
    meter.turn(on=True)
    out = Speaker(library, AT_ONCE, reports, meter)
    out.open()
    await reports.until(SpeakerOpened)
    out.play(ITEM, 0, noise(50))
    library.streams[0].capture(bytes(480))

    level = meter.take()
    assert level is not None
    assert level.peak_dbfs > FLOOR_DBFS
    out.end()


@pytest.mark.parametrize("refused_hz", [set[int](), {24_000}])
async def test_the_reference_is_shown_what_the_device_is_handed(refused_hz: set[int]) -> None:
    library, reports = fakes.FakePortAudio(refused_hz=refused_hz), Reports()
    reference = Reference()
    out = Speaker(library, AT_ONCE, reports, reference=reference)
    out.open()
    await reports.until(SpeakerOpened)
    reference.take(240, time.monotonic())
    out.play(ITEM, 0, np.full(2400, 10_000, "<i2").tobytes())
    await asyncio.to_thread(library.streams[0].is_started.wait, ANSWERS_WITHIN_S)
    for _ in range(FILLED_PULLS):
        library.streams[0].capture(bytes(2 * library.streams[0].frames))
    out.duck(-20.0)
    for _ in range(6):
        library.streams[0].capture(bytes(2 * library.streams[0].frames))
    shown = sounding(np.frombuffer(reference.take(24_000, time.monotonic()), "<i2"))

    assert 6 * 240 <= shown.size <= 6 * 240 + 2
    assert shown[0] == pytest.approx(10_000, abs=10)
    assert set(shown[480:]) == {1000}
    assert out.figures().delay_s == pytest.approx(0.02)
    out.end()


async def test_how_late_the_device_is_is_known_only_while_it_plays() -> None:
    library, reports = fakes.FakePortAudio(), Reports()
    out = Speaker(library, AT_ONCE, reports)
    out.open()
    await reports.until(SpeakerOpened)
    out.play(ITEM, 0, noise(1000))
    await asyncio.to_thread(library.streams[0].is_started.wait, ANSWERS_WITHIN_S)
    stream = library.streams[0]
    for _ in range(SETTLING_PULLS):
        stream.capture(bytes(480))
    assert out.figures().delay_s is None
    stream.capture(bytes(480))
    for claimed_s in (-1.0, 7.0, float("nan")):
        times = {"output_buffer_dac_time": claimed_s, "current_time": 0.0}
        stream.callback(None, 240, times, 0)
    assert out.figures().delay_s == pytest.approx(0.02)

    out.cut(1)
    await reports.until(PlaybackCut)
    assert out.figures().delay_s is None
    out.end()


async def test_the_reference_forgets_what_a_stopped_device_drops() -> None:
    library, reports, reference = fakes.FakePortAudio(), Reports(), Reference()
    out = Speaker(library, AT_ONCE, reports, reference=reference)
    out.open()
    await reports.until(SpeakerOpened)
    reference.take(240, time.monotonic())
    out.play(ITEM, 0, noise(1000))
    await asyncio.to_thread(library.streams[0].is_started.wait, ANSWERS_WITHIN_S)
    for _ in range(3):
        library.streams[0].capture(bytes(480))
    out.cut(1)
    await reports.until(PlaybackCut)

    # It has just begun: it held three buffers of 10 ms.
    assert set(reference.take(24_000, time.monotonic())) == {0}
    out.end()


async def test_a_hold_is_answered_and_kept_when_the_device_cannot_be_stopped() -> None:
    library, reports = fakes.FakePortAudio(refuses={"abort"}), Reports()
    out = Speaker(library, AT_ONCE, reports)
    out.open()
    await reports.until(SpeakerOpened)
    out.play(ITEM, 0, noise(100))
    await asyncio.to_thread(library.streams[0].is_started.wait, ANSWERS_WITHIN_S)
    library.streams[0].capture(bytes(960))
    out.hold(3)
    assert (await reports.until(PlaybackHeld)).hold == 3
    await reports.until(SpeakerLost)

    out.open()
    await reports.until(SpeakerOpened, 2)
    assert library.streams[1].calls == []
    out.resume()
    await asyncio.to_thread(library.streams[1].is_started.wait, ANSWERS_WITHIN_S)
    out.cut(4)
    assert (await reports.until(PlaybackCut)).heard[0].heard_frames == 0
    out.end()


async def test_a_hold_while_nothing_runs_is_answered_at_once_and_a_resume_starts() -> None:
    library, reports = fakes.FakePortAudio(), Reports()
    out = Speaker(library, AT_ONCE, reports)
    out.open()
    await reports.until(SpeakerOpened)
    out.hold(1)
    assert reports.of(PlaybackHeld)[0].hold == 1
    out.play(ITEM, 0, noise(50))
    out.finish(ITEM, 0)
    assert library.streams[0].calls == []

    out.resume()
    await asyncio.to_thread(library.streams[0].is_started.wait, ANSWERS_WITHIN_S)
    out.resume()
    out.end()


async def test_a_reply_that_was_heard_out_when_it_was_held_is_drained_by_the_resume() -> None:
    library, reports = fakes.FakePortAudio(), Reports()
    out = Speaker(library, AT_ONCE, reports)
    out.open()
    await reports.until(SpeakerOpened)
    out.play(ITEM, 0, noise(20))
    await asyncio.to_thread(library.streams[0].is_started.wait, ANSWERS_WITHIN_S)
    for _ in range(8):
        library.streams[0].capture(bytes(960))
    out.hold(1)
    await reports.until(PlaybackHeld)
    out.finish(ITEM, 0)
    assert not reports.of(PlaybackDrained)
    out.resume()

    assert (await reports.until(PlaybackDrained)).plays == 1
    assert library.streams[0].calls == ["start", "abort"]
    out.end()


async def test_a_resume_before_the_device_was_stopped_plays_what_it_dropped() -> None:
    library, reports = fakes.FakePortAudio(), Reports()
    out = Speaker(library, AT_ONCE, reports)
    out.open()
    await reports.until(SpeakerOpened)
    out.play(ITEM, 0, noise(20))
    out.finish(ITEM, 0)
    await asyncio.to_thread(library.streams[0].is_started.wait, ANSWERS_WITHIN_S)
    library.streams[0].capture(bytes(960))
    out.hold(1)
    out.resume()
    library.streams[0].is_started.clear()
    await reports.until(PlaybackHeld)

    # All of it had been pulled and nothing been heard.
    assert await asyncio.to_thread(library.streams[0].is_started.wait, ANSWERS_WITHIN_S)
    for _ in range(8):
        library.streams[0].capture(bytes(960))
    assert (await reports.until(PlaybackDrained)).plays == 1
    out.end()


async def test_an_underrun_is_counted_and_not_fatal() -> None:
    library, reports = fakes.FakePortAudio(), Reports()
    out = Speaker(library, AT_ONCE, reports)
    out.open()
    await reports.until(SpeakerOpened)
    library.streams[0].capture(bytes(480), OUTPUT_UNDERFLOW)

    assert out.figures().underruns == 1
    out.end()


@repeated_if_disturbed
async def test_what_was_handed_over_before_the_device_was_open_is_played(
    trial: Trial,
    sound: VirtualSoundCard,
) -> None:
    library, reports = PortAudio(), Reports()
    with trial.recorder(sound) as recorder:
        out = Speaker(library, AT_ONCE, reports)
        out.open()
        out.play(ITEM, 0, noise(100))
        out.finish(ITEM, 0)
        await reports.until(PlaybackDrained)
        played_ms = heard_ms(recorder)
    trial.losses += out.figures().underruns
    out.end()

    assert await asyncio.to_thread(out.join, ANSWERS_WITHIN_S)
    assert played_ms == 100


async def test_a_cut_while_nothing_runs_is_answered_at_once() -> None:
    reports = Reports()
    out = Speaker(fakes.FakePortAudio(), AT_ONCE, reports)
    out.play(ITEM, 0, noise(50))
    out.cut(7)

    assert reports.of(PlaybackCut)[0].cut == 7
    assert reports.of(PlaybackCut)[0].heard[0].heard_frames == 0
    out.end()
