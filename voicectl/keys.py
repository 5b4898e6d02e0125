"""Keys, and how each desktop writes them: pure.

Rules
1. F13 to F24 are written by their codes wherever a desktop takes codes.  The usual layouts
   name them otherwise (F13 is XF86Tools), so their names would bind nothing.
2. A key that is held has no modifiers.  Desktops lose its release when a modifier goes up
   first.
3. A key that writes something needs Super, Ctrl or Alt, or nobody could type it.
"""

import string
from dataclasses import dataclass
from typing import Final

MODIFIERS: Final = ("Super", "Ctrl", "Alt", "Shift")
SPELLINGS: Final = {
    "i3": ("Mod4+", "Ctrl+", "Mod1+", "Shift+"),
    "sway": ("Mod4+", "Ctrl+", "Mod1+", "Shift+"),
    "hyprland": ("SUPER ", "CTRL ", "ALT ", "SHIFT "),
    "hyprland-lua": ("SUPER + ", "CTRL + ", "ALT + ", "SHIFT + "),
    "sxhkd": ("super + ", "ctrl + ", "alt + ", "shift + "),
    "gnome": ("<Super>", "<Control>", "<Alt>", "<Shift>"),
    "kde": ("Meta+", "Ctrl+", "Alt+", "Shift+"),
    "xremap": ("", "", "", ""),
}
"""Desktop -> how it writes the modifiers, in the order of MODIFIERS."""


class KeyRefusedError(Exception):
    """A key that cannot be bound; the text says why, and what can."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the keyboard."""

    name: str
    """How voicectl calls it."""
    code: int | None
    """Its code in X and Wayland; None where that depends on the layout."""
    keysym: str | None
    """What the usual layouts call it; None where that is nothing, or another duty."""
    qt: str | None
    evdev: str | None
    needs_code: bool = False
    """Layouts disagree about its name."""
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Chord:
    """A key and the modifiers that go with it."""

    modifiers: tuple[str, ...]
    key: Key

    def __str__(self) -> str:
        return "+".join([*self.modifiers, self.key.name])


def read(text: str) -> Chord:
    """Read a key as people write it, such as ``F13`` or ``Super+V``.

    Raises:
        KeyRefusedError: There is no such key, or it cannot be bound.
    """
    *names, last = text.split("+")
    modifiers = {name.capitalize() for name in names}
    if unknown := modifiers - set(MODIFIERS):
        raise KeyRefusedError(f"no modifier {min(unknown)!r}; there is: {', '.join(MODIFIERS)}")
    chord = Chord(tuple(name for name in MODIFIERS if name in modifiers), _key(last))
    if chord.key.writes and modifiers <= {"Shift"}:
        raise KeyRefusedError(f"{chord} is needed to type; take Super+{chord.key.name}, or F13")
    return chord


def spell(desktop: str, chord: Chord) -> str:
    """Return how a desktop writes it.

    Raises:
        KeyRefusedError: The desktop has no word for it.
    """
    if desktop == "xremap" and chord.modifiers:
        raise KeyRefusedError(f"xremap binds {chord} elsewhere; take one key here, such as F13")
    word = _word(desktop, chord.key)
    if word is None:
        raise KeyRefusedError(f"{desktop} has no name for {chord.key.name}; take another key")
    written = dict(zip(MODIFIERS, SPELLINGS[desktop], strict=True))
    modifiers = "".join(written[name] for name in chord.modifiers)
    # The old syntax of Hyprland has a field of its own for them.
    return f"{modifiers.strip()}, {word}" if desktop == "hyprland" else modifiers + word


def _word(desktop: str, key: Key) -> str | None:
    match desktop:
        case "i3" | "sway":
            return str(key.code) if key.needs_code else key.keysym
        case "hyprland" | "hyprland-lua":
            return f"code:{key.code}" if key.needs_code else key.keysym
        case "sxhkd" if key.needs_code and key.keysym:
            # Whichever of the names the layout knows.
            return f"{{{key.keysym},{key.name}}}"
        case "gnome" if key.keysym == "XF86Tools":
            # GNOME opens its settings with it, whatever else it is bound to.
            return None
        case "kde":
            return key.qt
        case "xremap":
            return key.evdev
        case _:
            return key.keysym


def _key(name: str) -> Key:
    known = KEYS.get(name.lower())
    if known is not None:
        return known
    digits = name.lower().removeprefix("code:")
    if digits != name.lower() and digits.isdecimal() and int(digits) in CODES:
        return Key(f"code:{int(digits)}", int(digits), None, None, None, needs_code=True)
    raise KeyRefusedError(
        f"no key {name!r}; there is: F1 to F24, ScrollLock, Pause, Insert, Menu, and, with Super,"
        " Ctrl or Alt, Space, letters and digits; or code:NUMBER as wev and xev show it"
    )


def _every_key() -> list[Key]:
    codes = [*range(67, 77), 95, 96]
    made = [Key(f"F{n}", code, f"F{n}", f"F{n}", f"F{n}") for n, code in enumerate(codes, 1)]
    names = ["XF86Tools", *(f"XF86Launch{n}" for n in range(5, 10))]
    # F19 and F24 have no name, and F20 to F23 are keys of microphones and touchpads.
    keysyms: list[str | None] = [*names, *[None] * 6]
    for number, keysym in enumerate(keysyms, 13):
        name = f"F{number}"
        made.append(Key(name, 178 + number, keysym, None, name, needs_code=True))
    made += [
        Key("ScrollLock", 78, "Scroll_Lock", "ScrollLock", "SCROLLLOCK"),
        Key("Pause", 127, "Pause", "Pause", "PAUSE"),
        Key("Insert", 118, "Insert", "Ins", "INSERT"),
        Key("Menu", 135, "Menu", "Menu", "COMPOSE"),
        Key("Space", 65, "space", "Space", "SPACE", writes=True),
    ]
    for each in string.ascii_uppercase + string.digits:
        made.append(Key(each, None, each.lower(), each, each, writes=True))
    return made


CODES: Final = range(9, 256)
KEYS: Final = {key.name.lower(): key for key in _every_key()}
"""Name in small letters -> key."""
