"""How soon and how surely somebody who speaks over the assistant is noticed.

    python -m tests.bench.detection [--trials 40] [--minutes 10] [--speech DIRECTORY]
                                    [--first-version] [--trade-off]

Interruptions: the user's first sound is the first 10 ms that are within 30 dB of the loudest
10 ms of the sentence, before the room.  The time counts from there to the end of the 10 ms
in which the ear tells; the buffers of the sound card come on top.  What is told before is
false.  The assistant is ducked and cut in the loop.
"""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from tests.bench import noises
from tests.bench.noises import Random, Sound
from tests.bench.room import USER_DBFS, Heard, Loop, Room, convolved, make_hard_room, make_room
from voiced.audio.ear import Ear
from voiced.audio.pcm import RATE_HZ
from voiced.audio.stages import TUNED, Tuning
from voiced.audio.vad import make_second_stage
from voiced.settings import Interruption

ASSISTANTS: Final = ("en-us", "en-gb", "en-us+f3", "flite:slt", "flite:rms")
USERS: Final = ("rms", "slt", "awb")
RATIOS_DB: Final = (-10, -5, 0, 5, 10)
PATIENCE_S: Final = 1.5
"""Whoever is not noticed after so long was missed."""
ALARMS: Final[dict[str, Callable[[Random], Sound]]] = {
    "cough": noises.cough,
    "door": noises.door,
    "keyboard": noises.keyboard,
    "mm-hm": noises.assent,
    "music": noises.music,
}


@dataclass(frozen=True, slots=True)
class Config:
    """What is compared."""

    settings: Interruption = field(default_factory=Interruption)
    tuning: Tuning = TUNED
    trials: int = 40
    seconds: int = 600
    speech: tuple[Path, ...] = ()
    seed: int = 1


@dataclass(slots=True)
class Figures:
    """What came of the trials of one cell."""

    trials: int = 0
    duck_ms: list[float] = field(default_factory=list)
    cut_ms: list[float] = field(default_factory=list)
    missed: int = 0
    early_ducks: int = 0
    early_cuts: int = 0
    ducked: int = 0
    cut: int = 0
    ducks: int = 0
    onset_ms: list[float] = field(default_factory=list)
    """How much later than true the told beginning is."""
    ear_us: list[float] = field(default_factory=list)
    listening_us: list[float] = field(default_factory=list)


def interruptions(config: Config, ratio_db: float) -> Figures:
    """Let users speak over the assistant."""
    figures = Figures(config.trials)
    for trial in range(config.trials):
        random = np.random.default_rng((config.seed, trial))
        onset_s = random.uniform(5.0, 6.5)
        heard = _one(config, random, _sentence(config, random), onset_s, ratio_db)
        _count(figures, heard, onset_s)
    return figures


def false_alarms(config: Config, kind: str, ratio_db: float) -> Figures:
    """Let something else sound than a user who wants to speak."""
    figures = Figures(config.trials)
    for trial in range(config.trials):
        random = np.random.default_rng((config.seed, trial, 7))
        onset_s = random.uniform(5.0, 6.5)
        heard = _one(config, random, ALARMS[kind](random), onset_s, ratio_db, tail_s=1.0)
        after = [at_s for at_s in heard.suspected_s if at_s >= onset_s]
        figures.ducks += len(after)
        figures.ducked += bool(after)
        figures.cut += any(at_s >= onset_s for at_s in heard.confirmed_s)
    return figures


