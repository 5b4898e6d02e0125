"""A room in arithmetic: a loudspeaker, its echo, a user, a microphone, and our detection.

The loop is closed: what the ear tells makes the assistant quieter, or silent, and so the
echo that the ear hears next.  Everything is computed in 10 ms, from the seed alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from pywebrtc_audio import AudioProcessor

from tests.bench.noises import Random, Sound, active_rms
from voiced.audio.ear import Ear, VoiceEvent
from voiced.audio.pcm import RATE_HZ
from voiced.conversation.sound_events import VoiceConfirmed, VoiceDismissed, VoiceSuspected

FRAME: Final = 240
FRAME_S: Final = 0.01
USER_DBFS: Final = -26.0
NOISE_DBFS: Final = -65.0
RAMP: Final = 2 * FRAME
"""A change of level takes 20 ms."""
SEGMENT: Final = 4 * RATE_HZ


@dataclass(frozen=True, slots=True)
class Room:
    """What lies between the loudspeaker and the microphone.

    Attributes:
        echo: Response of the room to the loudspeaker, delay included.
        voice: Response of the room to the user.
        drive: How hard the loudspeaker is driven; it clips softly.
    """

    echo: Sound
    voice: Sound
    drive: float


def make_room(random: Random) -> Room:
    """Return a room: T60 0.2 to 0.45 s, the echo 20 to 300 ms after the reference."""
    t60_s, delay_s = random.uniform(0.2, 0.45), random.choice((0.02, 0.06, 0.1, 0.2, 0.3))
    echo = np.concatenate([np.zeros(int(delay_s * RATE_HZ)), _response(random, t60_s, 0.5)])
    return Room(echo, _response(random, t60_s, 0.8), random.uniform(0.5, 2.0))


def make_hard_room(random: Random) -> Room:
    """Return a hall, with the loudspeaker far from the microphone: more than can be cancelled."""
    echo = np.concatenate([np.zeros(int(0.06 * RATE_HZ)), _response(random, 0.7, 1.2)])
    return Room(echo, _response(random, 0.7, 1.2), random.uniform(0.5, 2.0))


def _response(random: Random, t60_s: float, reverb: float) -> Sound:
    """Return a direct sound, a few early reflections, and noise that dies away."""
    frames = int(t60_s * RATE_HZ)
    times = np.arange(frames) / RATE_HZ
    tail = random.standard_normal(frames) * 10 ** (-3 * times / t60_s)
    tail[: int(0.004 * RATE_HZ)] = 0
    tail *= reverb / np.sqrt(np.sum(tail**2))
    for _ in range(5):
        tail[int(random.uniform(0.001, 0.02) * RATE_HZ)] += random.uniform(-0.4, 0.4)
    tail[0] += 1
    return np.asarray(tail)


def convolved(sound: Sound, response: Sound) -> Sound:
    """Return a sound as the room lets it be heard, of the same length."""
    size = 1 << int(np.ceil(np.log2(sound.size + response.size)))
    spectrum = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: sound.size])


@dataclass(slots=True)
class Heard:
    """What came of it: times are seconds since the beginning."""

    suspected_s: list[float] = field(default_factory=list)
    confirmed_s: list[float] = field(default_factory=list)
    dismissed_s: list[float] = field(default_factory=list)
    sounds_s: list[float] = field(default_factory=list)
    """The beginnings that were told with the suspicions."""
    ear_us: list[float] = field(default_factory=list)
    """What each frame cost."""
    listening_us: list[float] = field(default_factory=list)
    """The same while the second stage listened."""


class Loop:
    """One microphone, one canceller, one ear.

    Args:
        room: Where it stands.
        reply: What the assistant says, from the beginning to the end.
        near: Everything else that reaches the microphone, of the same length.
        ear: Hears.
        echo_dbfs: Level of the echo while it is not ducked.
        random: Makes the noise of the microphone.
    """

    def __init__(
        self,
        room: Room,
        reply: Sound,
        near: Sound,
        ear: Ear,
        echo_dbfs: float,
        random: Random,
    ) -> None:
        self._room = room
        self._reply = reply
        self._gain = np.ones(reply.size)
        noise = random.standard_normal(near.size) * 10 ** (NOISE_DBFS / 20)
        self._near = near + noise
        self._ear = ear
        self._processor = AudioProcessor(
            sample_rate=RATE_HZ, echo_cancellation=True, noise_suppression=True
        )
        sample = reply[: 8 * RATE_HZ]
        heard = convolved(self._clipped(sample), room.echo)
        self._level = 10 ** (echo_dbfs / 20) / active_rms(heard)
        self._echo = np.zeros(reply.size)
        self._done = 0

    def run(
        self,
        *,
        duck_db: float = 14.0,
        resume_s: float | None = None,
        until: Callable[[Heard, float], bool] = lambda _heard, _now_s: False,
    ) -> Heard:
        """Let time pass.

        Args:
            duck_db: So much quieter is the assistant while somebody is suspected to speak.
            resume_s: So long after a cut the assistant speaks again.
            until: Ends it early.
        """
        heard = Heard()
        resume_at_s = float("inf")
        for start in range(0, self._reply.size - FRAME + 1, FRAME):
            now_s = (start + FRAME) / RATE_HZ
            if start % SEGMENT == 0:
                self._hear_from(start)
            for event in self._step(start, now_s, heard):
                match event:
                    case VoiceSuspected(sound_at_s):
                        heard.suspected_s.append(now_s)
                        heard.sounds_s.append(sound_at_s)
                        self._turn(start + FRAME, 10 ** (-duck_db / 20))
                    case VoiceConfirmed():
                        heard.confirmed_s.append(now_s)
                        self._turn(start + FRAME, 0.0)
                        if resume_s is not None:
                            resume_at_s = now_s + resume_s
                    case VoiceDismissed():
                        heard.dismissed_s.append(now_s)
                        self._turn(start + FRAME, 1.0)
            if now_s >= resume_at_s:
                self._turn(start + FRAME, 1.0)
                resume_at_s = float("inf")
            if until(heard, now_s):
                break
        return heard

    def _step(self, start: int, now_s: float, heard: Heard) -> tuple[VoiceEvent, ...]:
        span = slice(start, start + FRAME)
        far = _pcm(self._reply[span] * self._gain[span])
        near = _pcm(self._echo[span] + self._near[span])
        cancelled = self._processor.process(near, far).tobytes()
        began = time.thread_time()
        events = self._ear.process(cancelled, far.tobytes(), now_s)
        took_us = (time.thread_time() - began) * 1e6
        quiet = self._ear.probability is None
        (heard.ear_us if quiet else heard.listening_us).append(took_us)
        return events

    def _turn(self, at: int, gain: float) -> None:
        """Change the level of what is played from now on."""
        if at >= self._gain.size:
            return
        ramp = np.linspace(self._gain[at - 1], gain, RAMP)[: self._gain.size - at]
        self._gain[at : at + ramp.size] = ramp
        self._gain[at + ramp.size :] = gain
        self._hear_from(at)

    def _hear_from(self, at: int) -> None:
        """Compute the echo of what is played, from here to the end of the segment."""
        end = min((at // SEGMENT + 1) * SEGMENT, self._reply.size)
        begin = max(0, at - self._room.echo.size)
        played = self._clipped(self._reply[begin:end] * self._gain[begin:end])
        self._echo[at:end] = self._level * convolved(played, self._room.echo)[at - begin :]

    def _clipped(self, sound: Sound) -> Sound:
        return np.asarray(np.tanh(sound * self._room.drive) / self._room.drive)


def _pcm(sound: Sound) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2")
