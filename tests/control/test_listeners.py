import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from voiced.control.listeners import Listener, adopt, listen
from voiced.errors import ConfigError


@pytest.fixture
def path() -> Iterator[Path]:
    """Give a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="vl", dir="/tmp") as name:
        yield Path(name) / "control.sock"


@pytest.fixture
def listener(path: Path) -> Iterator[Listener]:
    made = listen(path)
    yield made
    made.close()


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def kept(listener: Listener, name: str | None = None) -> dict[int, str]:
    """Return what the service manager would hand to the next process."""
    return {listener.lend(): name or listener.name}


def test_a_socket_is_ours_alone_whatever_the_umask_is(path: Path) -> None:
    before = os.umask(0)
    try:
        listen(path).close()
    finally:
        assert os.umask(before) == 0

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_dead_daemon_left_is_replaced(path: Path) -> None:
    listen(path).close()
    assert not answers(path)

    second = listen(path)
    assert answers(path)
    second.close()


def test_a_path_that_cannot_be_bound_is_told(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ConfigError, match=r"cannot serve on .*control.sock: "):
        listen(path)
    with pytest.raises(ConfigError, match=r"cannot serve on .*control.sock: No such file"):
        listen(path.parent / "nowhere" / "control.sock")


def test_a_kept_socket_serves_those_who_waited(listener: Listener, path: Path) -> None:
    handed_on = kept(listener)
    listener.close()
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.connect(str(path))
        waiting.send(b"in the meantime")

        adopted = adopt(path, handed_on)
        assert adopted is not None
        connection, _ = adopted.socket.accept()
        assert connection.recv(100) == b"in the meantime"
        connection.close()
    assert (adopted.path, adopted.name) == (path, listener.name)
    adopted.close()


def test_a_socket_whose_path_leads_elsewhere_by_now_is_not_used(
    listener: Listener, path: Path
) -> None:
    handed_on = kept(listener)
    path.rename(path.with_name("kept-alive"))  # or the new file might get the same number
    other = listen(path)

    assert adopt(path, handed_on) is None
    listener.remove()
    assert answers(path)
    other.close()


def test_a_socket_whose_path_is_gone_is_not_used(listener: Listener, path: Path) -> None:
    path.unlink()

    assert adopt(path, kept(listener)) is None


def test_what_only_bears_the_name_is_not_used(listener: Listener, path: Path) -> None:
    with (
        socket.socket(socket.AF_UNIX) as deaf,
        socket.socket(socket.AF_INET) as other,
        (path.parent / "file").open("w") as file,
    ):
        deaf.bind(str(path.with_name("deaf.sock")))
        other.bind(("127.0.0.1", 0))
        other.listen()
        for each in (deaf, other, file):
            assert adopt(path, {each.fileno(): listener.name}) is None
    path.unlink()
    path.write_text("no socket")
    assert adopt(path, kept(listener)) is None


def test_another_socket_of_ours_is_not_used(listener: Listener, path: Path) -> None:
    other = listen(path.with_name("events.sock"))

    assert adopt(path, kept(other, listener.name)) is None
    assert adopt(path, {}) is None
    other.close()


def test_a_removed_socket_refuses_at_once(listener: Listener, path: Path) -> None:
    listener.remove()
    assert not answers(path)

    listener.remove()


def test_a_lent_descriptor_may_be_closed(listener: Listener, path: Path) -> None:
    os.close(listener.lend())

    assert answers(path)
