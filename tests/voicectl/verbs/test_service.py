import json
import os

import pytest

from tests.voicectl.manager import Manager, write
from voicectl import cli
from voicectl.installation import programs
from voiced import __version__

Output = pytest.CaptureFixture[str]


def test_install_writes_the_service_and_says_what_comes_next(
    manager: Manager, capsys: Output
) -> None:
    assert cli.run(["service", "install"]) == 0

    voiced = programs(os.environ).voiced
    assert f"\nExecStart={voiced}\n" in manager.unit.read_text()
    assert manager.asked() == ["daemon-reload"]
    assert capsys.readouterr().out == (
        f"{manager.unit}: starts {voiced}\nnext: voicectl service enable --now\n"
    )
    assert not manager.drop_ins.exists()


def test_install_over_a_running_service_asks_for_a_restart(
    manager: Manager, capsys: Output
) -> None:
    manager.says(ActiveState="active", FragmentPath=str(manager.unit))

    assert cli.run(["service", "install"]) == 0
    assert "next: voicectl service restart" in capsys.readouterr().out


def test_install_remembers_the_key_and_the_loose_sandbox(manager: Manager) -> None:
    write(manager.key, "x")
    for options, expected in (
        ([], ["secret.conf"]),
        (["--no-user-namespaces"], ["no-user-namespaces.conf", "secret.conf"]),
        ([], ["no-user-namespaces.conf", "secret.conf"]),
        (["--user-namespaces"], ["secret.conf"]),
    ):
        assert cli.run(["service", "install", *options]) == 0
        assert sorted(path.name for path in manager.drop_ins.iterdir()) == expected
    assert f"LoadCredential=openai:{manager.key}" in (manager.drop_ins / "secret.conf").read_text()
    manager.key.unlink()
    cli.run(["service", "install"])
    assert not manager.drop_ins.exists()


def test_install_hides_no_packaged_service(manager: Manager, capsys: Output) -> None:
    write(manager.below, "[Service]\nExecStart=/usr/bin/voiced\n")

    assert cli.run(["service", "install"]) == 1
    assert f"{manager.below} is there already" in capsys.readouterr().err
    assert not manager.unit.exists()


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({"FragmentPath": "/etc/x"}, "is written, but /etc/x is used"),
        ({}, "is written, but nothing is used"),
    ],
)
def test_install_notices_that_it_had_no_effect(
    manager: Manager, capsys: Output, answer: dict[str, str], complaint: str
) -> None:
    manager.says(**answer)

    assert cli.run(["service", "install"]) == 1
    assert complaint in capsys.readouterr().err


def test_install_without_a_manager_says_so(manager: Manager, capsys: Output) -> None:
    manager.fails("daemon-reload", "Failed to connect to bus: No medium found")

    assert cli.run(["service", "install"]) == 1
    assert "the service manager of this user cannot be reached" in capsys.readouterr().err


def test_an_older_manager_is_not_told_what_it_does_not_know(manager: Manager) -> None:
    manager.is_of("systemd 252 (252.39)")
    cli.run(["service", "install"])
    assert "RestartSteps=" not in manager.unit.read_text()

    manager.is_of("systemd 254 (254.1)")
    cli.run(["service", "install"])
    assert "RestartSteps=" in manager.unit.read_text()


def test_uninstall_removes_what_install_wrote(manager: Manager, capsys: Output) -> None:
    write(manager.key, "x")
    cli.run(["service", "install", "--no-user-namespaces"])

    assert cli.run(["service", "uninstall"]) == 0
    assert manager.asked()[-2:] == ["disable --now voiced.service", "daemon-reload"]
    assert not manager.unit.exists()
    assert not manager.drop_ins.exists()
    assert manager.key.exists()
    assert cli.run(["service", "uninstall"]) == 0
    assert capsys.readouterr().out.endswith(f"removed {manager.unit}\nnot installed\n")


def test_a_link_to_our_service_is_not_in_its_way(manager: Manager, capsys: Output) -> None:
    manager.above.parent.mkdir(parents=True)
    manager.above.symlink_to(manager.unit)
    for path in (manager.unit, manager.above):
        manager.says(ActiveState="active", FragmentPath=str(path))
        assert cli.run(["service", "install"]) == 0
    assert cli.run(["service", "status"]) == 0
    assert "wrong:" not in capsys.readouterr().out

    assert cli.run(["service", "uninstall"]) == 0
    assert not manager.unit.exists()


def test_uninstall_leaves_what_is_not_ours(manager: Manager, capsys: Output) -> None:
    write(manager.below, "[Service]\nExecStart=/usr/bin/voiced\n")
    assert cli.run(["service", "uninstall"]) == 1
    write(manager.unit, "[Service]\nExecStart=/usr/bin/voiced\n")
    assert cli.run(["service", "uninstall"]) == 1

    assert capsys.readouterr().err.count("was not made by voicectl") == 2
    assert manager.unit.exists()
    assert manager.asked() == []


