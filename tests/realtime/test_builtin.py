"""The built-in server as a supervised child."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.realtime.test_client import Heard
from voiced.conversation import events as ev
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
