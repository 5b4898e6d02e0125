"""The reference on two simulated clocks: a device that plays and a microphone that hears it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiced.audio.pcm import RATE_HZ
from voiced.audio.reference import FILLED_PULLS, KEPT_FRAMES, Reference

OUT_S, OUT_FRAMES = 0.010, 240
IN_S, IN_FRAMES = 0.020, 480
PRIMED = 3
"""So many buffers are pulled in a burst at the start."""
PLAYS_AFTER_S = 0.006
LATE_S = 0.008
"""The latest of the late calls."""


def counting(first: int, frames: int) -> bytes:
    """Return samples that say which one they are, and never zero."""
    return ((np.arange(first, first + frames) % 30_000) + 1).astype("<i2").tobytes()


def numbers(pcm: bytes) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return np.frombuffer(pcm, "<i2")


@dataclass
class Room:
    """A loudspeaker and a microphone, each with a clock, lateness and holes of its own.

    ``sounds[k]`` is the true time at which sample k sounds; the microphone captures what
    sounds at the time, without air between.
    """

    jitter: Iterator[float]
    out_ppm: float = 0.0
    in_ppm: float = 0.0
    reference: Reference = field(default_factory=Reference)
    leads_s: list[tuple[float, float]] = field(default_factory=list)
    """(time, how long before its echo a sample was taken)."""
    in_due_s: float = 0.0
    out_due_s: float = float("inf")
    taken_until_s: float = 0.0
    """Up to this true time the microphone has captured what it delivered."""
    line_s: float = 0.0
    """True time at which sample ``line_first`` sounds."""
    line_first: int = 0
    handed: int = 0
    in_late_s: float = 0.0
    out_late_s: float = 0.0

    def start(self, now_s: float) -> None:
        """Start the device: it pulls three buffers, then sounds, then pulls one by one."""
        self.reference.started(now_s)
        self.line_first = self.handed
        self.line_s = now_s + PLAYS_AFTER_S
        for number in range(PRIMED):
            self._pull(now_s + 0.0002 * number)
        self.out_due_s = now_s + OUT_S
        self.out_late_s = 0.0

    def underrun(self, silent_s: float) -> None:
        """Let the device play nothing for so long and fill itself again, at once."""
        self.line_s += silent_s
        self.out_due_s += silent_s

    def run_dry(self, now_s: float) -> None:
        """Let the device run dry, 36 ms after its last pull, and say so when it is filled."""
        last_s = self.out_due_s - OUT_S
        self.line_s += now_s - last_s - PRIMED * OUT_S
        self.reference.ran_dry(now_s)
        for number in range(PRIMED):
            self._pull(now_s + 0.0002 * number)
        self.out_due_s = now_s + OUT_S

    def hole(self, lost_s: float) -> None:
        """Let the microphone lose what it captures in the next so long."""
        self.in_due_s += lost_s
        self.taken_until_s += lost_s

    def run(self, until_s: float) -> None:
        """Let both call back, in the order of time."""
        while True:
            out_s = self.out_due_s + self.out_late_s
            in_s = self.in_due_s + self.in_late_s
            if min(out_s, in_s) > until_s:
                return
            if out_s <= in_s:
                self._pull(out_s)
                self.out_due_s += OUT_S * (1 - self.out_ppm * 1e-6)
                self.out_late_s = next(self.jitter)
            else:
                self._capture(in_s)
                self.in_due_s += IN_S * (1 - self.in_ppm * 1e-6)
                self.in_late_s = next(self.jitter)

    def _pull(self, now_s: float) -> None:
        self.reference.played(counting(self.handed, OUT_FRAMES), now_s)
        self.handed += OUT_FRAMES

    def _capture(self, now_s: float) -> None:
        began_s = self.taken_until_s
        pcm = numbers(self.reference.take(IN_FRAMES, now_s))
        self.taken_until_s += IN_S * (1 - self.in_ppm * 1e-6)
        for place in (0, IN_FRAMES - 1):
            if pcm[place] != 0:
                captured_s = began_s + place / RATE_HZ
                number = self._number(int(pcm[place]) - 1, captured_s)
                sounds_s = self.line_s + (number - self.line_first) / RATE_HZ * (
                    1 - self.out_ppm * 1e-6
                )
                self.leads_s.append((now_s, sounds_s - captured_s))

    def _number(self, shown: int, now_s: float) -> int:
        """Return which sample was meant: the numbers come again every 1.25 s."""
        guess = self.line_first + (now_s - self.line_s) * RATE_HZ
        return shown + 30_000 * round((guess - shown) / 30_000)

    def leads_ms(self, since_s: float, until_s: float = float("inf")) -> list[float]:
        return [1000 * lead for at_s, lead in self.leads_s if since_s <= at_s < until_s]


def punctual() -> Iterator[float]:
    while True:
        yield 0.0


def late(seed: int, most_s: float = LATE_S) -> Iterator[float]:
    """Most calls are a little late, some are very late."""
    random = np.random.default_rng(seed)
    while True:
        yield float(most_s * random.random() ** 4)


def room(jitter: Iterator[float] | None = None, *, out_ppm: float = 0.0, in_ppm: float = 0) -> Room:
    """Return a room whose microphone has run for two seconds."""
    made = Room(jitter or punctual(), out_ppm, in_ppm, in_due_s=IN_S)
    made.run(2.0)
    return made


@given(
    phases=st.lists(st.floats(0.0, 0.020), min_size=1, max_size=8),
    seed=st.one_of(st.none(), st.integers(0, 1000)),
)
@settings(max_examples=60, deadline=None)
def test_the_lead_is_the_same_at_every_start(phases: list[float], seed: int | None) -> None:
    made = room(None if seed is None else late(seed))
    at_s = 2.0
    for phase_s in phases:
        at_s += 0.5 + phase_s
        made.run(at_s)
        made.start(at_s)
        made.run(at_s + 0.3)
        made.reference.dropped(0)
        made.out_due_s = float("inf")
    leads = made.leads_ms(0)

    assert len(leads) >= 10 * len(phases)
    assert min(leads) >= 5.0
    assert max(leads) <= 6.0 + 1.5
    assert made.reference.repaired == 0


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_late_calls_move_nothing_and_lose_nothing(seed: int) -> None:
    made = room(late(seed))
    made.start(2.003)
    made.run(12.0)

    assert made.reference.repaired == 0
    assert min(made.leads_ms(0)) >= 4.0
    assert max(made.leads_ms(0)) <= 8.0
    assert len(made.leads_s) >= 2 * 490


@given(
    lost_s=st.floats(0.022, 0.4),
    seed=st.one_of(st.none(), st.integers(0, 1000)),
    is_input=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_hole_on_either_side_is_closed_within_two_seconds(
    *, lost_s: float, seed: int | None, is_input: bool
) -> None:
    made = room(None if seed is None else late(seed, 0.001))
    made.start(2.011)
    made.run(5.0)
    if is_input:
        made.hole(lost_s)
    else:
        made.underrun(lost_s)
    made.run(10.0)

    assert made.reference.repaired >= 1
    assert min(made.leads_ms(7.0)) >= 4.0
    assert max(made.leads_ms(7.0)) <= 8.0


@pytest.mark.parametrize("moved_s", [0.012, 0.015])
def test_a_sound_server_that_changes_its_buffers_has_lost_nothing(moved_s: float) -> None:
    made = room()
    made.start(2.011)
    made.run(5.0)
    made.underrun(moved_s)
    made.run(8.0)

    assert made.reference.repaired == 0
    assert min(made.leads_ms(5.0)) >= 4.0
    assert max(made.leads_ms(5.0)) <= 8.0 + moved_s * 1000


def test_a_hole_is_closed_in_one_step_when_nobody_is_late() -> None:
    made = room()
    made.start(2.005)
    made.run(5.0)
    made.underrun(0.030)
    made.run(9.0)

    assert made.reference.repaired == 1
    assert min(made.leads_ms(7.0)) == pytest.approx(6.0, abs=0.5)


@given(stalled_s=st.floats(0.035, 0.3), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_device_that_says_it_ran_dry_is_believed_at_once(stalled_s: float, seed: int) -> None:
    made = room(late(seed, 0.002))
    made.start(2.011)
    made.run(5.0)
    made.run_dry(made.out_due_s + stalled_s)
    made.run(8.0)

    assert min(made.leads_ms(5.0)) >= 4.0
    assert max(made.leads_ms(5.0 + stalled_s + 0.2)) <= 9.0
    assert made.reference.repaired <= 1


def test_a_device_that_runs_dry_before_it_is_known_is_not_believed() -> None:
    made = room()
    made.start(2.005)
    made.run(2.3)
    made.reference.ran_dry(2.3)
    made.run(4.0)

    assert made.reference.repaired == 0
    assert made.leads_ms(2.5) == pytest.approx([6.0] * len(made.leads_ms(2.5)), abs=0.5)


@pytest.mark.parametrize(("out_ppm", "in_ppm"), [(40, 0), (-40, 0), (0, 40), (0, -40)])
def test_ten_minutes_of_drift_are_followed_without_a_jump(out_ppm: float, in_ppm: float) -> None:
    made = room(late(1, 0.002), out_ppm=out_ppm, in_ppm=in_ppm)
    made.start(2.007)
    made.run(602.0)
    leads = made.leads_ms(0)

    assert made.reference.repaired == 0
    assert min(leads) >= 2.0
    assert max(leads) <= 10.0


@pytest.mark.parametrize(("out_ppm", "in_ppm"), [(100, 0), (-100, 0), (0, 100), (0, -100)])
def test_more_drift_than_clocks_have_is_a_hole_now_and_then(out_ppm: float, in_ppm: float) -> None:
    made = room(late(1, 0.002), out_ppm=out_ppm, in_ppm=in_ppm)
    made.start(2.007)
    made.run(602.0)
    leads = made.leads_ms(0)

    assert made.reference.repaired <= 6
    assert min(leads) >= -1.0
    assert max(leads) <= 6.0 + 21.0


def test_a_clock_that_moves_a_little_for_a_while_moves_nothing() -> None:
    """A sound server that hands over a block later does so for some time."""
    made = room()
    made.start(2.011)
    made.run(5.0)
    made.in_due_s += 0.003
    made.run(8.0)
    made.in_due_s -= 0.003
    made.run(12.0)

    assert made.reference.repaired == 0
    assert max(made.leads_ms(5.0)) - min(made.leads_ms(5.0)) < 0.5


def test_a_start_gives_the_first_buffers_in_order() -> None:
    reference = Reference()
    for number in range(1, 101):
        reference.take(IN_FRAMES, number * IN_S)
    reference.started(2.005)
    for number in range(3):
        reference.played(counting(240 * number, 240), 2.005)

    # 5 ms after the microphone delivered, so 5 ms into what it delivers next.
    heard = numbers(reference.take(IN_FRAMES, 2.020))
    assert np.all(heard[:120] == 0)
    assert np.array_equal(heard[120:], np.arange(1, 361))
    assert np.array_equal(numbers(reference.take(IN_FRAMES, 2.040))[:360], np.arange(361, 721))


def test_nothing_played_is_silence() -> None:
    reference = Reference()

    assert reference.take(240, 1.0) == bytes(480)
    assert reference.sounded_at_s == float("-inf")


def test_what_a_stopped_device_dropped_was_not_heard() -> None:
    reference = Reference()
    reference.take(240, 1.0)
    reference.started(1.0)
    for _ in range(3):
        reference.played(counting(0, 240), 1.0)
    reference.dropped(300)

    heard = numbers(reference.take(720, 1.03))
    assert np.all(heard[:420] != 0)
    assert np.all(heard[420:] == 0)


def test_more_dropped_than_waits_is_all_of_it() -> None:
    reference = Reference()
    reference.take(240, 1.0)
    reference.started(1.0)
    reference.played(counting(0, 240), 1.0)
    reference.take(120, 1.005)
    reference.dropped(10_000)

    assert reference.take(240, 1.015) == bytes(480)


def test_a_start_forgets_what_the_device_held_before() -> None:
    reference = Reference()
    reference.take(240, 1.0)
    reference.started(1.0)
    for _ in range(3):
        reference.played(counting(1000, 240), 1.0)
    reference.started(1.010)
    reference.played(counting(0, 240), 1.010)

    heard = numbers(reference.take(720, 1.030))
    assert np.array_equal(heard[:240], np.arange(1001, 1241))
    assert np.array_equal(heard[240:480], np.arange(1, 241))
    assert np.all(heard[480:] == 0)


def test_what_comes_too_late_is_dropped_and_what_follows_keeps_its_place() -> None:
    reference = Reference()
    reference.take(240, 1.000)
    reference.started(1.0)
    reference.played(counting(0, 240), 1.000)
    first = reference.take(480, 1.020)
    reference.played(counting(240, 480), 1.021)

    assert np.array_equal(numbers(first)[:240], np.arange(1, 241))
    assert np.array_equal(numbers(reference.take(240, 1.030)), np.arange(481, 721))


def test_a_microphone_that_was_closed_is_paired_again_at_once() -> None:
    made = room()
    made.start(2.005)
    made.run(4.0)
    made.hole(30.0)
    made.run(40.0)

    assert min(made.leads_ms(30.0)) == pytest.approx(6.0, abs=0.5)
    assert max(made.leads_ms(30.0)) == pytest.approx(6.0, abs=0.5)
    assert made.reference.repaired == 0


def test_a_microphone_that_says_it_was_opened_is_paired_again_at_once() -> None:
    made = room()
    made.start(2.005)
    made.run(4.0)
    made.hole(0.2)
    made.reference.listening()
    made.run(6.0)

    assert min(made.leads_ms(4.0)) == pytest.approx(6.0, abs=0.5)
    assert max(made.leads_ms(4.0)) == pytest.approx(6.0, abs=0.5)
    assert made.reference.repaired == 0


def test_a_microphone_that_comes_after_the_start_is_paired() -> None:
    made = Room(punctual(), in_due_s=float("inf"))
    made.start(2.0)
    made.run(5.0)
    made.in_due_s, made.taken_until_s = 5.013, 4.993
    made.run(8.0)

    assert min(made.leads_ms(0)) == pytest.approx(6.0, abs=0.5)
    assert max(made.leads_ms(0)) == pytest.approx(6.0, abs=0.5)


def test_without_a_microphone_little_is_kept() -> None:
    reference = Reference()
    reference.started(0.0)
    for number in range(1000):
        reference.played(counting(0, 240), number * OUT_S)

    assert np.count_nonzero(numbers(reference.take(100_000, 10.0))) <= KEPT_FRAMES


def test_a_reference_tells_when_it_last_sounded() -> None:
    reference = Reference()
    reference.take(240, 1.0)
    reference.started(1.0)
    reference.played(counting(0, 240), 1.0)
    assert reference.sounded_at_s == 1.0
    reference.played(bytes(480), 1.01)
    assert reference.sounded_at_s == 1.0

    reference.take(240, 1.02)
    assert reference.sounded_at_s == 1.02
    reference.take(240, 1.03)
    assert reference.sounded_at_s == 1.02


def lead_of_a_start(reference: Reference, now_s: float, plays_after_s: float) -> float:
    """Start the device, play one sound; return how long before its echo that was taken, in s.

    The device says nothing useful until it is filled.  The microphone delivers at once.
    """
    handed = 0
    sounds_s = 0.0
    reference.started(now_s)
    for pull in range(6):
        at_s = now_s + OUT_S * max(0, pull - FILLED_PULLS + 1)
        first_s = now_s + plays_after_s + handed / RATE_HZ
        told_s = first_s - at_s if pull >= FILLED_PULLS else 0.0
        if pull == FILLED_PULLS:
            sounds_s = first_s
        sound = counting(0, OUT_FRAMES) if pull == FILLED_PULLS else bytes(2 * OUT_FRAMES)
        reference.played(sound, at_s, told_s)
        handed += OUT_FRAMES
    taken = reference.take(RATE_HZ // 5, now_s + 0.2)
    return sounds_s - now_s - int(np.argmax(numbers(taken) == 1)) / RATE_HZ


def test_every_start_lies_as_the_first_against_its_echo() -> None:
    reference = Reference()
    reference.take(RATE_HZ // 10, 0.1)

    leads_s = []
    for number, after_s in enumerate((0.006, 0.0102, 0.0041)):
        began_s = 0.1 + 0.2 * number
        leads_s.append(lead_of_a_start(reference, began_s, after_s))
        reference.dropped(0)

    assert leads_s == pytest.approx([leads_s[0]] * 3, abs=0.0001)


def test_a_device_of_another_delay_sets_the_measure_anew() -> None:
    reference = Reference()
    reference.take(RATE_HZ // 10, 0.1)
    first_s = lead_of_a_start(reference, 0.1, 0.006)
    reference.dropped(0)

    other_s = lead_of_a_start(reference, 0.3, 0.040)

    assert other_s == pytest.approx(first_s + 0.034, abs=0.0001)


def test_what_a_stopped_device_still_takes_sets_no_measure() -> None:
    reference = Reference()
    reference.take(RATE_HZ // 10, 0.1)
    leads_s = [lead_of_a_start(reference, 0.1, 0.006)]
    # The device is let go of, and takes a few more buffers until it is.
    reference.dropped(0)
    for pull in range(FILLED_PULLS + 2):
        reference.played(bytes(2 * OUT_FRAMES), 0.3 + OUT_S * pull, 0.02)
    reference.take(RATE_HZ // 10, 0.4)
    leads_s.append(lead_of_a_start(reference, 0.4, 0.0102))

    assert leads_s[1] == pytest.approx(leads_s[0], abs=0.0001)


def test_a_device_that_ran_dry_lies_as_before_once_it_is_filled() -> None:
    reference = Reference()
    reference.take(RATE_HZ // 10, 0.1)
    silent = bytes(2 * OUT_FRAMES)
    began_s, plays_s, handed = 0.1, 0.105, 0
    reference.started(began_s)
    for pull in range(200):
        at_s = began_s + OUT_S * max(0, pull - FILLED_PULLS + 1)
        reference.played(silent, at_s, plays_s + handed / RATE_HZ - at_s)
        handed += OUT_FRAMES
    dry_s = began_s + OUT_S * 230
    plays_s = dry_s + 0.0051 - handed / RATE_HZ
    reference.ran_dry(dry_s)
    sounds_s = 0.0
    for pull in range(6):
        at_s = dry_s + OUT_S * max(0, pull - FILLED_PULLS + 1)
        if pull == FILLED_PULLS:
            sounds_s = plays_s + handed / RATE_HZ
        sound = counting(0, OUT_FRAMES) if pull == FILLED_PULLS else silent
        reference.played(sound, at_s, plays_s + handed / RATE_HZ - at_s)
        handed += OUT_FRAMES

    taken = reference.take(RATE_HZ * 5, 5.1)

    place_s = 0.1 + int(np.argmax(numbers(taken) == 1)) / RATE_HZ
    # It began 5 ms before the first sample was played, and so it still does.
    assert sounds_s - place_s == pytest.approx(0.005, abs=0.0001)
    assert reference.repaired == 1
