"""What voicectl prints, read by the programs it is for."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.rig import windows
from tests.windows.stage import needed
from voicectl import snippets

PROGRAM = Path("/opt/voice tools/bin/voicectl")
"""With a space, which is where quoting goes wrong."""
MODES = ["tap", "hold", "chords"]
MEDIA_KEYS = "org.gnome.settings-daemon.plugins.media-keys"
LUA = """\
hl = { dsp = { exec_cmd = function(command) return command end } }
hl.bind = function(keys, command, flags)
  flags = flags or {}
  print(keys, command, flags.release, flags.locked)
end
dofile(arg[1])
"""

pytestmark = pytest.mark.repository


def lines(desktop: str, mode: str) -> str:
    """Return the lines for a desktop."""
    if mode == "chords":
        asked = snippets.bindings(desktop, key="Super+Shift+V", mute="Ctrl+Pause")
    else:
        asked = snippets.bindings(desktop, hold=mode == "hold")
    return snippets.hotkeys(desktop, asked, PROGRAM)


def run(command: Sequence[str], **environment: str) -> str:
    """Run a program to its end and return what it says, on both streams."""
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("mode", MODES)
def test_i3_finds_nothing_wrong(tmp_path: Path, mode: str) -> None:
    needed("i3")
    path = tmp_path / "config"
    path.write_text(windows.I3_HEAD + lines("i3", mode))

    assert "ERROR" not in run(["i3", "-C", "-c", str(path)])


@pytest.mark.parametrize("mode", MODES)
def test_sway_finds_nothing_wrong(tmp_path: Path, mode: str) -> None:
    needed(*windows.SWAY_TOOLS)
    path = tmp_path / "config"
    path.write_text(lines("sway", mode))
    headless = {**windows.HEADLESS, "XDG_RUNTIME_DIR": str(tmp_path)}
    said = run([*windows.sway_command(), "-C", "-c", str(path)], **headless)

    assert "config" not in said


@pytest.mark.parametrize(
    ("mode", "bound"),
    [
        (
            "tap",
            "code:191\texec '/opt/voice tools/bin/voicectl' toggle\tnil\tnil\n"
            "code:192\texec '/opt/voice tools/bin/voicectl' mute toggle\tnil\tnil\n",
        ),
        (
            "hold",
            "code:191\texec '/opt/voice tools/bin/voicectl' ptt press\tnil\tnil\n"
            "code:191\texec '/opt/voice tools/bin/voicectl' ptt release\ttrue\ttrue\n"
            "code:192\texec '/opt/voice tools/bin/voicectl' mute toggle\tnil\tnil\n"
            "code:193\texec '/opt/voice tools/bin/voicectl' toggle\tnil\tnil\n",
        ),
    ],
)
def test_lua_binds_what_was_meant(tmp_path: Path, mode: str, bound: str) -> None:
    needed("lua5.4")
    script, config = tmp_path / "script.lua", tmp_path / "hyprland.lua"
    script.write_text(LUA)
    config.write_text(lines("hyprland-lua", mode))

    assert run(["lua5.4", str(script), str(config)]) == bound


@pytest.mark.parametrize("mode", ["tap", "hold"])
def test_the_entry_for_xremap_is_yaml(mode: str) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    (entry,) = yaml.safe_load(lines("xremap", mode))["modmap"]

    assert entry["remap"]["F13"]["press"]["launch"][0] == str(PROGRAM)


def test_gnome_keeps_the_shortcuts_it_had(tmp_path: Path) -> None:
    needed("gsettings")
    # Without any schema, the list itself is a failure.
    known = subprocess.run(
        ["gsettings", "list-schemas"], capture_output=True, text=True, check=False, timeout=60
    )
    if MEDIA_KEYS not in known.stdout.split():
        pytest.skip("not installed: the settings of GNOME's media keys")
    private = {"GSETTINGS_BACKEND": "keyfile", "HOME": str(tmp_path)}
    private |= {"XDG_CONFIG_HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    run(["gsettings", "set", MEDIA_KEYS, "custom-keybindings", "['/mine/']"], **private)
    for _ in range(2):
        run(["sh", "-c", lines("gnome", "tap")], **private)
    place = f"/{MEDIA_KEYS.replace('.', '/')}/custom-keybindings/voiced-"
    listed = run(["gsettings", "get", MEDIA_KEYS, "custom-keybindings"], **private)
    toggle = f"{MEDIA_KEYS}.custom-keybinding:{place}toggle/"

    assert listed == f"['/mine/', '{place}toggle/', '{place}mute/']\n"
    command = run(["gsettings", "get", toggle, "command"], **private)
    assert command == "\"'/opt/voice tools/bin/voicectl' toggle\"\n"
    assert run(["gsettings", "get", toggle, "binding"], **private) == "'Pause'\n"


def test_the_entry_for_kde_is_a_desktop_file(tmp_path: Path) -> None:
    needed("desktop-file-validate")
    path = tmp_path / "voiced-hotkeys.desktop"
    path.write_text(lines("kde", "tap"))

    assert run(["desktop-file-validate", str(path)]) == ""
