"""The link to a daemon that comes and goes, over real sockets."""

import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.pretender import Pretender
from voicectl import watch
from voicectl.link import Link, Notice
from voicectl.outcome import VersionError
from voicectl.zmtp import GREETING
from voiced.control.messages import encode_notice
from voiced.control.protocol import EVENTS_SOCKET
from voiced.errors import ConfigError

WITHIN_S = 20.0
"""What is waited for comes at once; this only ends a test that would hang."""


class Listener:
    """A link, and somebody who waits for it."""

    def __init__(self, runtime: Path, *topics: bytes) -> None:
        self.link = Link(runtime / "voiced", *topics)
        self._came: list[Notice] = []

    def next(self) -> Notice:
        """Return the next notice."""
        deadline_s = time.monotonic() + WITHIN_S
        while not self._came:
            assert time.monotonic() < deadline_s, "no notice came"
            self._came = self.turn()
        return self._came.pop(0)

    def turn(self, within_s: float = WITHIN_S) -> list[Notice]:
        """Wait for something to do, and do it."""
        left_s = self.link.timeout_s
        wait_s = within_s if left_s is None else min(left_s, within_s)
        select.select(self.link.descriptors, [], [], wait_s)
        return self.link.advance()

    def says(self) -> str:
        """Return the state that is told next."""
        return str(self.next().get("state"))


@pytest.fixture
def listener(runtime: Path) -> Iterator[Listener]:
    made = Listener(runtime)
    yield made
    made.link.close()


def state(name: str) -> bytes:
    return encode_notice("state", 1.0, {"state": name})


def welcome(daemon: Pretender, listener: Listener, name: str) -> None:
    """Say the state to somebody who begins to listen."""
    assert until_subscribed(daemon, listener)
    daemon.events.send(state(name))


def until_subscribed(daemon: Pretender, listener: Listener) -> bool:
    deadline_s = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline_s:
        assert listener.turn(0.05) == []
        if daemon.events.poll(0):
            return bool(daemon.events.recv() == b"\x01{")
    return False


def test_a_daemon_that_is_not_there_is_stopped_and_that_is_said_once(listener: Listener) -> None:
    first = listener.next()

    assert (first["v"], first["event"], first["state"]) == (1, "state", "stopped")
    assert first["t"] > 1e9
    assert listener.link.timeout_s is None
    assert listener.turn(0) == []


def test_a_daemon_is_found_when_it_comes_goes_and_comes_again(
    runtime: Path, listener: Listener
) -> None:
    assert listener.says() == "stopped"
    for name in ("idle", "listening"):
        with Pretender(runtime) as daemon:
            welcome(daemon, listener, name)
            assert listener.says() == name
            daemon.events.send(state("thinking"))
            assert listener.says() == "thinking"
        assert listener.says() == "stopped"


def test_the_state_comes_first(runtime: Path, listener: Listener) -> None:
    with Pretender(runtime) as daemon:
        assert until_subscribed(daemon, listener)
        daemon.events.send(encode_notice("audio", 1.0, {}))
        daemon.events.send(state("idle"))
        daemon.events.send(encode_notice("cost", 1.0, {}))

        assert [listener.next()["event"] for _ in range(2)] == ["state", "cost"]


def test_a_socket_is_found_that_is_served_only_a_while_after_it_was_made(
    runtime: Path, listener: Listener
) -> None:
    """A socket can be seen between bind and listen, and nothing tells of the latter."""
    assert listener.says() == "stopped"
    (runtime / "voiced").mkdir()
    with socket.socket(socket.AF_UNIX) as serving:
        serving.bind(str(runtime / "voiced" / EVENTS_SOCKET))
        while listener.link.timeout_s is None:
            assert listener.turn() == []
        serving.listen()
        serving.settimeout(0.01)
        while True:
            assert listener.turn() == []
            try:
                connection, _ = serving.accept()
                break
            except TimeoutError:
                continue
        with connection:
            assert connection.recv(64) == GREETING


def test_a_socket_that_nobody_serves_any_more_is_not_looked_at_for_ever(
    runtime: Path, listener: Listener
) -> None:
    (runtime / "voiced").mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(runtime / "voiced" / EVENTS_SOCKET))
    assert listener.says() == "stopped"
    while listener.link.timeout_s is not None:
        assert listener.turn() == []


def test_a_daemon_that_takes_us_and_says_nothing_is_starting(
    runtime: Path, listener: Listener
) -> None:
    (runtime / "voiced").mkdir()
    with socket.socket(socket.AF_UNIX) as serving:
        serving.bind(str(runtime / "voiced" / EVENTS_SOCKET))
        serving.listen()
        assert listener.says() == "starting"
        assert listener.link.timeout_s is None
        # Let go without a word: it is not tried again at once, and not without end.
        serving.accept()[0].close()
        assert listener.turn() == []
        assert listener.link.timeout_s
    assert listener.says() == "stopped"


def test_a_daemon_that_takes_nobody_is_starting(runtime: Path, listener: Listener) -> None:
    (runtime / "voiced").mkdir()
    with socket.socket(socket.AF_UNIX) as serving, socket.socket(socket.AF_UNIX) as first:
        serving.bind(str(runtime / "voiced" / EVENTS_SOCKET))
        serving.listen(0)
        first.connect(serving.getsockname())
        assert listener.says() == "starting"
        assert listener.link.timeout_s


def test_where_nothing_can_be_watched_it_looks_now_and_then(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    monkeypatch.setattr(watch, "WANTED", 0)
    assert listener.says() == "stopped"
    assert listener.link.descriptors == []
    assert listener.link.timeout_s
    with Pretender(runtime) as daemon:
        welcome(daemon, listener, "idle")
        assert listener.says() == "idle"


def test_messages_of_another_topic_are_kept_apart(runtime: Path) -> None:
    listener = Listener(runtime, b"other")
    with Pretender(runtime) as daemon:
        welcome(daemon, listener, "idle")
        assert listener.says() == "idle"
        daemon.events.send(b"unasked")
        daemon.events.send(b"other things")
        daemon.events.send(state("listening"))
        assert listener.says() == "listening"
    listener.link.close()

    assert listener.link.others == [b"other things"]


@pytest.mark.parametrize("said", [b"{", b'{"v": 2, "event": "state"}'])
def test_what_cannot_be_read_is_another_version(
    runtime: Path, listener: Listener, said: bytes
) -> None:
    with Pretender(runtime) as daemon:
        assert until_subscribed(daemon, listener)
        daemon.events.send(said)
        with pytest.raises(VersionError):
            listener.next()


def test_whoever_speaks_another_protocol_is_another_version(
    runtime: Path, listener: Listener
) -> None:
    (runtime / "voiced").mkdir()
    with socket.socket(socket.AF_UNIX) as serving:
        serving.bind(str(runtime / "voiced" / EVENTS_SOCKET))
        serving.listen()
        listener.turn(0)
        connection, _ = serving.accept()
        with connection:
            connection.send(b"x" * 64)
            with pytest.raises(VersionError, match="does not speak ZMTP"):
                listener.next()


def test_a_place_that_is_none_is_told(runtime: Path) -> None:
    (runtime / "voiced").write_text("")
    link = Link(runtime / "voiced")

    with pytest.raises(ConfigError, match="cannot reach voiced at"):
        link.advance()
    link.close()
