"""The built-in server as a supervised child."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.realtime.test_client import Heard
from voiced.conversation import events as ev
from voiced.realtime import builtin as module
from voiced.realtime.builtin import BuiltinError, BuiltinServer
from voiced.realtime.client import RealtimeClient
from voiced.settings import Local, Provider, Settings

LOCAL = Settings(provider=Provider(kind="local"))


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vb", dir="/tmp") as name:
        yield Path(name)


@asynccontextmanager
async def builtin(place: Path, settings: Local | None = None) -> AsyncIterator[BuiltinServer]:
    """Give a server that is not started."""
    async with asyncio.TaskGroup() as tasks:
        made = BuiltinServer(place / "local.sock", settings or Local(), tasks)
        try:
            yield made
        finally:
            await made.stop()


async def test_a_session_with_the_built_in_server_needs_no_key_and_no_network(place: Path) -> None:
    heard = Heard()
    async with asyncio.TaskGroup() as tasks:
        server = BuiltinServer(place / "local.sock", Local(), tasks)
        client = RealtimeClient(LOCAL, lambda: None, server, tasks, heard)
        client.open(1)
        ready = await heard.until(ev.SessionReady)
        client.close()
        await server.stop()

    assert ready.detects_turns
    assert ready.interrupts


async def test_a_running_server_is_kept(place: Path) -> None:
    async with builtin(place) as server:
        first = await server.ensure()
        pid = server.pid
        assert await server.ensure() == first
        assert server.pid == pid


async def test_a_server_that_died_is_started_again(place: Path) -> None:
    async with builtin(place) as server:
        await server.ensure()
        before = server.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await server.wait()
        await server.ensure()

        assert server.pid not in (None, before)


async def test_a_server_with_other_settings_is_another_one(place: Path) -> None:
    async with builtin(place) as server:
        await server.ensure()
        before = server.pid
        server.settings = Local(brain_model="other")
        await server.ensure()

        assert server.pid != before


async def test_a_server_that_cannot_start_says_why(place: Path) -> None:
    async with builtin(place, Local(brain="ftp://nowhere")) as server:
        with pytest.raises(BuiltinError, match="brain"):
            await server.ensure()


async def test_a_stop_without_a_server_is_done_already(place: Path) -> None:
    async with builtin(place) as server:
        await server.stop()

        assert server.pid is None


async def test_a_server_that_was_given_up_while_it_started_is_not_taken_for_ready(
    place: Path,
) -> None:
    async with builtin(place) as server:
        starting = asyncio.create_task(server.ensure())
        while server.pid is None:  # noqa: ASYNC110 - nothing tells when the process is there
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)

        assert server.pid is None
        assert (await server.ensure()).is_socket()


async def test_a_server_that_does_not_come_up_may_do_so_later(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_WITHIN_S", 0.0)
    async with builtin(place) as server:
        with pytest.raises(BuiltinError, match="no sign of life") as caught:
            await server.ensure()

    assert not caught.value.is_final


async def test_a_long_line_of_its_log_is_cut_short(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program is replaced by one that says a lot and ends."""
    program = place / "python"
    program.write_text(
        "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x >&2; echo >&2; echo no >&2\n"
    )
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    async with builtin(place) as server:
        with pytest.raises(BuiltinError, match=r"^no$") as caught:
            await server.ensure()

    assert caught.value.is_final
