import threading

import numpy as np
import pytest

from voiced.audio import buffer as module
from voiced.audio.buffer import AGAIN_FRAMES, COPIED_FRAMES, PlaybackBuffer
from voiced.audio.pcm import RATE_HZ, frames_of
from voiced.audio.playhead import MARGIN_S, SETTLING_PULLS, DeviceClock

BUFFER_S = 0.01
FRAMES = 240
DELAY_S = 0.02
MARGIN_MS = MARGIN_S * 1000
A, B = ("item_a", 0), ("item_b", 0)


def pcm(frames: int, value: int = 1000) -> bytes:
    return np.full(frames, value, "<i2").tobytes()


class Device:
    """Pulls one buffer every 10 ms and says it is 20 ms ahead of itself."""

    def __init__(self, prebuffer_frames: int = 0) -> None:
        self.buffer = PlaybackBuffer(prebuffer_frames=prebuffer_frames)
        self.now = 50.0
        self.buffer.restarted(self.now, BUFFER_S)

    def pull(self, times: int = 1) -> bytes:
        parts = []
        for _ in range(times):
            self.now += BUFFER_S
            part = self.buffer.pull(FRAMES, self.now, DELAY_S)
            assert frames_of(part) == FRAMES
            parts.append(part)
        return b"".join(parts)

    def heard(self) -> dict[tuple[str, int], int]:
        return dict(self.buffer.cut(self.now, device_keeps=False))


def settled(prebuffer_frames: int = 0) -> Device:
    """Return a device that has run long enough to know its delay."""
    device = Device(prebuffer_frames)
    device.pull(SETTLING_PULLS)
    return device


# --- what is played --------------------------------------------------------------------------


def test_an_empty_buffer_gives_silence() -> None:
    assert set(Device().pull(3)) == {0}


def test_samples_come_out_in_order_and_unchanged() -> None:
    device = Device()
    ramp = np.arange(1, 1001, dtype="<i2").tobytes()
    device.buffer.push(A, ramp[:300])
    device.buffer.push(A, ramp[300:])
    device.buffer.push(B, ramp)
    device.buffer.finish(A)
    device.buffer.finish(B)

    assert device.pull(9)[: 2 * len(ramp)] == ramp + ramp


def test_nothing_sounds_before_the_prebuffer_is_full() -> None:
    device = Device(prebuffer_frames=1000)
    device.buffer.push(A, pcm(999))
    assert set(device.pull()) == {0}
    assert not device.buffer.is_flowing

    device.buffer.push(A, pcm(1))

    assert device.buffer.is_flowing
    assert set(device.pull()) != {0}


def test_a_reply_shorter_than_the_prebuffer_is_played_when_it_is_complete() -> None:
    device = Device(prebuffer_frames=24_000)
    device.buffer.push(A, pcm(240))
    device.buffer.finish(A)

    assert device.pull() == pcm(240)


def test_the_end_of_an_unknown_piece_is_nothing() -> None:
    device = Device()
    device.buffer.finish(A)

    assert not device.buffer.is_flowing


def test_half_a_frame_at_the_end_of_a_chunk_does_not_block_what_follows() -> None:
    device = Device()
    device.buffer.push(A, pcm(100) + b"\x01")
    device.buffer.push(A, pcm(140))
    device.buffer.finish(A)

    assert device.pull() == pcm(240)


def test_a_buffer_that_runs_dry_fades_waits_and_rises_again() -> None:
    device = Device(prebuffer_frames=480)
    device.buffer.push(A, pcm(480))
    dry = np.frombuffer(device.pull(2), "<i2")
    assert dry[0] == 1000
    assert dry[-1] < 50
    assert device.buffer.starvations == 1

    device.buffer.push(A, pcm(240))
    assert set(device.pull()) == {0}
    device.buffer.push(A, pcm(1000))

    risen = np.frombuffer(device.pull(), "<i2")
    assert risen[0] < 50
    assert risen[-1] == 1000


def test_the_natural_end_of_a_reply_is_not_faded() -> None:
    device = Device()
    device.buffer.push(A, pcm(240))
    device.buffer.finish(A)

    assert device.pull() == pcm(240)
    assert device.buffer.starvations == 0


def test_words_are_refused_rather_than_dropped_when_half_an_hour_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_FRAMES", 1000)
    device = Device()

    assert device.buffer.push(A, pcm(1000))
    assert not device.buffer.push(A, pcm(1))
    assert device.buffer.waiting_s == pytest.approx(1000 / RATE_HZ)


