"""Complaints: the first few are written, the rest is counted."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from voiced.control.complaints import Complaints


class Written(logging.Handler):
    """Keeps what is written, and lets a test wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.came = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.came.set()


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    made = logging.getLogger("tests.complaints")
    made.propagate = False
    yield made
    made.handlers.clear()


def written(logger: logging.Logger) -> Written:
    handler = Written()
    logger.addHandler(handler)
    return handler


async def test_the_first_few_are_written_and_the_rest_is_counted(logger: logging.Logger) -> None:
    log = written(logger)
    complaints = Complaints(logger, first=2)
    for number in range(1000):
        complaints.note("nonsense %d", number)
    complaints.close()

    assert log.lines == [
        "nonsense 0",
        "nonsense 1",
        "998 more like that from the control sockets in the last 60 s",
    ]


async def test_the_count_comes_by_itself_and_a_new_period_begins(logger: logging.Logger) -> None:
    log = written(logger)
    complaints = Complaints(logger, first=1, period_s=0.01)
    complaints.note("one")
    complaints.note("two")
    log.came.clear()
    async with asyncio.timeout(20):
        await log.came.wait()
    complaints.note("three")
    complaints.close()

    assert log.lines == [
        "one",
        "1 more like that from the control sockets in the last 0.01 s",
        "three",
    ]


async def test_few_complaints_are_not_counted_again(logger: logging.Logger) -> None:
    log = written(logger)
    complaints = Complaints(logger)
    complaints.close()
    complaints.note("one")
    complaints.close()

    assert log.lines == ["one"]
