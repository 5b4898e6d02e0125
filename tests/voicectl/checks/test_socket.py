import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from tests.voicectl.checks.said import levels, only
from tests.voicectl.stand_in import StandIn
from voicectl.checks.socket import Daemon, ask
from voiced import __version__
from voiced.control.protocol import CONTROL_SOCKET

IDLE = {"state": "idle", "error": None, "mic_open": False, "muted": False}


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a place with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vc", dir="/tmp") as name:
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        yield Path(name)


def test_a_daemon_that_answers_is_good(runtime: Path) -> None:
    with StandIn(runtime, {"version": {"config": "/x.toml"}, "status": IDLE}):
        daemon = ask(has_service=True)

    assert levels(daemon.findings) == {
        "socket.answers": "ok",
        "socket.version": "ok",
        "socket.state": "ok",
    }
    assert daemon.config == Path("/x.toml")
    assert daemon.keeps_closed == ""


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"mic_open": True, "muted": False}, "voiced has the microphone open"),
        ({"mic_open": False, "muted": True}, "you have muted the microphone: voicectl unmute"),
    ],
)
def test_the_microphone_stays_closed_while_it_should(status: dict[str, object], why: str) -> None:
    assert Daemon([], status=status).keeps_closed == why


def test_what_is_wrong_with_the_daemon_is_told(runtime: Path) -> None:
    with StandIn(runtime, {"status": IDLE | {"error": "no API key"}}):
        found = ask(has_service=True).findings

    assert levels(found)["socket.state"] == "warn"
    assert only(found, "socket.state").message == "voiced says: no API key"


def test_a_daemon_without_a_state_is_told(runtime: Path) -> None:
    with StandIn(runtime, {"status": b"nonsense"}):
        assert levels(ask(has_service=True).findings)["socket.state"] == "fail"


def test_a_daemon_of_another_version_fails(runtime: Path) -> None:
    with StandIn(runtime, {}, version="0.0.1"):
        found = ask(has_service=True).findings

    assert levels(found) == {"socket.version": "fail"}
    assert "voiced 0.0.1 is running" in only(found, "socket.version").message
    assert only(found, "socket.version").remedy == "voicectl service restart"


def test_a_daemon_that_is_only_older_is_a_warning(runtime: Path) -> None:
    with StandIn(runtime, {"status": IDLE}, version=f"{__version__}.1"):
        found = ask(has_service=True).findings

    assert levels(found) == {
        "socket.answers": "ok",
        "socket.version": "warn",
        "socket.state": "ok",
    }


def test_a_daemon_that_speaks_otherwise_fails(runtime: Path) -> None:
    with StandIn(runtime, {"version": b'{"v": 9}'}):
        assert levels(ask(has_service=True).findings) == {"socket.version": "fail"}


def test_no_daemon_fails_with_the_way_to_start_one(runtime: Path) -> None:
    by_hand = only(ask(has_service=False).findings, "socket.answers")
    found = only(ask(has_service=True).findings, "socket.answers")

    assert (found.level, found.message) == ("fail", "voiced is not running")
    assert found.remedy == "voicectl service start"
    assert by_hand.remedy == "voicectl service install, or in a terminal: voiced"


def test_a_socket_that_nobody_serves_is_told(runtime: Path) -> None:
    (runtime / "voiced").mkdir(mode=0o700)
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.bind(f"ipc://{runtime / 'voiced' / CONTROL_SOCKET}")
    finding = only(ask(has_service=True).findings, "socket.answers")

    assert finding.level == "fail"
    assert "control.sock is left of one that has ended" in finding.message


def test_a_daemon_that_hangs_is_told(runtime: Path) -> None:
    (runtime / "voiced").mkdir(mode=0o700)
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.setsockopt(zmq.LINGER, 0)
        router.bind(f"ipc://{runtime / 'voiced' / CONTROL_SOCKET}")
        daemon = ask(has_service=True, within_s=0.05)

    finding = only(daemon.findings, "socket.answers")
    assert finding.level == "fail"
    assert "does not answer within 0.05 s" in finding.message


def test_a_directory_that_others_may_enter_fails(runtime: Path) -> None:
    (runtime / "voiced").mkdir()
    (runtime / "voiced").chmod(0o755)
    finding = only(ask(has_service=True).findings, "socket.private")

    assert finding.level == "fail"
    assert finding.remedy == f"chmod 700 {runtime / 'voiced'}"


def test_no_place_for_sockets_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative")
    finding = only(ask(has_service=True).findings, "socket.answers")

    assert finding.level == "fail"
    assert finding.message == "XDG_RUNTIME_DIR = relative is no absolute path"
