import os
import sys
from pathlib import Path

import pytest

from tests.voicectl.manager import Manager, write
from voicectl.installation import programs, template
from voicectl.service_facts import Facts, Program
from voicectl.service_report import key_file, report, unit_file
from voicectl.unit_file import render, secret_drop_in
from voiced import __version__

FOREIGN = "[Service]\nExecStart=/bin/true\n"


def install(manager: Manager) -> None:
    text = render(template("voiced.service"), __version__, programs(os.environ))
    write(manager.unit, text)


def look() -> Facts:
    return report(os.environ, Path("/nowhere"))


def script(directory: Path, interpreter: str, mode: int = 0o755) -> Path:
    path = directory / "voiced"
    write(path, f"#!{interpreter} -I\n")
    path.chmod(mode)
    return path


def test_a_service_that_is_not_there_is_not_found(manager: Manager) -> None:
    manager.says(LoadState="not-found", ActiveState="inactive")
    found = look()

    assert (found.in_use, found.program, found.copies) == (None, None, [])
    assert found.state is not None
    assert found.state.load == "not-found"


def test_a_service_that_runs_says_so(manager: Manager) -> None:
    install(manager)
    manager.says(ActiveState="active", MainPID="7", NRestarts="2", StatusText="idle")
    found = look()

    assert found.ours is not None
    assert found.ours.path == str(unit_file(os.environ)) == str(manager.unit)
    assert found.state is not None
    assert (found.state.pid, found.state.restarts, found.state.status) == (7, 2, "idle")
    assert found.program == Program(programs(os.environ).voiced)
    assert (found.lost, found.forbidden) == ([], "")


def test_every_copy_is_found_in_its_place(manager: Manager) -> None:
    for path in (manager.above, manager.unit, manager.below):
        write(path, FOREIGN)
    manager.says()
    found = look()

    assert [copy.path for copy in found.above] == [str(manager.above)]
    assert [copy.path for copy in found.below] == [str(manager.below)]
    assert found.in_use is not None
    assert found.in_use.path == str(manager.above)


def test_what_the_manager_has_read_is_what_counts(manager: Manager) -> None:
    install(manager)
    write(manager.above, FOREIGN)
    elsewhere = manager.home / "elsewhere.service"
    drop_in = manager.home / "x.conf"
    write(drop_in, "[Service]\nExecStart=\nExecStart=/bin/sh\n")
    for path, expected in (
        (manager.unit, manager.unit),
        (elsewhere, manager.above),  # it was removed meanwhile
    ):
        manager.says(FragmentPath=str(path), DropInPaths=str(drop_in))
        found = look()
        assert found.in_use is not None
        assert found.in_use.path == str(expected)
        assert found.program == Program("/bin/sh", is_ours=False)
    write(elsewhere, FOREIGN)
    in_use = look().in_use
    assert in_use is not None
    assert in_use.path == str(elsewhere)


def test_a_key_that_is_not_there_is_missed(manager: Manager) -> None:
    install(manager)
    secret = secret_drop_in(str(manager.key), "1") + "LoadCredential=other\n"
    write(manager.drop_ins / "secret.conf", secret)
    assert look().lost == [str(key_file(os.environ))] == [str(manager.key)]

    write(manager.key, "x")
    assert look().lost == []


def test_without_a_manager_the_disk_is_looked_at(manager: Manager) -> None:
    manager.fails("show", "Failed to connect to bus: No medium found")
    write(manager.above, FOREIGN)
    install(manager)
    found = look()

    assert found.state is None
    assert "cannot be reached" in found.complaint
    assert [copy.path for copy in found.copies] == [str(manager.above), str(manager.unit)]


def test_a_program_that_is_not_there_or_cannot_run_is_told(manager: Manager) -> None:
    for program, fault in (
        ("%h/gone", "is not there"),
        (str(script(manager.home / "a", "/bin/sh", 0o644)), "cannot be run"),
        (str(manager.home), "cannot be run"),
        (
            str(script(manager.home / "b", "/nowhere/python3")),
            "needs /nowhere/python3, which is gone: was Python upgraded?",
        ),
        ("sh", ""),
    ):
        write(manager.unit, f"[Service]\nExecStart={program}\n")
        found = look().program
        assert found is not None
        assert (found.path, found.fault) == (program.replace("%h", str(manager.home)), fault)


def test_a_script_of_our_python_is_ours_wherever_it_lies(manager: Manager) -> None:
    for interpreter, is_ours in ((f"{sys.prefix}/bin/python", True), ("/bin/sh", False)):
        path = script(manager.home, interpreter)
        write(manager.unit, f"[Service]\nExecStart={path}\n")
        assert look().program == Program(str(path), is_ours=is_ours)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kernel/unprivileged_userns_clone", "0"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1"),
    ],
)
def test_what_forbids_user_namespaces_is_found(manager: Manager, name: str, value: str) -> None:
    sysctl = manager.home / "sys"
    write(sysctl / name, f"{value}\n")

    assert report(os.environ, sysctl).forbidden == f"{name.replace('/', '.')} = {value}"
