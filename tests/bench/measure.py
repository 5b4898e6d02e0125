"""The measurements.  A recording of the virtual loudspeaker is the judge of all of them.

The recorder keeps the sink's block at 5 ms, so that no time is worse than that.
"""

import asyncio
import time

import numpy as np

from tests.audio.probe import Reports
from tests.bench.figures import NONE, Reach, Row, figure
from tests.bench.stage import (
    FRAMES_PER_MS,
    article,
    count,
    first_sound,
    last_sound,
    sounding,
    voice,
    voiced,
)
from tests.rig.acoustics import as_pcm
from tests.rig.provider import Piece, Wire, split
from tests.rig.recorder import Recorder, Samples, write_wav
from tests.rig.soundcard import VirtualSoundCard
from tests.rig.user import speak
from tests.rig.voices import assistant
from voiced.audio.playback import Speaker
from voiced.audio.portaudio import PortAudio
from voiced.conversation.sound_events import PlaybackCut, SpeakerOpened
from voiced.settings import Audio

REPLY_MS = 6000
BLOCK_MS = 5
FLUSH = Reach(median=10.0, p95=20.0)
FIRST, SECOND, DEAD = (1000, 3000), (3000, 5000), (9000, 9900)
"""Ranges of sample values: the first item, the second, and what must never sound."""
LATE_BEFORE_DONE, LATE_AFTER_DONE = 6, 2


def random_ms(trial: int, low: int, high: int) -> float:
    """Return a time that differs from trial to trial and is the same in every run."""
    return float(np.random.default_rng(trial).uniform(low, high))


async def at_any_time(trial: int) -> None:
    """Wait for a part of the sink's block: whoever waits for one is in step with it."""
    await asyncio.sleep(random_ms(trial, 0, BLOCK_MS) / 1000)


async def silence_ms(wire: Wire, recorder: Recorder, trial: int) -> float:
    """Interrupt a long reply once; return the time to silence."""
    reply = voice(REPLY_MS, trial)
    began_s = time.monotonic()
    await wire.turn_ended(f"user_{trial}")
    await wire.reply(f"resp_{trial}", [Piece(f"item_{trial}", reply)])
    await sounding(recorder, began_s, random_ms(trial, 300, 900))
    await at_any_time(trial)
    told_s = await wire.speech_started(f"user_{trial}b")
    await asyncio.sleep(0.7)
    return (last_sound(recorder, began_s) - told_s) * 1000


async def flush(trials: int) -> list[Row]:
    """Measure speech_started -> silence, voiced and the article's two chunk sizes in turn."""
    values: dict[str, list[float]] = {"voiced": [], "article_2400": [], "article_1024": []}
    with VirtualSoundCard() as card, Recorder(card) as recorder:
        for start in range(0, trials, 10):
            batch = range(start, min(trials, start + 10))
            async with voiced(card) as (_, wire):
                values["voiced"] += [await silence_ms(wire, recorder, trial) for trial in batch]
            for chunk in (2400, 1024):
                async with article(card, chunk) as wire:
                    values[f"article_{chunk}"] += [
                        await silence_ms(wire, recorder, trial) for trial in batch
                    ]
    what = "speech_started on the socket -> loudspeaker silent, ms"
    return [
        Row("flush_ms", name, what, FLUSH if name == "voiced" else NONE, figure(times))
        for name, times in values.items()
    ]


async def cuts(trials: int) -> list[Row]:
    """Measure the two ways to cut, without a network: abort the stream, or clear the buffer."""
    rows = []
    with VirtualSoundCard() as card, card.in_process():
        for name, aborts in (("abort", True), ("clear", False)):
            library, reports = PortAudio(), Reports()
            speaker = Speaker(library, Audio(prebuffer_ms=0), reports, aborts=aborts)
            speaker.open()
            await reports.until(SpeakerOpened)
            times, errors = [], []
            for trial in range(1, trials + 1):
                with Recorder(card) as recorder:
                    began_s = time.monotonic()
                    speaker.play(f"item_{trial}", 0, voice(REPLY_MS, trial))
                    await sounding(recorder, began_s, random_ms(trial, 150, 300))
                    await at_any_time(trial)
                    ordered_s = time.monotonic()
                    speaker.cut(trial)
                    report = await reports.until(PlaybackCut, trial)
                    await asyncio.sleep(0.15)
                    times.append((last_sound(recorder, began_s) - ordered_s) * 1000)
                    truth = np.count_nonzero(recorder.samples())
                    errors.append(float(report.heard[0].heard_frames - truth) / FRAMES_PER_MS)
            speaker.end()
            await asyncio.to_thread(speaker.join, 2.0)
            rows += [
                Row("cut_ms", name, "order to cut -> loudspeaker silent, ms", NONE, figure(times)),
                Row("cut_error_ms", name, "heard as reported - heard, ms", NONE, figure(errors)),
            ]
    return rows


