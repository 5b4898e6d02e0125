from pathlib import Path

import pytest

from tests.voicectl.manager import Manager
from voicectl import systemctl
from voicectl.systemctl import ManagerError


def test_it_is_asked_for_this_user(manager: Manager) -> None:
    systemctl.run("start", "voiced.service")

    assert manager.asked() == ["start voiced.service"]


def test_a_refusal_is_its_first_line(manager: Manager) -> None:
    manager.fails("start", "Job for voiced.service failed.")

    with pytest.raises(ManagerError, match=r"^Job for voiced.service failed.$"):
        systemctl.run("start", "voiced.service")


def test_a_refusal_without_words_is_told_too(manager: Manager) -> None:
    manager.fails("start", "")
    manager.fails("show", "")

    with pytest.raises(ManagerError, match="See the journal"):
        systemctl.run("start")
    with pytest.raises(ManagerError, match="See the journal"):
        systemctl.show("LoadState")


def test_a_manager_that_is_not_there_is_told_with_the_remedy(manager: Manager) -> None:
    manager.fails("show", "Failed to connect to bus: No medium found")

    with pytest.raises(ManagerError, match=r"No medium found\): log in by a session"):
        systemctl.unit_path()


def test_what_it_says_is_read(manager: Manager) -> None:
    manager.says(ActiveState="active", StatusText="a=b", Empty="")

    assert systemctl.show("ActiveState") == {
        "LoadState": "loaded",
        "Result": "success",
        "ActiveState": "active",
        "StatusText": "a=b",
        "Empty": "",
    }
    assert systemctl.unit_path()[1] == str(manager.units)


@pytest.mark.parametrize(
    ("line", "expected"), [("systemd 252 (252.39-1~deb12u2)", 252), ("busybox", None)]
)
def test_its_version_is_read(manager: Manager, line: str, expected: int | None) -> None:
    manager.is_of(line)

    assert systemctl.version() == expected


def test_without_systemctl_voiced_runs_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ManagerError, match="systemctl is not installed"):
        systemctl.run("start")
