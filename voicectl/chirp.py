"""The child of ``sounding.sound_out``: ``python -m voicectl.chirp``, a task in, figures out.

Rules
1. It goes the daemon's way: the same devices, the same pairing of loudspeaker and
   microphone, the same canceller.
2. What is played is as loud as speech and shorter than two seconds; sweeps of unequal
   length, so that no delay looks like another.
3. The canceller is given the recording afterwards, three times over, and judged by the
   last half second: by then it has learned the room.
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import msgspec
import numpy as np

from voicectl.probe import device_of
from voicectl.sound import Device
from voicectl.sounding import QUIETEST_DBFS, Sounding, Task
from voiced.audio.capture import Microphone
from voiced.audio.devices import InUse, ServerDevice, in_use
from voiced.audio.echo import DELAY_S, Canceller, Framer, make_canceller
from voiced.audio.front_end import FrontEnd
from voiced.audio.hearing import LATEST_ECHO_MS, judge
from voiced.audio.pcm import FULL_SCALE, RATE_HZ, Floats, frames_of, level_dbfs, peak_dbfs
from voiced.audio.playback import Speaker
from voiced.audio.portaudio import PortAudio
from voiced.audio.reference import Reference
from voiced.audio.surroundings import Surroundings, facts_of
from voiced.conversation.sound_events import (
    MicrophoneLost,
    PlaybackDrained,
    SoundEvent,
    SpeakerLost,
)
from voiced.settings import Settings

SWEEPS_S: Final = (0.10, 0.13, 0.17, 0.11, 0.19, 0.15, 0.12, 0.18, 0.14, 0.16, 0.11, 0.14)
LOWEST_HZ: Final = 150.0
HIGHEST_HZ: Final = 7000.0
EDGE_S: Final = 0.01
PLAYED_DBFS: Final = -26.0
"""As loud as speech."""
BEFORE_S: Final = 0.7
"""Silence before the chirp, in which the noise is measured."""
SETTLING_S: Final = 0.2
"""Some microphones begin with a crack."""
AFTER_S: Final = 1.0
"""An echo may come so much later."""
JUDGED_S: Final = 0.5
LESSONS: Final = 2
"""How often the canceller hears the recording before it is judged."""
STANDS_OUT: Final = 8.0
"""A correlation that is so many times the usual one is the echo."""
WITHIN_S: Final = 8.0
CLOSES_WITHIN_S: Final = 0.5


class Tape:
    """Keeps what the microphone heard and what the loudspeaker was given meanwhile."""

    def __init__(self) -> None:
        self.microphone = bytearray()
        self.loudspeaker = bytearray()

    def note(
        self,
        at_s: float,
        microphone: bytes,
        cancelled: bytes,
        loudspeaker: bytes,
        *,
        is_voice: bool,
        probability: float | None,
    ) -> None:
        """Take 10 ms."""
        self.microphone += microphone
        self.loudspeaker += loudspeaker

    @property
    def seconds(self) -> float:
        """Return how much there is."""
        return frames_of(bytes(self.microphone)) / RATE_HZ


def main() -> int:
    """Do the task and return the exit status."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(sound_out(task.settings))))
    return 0


async def sound_out(settings: Settings) -> Sounding:
    """Play the chirp, hear it and return the figures."""
    tape, events, library = Tape(), Events(), PortAudio()
    reference = Reference()
    # Without a canceller, so that the microphone is heard as it is.
    front_end = FrontEnd(reference, None, None, tape)
    surroundings = Surroundings(front_end, settings, lambda: None)
    microphone = Microphone(library, settings.audio, events, surroundings=surroundings)
    speaker = Speaker(library, settings.audio, events, reference=reference)
    try:
        async with asyncio.timeout(WITHIN_S):
            microphone.open()
            speaker.open()
            await events.until(lambda: tape.seconds >= BEFORE_S)
            speaker.play("chirp", 0, chirp())
            speaker.finish("chirp", 0)
            found = await asyncio.to_thread(in_use, settings.audio.input, settings.audio.output)
            await events.until(lambda: events.is_drained)
            end_s = tape.seconds + AFTER_S
            await events.until(lambda: tape.seconds >= end_s)
    except TimeoutError:
        return Sounding(error=events.lost or f"no sound came back within {WITHIN_S:g} s")
    finally:
        for device in (microphone, speaker):
            device.end()
            await asyncio.to_thread(device.join, CLOSES_WITHIN_S)
    if events.lost:
        return Sounding(error=events.lost)
    canceller = make_canceller()
    measured = figures(bytes(tape.microphone), bytes(tape.loudspeaker), canceller)
    return _with_verdict(measured, settings, found, has_canceller=canceller is not None)


