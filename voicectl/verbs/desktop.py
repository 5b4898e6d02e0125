"""What a desktop's configuration needs: hotkeys and status bars."""

import argparse
import os
import shlex
from pathlib import Path
from typing import Final

from voicectl.outcome import DONE, USAGE, CommandError
from voicectl.verbs.tree import Verbs

DESKTOPS: Final = (
    "sway",
    "hyprland",
    "hyprland-lua",
    "gnome",
    "kde",
    "i3",
    "sxhkd",
    "xremap",
)
BARS: Final = ("waybar", "polybar", "i3blocks")

HOTKEY_EXAMPLES: Final = (
    "voicectl hotkeys show sway >> ~/.config/sway/config        F13 begins and ends",
    "voicectl hotkeys show i3 --hold --key ScrollLock           hold ScrollLock to talk",
    "voicectl hotkeys show hyprland --key Super+V --mute-key Super+M",
    "voicectl hotkeys show gnome | sh                           Pause begins and ends",
)
BAR_EXAMPLES: Final = (
    "voicectl bar show waybar > ~/.config/waybar/voiced.jsonc",
    "voicectl bar show waybar --css > ~/.config/waybar/voiced.css",
    "voicectl bar show polybar >> ~/.config/polybar/config.ini",
)


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    keys = verbs.group("hotkeys", "bind keys in your desktop", examples=HOTKEY_EXAMPLES)
    shown = keys.verb(
        "show",
        "print the lines for your desktop's configuration; they begin with where they go",
        hotkeys,
        examples=HOTKEY_EXAMPLES,
    )
    shown.add_argument("desktop", choices=DESKTOPS)
    shown.add_argument(
        "--hold", action="store_true", help="the key is held to talk, instead of begin and end"
    )
    shown.add_argument(
        "--key",
        metavar="KEY",
        help="such as F13 (the default), ScrollLock or Super+V; GNOME and KDE: Pause",
    )
    shown.add_argument(
        "--mute-key", metavar="KEY", help="mutes (default: F14; GNOME and KDE: Shift+Pause)"
    )
    shown.add_argument(
        "--toggle-key", metavar="KEY", help="with --hold: begins and ends (default: F15)"
    )
    bars = verbs.group("bar", "show the state in your status bar", examples=BAR_EXAMPLES)
    shown = bars.verb(
        "show",
        "print the module for your bar's configuration; it begins with where it goes",
        bar,
        examples=BAR_EXAMPLES,
    )
    shown.add_argument("bar", choices=BARS)
    shown.add_argument("--css", action="store_true", help="the style sheet of the Waybar module")


def hotkeys(arguments: argparse.Namespace) -> int:
    """Print the lines that bind keys."""
    from voicectl import keys, snippets

    try:
        asked = snippets.bindings(
            arguments.desktop,
            hold=arguments.hold,
            key=arguments.key,
            mute=arguments.mute_key,
            toggle=arguments.toggle_key,
        )
        print(snippets.hotkeys(arguments.desktop, asked, _program()), end="")
    except keys.KeyRefusedError as error:
        raise CommandError(str(error), status=USAGE) from error
    return DONE


def bar(arguments: argparse.Namespace) -> int:
    """Print the module of a bar."""
    from voicectl import snippets

    if arguments.css and arguments.bar != "waybar":
        raise CommandError(f"{arguments.bar} has no style sheet", status=USAGE)
    name = "waybar.css" if arguments.css else arguments.bar
    print(snippets.bar(name, _program()), end="")
    return DONE


def _program() -> Path:
    """Return where voicectl is.

    Raises:
        CommandError: It is nowhere, or where configuration files cannot name it.
    """
    from voicectl import installation, snippets

    try:
        path = Path(installation.program("voicectl", os.environ))
    except installation.NotInstalledError as error:
        raise CommandError(str(error)) from error
    if not snippets.is_writable(path):
        raise CommandError(
            f"{path} holds characters that configuration files read as something else",
            f"link to it: ln -s {shlex.quote(str(path))} ~/.local/bin/voicectl",
        )
    return path
