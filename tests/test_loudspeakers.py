"""Interruption over open loudspeakers, in a room: the whole daemon, and a server that hears.

The figures are made by ``python -m tests.bench.loudspeakers``; here it has to work at all.
"""

import numpy as np
import pytest

from tests.bench.loudspeakers import cells, disturbances, interruptions, silence
from tests.bench.trials import MS, disturbance, interruption, put_ahead, stage
from tests.bench.words import wrong_words
from tests.rig.acoustics import (
    BLOCK,
    RATE_HZ,
    Convolver,
    DelayLine,
    Echo,
    EchoPath,
    active_dbfs,
    as_pcm,
    decibels_of,
    levels,
    onset,
    room_response,
)
from tests.rig.alignment import judge
from tests.rig.noises import NOISES, noise
from tests.rig.room import Room, silent_from
from tests.rig.scenarios import SCENARIOS
from tests.rig.soundcard import VirtualSoundCard, missing_tools
from tests.rig.voices import USER_DBFS, assistant, never_zero, user

MAY_RUN_DRY = 1
"""At the end of a reply the loudspeaker may."""


@pytest.fixture(autouse=True)
def needs_sound() -> None:
    """Skip where there is no sound server."""
    absent = missing_tools()
    if absent:
        pytest.skip(f"no virtual sound card here, not installed: {', '.join(absent)}")


# --- the rig -----------------------------------------------------------------------------


def test_the_echo_is_the_convolution_with_the_room() -> None:
    response = room_response(EchoPath())
    sound = np.random.default_rng(0).standard_normal(50 * BLOCK)

    made = Convolver(response)
    heard = np.concatenate([made.process(block) for block in sound.reshape(-1, BLOCK)])

    assert np.allclose(heard, np.convolve(sound, response)[: sound.size])


def test_a_clock_that_drifts_moves_the_echo() -> None:
    times_s = np.arange(400 * BLOCK) / RATE_HZ
    sound = np.sin(2 * np.pi * 500 * times_s)
    line = DelayLine(1000.0, drift_ppm=100.0)

    late = np.concatenate([line.process(block) for block in sound.reshape(-1, BLOCK)])

    delay = 1000.0 + 100e-6 * np.arange(sound.size)
    expected = np.sin(2 * np.pi * 500 * (times_s - delay / RATE_HZ))
    assert np.allclose(late[2000:], expected[2000:], atol=1e-4)


def test_a_scenario_has_the_ratio_it_names() -> None:
    path = SCENARIOS["at-5dB"].set_up()

    echo = Echo(path).whole(assistant(10.0))

    assert USER_DBFS - active_dbfs(echo) == pytest.approx(-5.0, abs=0.5)


@pytest.mark.parametrize("name", NOISES)
def test_noises_are_as_loud_as_asked_and_do_not_clip(name: str) -> None:
    made = noise(name, 3, -26.0)

    assert active_dbfs(made) == pytest.approx(-26.0, abs=1.0)
    assert np.abs(made).max() < 1.0


def test_a_sound_begins_where_it_can_be_heard() -> None:
    _, spoken = user(4, ("slt",))
    quiet = np.zeros(100 * MS)

    assert onset(np.concatenate((quiet, spoken))) == pytest.approx(
        onset(spoken) + quiet.size, abs=BLOCK
    )


def test_the_judge_sees_what_is_lost_held_and_ducked() -> None:
    reply = as_pcm(never_zero(np.random.default_rng(0).standard_normal(2 * RATE_HZ) * 0.1))
    ducked = (reply[20_000:24_000] * 0.2).astype("<i2")
    hole = np.zeros(9600, "<i2")
    recording = np.concatenate((hole, reply[:20_000], ducked, hole, reply[24_240:], hole))

    played = judge(recording, reply)

    assert played.lost_frames == 240
    assert played.held_ms == pytest.approx(400, abs=1)
    assert played.ducked_ms == pytest.approx(4000 / MS, abs=45)
    assert played.rest_ms < 1
    assert played.foreign_frames == 0


def test_silence_is_a_tenth_of_a_second_of_zeros() -> None:
    sound = np.ones(4800, "<i2")
    pause = np.zeros(2300, "<i2")
    silence_after = np.zeros(2500, "<i2")

    assert silent_from(np.concatenate((sound, pause, sound, silence_after)), 7) == 11_900 + 7
    assert silent_from(np.concatenate((sound, pause, sound))) is None


def test_words_are_counted_by_what_must_be_changed() -> None:
    assert wrong_words(["one", "two", "three"], ["one", "three", "four"]) == 2


def test_the_room_brings_the_loudspeaker_back_at_its_time(card: VirtualSoundCard) -> None:
    path = EchoPath(delay_ms=80.0, t60_s=0.2, direct_db=20.0, noise_dbfs=-90.0)
    with Room(card, path, loop_ms=50.0) as room:
        put_ahead(card.pid, 10)
        put_ahead(room.pid, 10)
        assert room.loop_ms == pytest.approx(50.0, abs=3.0)
        at = room.play(np.random.default_rng(0).standard_normal(RATE_HZ // 2) * 0.1)
        room.wait(at + RATE_HZ)

        sounded = levels(room.written(at, at + RATE_HZ) / 32_768, RATE_HZ // 4)
        assert decibels_of(float(sounded[0])) == pytest.approx(-20.0, abs=1.0)
        assert decibels_of(float(sounded[3])) < -80.0
        assert room.reaction_ms(at, at) == pytest.approx(-room.loop_ms, abs=3.0)


# --- the daemon --------------------------------------------------------------------------


async def test_one_can_interrupt_over_open_loudspeakers_and_a_cough_cannot() -> None:
    # The server notices nobody, so what happens is this machine's doing.
    async with stage(SCENARIOS["at+0dB"], {}, is_deaf=True) as made:
        text, sound = user(4, ("slt",))

        first = await interruption(made, 0, text, sound)
        cough = await disturbance(made, 3, name="cough", reply_s=5.0)
        stalled = first.lost_frames + cough.lost_frames
        ran_dry = made.daemon.log.count("underrun occurred")

    assert made.ear.wire.rules.violations == []
    assert cough.played.lost_frames == 0
    if stalled or ran_dry > MAY_RUN_DRY:
        pytest.skip("this machine is too busy to carry sound in time")
    assert not first.is_cut_before
    assert first.reaction_ms is not None
    assert first.told is not None
    assert first.told["source"] == "local"
    # The user's first syllables were said while the assistant still spoke.
    assert first.beginning_db > -15.0
    assert cough.played.rest_ms < 1


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["local-5", "local+0", "local+5"])
async def test_nobody_who_speaks_up_is_missed(name: str) -> None:
    result = await interruptions(cells()[name], 20, [])

    assert result["cut_before_anybody_spoke"] == 0
    assert result["missed"] == 0
    assert name == "local-5" or result["first_sound_to_silent_ms"]["median"] <= 220


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["cough", "door", "keyboard"])
async def test_a_reply_that_was_given_back_has_lost_nothing(name: str) -> None:
    result = await disturbances(cells()[name], 10)

    assert result["lost_samples"] == 0


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_the_assistant_does_not_interrupt_itself() -> None:
    result = await silence(cells()["silent+0"], 3.0)

    assert result["cuts"] == 0
    assert result["turns"] == 0
