import socket
from pathlib import Path

import pytest

from voiced.service import manager


def test_the_service_manager_is_told_what_is_going_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        manager.ready()
        manager.state("speaking\nMAINPID=1")
        manager.stopping()

        assert [listener.recv(100) for _ in range(3)] == [
            b"READY=1\nSTATUS=idle",
            b"STATUS=speaking MAINPID=1",
            b"STOPPING=1",
        ]


def test_without_a_service_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    manager.ready()
