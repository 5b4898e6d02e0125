"""voicectl against a daemon that is not there, goes, or speaks in tongues."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import zmq

from voiced.control.messages import decode_request, encode_notice
from voiced.control.protocol import CONTROL_SOCKET, EVENTS_SOCKET, MAX_REQUEST_BYTES

ROOT = Path(__file__).resolve().parents[2]
STATE = {"state": "idle", "muted": False, "online": False}


class Pretender:
    """Serves the two sockets, and answers what it was told to."""

    def __init__(self, runtime: Path) -> None:
        self.directory = runtime / "voiced"
        self.directory.mkdir()
        self._context = zmq.Context()
        self.router = self._context.socket(zmq.ROUTER)
        self.events = self._context.socket(zmq.XPUB)
        for socket, name in ((self.router, CONTROL_SOCKET), (self.events, EVENTS_SOCKET)):
            socket.setsockopt(zmq.LINGER, 0)
            socket.bind(f"ipc://{self.directory / name}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def answer(self, data: bytes) -> str:
        """Take one request, answer it, and return its verb."""
        assert self.router.poll(20_000)
        *envelope, request = self.router.recv_multipart()
        self.router.send_multipart([*envelope, data])
        return decode_request(request).verb

    def publish(self, data: bytes) -> None:
        """Wait until somebody listens, and say something."""
        assert self.events.poll(20_000)
        self.events.recv()
        self.events.send(data)

    def die(self) -> None:
        """End as a process does that is killed: the files stay."""
        self._context.destroy(linger=0)


@pytest.fixture
def runtime() -> Iterator[Path]:
    """Give a place with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vc", dir="/tmp") as name:
        yield Path(name)


def voicectl(runtime: Path, *arguments: str | bytes) -> "subprocess.Popen[bytes]":
    """Start voicectl."""
    return subprocess.Popen(
        [sys.executable, "-m", "voicectl", *arguments],
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def outcome(process: "subprocess.Popen[bytes]") -> tuple[int, str]:
    """Return the exit status and what was said on stderr."""
    _, said = process.communicate(timeout=60)
    return process.returncode, said.decode()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("say", b"caf\xe9"), "the text is not UTF-8"),
        (("say", " "), "there is nothing to say"),
        (("status", "--timeout", "nan"), "nan is no number of seconds above 0"),
        (("status", "--timeout", "-1"), "-1 is no number of seconds above 0"),
        (("wait", "--for", "idle", "--timeout", "1e300"), "1e300 is no number of seconds"),
        (("wait", "--for", "starting"), "invalid choice"),
    ],
)
def test_wrong_arguments_are_told_with_status_2(
    runtime: Path, arguments: tuple[str | bytes, ...], complaint: str
) -> None:
    status, said = outcome(voicectl(runtime, *arguments))

    assert status == 2
    assert complaint in said


def test_a_text_too_long_for_the_daemon_is_refused_at_once(runtime: Path) -> None:
    with Pretender(runtime):
        status, said = outcome(voicectl(runtime, "say", "x" * MAX_REQUEST_BYTES))

    assert status == 2
    assert "too long" in said


def test_a_long_text_in_another_script_is_as_long_as_it_is(runtime: Path) -> None:
    done = b'{"v": 1, "id": "", "ok": true, "result": {"state": "thinking"}}'
    with Pretender(runtime) as daemon:
        asking = voicectl(runtime, "say", "語" * 20_000)
        assert daemon.answer(done) == "say"

        assert outcome(asking)[0] == 0


@pytest.mark.parametrize("verb", [("events",), ("wait", "--for", "speaking")])
def test_whoever_listens_is_told_when_the_daemon_has_gone(
    runtime: Path, verb: tuple[str, ...]
) -> None:
    with Pretender(runtime) as daemon:
        listening = voicectl(runtime, *verb)
        daemon.publish(encode_notice("state", 1.0, dict(STATE)))
        daemon.die()
        status, said = outcome(listening)

    assert status == 3
    assert "voiced is not running" in said


@pytest.mark.parametrize("notice", [b"nonsense", b'{"v": 1}'])
def test_a_daemon_that_cannot_be_understood_is_another_version(
    runtime: Path, notice: bytes
) -> None:
    with Pretender(runtime) as daemon:
        listening = voicectl(runtime, "events")
        daemon.publish(notice)

        assert outcome(listening)[0] == 5


def test_a_status_without_what_we_show_is_another_version(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        asking = voicectl(runtime, "status")
        daemon.answer(b'{"v": 1, "id": "", "ok": true, "result": {}}')
        status, said = outcome(asking)

    assert status == 5
    assert "the status of the daemon has no 'muted'" in said


def test_a_place_that_is_none_is_told(runtime: Path) -> None:
    (runtime / "file").write_text("")
    status, said = outcome(voicectl(runtime / "file", "status"))

    assert status == 3
    assert "cannot reach voiced at" in said
    assert "Traceback" not in said


def test_output_that_nobody_reads_or_that_does_not_fit_is_no_traceback(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        asking = voicectl(runtime, "status", "--json")
        assert asking.stdout is not None
        asking.stdout.close()
        asking.stdout = None
        daemon.answer(b'{"v": 1, "id": "", "ok": true, "result": {"state": "idle"}}')
        assert outcome(asking) == (0, "")

        with Path("/dev/full").open("w") as full:
            asking = subprocess.Popen(
                [sys.executable, "-m", "voicectl", "status", "--json"],
                env={**os.environ, "XDG_RUNTIME_DIR": str(runtime), "PYTHONPATH": str(ROOT)},
                stdout=full,
                stderr=subprocess.PIPE,
            )
            daemon.answer(b'{"v": 1, "id": "", "ok": true, "result": {"state": "idle"}}')
            assert outcome(asking) == (1, "voicectl: cannot write: No space left on device\n")


def test_events_are_one_json_object_a_line(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        listening = voicectl(runtime, "events")
        daemon.publish(encode_notice("state", 1.0, dict(STATE)))
        assert listening.stdout is not None
        line = json.loads(listening.stdout.readline())
        listening.terminate()
        listening.communicate()

    assert line == {"v": 1, "t": 1.0, "event": "state", **STATE}


def test_whoever_waits_for_the_end_is_told_when_it_comes(runtime: Path) -> None:
    with Pretender(runtime) as daemon:
        waiting = voicectl(runtime, "wait", "--for", "stopped")
        early = voicectl(runtime, "wait", "--for", "stopped", "--timeout", "0.3")
        assert outcome(early)[0] == 4
        assert waiting.poll() is None
        daemon.die()

        assert outcome(waiting) == (0, "")