def test_uninstall_keeps_a_service_that_cannot_be_stopped(manager: Manager, capsys: Output) -> None:
    cli.run(["service", "install"])
    manager.fails("disable", "no")

    assert cli.run(["service", "uninstall"]) == 1
    assert "did not follow: no" in capsys.readouterr().err
    assert manager.unit.exists()


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("enable", "enable voiced.service"),
        ("enable --now", "enable --now voiced.service"),
        ("disable --now", "disable --now voiced.service"),
        ("start", "start voiced.service"),
        ("stop", "stop voiced.service"),
        ("restart", "restart voiced.service"),
    ],
)
def test_the_manager_is_asked_for_the_rest(manager: Manager, words: str, asked: str) -> None:
    assert cli.run(["service", *words.split()]) == 0
    assert manager.asked() == [asked]


def test_a_service_that_is_not_installed_is_told(manager: Manager, capsys: Output) -> None:
    manager.says(LoadState="not-found")

    assert cli.run(["service", "start"]) == 1
    assert capsys.readouterr().err == (
        "voicectl: voiced.service is not installed; install it: voicectl service install\n"
    )


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (
            {"StatusText": "config.toml:2: unknown key", "Result": "exit-code"},
            "voiced does not run: config.toml:2: unknown key\n",
        ),
        ({"ExecMainStatus": "226"}, "voicectl service install --no-user-namespaces\n"),
        ({"Result": "watchdog"}, "voicectl: the service failed: watchdog; voicectl logs\n"),
        ({"ActiveState": "active"}, "start: Job failed.; voicectl logs -n 20 says more\n"),
    ],
)
def test_a_start_that_failed_is_told_with_its_reason(
    manager: Manager, capsys: Output, answer: dict[str, str], complaint: str
) -> None:
    cli.run(["service", "install"])
    manager.says(**{"ActiveState": "failed"} | answer)
    manager.fails("start", "Job failed.")
    capsys.readouterr()

    assert cli.run(["service", "start"]) == 1
    said = capsys.readouterr().err
    assert said.endswith(complaint)
    assert said.count("\n") == 1


def test_the_status_of_a_running_service(manager: Manager, capsys: Output) -> None:
    cli.run(["service", "install"])
    manager.says(
        ActiveState="active",
        SubState="running",
        UnitFileState="enabled",
        MainPID="7",
        NRestarts="2",
        Result="success",
        StatusText="listening",
        ActiveEnterTimestamp="Wed 12:00",
    )
    capsys.readouterr()
    assert cli.run(["service", "status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"unit:     {manager.unit}",
        f"program:  {programs(os.environ).voiced}, made by voiced {__version__}",
        "state:    active since Wed 12:00",
        "at login: starts",
        "process:  7, restarted 2 times",
        "says:     listening",
    ]

    assert cli.run(["service", "status", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["unit"] == str(manager.unit)
    assert (shown["active"], shown["enabled"], shown["pid"]) == ("active", "enabled", 7)
    assert shown["findings"] == []

    manager.says(ActiveState="active", NeedDaemonReload="yes")
    assert cli.run(["service", "status", "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["id"], finding["level"]) == ("unit.installed", "warn")
    assert finding["remedy"] == "systemctl --user daemon-reload"


def test_the_status_of_a_service_that_failed(manager: Manager, capsys: Output) -> None:
    write(manager.unit, "# generated by voiced 0.0.1\n[Service]\nExecStart=/bin/true\n")
    manager.says(ActiveState="failed", Result="exit-code", ExecMainStatus="217")

    assert cli.run(["service", "status"]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:4] == ["state:    failed (exit-code)", "at login: unknown"]
    assert len([line for line in lines if line.startswith("wrong:")]) == 4


def test_the_status_of_no_service(manager: Manager, capsys: Output) -> None:
    manager.says(LoadState="not-found", ActiveState="inactive")

    assert cli.run(["service", "status"]) == 3
    assert capsys.readouterr().out == "unit:     not installed; voicectl service install\n"
    assert cli.run(["service", "status", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["unit"] is None


def test_the_status_without_a_manager(manager: Manager, capsys: Output) -> None:
    cli.run(["service", "install"])
    manager.fails("show", "Failed to connect to bus: No medium found")
    capsys.readouterr()

    assert cli.run(["service", "status", "--json"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["active"] is None
    assert "log in by a session" in shown.err


def test_a_voicectl_without_a_daemon_beside_it_installs_nothing(
    manager: Manager, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(manager.home / "python"))
    monkeypatch.setattr("sys.argv", [str(manager.home / "voicectl")])

    assert cli.run(["service", "install"]) == 1
    assert "voiced is not beside" in capsys.readouterr().err
    assert cli.run(["service", "uninstall"]) == 0
    assert cli.run(["service", "status"]) == 3
