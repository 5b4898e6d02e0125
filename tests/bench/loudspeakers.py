"""The figures of interruption over open loudspeakers.

    python -m tests.bench.loudspeakers --list
    python -m tests.bench.loudspeakers --cell local+0 --trials 20 --json

Each cell has a sound card, a room, a server and a daemon of its own, so several can be
measured at once by several processes.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.bench.trials import (
    Disturbance,
    Interruption,
    disturbance,
    interruption,
    monologue,
    stage,
)
from tests.bench.words import transcribe, wrong_words
from tests.rig.acoustics import Floats
from tests.rig.scenarios import SCENARIOS
from tests.rig.voices import UNDERSTOOD, USERS, humans, user

Tables = Mapping[str, Mapping[str, object]]
AS_IT_IS: Final[Tables] = {}
SERVER_ONLY: Final[Tables] = {"interruption": {"local": False}}
WITHOUT_US: Final[Tables] = {
    "interruption": {"local": False},
    "audio": {"echo_cancellation": False, "half_duplex": "never"},
}
HALF_DUPLEX: Final[Tables] = {"audio": {"echo_cancellation": False, "half_duplex": "auto"}}
NETWORK_MS: Final = 100.0
REPEATS: Final = 2
"""A trial is repeated so often at most, on average."""
ROUGH_ROOMS: Final = ("delay30ms", "delay150ms", "delay300ms", "dry", "hall", "clipped", "drift")
NOISES: Final = ("cough", "door", "mm-hm", "keyboard", "music")


@dataclass(frozen=True, slots=True)
class Cell:
    """What is measured.

    Attributes:
        what: One line for people.
        scenario: Of ``SCENARIOS``.
        tables: Configuration.
        kind: ``interruption``, ``disturbance``, ``monologue``.
        voices: Who the user is; ``human`` stands for the recordings of a folder.
        is_deaf: The server notices nobody.
        one_way_ms: The network's delay.
    """

    what: str
    scenario: str
    tables: Tables = field(default_factory=dict)
    kind: str = "interruption"
    voices: tuple[str, ...] = USERS
    is_deaf: bool = False
    one_way_ms: float = NETWORK_MS


def cells() -> dict[str, Cell]:
    """Return every cell by name."""
    made: dict[str, Cell] = {}
    for ratio in (-10, -5, 0, 5, 10):
        room = f"at{ratio:+d}dB"
        made[f"local{ratio:+d}"] = Cell("as installed", room, AS_IT_IS)
        made[f"server{ratio:+d}"] = Cell("local = false", room, SERVER_ONLY)
        made[f"bare{ratio:+d}"] = Cell("no cancellation, never half duplex", room, WITHOUT_US)
    made["half+0"] = Cell("no cancellation, half duplex", "at+0dB", HALF_DUPLEX)
    for ratio in (-5, 0, 5):
        room = f"at{ratio:+d}dB"
        made[f"words{ratio:+d}"] = Cell("cut", room, AS_IT_IS, voices=UNDERSTOOD)
        made[f"uncut{ratio:+d}"] = Cell(
            "never cut", room, SERVER_ONLY, voices=UNDERSTOOD, is_deaf=True
        )
    for ratio in (0, -5):
        made[f"silent{ratio:+d}"] = Cell(
            "user silent", f"silent{ratio:+d}dB", AS_IT_IS, kind="monologue"
        )
    for name in NOISES:
        made[name] = Cell("no interruption", name, AS_IT_IS, kind="disturbance")
    for name in (*ROUGH_ROOMS, "change"):
        made[name] = Cell("another room", name, AS_IT_IS)
    made["human"] = Cell("human voices", "at+0dB", AS_IT_IS, voices=("human",))
    return made


def spread(values: list[float]) -> dict[str, float]:
    """Return median, 95th percentile and extremes."""
    if not values:
        return {}
    array = np.asarray(values)
    shown = {"median": np.median(array), "p95": np.percentile(array, 95)}
    shown |= {"min": array.min(), "max": array.max()}
    return {name: round(float(value), 1) for name, value in shown.items()}


async def interruptions(
    cell: Cell, trials: int, people: list[tuple[str, Floats]]
) -> dict[str, Any]:
    """Measure interruptions."""
    results: list[Interruption] = []
    repeated = 0
    scenario = SCENARIOS[cell.scenario]
    async with stage(
        scenario, cell.tables, one_way_ms=cell.one_way_ms, is_deaf=cell.is_deaf
    ) as made:
        while len(results) < trials:
            number = len(results)
            text, sound = people[number % len(people)] if people else user(number, cell.voices)
            trial = await interruption(made, number + 1000 * repeated, text, sound)
            told = trial.told or {}
            print(
                f"{cell.what}: {number + 1}: {trial.reaction_ms} ms,"
                f" lost {trial.lost_frames}, cut before {trial.is_cut_before},"
                f" told {told.get('source')} {told.get('sound_to_silent_ms')}",
                file=sys.stderr,
            )
            if trial.lost_frames and repeated < REPEATS * trials:
                repeated += 1
                continue
            results.append(trial)
        loop_ms, violations = made.room.loop_ms, made.ear.wire.rules.violations
        ran_dry = made.daemon.log.count("underrun occurred")
    return summary(results) | {
        "repeated": repeated,
        "rig_loop_ms": round(loop_ms, 2),
        "loudspeaker_ran_dry": ran_dry,
        "rules_broken": violations[:5],
        "words": words(results, has_texts=cell.voices != ("human",)),
    }


def summary(results: list[Interruption]) -> dict[str, Any]:
    """Return the figures of interruptions."""
    spoken = [it for it in results if not it.is_cut_before]
    reactions = [it.reaction_ms for it in spoken if it.reaction_ms is not None]
    sources = [str((it.told or {}).get("source")) for it in spoken]
    errors = [
        float(str(it.told["sound_to_silent_ms"])) - it.reaction_ms
        for it in spoken
        if it.told and it.told.get("sound_to_silent_ms") and it.reaction_ms is not None
    ]
    before = [it.turn_before_ms for it in spoken if it.turn_before_ms is not None]
    return {
        "trials": len(results),
        "cut_before_anybody_spoke": len(results) - len(spoken),
        "missed": len(spoken) - len(reactions),
        "first_sound_to_silent_ms": spread(reactions),
        "cold_ms": results[0].reaction_ms if results else None,
        "sources": {source: sources.count(source) for source in sorted(set(sources))},
        "daemon_minus_recording_ms": spread(errors),
        "turn_begins_before_first_sound_ms": spread(before),
        "no_turn": len(spoken) - len(before),
        "beginning_received_db": spread([it.beginning_db for it in spoken]),
        "each_ms": [it.reaction_ms and round(it.reaction_ms) for it in results],
    }


def words(results: list[Interruption], *, has_texts: bool) -> dict[str, Any]:
    """Return how many words of the user are wrong."""
    total = {"words": 0, "clean_wrong": 0, "received_wrong": 0}
    against_clean = {"words": 0, "wrong": 0}
    quiet = np.random.default_rng(0)
    for it in results:
        padded = np.concatenate((np.zeros(7200), it.clean, np.zeros(9600)))
        padded += quiet.standard_normal(padded.size) * 10 ** (-65 / 20)
        clean, received = transcribe(padded), transcribe(it.received)
        against_clean["words"] += len(clean)
        against_clean["wrong"] += wrong_words(clean, received)
        if has_texts:
            said = it.text.split()
            total["words"] += len(said)
            total["clean_wrong"] += wrong_words(said, clean)
            total["received_wrong"] += wrong_words(said, received)
    percent = {"against_clean_transcription": share(against_clean["wrong"], against_clean["words"])}
    if has_texts:
        percent["clean_against_text"] = share(total["clean_wrong"], total["words"])
        percent["received_against_text"] = share(total["received_wrong"], total["words"])
    return {"error_percent": percent}


def share(part: int, whole: int) -> float:
    """Return a share in percent."""
    return round(100 * part / max(1, whole), 1)


async def disturbances(cell: Cell, trials: int) -> dict[str, Any]:
    """Measure what noises do to a reply."""
    made: list[Disturbance] = []
    repeated = 0
    async with stage(SCENARIOS[cell.scenario], cell.tables, one_way_ms=cell.one_way_ms) as there:
        while len(made) < trials:
            trial = await disturbance(there, len(made) + 1000 * repeated)
            print(f"{cell.scenario}: {len(made) + 1}: {trial.played}", file=sys.stderr)
            if trial.lost_frames and repeated < REPEATS * trials:
                repeated += 1
                continue
            made.append(trial)
    cut = [it for it in made if it.played.rest_ms > 100]
    given = [it for it in made if it.played.rest_ms <= 100]
    return {
        "trials": trials,
        "repeated": repeated,
        "untouched": sum(1 for it in given if it.played.ducked_ms + it.played.held_ms == 0),
        "ducked_and_given_back": sum(
            1 for it in given if it.played.ducked_ms and not it.played.held_ms
        ),
        "held_and_given_back": sum(1 for it in given if it.played.held_ms),
        "cut": len(cut),
        "turns_at_the_server": sum(it.turns for it in made),
        "ducked_ms": spread([it.played.ducked_ms for it in given if it.played.ducked_ms]),
        "held_ms": spread([it.played.held_ms for it in given if it.played.held_ms]),
        "lost_samples": max((it.played.lost_frames for it in given), default=0),
        "repeated_samples": max((it.played.repeated_frames for it in given), default=0),
        "foreign_samples": max((it.played.foreign_frames for it in given), default=0),
    }


async def silence(cell: Cell, minutes: float) -> dict[str, Any]:
    """Measure what the echo alone does."""
    async with stage(SCENARIOS[cell.scenario], cell.tables, one_way_ms=cell.one_way_ms) as made:
        result = await monologue(made, minutes)
        last = made.daemon.status().get("last_interruption")
    given_back = [it for it in result.told if not it.get("confirmed", True)]
    shown = asdict(result) | {"told": len(result.told), "told_given_back": len(given_back)}
    return shown | {"status": last}


async def measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure a cell."""
    cell = cells()[name]
    match cell.kind:
        case "interruption":
            people = []
            if cell.voices == ("human",):
                if arguments.voices is None:
                    raise SystemExit(f"{name} needs --voices FOLDER, with 16 bit mono WAV files")
                people = humans(arguments.voices)
            return await interruptions(cell, arguments.trials, people)
        case "disturbance":
            return await disturbances(cell, arguments.trials)
        case _:
            return await silence(cell, arguments.minutes)


def main() -> int:
    """Measure the cells that are asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", action="append", choices=list(cells()), default=[])
    parser.add_argument("--list", action="store_true", help="name the cells and end")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10.0, help="of a monologue")
    parser.add_argument("--voices", type=Path, help="folder with recordings of human voices")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each cell")
    arguments = parser.parse_args()
    if arguments.list:
        for name, cell in cells().items():
            print(f"{name:14} {cell.kind:13} {cell.scenario:12} {cell.what}")
    for name in arguments.cell:
        result = asyncio.run(measure(name, arguments))
        if arguments.json:
            print(json.dumps({"cell": name} | result), flush=True)
        else:
            print(f"{name}: {cells()[name].what}")
            for key, value in result.items():
                print(f"  {key:36} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
