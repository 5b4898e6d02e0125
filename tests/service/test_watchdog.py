import asyncio
import logging
import os
import socket
from pathlib import Path

import pytest

from voiced.service.watchdog import Watchdog, allowed_s


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"WATCHDOG_USEC": "1500000"}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_service_manager_says_how_long_it_waits(
    environment: dict[str, str], expected: float | None
) -> None:
    assert allowed_s(environment) == expected


def test_all_is_well_while_everything_moves() -> None:
    counts = {"runner": 1, "stream": 1}
    watchdog = Watchdog(9.0, {name: lambda name=name: counts[name] for name in counts})  # type: ignore[misc] # a default is no argument
    assert watchdog.look()

    counts["runner"], counts["stream"] = 2, 2
    assert watchdog.look()


def test_a_part_that_does_not_move_is_named(caplog: pytest.LogCaptureFixture) -> None:
    turns = iter(range(9))
    watchdog = Watchdog(9.0, {"the runner": lambda: next(turns), "the microphone": lambda: 7})
    watchdog.look()
    with caplog.at_level(logging.ERROR):
        assert not watchdog.look()

    assert caplog.messages == ["the microphone does not move; the service manager is not pinged"]


def test_a_part_that_has_no_reason_to_move_need_not() -> None:
    counts = iter([3, None, None, 3, 3])
    watchdog = Watchdog(9.0, {"the microphone": lambda: next(counts)})

    assert [watchdog.look() for _ in range(5)] == [True, True, True, True, False]


async def test_pings_come_while_all_is_well_and_stop_when_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = asyncio.Event()
    counts = [3, 3, 3, 2, 1]

    def pulse() -> int:
        looked.set() if not counts else None
        return counts.pop() if counts else 3

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        running = asyncio.create_task(Watchdog(0.03, {"it": pulse}).run())
        async with asyncio.timeout(20):
            await looked.wait()
        running.cancel()

        assert [manager.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        with pytest.raises(BlockingIOError):
            manager.recv(100)


async def test_nobody_is_pinged_where_nobody_waits_for_it() -> None:
    async with asyncio.timeout(20):
        await Watchdog(None, {}).run()