# --- the playhead ----------------------------------------------------------------------------


def test_heard_is_what_was_handed_over_less_what_the_device_holds() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(10)

    heard_ms = device.heard()[A] / 24

    # Ten buffers were handed over; the newest begins to sound in 20 ms.
    assert heard_ms == pytest.approx(10 * 10 - 10 - 20 - MARGIN_MS, abs=0.1)


def test_the_playhead_moves_between_pulls() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(10)
    device.now += 0.004

    assert device.heard()[A] / 24 == pytest.approx(100 - 10 - 20 - MARGIN_MS + 4, abs=0.1)


def test_the_playhead_of_a_device_that_stalls_stops_after_one_buffer() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(10)
    device.now += 60.0

    assert device.heard()[A] / 24 == pytest.approx(100 - 10 - 20 - MARGIN_MS + 10, abs=0.1)


def test_what_a_converter_holds_was_not_heard() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    for _ in range(10):
        device.now += BUFFER_S
        device.buffer.pull(FRAMES, device.now, DELAY_S, held_s=0.003)

    assert device.heard()[A] / 24 == pytest.approx(100 - 10 - 20 - MARGIN_MS - 3, abs=0.1)


def test_nothing_was_heard_of_what_was_never_pulled() -> None:
    device = Device()
    device.buffer.push(A, pcm(1000))

    assert device.heard() == {A: 0}


def test_each_piece_is_heard_by_its_own_count() -> None:
    device = settled()
    device.buffer.push(A, pcm(1200))
    device.buffer.finish(A)
    device.buffer.push(B, pcm(24_000))
    device.pull(12)

    heard = device.heard()

    assert heard[A] == 1200
    assert heard[B] / 24 == pytest.approx(120 - 50 - 10 - 20 - MARGIN_MS, abs=0.1)


def test_a_pause_in_the_middle_of_a_piece_does_not_count_as_heard() -> None:
    device = settled()
    device.buffer.push(A, pcm(240))
    device.pull(20)
    device.buffer.push(A, pcm(24_000))
    device.pull(5)

    assert device.heard()[A] / 24 == pytest.approx(10 + 50 - 10 - 20 - MARGIN_MS, abs=0.1)


def test_a_device_that_has_just_started_is_thought_to_hold_three_buffers() -> None:
    device = Device()
    device.buffer.push(A, pcm(24_000))
    device.pull(3)

    # Its own figure of 20 ms would be too small by now.
    assert device.heard()[A] == 0


def test_a_device_that_ran_dry_is_thought_to_hold_three_buffers_again() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(10)
    device.buffer.ran_dry()
    device.pull()

    assert device.heard()[A] / 24 == pytest.approx(110 - 10 - 30 - MARGIN_MS, abs=0.1)


def test_a_device_that_claims_to_hold_nothing_is_not_believed() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(9)
    device.now += BUFFER_S
    device.buffer.pull(FRAMES, device.now, delay_s=0.0)

    assert device.heard()[A] / 24 == pytest.approx(100 - 10 - 30 - MARGIN_MS, abs=0.1)


def test_a_clock_that_was_never_pulled_has_played_nothing() -> None:
    assert DeviceClock(BUFFER_S).played(1e9) == 0


# --- the end ---------------------------------------------------------------------------------


def test_drained_is_said_once_when_the_last_sample_has_been_played() -> None:
    device = settled()
    device.buffer.push(A, pcm(240))
    device.buffer.push(A, pcm(240))
    device.buffer.finish(A)
    said = []
    for _ in range(10):
        device.pull()
        said.append(device.buffer.drained(device.now))

    assert [plays for plays in said if plays is not None] == [2]
    assert said.index(2) == 5  # two buffers to hand over, 20 ms to play, the margin


def test_a_piece_that_is_not_complete_is_never_drained() -> None:
    device = settled()
    device.buffer.push(A, pcm(240))
    device.pull(50)

    assert device.buffer.drained(device.now) is None


def test_nothing_to_play_is_not_drained() -> None:
    device = settled()

    assert device.buffer.drained(device.now) is None


def test_a_device_is_paused_only_when_nothing_is_being_played() -> None:
    device = Device()
    assert device.buffer.pause()
    device.buffer.push(A, pcm(1000))
    assert set(device.pull()) == {0}

    device.buffer.restarted(device.now, BUFFER_S)

    assert set(device.pull()) != {0}
    assert not device.buffer.pause()


# --- the cut ---------------------------------------------------------------------------------


