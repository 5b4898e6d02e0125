"""The lines for desktops and bars, as text; real programs read them in tests/windows."""

import json
import re
from pathlib import Path

import pytest

from tests.voicectl.examples import CONFIG, PROGRAM, examples
from voicectl.keys import KeyRefusedError
from voicectl.snippets import (
    BARS,
    HOTKEYS,
    PRESS_ONLY,
    bar,
    bindings,
    hotkeys,
    is_writable,
)
from voicectl.verbs import desktop as verbs
from voiced.control.protocol import STATES

SPACED = Path("/home/me/my programs/voicectl")


def without_comments(text: str) -> str:
    """Return the lines a program acts on."""
    lines = [line for line in text.splitlines() if not re.match(r"\s*(#|--|;|//)", line)]
    return "\n".join(lines)


@pytest.mark.repository
def test_the_example_files_are_what_voicectl_prints() -> None:
    written = examples()
    found = [path for place in ("hotkeys", "bars") for path in (CONFIG / place).iterdir()]

    assert sorted(found) == sorted(written)
    for path, text in written.items():
        assert path.read_text(encoding="utf-8") == text, path


def test_the_verbs_offer_what_there_is() -> None:
    assert set(verbs.DESKTOPS) == set(HOTKEYS)
    assert verbs.BARS == BARS


@pytest.mark.parametrize("desktop", HOTKEYS)
def test_every_line_has_the_absolute_path_and_no_place_is_left_empty(desktop: str) -> None:
    text = hotkeys(desktop, bindings(desktop), PROGRAM)
    acting = without_comments(text)

    assert acting.count(str(PROGRAM)) == 2
    assert acting.count("voicectl") == 2
    assert not re.search(r"@[A-Z]", text)
    assert text.splitlines()[0].lstrip("#- ").startswith("voiced: ")


@pytest.mark.parametrize("desktop", sorted(set(HOTKEYS) - set(PRESS_ONLY)))
def test_a_held_key_has_a_press_and_a_release(desktop: str) -> None:
    acting = without_comments(hotkeys(desktop, bindings(desktop, hold=True), PROGRAM))

    for edge in ("press", "release"):
        assert len(re.findall(rf'ptt(?: |", "){edge}', acting)) == 1
    assert acting.count(str(PROGRAM)) == 4


def test_the_keys_can_be_chosen() -> None:
    asked = bindings("sway", hold=True, key="ScrollLock", mute="Super+M", toggle="Super+V")
    text = hotkeys("sway", asked, PROGRAM)

    assert "bindsym --no-repeat Scroll_Lock exec exec /usr/bin/voicectl ptt press" in text
    assert "bindsym --release --locked Scroll_Lock exec exec /usr/bin/voicectl ptt release" in text
    assert "bindsym --no-repeat Mod4+m exec exec /usr/bin/voicectl mute toggle" in text
    assert "bindsym --no-repeat Mod4+v exec exec /usr/bin/voicectl toggle" in text


def test_keys_that_write_go_on_repeating() -> None:
    asked = bindings("sxhkd", key="Super+V")

    assert "xset -r 192\n" in hotkeys("sxhkd", asked, PROGRAM)


def test_hyprland_is_told_both_syntaxes() -> None:
    text = hotkeys("hyprland", bindings("hyprland"), PROGRAM)
    lua = hotkeys("hyprland-lua", bindings("hyprland-lua"), PROGRAM)

    for line in lua.splitlines()[1:]:
        assert f"# {line}" in text.splitlines()


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"desktop": "gnome", "hold": True}, "gnome does not tell when a key goes up"),
        ({"desktop": "kde", "hold": True}, "voicectl hotkeys show xremap --hold"),
        ({"desktop": "sway", "toggle": "F16"}, "--toggle-key goes with --hold"),
        ({"desktop": "sway", "hold": True, "key": "Super+V"}, "cannot be held to talk"),
        ({"desktop": "sway", "key": "F14"}, "each key can do one thing"),
        ({"desktop": "sway", "hold": True, "toggle": "F13"}, "each key can do one thing"),
        ({"desktop": "sway", "key": "F99"}, "no key 'F99'"),
    ],
)
def test_bindings_that_cannot_work_are_refused(asked: dict[str, object], why: str) -> None:
    with pytest.raises(KeyRefusedError, match=re.escape(why)):
        bindings(**asked)  # type: ignore[arg-type]  # parametrised


@pytest.mark.parametrize(
    ("desktop", "line"),
    [
        ("i3", "exec --no-startup-id exec '/home/me/my programs/voicectl' toggle"),
        ("gnome", "\"'/home/me/my programs/voicectl' toggle\""),
        ("kde", 'Exec="/home/me/my programs/voicectl" toggle'),
        ("xremap", '["/home/me/my programs/voicectl", "toggle"]'),
    ],
)
def test_a_path_with_a_space_is_quoted(desktop: str, line: str) -> None:
    assert line in hotkeys(desktop, bindings(desktop), SPACED)


@pytest.mark.parametrize("path", ["/a'b/v", '/a"b/v', "/a$b/v", "/a%b/v", "/a,b/v", "/a\nb/v"])
def test_a_path_that_would_be_read_as_something_else_is_told_apart(path: str) -> None:
    assert not is_writable(Path(path))
    assert is_writable(SPACED)


def test_waybar_has_an_icon_for_every_state_and_a_style_for_it() -> None:
    module = json.loads(without_comments(bar("waybar", PROGRAM)))["custom/voiced"]
    css = bar("waybar.css", PROGRAM)

    assert set(module["format-icons"]) == set(STATES)
    assert module["exec"] == "/usr/bin/voicectl status --follow --format waybar"
    for name in (*STATES, "mic-open", "ptt"):
        assert f"#custom-voiced.{name}" in css


def test_the_streams_of_the_other_bars() -> None:
    assert "exec = /usr/bin/voicectl status --follow --format polybar\n" in bar("polybar", PROGRAM)
    assert "command=/usr/bin/voicectl status --follow --format text\n" in bar("i3blocks", PROGRAM)
