"""What who presses a key sees of a failure, on a bus of its own."""

import asyncio
import fcntl
import os
import pty
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.desktop import PrivateBus, missing_program
from tests.rig.notifications import NotificationServer, Shown
from tests.rig.pretender import WITHIN_S, Pretender, environment, refusal
from voicectl import notification

pytestmark = pytest.mark.skipif(missing_program(), reason="no dbus-daemon here")

REMEDY = "start it: voiced, or: voicectl service install"


@pytest.fixture
def bus() -> Iterator[str]:
    """Give the address of a private session bus."""
    with PrivateBus() as made:
        yield made.address


async def press(runtime: Path, bus: str, *arguments: str, terminal: int | None = None) -> int:
    """Run voicectl as a key does, and return its exit status."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "voicectl",
        *arguments,
        env=environment(runtime, DBUS_SESSION_BUS_ADDRESS=bus, HOME=str(runtime)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL if terminal is None else terminal,
    )
    async with asyncio.timeout(WITHIN_S):
        return await process.wait()


async def test_a_dead_daemon_is_told_with_the_remedy_and_only_once(runtime: Path, bus: str) -> None:
    async with NotificationServer(bus) as server:
        assert await press(runtime, bus, "toggle") == 3
        assert await press(runtime, bus, "ptt", "release") == 3
        # With a flag, the parser of the whole command line does it.
        assert await press(runtime, bus, "mute", "--timeout", "3") == 3

    assert server.shown == [
        Shown(1, 0, "voiced is not running", REMEDY),
        Shown(1, 1, "voiced is not running", REMEDY),
        Shown(1, 1, "voiced is not running", REMEDY),
    ]


async def test_of_two_at_once_one_speaks_for_both(runtime: Path, bus: str) -> None:
    memory = runtime / notification.MEMORY
    async with NotificationServer(bus) as server:
        # As the other one holds it while it shows its own.
        descriptor = os.open(memory, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            assert await press(runtime, bus, "ptt", "release") == 3
        finally:
            os.close(descriptor)
        assert server.shown == []

        both = (press(runtime, bus, "ptt", edge) for edge in ("press", "release"))
        assert await asyncio.gather(*both) == [3, 3]

    # The second was silent, or it came after the first and took its place.
    assert {shown.id for shown in server.shown} == {1}
    assert [shown.replaces for shown in server.shown] == [0, 1][: len(server.shown)]


async def test_without_a_place_to_remember_it_is_shown(runtime: Path, bus: str) -> None:
    (runtime / notification.MEMORY).mkdir()
    async with NotificationServer(bus) as server:
        assert await press(runtime, bus, "toggle") == 3
        assert await press(runtime, bus, "toggle") == 3

    assert [shown.replaces for shown in server.shown] == [0, 0]


async def test_a_number_of_another_server_is_not_used(runtime: Path, bus: str) -> None:
    async with NotificationServer(bus):
        await press(runtime, bus, "start")
    async with NotificationServer(bus) as server:
        await press(runtime, bus, "start")

    assert [shown.replaces for shown in server.shown] == [0]


async def test_a_refusal_is_told_in_the_words_of_the_daemon(runtime: Path, bus: str) -> None:
    async with NotificationServer(bus) as server:
        with Pretender(runtime) as daemon:
            pressing = asyncio.create_task(press(runtime, bus, "start"))
            await asyncio.to_thread(
                daemon.answer, refusal("unavailable", "no microphone", "plug one in & try <again>")
            )
            assert await pressing == 6

    assert server.shown == [Shown(1, 0, "no microphone", "plug one in &amp; try &lt;again&gt;")]


async def test_who_asks_is_told_nothing(runtime: Path, bus: str) -> None:
    async with NotificationServer(bus) as server:
        for arguments in (("status",), ("is", "muted"), ("wait", "--for", "idle"), ("toggel",)):
            assert await press(runtime, bus, *arguments) in (2, 3)

    assert server.shown == []


async def test_who_sits_at_a_terminal_is_told_there(runtime: Path, bus: str) -> None:
    ours, theirs = pty.openpty()
    try:
        async with NotificationServer(bus) as server:
            assert await press(runtime, bus, "toggle", terminal=theirs) == 3

        assert server.shown == []
        assert "voiced is not running" in os.read(ours, 1000).decode()
    finally:
        os.close(ours)
        os.close(theirs)


async def test_without_anybody_to_show_it_the_exit_status_is_the_same(
    runtime: Path, bus: str
) -> None:
    assert await press(runtime, bus, "toggle") == 3
    assert await press(runtime, "nonsense", "toggle") == 3
    assert await press(runtime, f"unix:path={runtime}/absent", "toggle") == 3


async def test_a_desktop_that_hangs_is_given_up(
    runtime: Path, bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    async with NotificationServer(bus, is_mute=True) as server:
        async with asyncio.timeout(WITHIN_S):
            await asyncio.to_thread(notification.show, "summary", "body", within_s=0.5)

    assert len(server.shown) <= 1


def test_the_bus_is_where_the_session_says_or_in_its_usual_place(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:abstract=/here,guid=0")
    assert notification.bus_address() == "unix:abstract=/here,guid=0"

    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert notification.bus_address() is None

    (runtime / "bus").touch()
    assert notification.bus_address() == f"unix:path={runtime}/bus"

    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={runtime}/gone,guid=0")
    assert notification.bus_address() is None