def test_after_a_cut_the_device_gets_silence_until_it_was_restarted() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(5)
    device.heard()
    device.buffer.push(B, pcm(24_000, 77))

    assert set(device.pull(5)) == {0}
    device.buffer.restarted(device.now, BUFFER_S)
    assert device.pull() == pcm(240, 77)


def test_a_second_cut_finds_nothing() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(5)
    device.heard()

    assert device.heard() == {}


def test_a_device_that_keeps_its_samples_gets_a_fade_and_all_of_it_is_heard() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(5)

    heard = dict(device.buffer.cut(device.now, device_keeps=True))
    tail = np.frombuffer(device.pull(2), "<i2")

    assert heard == {A: 1200 + 120}
    assert tail[0] == 1000
    assert np.all(np.diff(tail[:120]) <= 0)
    assert np.all(tail[120:] == 0)


def test_a_buffer_that_does_not_flow_has_no_tail() -> None:
    device = settled(prebuffer_frames=24_000)
    device.buffer.push(A, pcm(1000))

    assert dict(device.buffer.cut(device.now, device_keeps=True)) == {A: 0}
    assert set(device.pull()) == {0}


def test_a_reply_goes_on_with_what_the_lost_device_had_not_been_handed() -> None:
    device = settled()
    device.buffer.push(A, pcm(4800))
    device.buffer.finish(A)
    device.pull(10)

    device.buffer.restarted(device.now, BUFFER_S)

    assert device.pull(10) == pcm(2400)
    device.pull(SETTLING_PULLS)
    assert device.buffer.drained(device.now) == 1


def test_what_was_heard_on_the_lost_device_counts_and_what_it_held_does_not() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(10)
    device.buffer.restarted(device.now, BUFFER_S)
    device.pull(SETTLING_PULLS + 2)

    before_ms = 100 - 10 - 20 - MARGIN_MS
    assert device.heard()[A] / 24 == pytest.approx(before_ms + 100 - 10 - 20 - MARGIN_MS, abs=0.1)


# --- held and ducked -------------------------------------------------------------------------


def ramp(frames: int, first: int = 1) -> bytes:
    """Return samples of which each says which one it is."""
    return np.arange(first, first + frames, dtype="<i2").tobytes()


def test_what_a_stopped_device_had_not_played_is_played_after_the_hold() -> None:
    device = settled()
    device.buffer.push(A, ramp(4800))
    device.pull(8)
    device.buffer.hold(device_keeps=False)
    assert set(device.pull()) == {0}
    dropped = device.buffer.stopped(device.now)
    device.buffer.push(A, ramp(1200, 4801))
    device.buffer.finish(A)
    assert not device.buffer.is_flowing
    assert set(device.pull(3)) == {0}

    device.buffer.resume()
    assert device.buffer.is_flowing
    device.buffer.restarted(device.now, BUFFER_S)
    again = np.frombuffer(device.pull(21), "<i2")

    # Nine buffers were handed over, one of them silent; 30 ms and the margin are ahead.
    heard = 9 * 240 - 720 - int(MARGIN_MS * 24)
    assert dropped == 9 * 240 - heard
    assert again[0] < 50
    begins = heard - AGAIN_FRAMES
    assert np.array_equal(again[120 : 6000 - begins], np.arange(begins + 121, 6001))


def test_a_hold_in_the_middle_of_a_chunk_keeps_its_rest() -> None:
    device = settled()
    device.buffer.push(A, ramp(100))
    device.buffer.push(A, ramp(4700, 101))
    device.buffer.finish(A)
    device.pull()
    device.buffer.hold(device_keeps=False)
    device.buffer.stopped(device.now)
    device.buffer.resume()
    device.buffer.restarted(device.now, BUFFER_S)

    again = np.frombuffer(device.pull(20), "<i2")
    assert np.array_equal(again[120:], np.arange(121, 4801))
    device.pull(SETTLING_PULLS)
    assert device.buffer.drained(device.now) == 2


def test_a_device_that_says_now_that_it_holds_more_drops_no_words() -> None:
    device = settled()
    device.buffer.push(A, ramp(9600))
    device.buffer.finish(A)
    device.pull(20)
    # A loudspeaker that was moved to another device is suddenly 200 ms late.
    device.buffer.pull(FRAMES, device.now, 0.2)
    device.buffer.hold(device_keeps=False)
    device.buffer.stopped(device.now)
    device.buffer.resume()
    device.buffer.restarted(device.now, BUFFER_S)
    again = np.frombuffer(device.pull(40), "<i2")

    heard = 20 * 240 - 4800 - int(MARGIN_MS * 24)
    assert heard < 0
    assert np.array_equal(again[120:9600], np.arange(121, 9601))


