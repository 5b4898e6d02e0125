"""Prints ``config/hotkeys`` and ``config/bars`` from the templates of voicectl.

``python -m tests.voicectl.examples`` writes the files; a test tells when it was forgotten.
"""

from pathlib import Path

from voicectl import snippets

CONFIG = Path(__file__).resolve().parents[2] / "config"
PROGRAM = Path("/usr/bin/voicectl")
NAMES = {
    "hyprland": "hyprland.conf",
    "hyprland-lua": "hyprland.lua",
    "sxhkd": "sxhkdrc",
    "xremap": "xremap.yml",
    "gnome": "gnome.sh",
    "kde": "voiced-hotkeys.desktop",
    "waybar": "waybar.jsonc",
    "polybar": "polybar.ini",
}
"""Snippet -> name of its file, where that is another."""


def examples() -> dict[Path, str]:
    """Return every file and what it holds."""
    made: dict[Path, str] = {}
    for desktop in snippets.HOTKEYS:
        name = NAMES.get(desktop, desktop)
        tap = snippets.bindings(desktop)
        made[CONFIG / "hotkeys" / name] = snippets.hotkeys(desktop, tap, PROGRAM)
        if desktop not in snippets.PRESS_ONLY:
            hold = snippets.bindings(desktop, hold=True)
            path = CONFIG / "hotkeys" / f"hold-{name}"
            made[path] = snippets.hotkeys(desktop, hold, PROGRAM)
    for bar in (*snippets.BARS, "waybar.css"):
        made[CONFIG / "bars" / NAMES.get(bar, bar)] = snippets.bar(bar, PROGRAM)
    return made


if __name__ == "__main__":
    for path, text in examples().items():
        path.write_text(text, encoding="utf-8")
