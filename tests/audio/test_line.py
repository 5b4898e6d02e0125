import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.audio import fakes
from tests.audio.probe import ANSWERS_WITHIN_S
from voiced.audio import line as module
from voiced.audio.line import STALL_S, Line, Wanted, raise_unexpected
from voiced.audio.portaudio import Callback, Route, Stream
from voiced.errors import DeviceError

MICROPHONE = Wanted(is_input=True, device="default", rate_hz=0, buffer_ms=20)


def make_callback(_rate_hz: int, _frames: int) -> Callback:
    def callback(
        _pcm: bytes | None, _frames: int, _times: Mapping[str, float], _flags: int
    ) -> tuple[None, int]:
        return None, 0

    return callback


class Outcomes:
    """Collects outcomes and lets a test wait for the next."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Exception | None] = asyncio.Queue()

    def __call__(self, error: Exception | None) -> None:
        self.queue.put_nowait(error)

    async def next(self) -> Exception | None:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            return await self.queue.get()


class HangingPortAudio(fakes.FakePortAudio):
    """Does not answer the first time it is asked to open a device, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = threading.Event()
        self.is_let_go = threading.Event()

    def open(
        self, route: Route, *, is_input: bool, rate_hz: int, frames: int, callback: Callback
    ) -> Stream:
        if not self.is_asked.is_set():
            self.is_asked.set()
            self.is_let_go.wait()
        return super().open(
            route, is_input=is_input, rate_hz=rate_hz, frames=frames, callback=callback
        )


@pytest.fixture
def hanging() -> Iterator[HangingPortAudio]:
    """Give a library that hangs for as long as the test runs."""
    library = HangingPortAudio()
    yield library
    library.is_let_go.set()


@asynccontextmanager
async def opened(
    library: fakes.FakePortAudio, wanted: Wanted = MICROPHONE
) -> AsyncIterator[tuple[Line, Exception | None]]:
    """Give a line that was asked to open, and the outcome."""
    line, outcomes = Line(library, wanted), Outcomes()
    line.open(make_callback, outcomes)
    try:
        yield line, await outcomes.next()
    finally:
        line.end()
        assert await asyncio.to_thread(line.join, ANSWERS_WITHIN_S)


async def test_24_khz_are_asked_for_first() -> None:
    library = fakes.FakePortAudio()
    async with opened(library) as (line, error):
        assert error is None
        assert line.name == "default"
        assert (library.streams[0].rate_hz, library.streams[0].frames) == (24_000, 480)


async def test_new_settings_do_not_change_the_buffers_of_an_open_device() -> None:
    async with opened(fakes.FakePortAudio()) as (line, _):
        assert line.buffer_s == 0.02
        line.wanted = replace(MICROPHONE, buffer_ms=40)

        assert line.buffer_s == 0.02
        line.close()
        assert line.buffer_s == 0.04


async def test_a_device_that_refuses_24_khz_runs_at_its_own_rate() -> None:
    library = fakes.FakePortAudio(refused_hz={24_000})
    async with opened(library) as (_, error):
        assert error is None
        assert library.streams[0].rate_hz == 44_100


async def test_a_rate_that_was_asked_for_is_the_only_one_tried() -> None:
    library = fakes.FakePortAudio(refused_hz={16_000})
    wanted = Wanted(is_input=True, device="default", rate_hz=16_000, buffer_ms=20)
    async with opened(library, wanted) as (line, error):
        assert isinstance(error, DeviceError)
        assert str(error) == 'cannot open "default" at 16000 Hz: Invalid sample rate'
        assert not line.is_open


async def test_a_device_that_came_later_is_found_in_a_fresh_list() -> None:
    library = fakes.FakePortAudio(listed=[fakes.PULSE], later=[fakes.USB])
    wanted = Wanted(is_input=True, device="usb audio", rate_hz=0, buffer_ms=20)
    async with opened(library, wanted) as (line, error):
        assert error is None
        assert line.name == fakes.USB.name


async def test_the_list_is_not_read_anew_while_a_stream_is_open() -> None:
    library = fakes.FakePortAudio(listed=[fakes.PULSE], later=[fakes.USB], can_refresh=False)
    wanted = Wanted(is_input=True, device="usb audio", rate_hz=0, buffer_ms=20)
    async with opened(library, wanted) as (_, error):
        assert isinstance(error, DeviceError)