async def truncation(trials: int) -> list[Row]:
    """Measure what the server is told against what was heard, and what sounds after the cut.

    Every second reply has two items; the cut falls into one of them.  Six late deltas come
    before the end of the dead response and two after it.
    """
    errors: list[float] = []
    dead: list[float] = []
    with VirtualSoundCard() as card, Recorder(card) as recorder:
        async with voiced(card) as (_, wire):
            for trial in range(trials):
                error_ms, dead_samples = await interrupt(wire, recorder, trial)
                errors.append(error_ms)
                dead.append(dead_samples)
            if wire.rules.violations:
                raise AssertionError(wire.rules.violations)
    return [
        Row(
            "truncation_error_ms",
            "voiced",
            "audio_end_ms - heard in the recording, ms",
            Reach(least=-20.0, most=0.0),
            figure(errors),
        ),
        Row(
            "dead_samples",
            "voiced",
            "samples of a dead response after the cut",
            Reach(most=0.0),
            figure(dead),
        ),
    ]


async def interrupt(wire: Wire, recorder: Recorder, trial: int) -> tuple[float, float]:
    """Interrupt one reply; return the error in ms and the samples that should not sound."""
    response = f"resp_{trial}"
    pieces = [Piece(f"item_{trial}a", voice(700, trial, *FIRST))]
    if trial % 2:
        pieces.append(Piece(f"item_{trial}b", voice(REPLY_MS, trial, *SECOND)))
    else:
        pieces = [Piece(f"item_{trial}a", voice(REPLY_MS, trial, *FIRST))]
    before, already = len(wire.received), len(recorder.samples())
    began_s = time.monotonic()
    await wire.turn_ended(f"user_{trial}")
    await wire.created(response)
    for index, piece in enumerate(pieces):
        await wire.item_added(response, piece, index)
        for part in split(piece.pcm, 250):
            await wire.delta(response, piece.item_id, part, index)
        if piece is not pieces[-1]:
            await wire.audio_done(response, piece.item_id, index)
    await sounding(recorder, began_s, random_ms(trial, 200, 1500))
    await at_any_time(trial)
    await wire.speech_started(f"user_{trial}b")
    await late(wire, response, pieces[-1].item_id, LATE_BEFORE_DONE)
    await wire.done(response, "cancelled")
    await late(wire, response, pieces[-1].item_id, LATE_AFTER_DONE)
    told = (await wire.expect("conversation.item.truncate", after=before)).event
    await asyncio.sleep(0.4)
    recording = recorder.samples()[already:]
    sounds = FIRST if told["item_id"] == pieces[0].item_id else SECOND
    heard_ms = count(recording, *sounds) / FRAMES_PER_MS
    return told["audio_end_ms"] - heard_ms, float(count(recording, *DEAD))


async def late(wire: Wire, response: str, item_id: str, deltas: int) -> None:
    """Send samples that must never sound."""
    for number in range(deltas):
        await wire.delta(response, item_id, voice(250, number, *DEAD))