def test_a_whole_reply_that_the_device_held_flows_again() -> None:
    device = settled(prebuffer_frames=24_000)
    device.buffer.push(A, ramp(480))
    device.buffer.finish(A)
    device.pull(3)
    device.buffer.hold(device_keeps=False)
    device.pull(20)
    assert device.buffer.drained(device.now) is None
    device.buffer.stopped(device.now)
    device.buffer.resume()

    assert not device.buffer.is_flowing
    assert device.buffer.drained(device.now) == 1


def test_a_resume_before_the_device_has_stopped_loses_nothing() -> None:
    device = settled()
    device.buffer.push(A, ramp(4800))
    device.buffer.finish(A)
    device.pull(2)
    device.buffer.hold(device_keeps=False)
    device.buffer.resume()
    assert set(device.pull()) == {0}
    device.buffer.stopped(device.now)
    device.buffer.restarted(device.now, BUFFER_S)

    again = np.frombuffer(device.pull(20), "<i2")
    assert np.array_equal(again[120:], np.arange(121, 4801))


def test_a_device_that_is_lost_while_held_loses_no_word() -> None:
    device = settled()
    device.buffer.push(A, ramp(4800))
    device.pull(2)
    device.buffer.hold(device_keeps=False)
    device.now += 3.0
    device.buffer.restarted(device.now, BUFFER_S)
    assert set(device.pull()) == {0}
    device.buffer.resume()

    again = np.frombuffer(device.pull(10), "<i2")
    assert np.array_equal(again[120:2400], np.arange(again[120], again[120] + 2280))
    assert again[120] <= 121 + 240


def test_a_device_that_keeps_its_samples_gets_a_fade_and_the_rest_waits() -> None:
    device = settled()
    device.buffer.push(A, pcm(4800))
    device.buffer.finish(A)
    device.pull(5)
    device.buffer.hold(device_keeps=True)
    held = np.frombuffer(device.pull(5), "<i2")
    device.buffer.resume()
    again = np.frombuffer(device.pull(20), "<i2")

    assert np.all(np.diff(held[:120]) <= 0)
    assert np.all(held[120:] == 0)
    assert np.all(np.diff(again[:120]) >= 0)
    assert np.all(again[120 : 4800 - 1320] == 1000)
    assert device.buffer.waiting_s == 0
    assert device.buffer.drained(device.now) == 1


def test_a_cut_while_held_says_what_was_heard_and_ends_the_hold() -> None:
    device = settled()
    device.buffer.push(A, pcm(4800))
    device.pull(10)
    device.buffer.hold(device_keeps=False)
    device.buffer.hold(device_keeps=False)
    device.buffer.stopped(device.now)

    assert device.heard()[A] / 24 == pytest.approx(100 - 10 - 20 - MARGIN_MS, abs=0.1)
    device.buffer.push(B, pcm(480, 77))
    device.buffer.restarted(device.now, BUFFER_S)
    assert device.pull() == pcm(240, 77)


def test_what_is_said_again_is_heard_once() -> None:
    device = settled()
    device.buffer.push(A, pcm(4800))
    device.buffer.finish(A)
    device.pull(10)
    device.buffer.hold(device_keeps=False)
    device.buffer.stopped(device.now)
    device.buffer.resume()
    device.buffer.restarted(device.now, BUFFER_S)
    device.pull()
    heard_ms = 100 - 10 - 20 - MARGIN_MS
    assert dict(device.buffer.cut(device.now, device_keeps=False))[A] / 24 == pytest.approx(
        heard_ms, abs=0.1
    )


def test_a_reply_that_was_held_is_drained_when_all_of_it_was_heard() -> None:
    device = settled()
    device.buffer.push(A, pcm(4800))
    device.buffer.finish(A)
    device.pull(10)
    device.buffer.hold(device_keeps=False)
    device.buffer.stopped(device.now)
    device.buffer.resume()
    device.buffer.restarted(device.now, BUFFER_S)
    said = []
    for _ in range(30):
        device.pull()
        said.append(device.buffer.drained(device.now))

    # 4800 frames, less 1632 heard, and 240 again: 15 buffers; 30 ms more until they are played.
    assert said.index(1) == 17


def test_a_resume_that_nobody_asked_for_changes_nothing() -> None:
    device = settled()
    device.buffer.push(A, pcm(4800))
    device.buffer.resume()

    assert device.pull() == pcm(240)


