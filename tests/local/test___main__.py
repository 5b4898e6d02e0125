"""The command line, from outside."""

import asyncio
import base64
import os
import signal
import socket
import subprocess
import tempfile

import pytest
from websockets.asyncio.client import connect, unix_connect

from tests.local.client import connected, part
from tests.local.fakes import silence
from tests.local.process import (
    COMMAND,
    ROOT,
    address,
    children,
    processes,
    running,
    start,
    stop,
)
from tests.local.speech import say
from voiced.local.__main__ import main, make_parser, run

pytestmark = pytest.mark.timeout(120)


def refused(*arguments: str, **environment: str) -> tuple[int, str]:
    """Return status and complaint of a server that does not start."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.returncode, done.stderr


def status_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Return status and complaint of a command line that is refused."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    complaint = capsys.readouterr().err
    assert len(complaint.splitlines()) == 1
    assert isinstance(caught.value.code, int)
    return caught.value.code, complaint


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_is_serves_and_ends_well(number: signal.Signals) -> None:
    with running("--pace", "0") as (url, process):
        assert process.stdin is not None
        process.stdin.close()  # which nobody watches
        async with connected(url) as client:
            await client.configure(output_modalities=["text"])
            done = await client.reply()
        stop(process, number)
        assert process.stdout is not None
        rest = process.stdout.read()

    assert url.startswith("http://127.0.0.1:")
    assert done["status"] == "completed"
    assert process.returncode == 0
    assert rest == ""


async def test_it_leaves_no_process_behind_when_it_is_stopped_in_the_middle() -> None:
    with running() as (url, process):
        async with connect(f"{url.replace('http', 'ws', 1)}/realtime?model=m") as client:
            audio = base64.b64encode(say("tell me a story") + silence(800)).decode()
            await client.send(f'{{"type": "input_audio_buffer.append", "audio": "{audio}"}}')
            while "response.output_audio.delta" not in str(await client.recv()):
                pass
            started = children(process.pid)
            await asyncio.to_thread(stop, process)

    assert started
    assert process.returncode == 0
    assert not set(started) & set(processes())


class Lines:
    """Standard output that hands out what is printed."""

    def __init__(self) -> None:
        self.printed: asyncio.Queue[str] = asyncio.Queue()

    def write(self, text: str) -> int:
        self.printed.put_nowait(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing."""


async def test_it_serves_until_a_signal_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Lines()
    monkeypatch.setattr("sys.stdout", lines)
    options = make_parser().parse_args(["--brain", "http://127.0.0.1:9", "--pace", "0"])
    serving = asyncio.create_task(run(options), name="serving")
    async with connected(await lines.printed.get()) as client:
        await client.until("session.created")

    os.kill(os.getpid(), signal.SIGTERM)

    await serving


def test_it_ends_with_its_parent() -> None:
    with running("--watch-parent") as (url, process):
        assert url
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0


def test_watching_needs_something_to_watch() -> None:
    status, complaint = refused("--watch-parent")

    assert status == 2
    assert "--watch-parent" in complaint


async def test_it_serves_on_a_unix_socket() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="vl") as folder:
        path = f"{folder}/s"
        with running("--unix", path) as (name, _):
            async with unix_connect(path, "ws://localhost/v1/realtime?model=m") as client:
                assert "session.created" in str(await client.recv())

    assert name == f"unix:{path}"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--host", "0.0.0.0"), "--allow-remote"),
        (("--host", "::"), "--allow-remote"),
        (("--host", "192.0.2.1"), "--allow-remote"),
        (("--host", "no.such.host.invalid"), "no such address"),
        (("--host", "a" * 70), "no such address"),
        (("--port", "70000"), "--port"),
        (("--port", "http"), "--port"),
        (("--pace", "-1"), "--pace"),
        (("--pace", "nan"), "--pace"),
        (("--max-session-s", "0"), "--max-session-s"),
        (("--brain", "ftp://x"), "--brain"),
        (("--brain", "gpt"), "--brain"),
        (("--brain", "http://[::1"), "--brain"),
        (("--brain", "http://127.0.0.1:99999"), "--brain"),
        (("--voice", "hal"), "--voice"),
        (("--colour",), "--colour"),
        (("--log-level", "loud"), "--log-level"),
    ],
)
def test_bad_arguments_are_told_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str
) -> None:
    status, told = status_of(capsys, *arguments)

    assert status == 2
    assert complaint in told


def test_an_address_others_can_reach_is_served_when_asked_for() -> None:
    with running("--host", "0.0.0.0", "--allow-remote") as (url, _):
        assert url.startswith("http://0.0.0.0:")


def test_an_address_in_use_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status = main(["--port", str(taken.getsockname()[1])])

    (complaint,) = capsys.readouterr().err.splitlines()
    assert status == 1
    assert "in use" in complaint


def test_a_missing_voice_is_told_with_its_package() -> None:
    status, complaint = refused(PATH="/nowhere")

    assert status == 78
    assert "apt install espeak-ng" in complaint


async def test_without_a_voice_written_replies_are_served() -> None:
    with running("--voice", "none", PATH="/nowhere") as (url, _):
        async with connected(url) as client:
            written = await client.reply(output_modalities=["text"])
            spoken = await client.reply()

    assert written["status"] == "completed"
    assert spoken["status"] == "failed"


def test_a_key_that_would_travel_in_clear_is_told_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICED_BRAIN_KEY", "sk-secret")

    status = main(["--brain", "http://example.org"])

    (complaint,) = capsys.readouterr().err.splitlines()
    assert status == 78
    assert "VOICED_BRAIN_KEY" in complaint
    assert "sk-secret" not in complaint


def test_a_brain_by_address_needs_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "voiced.local.chat", None)

    assert main(["--brain", "http://127.0.0.1:9"]) == 78
    assert "pip install 'voiced[local]'" in capsys.readouterr().err


async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a chat request with two sentences."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    for piece in ("The sea ", "is blue. ", "So it is."):
        writer.write(b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % piece.encode())
    writer.write(b"data: [DONE]\n\n")
    await writer.drain()
    writer.close()


async def test_a_brain_can_be_a_chat_model() -> None:
    async with await asyncio.start_server(answer_once, "127.0.0.1", 0) as chat:
        chat_url = f"http://127.0.0.1:{chat.sockets[0].getsockname()[1]}"
        with running("--brain", chat_url, "--brain-model", "small", "--pace", "0") as (url, _):
            async with connected(url) as client:
                await client.write("What colour is the sea?")
                done = await client.reply()

    assert part(done, "output", 0)["content"] == [
        {"type": "output_audio", "transcript": "The sea is blue. So it is."}
    ]


async def test_the_log_says_nothing_of_what_is_said() -> None:
    process = start("--log-level", "debug", "--pace", "0", VOICED_BRAIN_KEY="sk-secret")
    url = address(process)
    async with connected(url) as client:
        await client.configure(instructions="zanzibar", output_modalities=["text"])
        await client.write("zanzibar")
        await client.reply()
    stop(process)
    _, log = process.communicate()

    assert "a session begins" in log
    assert "zanzibar" not in log
    assert "sk-secret" not in log