async def test_a_line_that_was_closed_meanwhile_does_not_open(hanging: HangingPortAudio) -> None:
    line, outcomes = Line(hanging, MICROPHONE), Outcomes()
    line.open(make_callback, outcomes)
    line.close()
    line.open(make_callback, outcomes)
    hanging.is_let_go.set()

    assert await outcomes.next() is None
    line.end()
    await asyncio.to_thread(line.join, ANSWERS_WITHIN_S)
    assert outcomes.queue.empty()
    assert [stream.calls for stream in hanging.streams] == [["close"], ["close"]]


async def test_a_sound_server_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch, hanging: HangingPortAudio
) -> None:
    monkeypatch.setattr(module, "OPEN_WITHIN_S", 0.05)
    async with opened(hanging) as (line, error):
        assert isinstance(error, DeviceError)
        assert "did not answer" in str(error)
        assert not line.is_open


async def test_what_is_asked_for_is_done_in_order() -> None:
    library = fakes.FakePortAudio()
    order: list[str] = []
    async with opened(library) as (line, _):
        outcomes = Outcomes()
        line.start(outcomes, before=lambda: order.append("before"))
        assert line.is_running
        line.abort(outcomes, after=lambda: order.append("after"))
        assert not line.is_running
        line.start(outcomes)
        for _ in range(3):
            assert await outcomes.next() is None

    assert library.streams[0].calls == ["start", "abort", "start", "close"]
    assert order == ["before", "after"]


async def test_a_stream_that_was_given_up_is_not_started_and_says_nothing_more() -> None:
    library, outcomes, said = fakes.FakePortAudio(), Outcomes(), list[str]()
    let_go = threading.Event()

    def wait() -> None:
        let_go.wait(ANSWERS_WITHIN_S)

    async with opened(library) as (line, _):
        line.abort(outcomes, after=wait)
        line.start(outcomes, before=lambda: said.append("started"))
        line.abort(outcomes, after=lambda: said.append("aborted"))
        line.close()
        let_go.set()
        for _ in range(3):
            assert await outcomes.next() is None

    assert library.streams[0].calls == ["abort", "abort", "close"]
    assert said == []


async def test_what_a_stream_that_was_given_up_refuses_is_not_told_of_the_next() -> None:
    library, outcomes = fakes.FakePortAudio(refuses={"abort"}), Outcomes()
    let_go = threading.Event()

    def wait() -> None:
        let_go.wait(ANSWERS_WITHIN_S)

    async with opened(library) as (line, _):
        line.ask(wait, outcomes)
        line.abort(outcomes)
        line.lose()
        line.open(make_callback, outcomes)
        assert await outcomes.next() is None
        assert line.is_open
        let_go.set()

        for _ in range(2):
            assert await outcomes.next() is None


async def test_a_refusal_is_told() -> None:
    async with opened(fakes.FakePortAudio(refuses={"start", "abort"})) as (line, _):
        outcomes = Outcomes()
        line.start(outcomes)
        assert isinstance(await outcomes.next(), DeviceError)
        line.abort(outcomes, after=lambda: pytest.fail("it was not stopped"))
        assert isinstance(await outcomes.next(), DeviceError)


async def test_a_line_that_is_not_open_cannot_be_started_or_stopped() -> None:
    line, outcomes = Line(fakes.FakePortAudio(), MICROPHONE), Outcomes()
    line.start(outcomes)
    line.abort(outcomes)

    assert outcomes.queue.empty()
    assert not line.is_running
    line.end()


async def test_a_running_stream_without_callbacks_is_lost() -> None:
    async with opened(fakes.FakePortAudio()) as (line, _):
        assert not line.is_lost(1e9)
        line.start(Outcomes())
        line.called(100.0)
        assert not line.is_lost(100.0 + STALL_S)
        assert line.is_lost(100.0 + STALL_S + 0.01)


async def test_a_lost_line_can_be_opened_again_though_the_old_call_hangs(
    hanging: HangingPortAudio,
) -> None:
    line, outcomes = Line(hanging, MICROPHONE), Outcomes()
    line.open(make_callback, outcomes)
    assert await asyncio.to_thread(hanging.is_asked.wait, ANSWERS_WITHIN_S)
    line.lose()
    line.open(make_callback, outcomes)

    assert await outcomes.next() is None
    assert line.is_open
    line.end()


def test_only_failures_that_were_planned_for_are_swallowed() -> None:
    raise_unexpected(None)
    raise_unexpected(DeviceError("gone"))
    with pytest.raises(ZeroDivisionError):
        raise_unexpected(ZeroDivisionError())