def test_copies_are_kept_only_of_what_may_not_have_been_heard() -> None:
    device = settled()
    device.buffer.push(A, ramp(24_000))
    device.pull(90)
    device.now += 0.005
    device.buffer.hold(device_keeps=False)
    device.buffer.stopped(device.now)

    # What the device held, the margin, and no more.
    again_s = AGAIN_FRAMES / RATE_HZ
    assert device.buffer.waiting_s == pytest.approx(0.1 + 0.025 + MARGIN_S + again_s, abs=0.001)


def test_a_long_reply_leaves_no_more_copies_than_a_short_one() -> None:
    device = settled()
    device.buffer.push(A, pcm(10 * RATE_HZ))
    device.pull(900)

    copied_s = sum(len(part) for _, _, part in device.buffer._pulled) / 2 / RATE_HZ
    assert copied_s == pytest.approx(COPIED_FRAMES / RATE_HZ, abs=0.1)


def test_ducked_sound_is_quieter_and_heard_as_far() -> None:
    device = settled()
    device.buffer.push(A, pcm(24_000))
    device.pull(10)
    device.buffer.duck(-20.0)
    ducked = np.frombuffer(device.pull(5), "<i2")

    assert ducked[0] == 1000
    assert np.all(ducked[480:] == 100)
    device.buffer.duck(0.0)
    risen = np.frombuffer(device.pull(5), "<i2")
    assert np.all(risen[480:] == 1000)
    assert device.heard()[A] / 24 == pytest.approx(200 - 10 - 20 - MARGIN_MS, abs=0.1)


def test_a_level_ordered_in_silence_holds_from_the_first_sample_on() -> None:
    device = settled()
    device.buffer.duck(-20.0)
    device.pull()
    device.buffer.push(A, pcm(4800))
    assert set(np.frombuffer(device.pull(), "<i2")) == {100}

    device.buffer.hold(device_keeps=False)
    device.buffer.duck(0.0)
    device.buffer.stopped(device.now)
    device.buffer.resume()
    device.buffer.restarted(device.now, BUFFER_S)
    assert np.all(np.frombuffer(device.pull(2), "<i2")[120:] == 1000)


def test_a_hold_keeps_the_level_and_a_cut_gives_it_back() -> None:
    device = settled()
    device.buffer.push(A, pcm(4800))
    device.buffer.duck(-20.0)
    device.pull(4)
    device.buffer.hold(device_keeps=False)
    device.buffer.stopped(device.now)
    device.buffer.resume()
    device.buffer.restarted(device.now, BUFFER_S)
    assert np.all(np.frombuffer(device.pull(), "<i2")[120:] == 100)

    device.buffer.cut(device.now, device_keeps=True)
    tail = np.frombuffer(device.pull(), "<i2")
    assert tail[0] == 100
    assert np.all(tail[120:] == 0)
    device.buffer.push(B, pcm(480))
    assert device.pull() == pcm(240)


def test_no_sample_of_before_the_cut_is_ever_pulled_after_it() -> None:
    """A thread pulls as fast as it can; every sample carries its generation."""
    buffer = PlaybackBuffer(prebuffer_frames=0)
    buffer.restarted(0.0, BUFFER_S)
    current = [1]
    stale: list[tuple[int, int]] = []
    done = threading.Event()

    def pull() -> None:
        while not done.is_set():
            oldest_allowed = current[0]
            values = set(np.frombuffer(buffer.pull(FRAMES, 0.0, 0.0), "<i2").tolist()) - {0}
            # The generation may have moved on while we pulled, never back.
            stale.extend((value, oldest_allowed) for value in values if value < oldest_allowed)

    thread = threading.Thread(target=pull)
    thread.start()
    for generation in range(1, 1000):
        # Enough not to run dry: a fade would change the values.
        buffer.push(("item", generation), pcm(200_000, generation))
        buffer.cut(0.0, device_keeps=False)
        current[0] = generation + 1
        buffer.restarted(0.0, BUFFER_S)
    done.set()
    thread.join()

    assert stale == []


def test_a_device_that_was_started_is_filled_with_silence_first() -> None:
    buffer = PlaybackBuffer(prebuffer_frames=0, silent_pulls=2)
    buffer.restarted(0.0, 0.01)
    buffer.push(("item", 0), b"\1\0" * 480)

    pulled = [buffer.pull(240, 0.01 * number, 0.02) for number in range(3)]

    assert not any(pulled[0])
    assert not any(pulled[1])
    assert pulled[2] == b"\1\0" * 240
