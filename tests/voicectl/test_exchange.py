"""One request to the daemon: what is sent, what is understood, and when it began."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rig.pretender import Pretender, Scripted, refusal, result, saying
from voicectl import exchange
from voicectl.outcome import (
    CommandError,
    NoAnswerError,
    NotRunningError,
    RefusedError,
    TooLongError,
    VersionError,
)
from voiced import __version__
from voiced.control.messages import decode_request
from voiced.control.protocol import CONTROL_SOCKET, MAX_REQUEST_BYTES

TICK_NS = 10_000_000


@pytest.fixture
def ours(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a runtime directory the one of this process."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    return runtime


def test_the_daemon_reads_what_is_written() -> None:
    request = decode_request(exchange.encode("mute", {"wish": "toggle"}, 12, 5000))

    assert (request.verb, request.args) == ("mute", {"wish": "toggle"})
    assert (request.t, request.deadline_ms, request.id) == (12, 5000, str(os.getpid()))


def test_a_text_in_another_script_is_as_long_as_it_is() -> None:
    assert len(exchange.encode("say", {"text": "語" * 20_000}, 0, 0)) < MAX_REQUEST_BYTES
    with pytest.raises(TooLongError, match="at most 65536 bytes"):
        exchange.encode("say", {"text": "x" * MAX_REQUEST_BYTES}, 0, 0)


def test_a_result_is_returned(ours: Path) -> None:
    with Pretender(ours) as daemon:
        asking = subprocess.Popen([sys.executable, "-m", "voicectl", "interrupt"])
        request = daemon.answer(result(state="idle"))

        assert asking.wait(60) == 0
    assert request.verb == "interrupt"


@pytest.mark.parametrize(
    ("code", "status"), [("refused", 1), ("stale", 4), ("unavailable", 6), ("unheard-of", 1)]
)
def test_a_refusal_has_its_sentence_and_its_status(code: str, status: int) -> None:
    reply = exchange.decode(refusal(code, "no microphone", "plug one in"))

    with pytest.raises(RefusedError) as caught:
        exchange.result_of(reply)

    error = caught.value
    assert (error.message, error.hint, error.status) == ("no microphone", "plug one in", status)


@pytest.mark.parametrize(
    "data",
    [b"nonsense", b"\xff", b"[]", b"{}", b'{"v": 2, "ok": true}', b'{"v": "1", "voiced": "0.1.0"}'],
)
def test_what_is_no_reply_is_another_version(data: bytes) -> None:
    with pytest.raises(VersionError):
        exchange.decode(data)


def test_a_reply_that_says_nothing_is_another_version() -> None:
    with pytest.raises(VersionError, match="neither a result nor an error"):
        exchange.result_of(exchange.decode(b'{"v": 1, "ok": false}'))


def test_a_result_of_another_shape_is_empty() -> None:
    assert exchange.result_of({"ok": True, "result": [1]}) == {}


@pytest.mark.parametrize(
    ("theirs", "is_ours"),
    [
        (__version__, True),
        ("", True),
        (f"{__version__}.post1", True),
        (".".join([*__version__.split(".")[:2], "999"]), True),
        ("0.999.0", False),
        ("999.0.0", False),
    ],
)
def test_only_the_last_number_of_the_version_may_differ(theirs: str, is_ours: bool) -> None:
    reply = {"v": 1, "voiced": theirs}
    if is_ours:
        exchange.check_version(reply)
        return
    with pytest.raises(VersionError) as caught:
        exchange.check_version(reply)

    assert theirs in caught.value.message
    assert __version__ in caught.value.message
    assert "restart" in caught.value.hint


def test_a_daemon_with_another_protocol_is_named_with_both_versions() -> None:
    with pytest.raises(VersionError) as caught:
        exchange.check_version({"v": 7, "voiced": "3.1.4"})

    assert caught.value.message == (
        "voiced 3.1.4 speaks version 7 of the control protocol,"
        f" this voicectl {__version__} speaks 1"
    )


def test_no_daemon_is_told_at_once(ours: Path) -> None:
    with pytest.raises(NotRunningError):
        exchange.ask("stop", {})

    with Pretender(ours) as daemon:
        daemon.die()
    with pytest.raises(NotRunningError):
        exchange.ask("stop", {})


def test_a_place_that_cannot_be_used_is_told(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "run")
    with pytest.raises(CommandError, match="no absolute path") as caught:
        exchange.ask("stop", {})
    assert caught.value.status == 3

    (runtime / "file").write_text("")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / "file"))
    with pytest.raises(CommandError, match=r"cannot reach voiced at .*: Not a directory"):
        exchange.ask("stop", {})

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / ("x" * 120)))
    with pytest.raises(CommandError, match=r"cannot reach voiced at .*: AF_UNIX path too long"):
        exchange.ask("stop", {})


def test_silence_ends_at_the_time_limit(ours: Path) -> None:
    with Pretender(ours), pytest.raises(NoAnswerError, match="did not answer in time"):
        exchange.ask("stop", {}, timeout_s=0.05)


def test_garbage_is_another_version(ours: Path) -> None:
    with (
        Scripted(ours / "voiced" / CONTROL_SOCKET, saying(b"garbage" * 10)),
        pytest.raises(VersionError, match="cannot be understood"),
    ):
        exchange.ask("stop", {})


def test_a_daemon_that_hangs_up_before_the_request_is_asked_again_but_not_for_ever(
    ours: Path,
) -> None:
    def hang_up(connection: socket) -> None:
        connection.recv(1000)

    with Scripted(ours / "voiced" / CONTROL_SOCKET, hang_up) as door:
        with pytest.raises(NoAnswerError, match="hung up"):
            exchange.ask("toggle", {})

        assert door.visits == exchange.ATTEMPTS


def test_a_request_that_may_have_been_done_is_not_sent_again(ours: Path) -> None:
    def hang_up(connection: socket) -> None:
        greeting = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(48)
        connection.sendall(greeting + b"\x04\x06\x05READY")
        received = b""
        while b"toggle" not in received:
            received += connection.recv(1000)

    with Scripted(ours / "voiced" / CONTROL_SOCKET, hang_up) as door:
        with pytest.raises(NoAnswerError, match="hung up"):
            exchange.ask("toggle", {})

        assert door.visits == 1


# --- when it began -------------------------------------------------------------------------


def stat(pid: int, ticks: int) -> bytes:
    """Return a /proc/PID/stat; the name is as nasty as it can be."""
    return b"%d (a) S (b) S" % pid + b" 0" * 18 + b" %d 0 0\n" % ticks


@dataclass(frozen=True)
class Birth:
    """A process that is started, and what it reads of itself when it gets to run."""

    born_ns: int
    pid: int
    waits_ns: int
    misread_ns: int

    def figure(self, slept_ns: int) -> int:
        """Return what it takes for its start."""
        read = stat(self.pid, (self.born_ns + slept_ns) // TICK_NS)
        now_ns = self.born_ns + self.waits_ns
        return exchange.birth_ns(read, 100, now_ns, slept_ns + self.misread_ns)


waits = st.integers(0, 3 * 10**8)
misreadings = st.integers(0, 50_000)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Birth, Birth]:
    """Draw two processes, the first of them started first."""
    born_ns = draw(st.integers(10**9, 10**9 + 2 * TICK_NS))
    pid = draw(st.integers(1, 2**22 - 2))
    later_ns = draw(st.integers(0, 3 * TICK_NS))
    later_pid = draw(st.integers(pid + 1, 2**22 - 1))
    first = Birth(born_ns, pid, draw(waits), draw(misreadings))
    return first, Birth(born_ns + later_ns, later_pid, draw(waits), draw(misreadings))


@given(
    pair=pairs(),
    slept_ticks=st.integers(0, 10**7),
    # Two readings of the clocks may differ; where that falls on both sides of half a tick, it
    # counts.
    slept_rest_ns=st.integers(-TICK_NS // 2, TICK_NS // 2 - 50_001),
)
def test_of_two_processes_the_one_started_first_has_the_smaller_figure(
    pair: tuple[Birth, Birth], slept_ticks: int, slept_rest_ns: int
) -> None:
    # How long each waits for a processor does not matter.
    slept_ns = max(0, slept_ticks * TICK_NS + slept_rest_ns)
    first, second = pair

    assert first.figure(slept_ns) < second.figure(slept_ns)
    assert abs(first.figure(slept_ns) - first.born_ns) < 2.5 * TICK_NS


def test_a_shell_that_became_voicectl_was_not_started_by_the_key() -> None:
    assert exchange.birth_ns(stat(7, 100), 100, 5 * 10**9, 0) == 5 * 10**9


def test_the_edge_of_a_key_keeps_its_time_however_long_it_waited_to_run() -> None:
    born_ns = exchange.birth_ns(stat(7, 100), 100, 5 * 10**9, 0, exchange.EDGE_NEWBORN_NS)

    assert born_ns == 10**9 + 2 * 7


@pytest.mark.parametrize(("words", "is_told"), [("ptt press", True), ("toggle", False)])
def test_only_of_an_edge_it_is_told_that_it_waited(ours: Path, words: str, is_told: bool) -> None:
    waits_s = 1.5 * exchange.NEWBORN_NS / 1e9
    begin = ["sh", "-c", f'sleep {waits_s}; exec "$@"', "sh", sys.executable, "-m", "voicectl"]
    with Pretender(ours) as daemon:
        before_ns = time.monotonic_ns()
        asking = subprocess.Popen([*begin, *words.split()])
        request = daemon.answer(result(state="idle"))

        assert asking.wait(60) == 0
    assert request.t is not None
    assert (request.t - before_ns < waits_s * 1e9) == is_told


def test_a_new_process_tells_when_it_was_started() -> None:
    code = "from voicectl import exchange; print(exchange.started_ns())"
    before_ns = time.monotonic_ns()
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    after_ns = time.monotonic_ns()

    assert before_ns - 2 * TICK_NS < int(told.stdout) < after_ns + 2 * TICK_NS


def test_without_proc_the_clock_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(os, "open", refuse)
    before_ns = time.monotonic_ns()

    assert exchange.started_ns() >= before_ns
