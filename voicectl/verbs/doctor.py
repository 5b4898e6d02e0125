"""Looks for everything that can keep voiced from working, and says what to do."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from voicectl.outcome import DONE, FALSE, USAGE, complain
from voicectl.verbs.tree import Verbs
from voiced import __version__
from voiced.errors import ConfigError

if TYPE_CHECKING:
    from voicectl.checks.finding import Finding

SOUNDS_WITHIN_S: Final = 15.0
COLOURS: Final = {"ok": "32", "warn": "33", "fail": "31", "skip": "2"}
"""Level -> what a terminal shows it in."""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    made = verbs.verb(
        "doctor",
        "find out what is wrong, and what to do about it",
        doctor,
        examples=(
            "voicectl doctor                  opens your microphone for half a second",
            "voicectl doctor --no-microphone",
            "voicectl doctor audio            plays a chirp: can you interrupt over it?",
            "voicectl doctor --json | jq '.findings[] | select(.level == \"fail\")'",
        ),
        json=True,
    )
    made.add_argument(
        "part",
        nargs="?",
        choices=("audio",),
        help="audio: play a chirp of two seconds and measure its echo; without it, everything else",
    )
    made.add_argument("--no-microphone", action="store_true", help="do not open the microphone")


def doctor(arguments: argparse.Namespace) -> int:
    """Look at everything; the status is 1 when something does not work."""
    if arguments.part == "audio":
        return _audio(arguments)
    from voicectl.checks.examine import examine

    found = examine(os.environ, listens=not arguments.no_microphone)
    if arguments.json:
        print(json.dumps(as_object(found), indent=2))
    else:
        print(report(found, is_coloured=is_coloured(sys.stdout.isatty(), os.environ)))
    return FALSE if count(found, "fail") else DONE


def _audio(arguments: argparse.Namespace) -> int:
    """Play a chirp; the status is 1 when interrupting will not work well."""
    from voicectl import settings_file
    from voicectl.checks import loudspeaker, socket
    from voicectl.checks.finding import fail
    from voicectl.sound import SoundError
    from voicectl.sounding import Sounding, sound_out

    if arguments.no_microphone:
        complain("doctor audio needs the microphone: leave out --no-microphone")
        return USAGE
    daemon = socket.ask(has_service=False)
    if daemon.status.get("muted"):
        complain("you have muted the microphone", "voicectl unmute, then doctor audio again")
        return FALSE
    if daemon.status.get("online"):
        complain("a conversation would hear the chirp", "voicectl stop, then doctor audio again")
        return FALSE
    try:
        settings = settings_file.load(daemon.config or settings_file.own())
    except ConfigError as error:
        complain(str(error))
        return FALSE
    told = Sounding()
    try:
        told = sound_out(settings, within_s=SOUNDS_WITHIN_S)
        found = loudspeaker.judged(told)
    except SoundError as error:
        found = [fail("audio.devices", str(error), "voicectl doctor")]
    is_well = not count(found, "fail") and not count(found, "warn")
    if arguments.json:
        figures = loudspeaker.as_object(told)
        print(json.dumps({**as_object(found), "ok": is_well, "audio": figures}, indent=2))
    else:
        print(report(found, is_coloured=is_coloured(sys.stdout.isatty(), os.environ)))
    return DONE if is_well else FALSE


def as_object(found: "Sequence[Finding]") -> dict[str, Any]:
    """Return the findings for JSON."""
    return {
        "v": 1,
        "voicectl": __version__,
        "ok": not count(found, "fail"),
        "findings": [asdict(each) for each in found],
    }


def report(found: "Sequence[Finding]", *, is_coloured: bool) -> str:
    """Return the findings as text: a line each, and another for what to do."""
    width = max((len(each.id) for each in found), default=0)
    lines = []
    for each in found:
        mark = f"{each.level:4}"
        if is_coloured:
            mark = f"\x1b[{COLOURS[each.level]}m{mark}\x1b[0m"
        lines.append(f"{mark}  {each.id:{width}}  {_plain(each.message)}")
        if each.remedy:
            lines.append(f"{'':4}  {'':{width}}  -> {_plain(each.remedy)}")
    return "\n".join([*lines, "", _summary(found)])


def is_coloured(is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Tell whether colours are wanted (no-color.org)."""
    return is_terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def count(found: "Sequence[Finding]", level: str) -> int:
    """Return how many findings are of a level."""
    return sum(each.level == level for each in found)


def _summary(found: "Sequence[Finding]") -> str:
    failed, warned = count(found, "fail"), count(found, "warn")
    if not failed and not warned:
        return "nothing is wrong"
    parts = [f"{failed} failed"] if failed else []
    if warned:
        parts.append(f"{warned} {'warning' if warned == 1 else 'warnings'}")
    return ", ".join(parts)


def _plain(text: str) -> str:
    """Keep what servers and devices say from steering the terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)