def silent_user(
    config: Config, ratio_db: float, make: Callable[[Random], Room] = make_room
) -> Figures:
    """Let the assistant talk alone, in one room after the other."""
    figures = Figures(max(1, config.seconds // 60))
    for trial in range(figures.trials):
        random = np.random.default_rng((config.seed, trial, 8))
        frames = 60 * RATE_HZ
        reply = np.resize(noises.assistant(str(random.choice(ASSISTANTS))), frames)
        loop = Loop(
            make(random), reply, np.zeros(frames), _ear(config), USER_DBFS - ratio_db, random
        )
        heard = loop.run(duck_db=config.settings.duck_db, resume_s=2.0)
        figures.ducks += len(heard.suspected_s)
        figures.cut += len(heard.confirmed_s)
        figures.ear_us += heard.ear_us
        figures.listening_us += heard.listening_us
    return figures


def _ear(config: Config) -> Ear:
    return Ear(config.settings, make_second_stage(), config.tuning)


def _sentence(config: Config, random: Random) -> Sound:
    if config.speech:
        sound = noises.recording(config.speech[int(random.integers(len(config.speech)))])
        return sound[: 3 * RATE_HZ]
    return noises.user(str(random.choice(noises.WORDS)), str(random.choice(USERS)))


def _one(
    config: Config,
    random: Random,
    sound: Sound,
    onset_s: float,
    ratio_db: float,
    tail_s: float = PATIENCE_S,
) -> Heard:
    room = make_room(random)
    spoken = noises.assistant(str(random.choice(ASSISTANTS)))
    reply = np.roll(spoken, -int(random.integers(spoken.size)))
    onset = int(onset_s * RATE_HZ)
    length = onset + sound.size + int(tail_s * RATE_HZ)
    near = np.zeros(length)
    near[onset : onset + sound.size] = sound
    near = convolved(near, room.voice)
    near *= 10 ** (USER_DBFS / 20) / noises.active_rms(near[onset:])
    loop = Loop(room, np.resize(reply, length), near, _ear(config), USER_DBFS - ratio_db, random)
    return loop.run(
        duck_db=config.settings.duck_db,
        until=lambda heard, _now_s: any(at_s >= onset_s for at_s in heard.confirmed_s),
    )


def _count(figures: Figures, heard: Heard, onset_s: float) -> None:
    figures.ear_us += heard.ear_us
    figures.listening_us += heard.listening_us
    figures.early_ducks += sum(at_s < onset_s for at_s in heard.suspected_s)
    figures.early_cuts += sum(at_s < onset_s for at_s in heard.confirmed_s)
    cuts = [at_s for at_s in heard.confirmed_s if onset_s <= at_s <= onset_s + PATIENCE_S]
    if not cuts:
        figures.missed += 1
        return
    figures.cut_ms.append((cuts[0] - onset_s) * 1000)
    # The suspicion that the cut followed from; it may be older than the user's first sound.
    ducked = max(i for i, at_s in enumerate(heard.suspected_s) if at_s <= cuts[0])
    figures.duck_ms.append((heard.suspected_s[ducked] - onset_s) * 1000)
    figures.onset_ms.append((heard.sounds_s[ducked] - onset_s) * 1000)


# --- the tables -----------------------------------------------------------------------------

FIRST_VERSION: Final = Config(
    settings=Interruption(speech_probability=0.5, min_speech_ms=60),
    tuning=replace(
        TUNED,
        voiced_frames=8,
        last_frames=20,
        suspicious_periodic_frames=0,
        periodic_frames=0,
        periodic_share=0.0,
        doubtful_s=0.0,
    ),
)
"""As it began: eight of twenty frames, two windows in a row, and no pitch asked for."""


def run(job: tuple[str, Config, float]) -> Figures:
    """Measure one cell."""
    kind, config, ratio_db = job
    match kind:
        case "user":
            return interruptions(config, ratio_db)
        case "silent":
            return silent_user(config, ratio_db)
        case "hall":
            return silent_user(config, ratio_db, make_hard_room)
        case _:
            return false_alarms(config, kind, ratio_db)


def show(ratio_db: float, figures: Figures) -> str:
    """Write the figures of interruptions as one line."""
    duck, cut = figures.duck_ms or [np.nan], figures.cut_ms or [np.nan]
    return (
        f"{ratio_db:+4.0f} dB  duck {np.median(duck):4.0f} {np.percentile(duck, 95):5.0f}"
        f"  cut {np.median(cut):4.0f} {np.percentile(cut, 95):5.0f}"
        f"  missed {figures.missed:2} of {figures.trials}"
        f"  false: {figures.early_ducks} ducks, {figures.early_cuts} cuts"
        f"  beginning {np.median(figures.onset_ms or [np.nan]):+4.0f} ms"
    )


def tables(config: Config, human: Config | None) -> None:
    """Measure everything and print it."""
    jobs = [("user", config, float(ratio_db)) for ratio_db in RATIOS_DB]
    jobs += [("user", human, float(ratio_db)) for ratio_db in RATIOS_DB[1:4] if human]
    jobs += [("silent", config, float(ratio_db)) for ratio_db in (0, -5, -10)]
    jobs += [("hall", config, float(ratio_db)) for ratio_db in (0, -5)]
    jobs += [(kind, config, 0.0) for kind in ALARMS]
    with ProcessPoolExecutor(2) as pool:
        cells = list(zip(jobs, pool.map(run, jobs), strict=True))
    print("user over assistant: median and 95th percentile in ms")
    for (kind, cell, ratio_db), figures in cells:
        if kind == "user":
            print(" real voice " if cell is human else " flite      ", show(ratio_db, figures))
    print("assistant alone")
    for (kind, _, ratio_db), figures in cells:
        if kind in ("silent", "hall"):
            told = f"{figures.ducks} ducks, {figures.cut} cuts in {figures.trials} minutes"
            print(f"  {kind:6} {ratio_db:+4.0f} dB  {told}")
    print("something else, 0 dB: share that ducked, share that cut")
    for (kind, _, _), figures in cells:
        if kind in ALARMS:
            shares = figures.ducked / figures.trials, figures.cut / figures.trials
            print(f"  {kind:9} {shares[0]:4.0%} {shares[1]:4.0%}")
    quiet = [us for _, figures in cells for us in figures.ear_us]
    busy = [us for _, figures in cells for us in figures.listening_us]
    print(f"processor: {np.mean(quiet):.0f} us per 10 ms, {np.mean(busy):.0f} while it suspects")


def trade_off(config: Config) -> None:
    """Print what longer speech and a higher probability cost, and what they spare."""
    settings = [(p, ms) for p in (0.4, 0.5, 0.7) for ms in (30, 60, 120, 250, 400)]
    cells = ("user", *ALARMS)
    jobs = [
        (kind, replace(config, settings=Interruption(speech_probability=p, min_speech_ms=ms)), 0.0)
        for p, ms in settings
        for kind in cells
    ]
    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(run, jobs))
    print("probability  speech ms | cut: median, 95th percentile, missed |", *ALARMS)
    for index, (p, ms) in enumerate(settings):
        user, *alarms = results[index * len(cells) : (index + 1) * len(cells)]
        cut = user.cut_ms or [np.nan]
        soon = f"{np.median(cut):4.0f} {np.percentile(cut, 95):5.0f} {user.missed:3}"
        print(
            f"{p:11} {ms:10} | {soon} |",
            *(f"{alarm.cut / alarm.trials:4.0%}" for alarm in alarms),
        )


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detection")
    parser.add_argument("--trials", type=int, default=40, help="of each cell")
    parser.add_argument("--minutes", type=int, default=10, help="of the assistant alone")
    parser.add_argument("--speech", type=Path, help="directory of recorded users, as WAV files")
    parser.add_argument("--first-version", action="store_true", help="as it was before tuning")
    parser.add_argument("--trade-off", action="store_true", help="vary the settings instead")
    asked = parser.parse_args()
    config = FIRST_VERSION if asked.first_version else Config()
    config = replace(config, trials=asked.trials, seconds=asked.minutes * 60)
    if asked.trade_off:
        trade_off(config)
        return 0
    files = tuple(sorted(asked.speech.glob("*.wav"))) if asked.speech else ()
    tables(config, replace(config, speech=files) if files else None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
