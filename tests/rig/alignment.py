"""Tells what of a reply a recording of the loudspeaker has, to the sample.

A reply has no sample of zero, so silence is where it was stopped.  Each stretch of sound
is looked for in the reply; a duck makes it quieter, which is allowed, and moves nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.rig.acoustics import RATE_HZ, Floats
from tests.rig.recorder import Samples

GAP: Final = 120
"""Frames of zero, 5 ms, that make it two stretches."""
PROBE: Final = 2400
EDGE: Final = 240
"""Frames at the ends of a stretch that may be fading."""
CHECK: Final = 480
SAME: Final = 0.95
RELATED: Final = 0.6
"""Within 20 ms; a step from one level to another makes them less than the same."""
DUCKED: Final = 0.7


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of sound."""

    start: int
    """Its first frame in the recording."""
    frames: int
    place: int | None
    """Where it begins in the reply; None: it is nothing of it."""


@dataclass(frozen=True, slots=True)
class Played:
    """What of a reply was played."""

    lost_frames: int
    """Left out between what was played before and after."""
    repeated_frames: int
    """Played twice."""
    foreign_frames: int
    """Of sound that is not at its place in the reply."""
    ducked_ms: float
    held_ms: float
    """Silence with more of the reply after it."""
    rest_ms: float
    """What was never played at the end of the reply."""
    ducked: tuple[tuple[int, int], ...] = ()
    """Ducked parts of the recording: first frame, frames."""


def stretches(recording: Samples) -> list[tuple[int, int]]:
    """Return the start and the length of each stretch of sound."""
    sounding = np.nonzero(recording)[0]
    if not sounding.size:
        return []
    breaks = np.nonzero(np.diff(sounding) > GAP)[0]
    starts = [int(sounding[0]), *(int(sounding[at + 1]) for at in breaks)]
    ends = [*(int(sounding[at]) + 1 for at in breaks), int(sounding[-1]) + 1]
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]


def place_of(probe: Floats, reply: Floats) -> int | None:
    """Return where samples are in a reply, at whatever level."""
    if probe.size < EDGE or probe.size > reply.size:
        return None
    size = 1 << (reply.size + probe.size).bit_length()
    product = np.fft.rfft(reply, size) * np.conj(np.fft.rfft(probe, size))
    places = reply.size - probe.size + 1
    overlaps = np.fft.irfft(product, size)[:places]
    energy = np.concatenate(([0.0], np.cumsum(reply**2)))
    each = np.sqrt(energy[probe.size :][:places] - energy[:places])
    likeness = overlaps / np.maximum(each * np.sqrt(np.sum(probe**2)), 1e-9)
    best = int(np.argmax(likeness))
    return best if likeness[best] > SAME else None


def judge(recording: Samples, reply: Samples) -> Played:
    """Compare a recording with the only reply in it."""
    said, heard = reply.astype(float), recording.astype(float)
    found = [
        _stretch(start, frames, heard, said)
        for start, frames in stretches(recording)
        if frames > 2 * EDGE
    ]
    lost = repeated = foreign = held = 0
    ducks: list[tuple[int, int]] = []
    before: Stretch | None = None
    expected = 0
    for it in found:
        if it.place is None:
            foreign += it.frames
            continue
        step = it.place - expected
        lost, repeated = lost + max(0, step), repeated + max(0, -step)
        held += 0 if before is None else it.start - before.start - before.frames
        expected, before = it.place + it.frames, it
        strange, quiet = _inside(it, it.place, heard, said)
        foreign += strange
        ducks += quiet
    per_ms = RATE_HZ / 1000
    return Played(
        *(lost, repeated, foreign),
        *(sum(frames for _, frames in ducks) / per_ms, held / per_ms),
        max(0, reply.size - expected) / per_ms,
        tuple(ducks),
    )


def _stretch(start: int, frames: int, heard: Floats, said: Floats) -> Stretch:
    probe = heard[start + EDGE : start + frames - EDGE][:PROBE]
    place = place_of(probe, said)
    return Stretch(start, frames, None if place is None else place - EDGE)


def _inside(
    stretch: Stretch, place: int, heard: Floats, said: Floats
) -> tuple[int, list[tuple[int, int]]]:
    """Return how many frames are not what they should be, and what is ducked."""
    strange, quiet = 0, []
    for offset in range(EDGE, stretch.frames - EDGE - CHECK, CHECK):
        start = stretch.start + offset
        one, other = heard[start : start + CHECK], said[place + offset :][:CHECK]
        if other.size < CHECK:
            strange += CHECK
            continue
        product, energy = float(one @ other), float(other @ other)
        # Rounding alone makes the faintest parts unlike.
        is_faint = energy < CHECK * 100**2
        if not is_faint and product < RELATED * np.sqrt(energy * float(one @ one)):
            strange += CHECK
        if not is_faint and product < DUCKED * energy:
            quiet.append((start, CHECK))
    return strange, quiet
