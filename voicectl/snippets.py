"""Ready lines for the configuration of a desktop or a bar, from the templates.

A template holds ``@NAME@`` where a key, a code or the path of voicectl belongs.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voicectl.keys import SPELLINGS, Chord, KeyRefusedError, read, spell

HOTKEYS: Final = tuple(SPELLINGS)
"""Desktops that keys can be bound in."""
BARS: Final = ("waybar", "polybar", "i3blocks")
PRESS_ONLY: Final = ("gnome", "kde")
"""Desktops that do not tell when a key goes up."""
TEMPLATES: Final = Path(__file__).with_name("templates")

_PLAIN_PATH: Final = re.compile(r"[\w/.+@:= -]+")
_PLACE: Final = re.compile(r"@([A-Z_]+)@")


@dataclass(frozen=True, slots=True)
class Bindings:
    """Which key does what.

    With ``talk`` that key is held to talk and ``toggle`` is another; without it, ``toggle``
    is the key that matters.
    """

    toggle: Chord
    mute: Chord
    talk: Chord | None = None


def bindings(
    desktop: str,
    *,
    hold: bool = False,
    key: str | None = None,
    mute: str | None = None,
    toggle: str | None = None,
) -> Bindings:
    """Return the bindings that were asked for, with the usual keys where none are named.

    Raises:
        KeyRefusedError: A key cannot be bound, or not like this.
    """
    if hold and desktop in PRESS_ONLY:
        raise KeyRefusedError(
            f"{desktop} does not tell when a key goes up, so none can be held to talk; xremap can:"
            " voicectl hotkeys show xremap --hold"
        )
    if toggle and not hold:
        raise KeyRefusedError("--toggle-key goes with --hold; without it, --key is that key")
    # GNOME and Plasma use F13 themselves, for their settings.
    usual = ("Pause", "Shift+Pause") if desktop in PRESS_ONLY else ("F13", "F14")
    first, muting = read(key or usual[0]), read(mute or usual[1])
    toggling = read(toggle or "F15") if hold else first
    if hold and first.modifiers:
        raise KeyRefusedError(
            f"{first} cannot be held to talk: its release is lost when a modifier goes up first;"
            " take one key, such as F13, ScrollLock or Pause"
        )
    taken = [first, muting, *([toggling] if hold else [])]
    if len(set(taken)) < len(taken):
        raise KeyRefusedError("each key can do one thing: choose with --key and --mute-key")
    return Bindings(toggling, muting, first if hold else None)


def hotkeys(desktop: str, asked: Bindings, program: Path) -> str:
    """Return the lines that bind the keys.

    Raises:
        KeyRefusedError: The desktop cannot bind one of them.
    """
    mode = "hold" if asked.talk else "tap"
    text = (TEMPLATES / "hotkeys" / f"{desktop}.{mode}").read_text(encoding="utf-8")
    places = {"VOICECTL": _command(desktop, program)}
    roles = {"": asked.talk or asked.toggle, "MUTE_": asked.mute, "TOGGLE_": asked.toggle}
    for role, chord in roles.items():
        places[f"{role}KEY"] = spell(desktop, chord)
        places[f"{role}BIND"] = "bindcode" if chord.key.needs_code else "bindsym"
    # Who types with a key wants it to repeat.
    quiet = {chord.key.code for chord in roles.values() if not chord.key.writes}
    places["XSET"] = " ".join(["xset", *(f"-r {code}" for code in sorted(filter(None, quiet)))])
    made = _filled(text, places)
    if desktop == "hyprland":
        lua = hotkeys("hyprland-lua", asked, program)
        made += "# The same for Hyprland from 0.55 on (voicectl hotkeys show hyprland-lua):\n"
        made += "".join(f"# {line}\n" for line in lua.splitlines()[1:])
    return made


def bar(name: str, program: Path) -> str:
    """Return the module for a bar.

    Args:
        name: One of BARS, or ``waybar.css``.
        program: The path of voicectl.
    """
    text = (TEMPLATES / "bars" / name).read_text(encoding="utf-8")
    return _filled(text, {"VOICECTL": _command(name, program)})


def _filled(text: str, places: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: places[found[1]], text)


def is_writable(program: Path) -> bool:
    """Tell whether a path means the same in every one of the configurations."""
    return _PLAIN_PATH.fullmatch(str(program)) is not None


def _command(target: str, program: Path) -> str:
    path = str(program)
    match target:
        case "xremap":
            return path
        case "kde":
            return f'"{path}"' if " " in path else path
        case _:
            return shlex.quote(path)