class Events:
    """What the devices report, and a way to wait for what follows from it."""

    def __init__(self) -> None:
        self.lost = ""
        self.is_drained = False
        self._changed = asyncio.Event()

    def __call__(self, event: SoundEvent) -> None:
        """Take an event; the microphone has one for every buffer."""
        self._changed.set()
        match event:
            case MicrophoneLost(reason) | SpeakerLost(reason):
                self.lost = reason
            case PlaybackDrained():
                self.is_drained = True
            case _:
                pass

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, or a device is lost."""
        while not self.lost and not is_so():
            self._changed.clear()
            await self._changed.wait()


def chirp() -> bytes:
    """Return the sound."""
    sweeps = [_sweep(seconds) for seconds in SWEEPS_S]
    sound = np.concatenate(
        [each[::-1] if number % 2 else each for number, each in enumerate(sweeps)]
    )
    rms = float(np.sqrt(np.mean(np.square(sound))))
    loud = sound * (FULL_SCALE * 10 ** (PLAYED_DBFS / 20) / rms)
    return np.rint(loud).astype("<i2").tobytes()


def _sweep(seconds: float) -> Floats:
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    octaves = np.log(HIGHEST_HZ / LOWEST_HZ)
    phase = 2 * np.pi * LOWEST_HZ * seconds / octaves * (np.exp(times / seconds * octaves) - 1)
    edges = np.clip(np.minimum(times, seconds - times) / EDGE_S, 0.0, 1.0)
    return np.asarray(np.sin(phase) * edges, dtype=np.float64)


def figures(microphone: bytes, loudspeaker: bytes, canceller: Canceller | None) -> Sounding:
    """Measure a recording: the two streams side by side, as the canceller is given them."""
    sounding = np.nonzero(np.frombuffer(loudspeaker, "<i2"))[0]
    if not sounding.size:
        return Sounding(error="the loudspeaker took no sound")
    start, end = int(sounding[0]), int(sounding[-1]) + 1
    quiet = _cut(microphone, round(SETTLING_S * RATE_HZ), start)
    lag = _lag(microphone, loudspeaker, start, end)
    late = 0 if lag is None else lag
    judged = end - round(JUDGED_S * RATE_HZ) + late, end + late
    left: float | None = None
    if canceller is not None:
        out = _cancelled(microphone, loudspeaker, canceller)
        delay = round(DELAY_S * RATE_HZ)
        left = _floored(level_dbfs(_cut(out, judged[0] + delay, judged[1] + delay)))
    return Sounding(
        latency_ms=None if lag is None else lag * 1000 / RATE_HZ,
        latest_ms=LATEST_ECHO_MS,
        played_dbfs=_floored(level_dbfs(_cut(loudspeaker, start, end))),
        echo_dbfs=_floored(level_dbfs(_cut(microphone, *judged))),
        cancelled_dbfs=left,
        noise_dbfs=_floored(level_dbfs(quiet)),
        peak_dbfs=_floored(peak_dbfs(microphone)),
    )


def _cancelled(microphone: bytes, loudspeaker: bytes, canceller: Canceller) -> bytes:
    """Return the microphone without the echo, as it is when the room is known."""
    pairs = list(zip(Framer().cut(microphone), Framer().cut(loudspeaker), strict=True))
    for _ in range(LESSONS):
        for near, far in pairs:
            canceller.process(near, far)
    return b"".join(canceller.process(near, far) for near, far in pairs)


def _lag(microphone: bytes, loudspeaker: bytes, start: int, end: int) -> int | None:
    """Return how many frames later what was played is heard; None where it is not."""
    heard = np.frombuffer(microphone, "<i2").astype(np.float64)[start:]
    played = np.frombuffer(loudspeaker, "<i2").astype(np.float64)[start:end]
    most = min(round(AFTER_S * RATE_HZ), heard.size - played.size)
    if most <= 0:
        return None
    size = 1 << (heard.size + played.size).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(played, size))
    likeness = np.abs(np.fft.irfft(spectrum, size))[:most]
    usual = float(np.sqrt(np.mean(np.square(likeness))))
    best = int(np.argmax(likeness))
    return best if likeness[best] > STANDS_OUT * usual > 0 else None


def _with_verdict(
    measured: Sounding, settings: Settings, found: InUse, *, has_canceller: bool
) -> Sounding:
    facts = facts_of(found, has_canceller=has_canceller)
    if measured.latency_ms is not None:
        facts = replace(facts, latency_ms=round(measured.latency_ms))
    verdict = judge(settings.audio, facts, is_local=settings.interruption.local)
    return msgspec.structs.replace(
        measured,
        microphone=_named(found.microphone, settings.audio.input),
        loudspeaker=_named(found.loudspeaker, settings.audio.output),
        echo=verdict.echo,
        reason=verdict.reason,
        can_detect=verdict.can_detect,
    )


def _named(device: ServerDevice | None, wanted: str) -> Device:
    return Device(wanted) if device is None else device_of(device)


def _cut(pcm: bytes, start: int, end: int) -> bytes:
    return pcm[2 * max(0, start) : 2 * max(0, end)]


def _floored(dbfs: float) -> float:
    return round(max(QUIETEST_DBFS, dbfs), 1)


if __name__ == "__main__":
    sys.exit(main())