async def first_samples(trials: int) -> list[Row]:
    """Measure the first delta on the socket -> its first sample at the loudspeaker.

    Every second reply follows at once, while the device still runs.
    """
    times: dict[str, list[float]] = {"at rest": [], "running": []}
    with VirtualSoundCard() as card, Recorder(card) as recorder:
        async with voiced(card) as (daemon, wire):
            for trial in range(trials):
                for name, pause_s in (("at rest", 1.3), ("running", 0.1)):
                    await asyncio.sleep(pause_s)
                    pcm = voice(250, trial)
                    item_id = f"{name}_{trial}"
                    await wire.turn_ended(item_id)
                    await wire.created(item_id)
                    await wire.item_added(item_id, Piece(item_id, pcm))
                    sent_s = await wire.delta(item_id, item_id, pcm)
                    await wire.audio_done(item_id, item_id)
                    await wire.done(item_id)
                    await sounding(recorder, sent_s, 240)
                    times[name].append((first_sound(recorder, sent_s) - sent_s) * 1000)
                    await asyncio.to_thread(daemon.ctl, "wait", "--for", "listening")
    what = "delta on the wire -> first sample at the loudspeaker, ms"
    rows = [
        Row("delta_to_speaker_ms", f"voiced, {name}", what, Reach(p95=50.0), figure(values))
        for name, values in times.items()
    ]
    everything = times["at rest"] + times["running"]
    return [Row("delta_to_speaker_ms", "voiced", what, Reach(p95=50.0), figure(everything)), *rows]


async def microphone(seconds: int) -> list[Row]:
    """Measure a sample in the microphone -> the same sample on the wire.

    The virtual microphone renders its block ahead; that time is counted against us.
    """
    what = "microphone sample -> on the wire, ms"
    untouched: dict[str, object] = {"echo_cancellation": False, "half_duplex": "never"}
    cancelled = figure(await microphone_ms(seconds, {}))
    plain = figure(await microphone_ms(seconds, untouched))
    return [
        Row("microphone_to_wire_ms", "voiced", what, Reach(p95=60.0), cancelled),
        Row("microphone_to_wire_ms", "no_cancellation", what, Reach(p95=40.0), plain),
    ]


async def microphone_ms(seconds: int, audio: dict[str, object]) -> list[float]:
    """Return how late each sample of a voice is on the wire."""
    truth = as_pcm(assistant(seconds))
    truth = truth[np.nonzero(truth)[0][0] :]
    with VirtualSoundCard() as card, Recorder(card, source="mic.monitor") as recorder:
        path = card.base / "spoken.wav"
        write_wav(path, truth, 24_000)
        async with voiced(card, audio=audio) as (_, wire):
            await speak(card, path)
            await asyncio.sleep(0.3)
            recording = recorder.samples()
            arrived = [(at_s, np.frombuffer(pcm, "<i2")) for at_s, pcm in wire.appended]
    # Whoever speaks may stutter; that is the same for the recording and for the daemon.
    start = shift(recording, truth)
    heard = np.concatenate([samples for _, samples in arrived])
    first = shift(heard, truth)
    delays: list[float] = []
    place = -first
    for arrived_s, samples in arrived:
        if 0 <= place <= truth.size - samples.size:
            captured_s = recorder.time_of(start + place) - BLOCK_MS / 1000
            oldest_ms = (arrived_s - captured_s) * 1000
            delays += list(oldest_ms - np.arange(samples.size) / FRAMES_PER_MS)
        place += samples.size
    return delays


def shift(heard: Samples, truth: Samples) -> int:
    """Return where in what was heard the truth begins, also when it was worked on."""
    size = 1 << (heard.size + truth.size).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(truth, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: heard.size]))


async def cost(seconds: int) -> list[Row]:
    """Measure processor time and memory of the daemon: idle, listening, speaking."""
    cpu: dict[str, float] = {}
    rss: dict[str, float] = {}
    reach = {"idle": 0.5, "listening": 6.0, "speaking": 10.0}

    with VirtualSoundCard() as card:
        async with voiced(card) as (daemon, wire):

            async def sample(name: str) -> None:
                await asyncio.sleep(1.0)
                before, began_s = daemon.cpu_s(), time.monotonic()
                await asyncio.sleep(seconds)
                used_s = daemon.cpu_s() - before
                cpu[name] = 100 * used_s / (time.monotonic() - began_s)
                rss[name] = daemon.rss_mb()

            await sample("listening")
            await wire.turn_ended()
            await wire.reply("resp", [Piece("item", voice((seconds + 5) * 1000, 3))])
            await sample("speaking")
            await asyncio.to_thread(daemon.ctl, "stop")
            await sample("idle")
    rows = [
        Row(
            "cpu_percent",
            name,
            "processor, % of one core",
            Reach(most=reach[name]),
            figure([value]),
        )
        for name, value in cpu.items()
    ]
    return rows + [
        Row("rss_mb", name, "resident memory, MB", Reach(most=70.0), figure([value]))
        for name, value in rss.items()
    ]
