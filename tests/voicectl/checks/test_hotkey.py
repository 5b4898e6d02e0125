from pathlib import Path

import pytest

from tests.voicectl.checks.said import levels, only
from voicectl.checks.hotkey import check, manager_path


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Give a voicectl that is installed somewhere."""
    made = tmp_path / "venv" / "bin" / "voicectl"
    made.parent.mkdir(parents=True)
    made.touch(mode=0o755)
    return made


def process(proc: Path, number: int, name: str, path: str) -> None:
    """Have a process run."""
    directory = proc / str(number)
    directory.mkdir(parents=True)
    (directory / "comm").write_text(f"{name}\n")
    (directory / "environ").write_bytes(f"HOME=/h\0PATH={path}\0".encode())


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Give the processes of a machine without a desktop."""
    made = tmp_path / "proc"
    process(made, 1, "init", "/usr/bin")
    (made / "self").mkdir()
    (made / "7").mkdir()
    return made


def test_a_compositor_that_finds_voicectl_is_good(proc: Path, program: Path) -> None:
    link = program.parents[2] / "bin"
    link.mkdir()
    (link / "voicectl").symlink_to(program)
    process(proc, 10, "sway", f"/nowhere:{link}")
    found = check(program, proc=proc)

    assert levels(found) == {"hotkey.path": "ok"}
    assert only(found, "hotkey.path").message == f"sway finds {link / 'voicectl'}"


@pytest.mark.parametrize(
    ("name", "desktop"),
    [
        ("sway", "sway"),
        (".sway-wrapped", "sway"),
        (".Hyprland-wrapp", "hyprland"),
        ("gsd-media-keys", "gnome"),
        ("i3", "i3"),
    ],
)
def test_a_compositor_that_does_not_find_it_is_a_warning(
    proc: Path, program: Path, name: str, desktop: str
) -> None:
    process(proc, 10, name, "/usr/bin:/bin")
    finding = only(check(program, proc=proc), "hotkey.path")

    assert finding.level == "warn"
    assert "does not find voicectl in its PATH" in finding.message
    assert finding.remedy.endswith(f"voicectl hotkeys show {desktop}")


def test_another_voicectl_is_a_warning(proc: Path, program: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "voicectl"
    other.parent.mkdir()
    other.touch(mode=0o755)
    process(proc, 10, "sway", str(other.parent))

    assert f"finds another one: {other}" in only(check(program, proc=proc), "hotkey.path").message
    assert levels(check(None, proc=proc)) == {"hotkey.path": "ok"}


def test_what_is_nearest_to_the_keys_is_looked_at_first(proc: Path, program: Path) -> None:
    process(proc, 10, "gnome-shell", str(program.parent))
    process(proc, 11, "gsd-media-keys", "/nowhere")
    finding = only(check(program, proc=proc), "hotkey.path")

    assert finding.message.startswith("gsd-media-keys does not find")


def test_without_a_desktop_the_service_managers_path_counts(
    proc: Path, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemctl(tmp_path, "echo HOME=/h; echo PATH=/nowhere", monkeypatch)
    finding = only(check(program, proc=proc), "hotkey.path")

    assert manager_path() == "/nowhere"
    assert finding.message.startswith("the service manager does not find voicectl")


@pytest.mark.parametrize("script", ["exit 1", None])
def test_without_anybody_there_is_nothing_to_look_at(
    proc: Path,
    program: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str | None,
) -> None:
    systemctl(tmp_path, script, monkeypatch)

    assert levels(check(program, proc=proc)) == {"hotkey.path": "skip"}


def systemctl(directory: Path, script: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a service manager's program into the PATH, or none."""
    monkeypatch.setenv("PATH", str(directory / "fake"))
    (directory / "fake").mkdir()
    if script is not None:
        made = directory / "fake" / "systemctl"
        made.write_text(f"#!/bin/sh\n{script}\n")
        made.chmod(0o755)
