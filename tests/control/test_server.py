"""The control sockets, over real ZeroMQ in a directory of their own."""

import asyncio
import json
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq
import zmq.asyncio

from voiced import __version__
from voiced.control import server as module
from voiced.control.listeners import listen
from voiced.control.messages import Failure, Request, decode_levels
from voiced.control.protocol import CONTROL_SOCKET, EVENTS_SOCKET, LEVELS, NOTICES
from voiced.control.server import ControlServer, wish_of
from voiced.conversation import events as ev
from voiced.errors import ConfigError, WireError


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vc", dir="/tmp") as name:
        yield Path(name)


class Daemon:
    """A control server and what it was told."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.wishes: asyncio.Queue[ev.Wish] = asyncio.Queue()
        self.subscribed = asyncio.Event()
        queries = {
            "version": lambda: {"voiced": __version__},
            "reload": self.refuse,
            "status": self.fail,
            "transcript": lambda: {"lines": object()},
        }
        self.levels_wanted: asyncio.Queue[bool] = asyncio.Queue()
        self.server = ControlServer(
            self.wishes.put_nowait,
            queries,
            self.subscribed.set,
            self.want_levels,
            {"timeline": self.draw, "recorder": self.record},
        )
        self.drawn = asyncio.Event()
        self.context = zmq.asyncio.Context()
        self.sockets = [listen(place / name) for name in (CONTROL_SOCKET, EVENTS_SOCKET)]

    def close(self) -> None:
        self.context.destroy(linger=0)
        self.server.close()
        for each in self.sockets:
            each.close()

    def refuse(self) -> dict[str, Any]:
        raise ConfigError("config.toml:3: unknown key")

    def fail(self) -> dict[str, Any]:
        raise RuntimeError("a mistake of ours")

    async def draw(self, args: Mapping[str, str]) -> dict[str, Any]:
        await self.drawn.wait()
        return {**args}

    async def record(self, args: Mapping[str, str]) -> dict[str, Any]:
        match args:
            case {"wish": "fail"}:
                raise RuntimeError("a mistake of ours")
            case {"wish": "sing"}:
                raise WireError("it cannot sing")
            case _:
                raise ConfigError("it is off")

    def want_levels(self, *, wanted: bool) -> None:
        self.levels_wanted.put_nowait(wanted)

    def listen(self, topic: bytes) -> zmq.asyncio.Socket:
        made = self.context.socket(zmq.SUB)
        made.setsockopt(zmq.LINGER, 0)
        made.setsockopt(zmq.SUBSCRIBE, topic)
        made.connect(f"ipc://{self.place}/events.sock")
        return made

    def ask(self, kind: int = zmq.DEALER) -> zmq.asyncio.Socket:
        made = self.context.socket(kind)
        made.setsockopt(zmq.LINGER, 0)
        made.connect(f"ipc://{self.place}/control.sock")
        return made


@asynccontextmanager
async def serving(place: Path) -> AsyncIterator[Daemon]:
    daemon = Daemon(place)
    daemon.server.bind(*daemon.sockets)
    running = asyncio.create_task(daemon.server.run())
    try:
        yield daemon
    finally:
        running.cancel()
        daemon.close()


async def reply_of(asking: zmq.asyncio.Socket) -> dict[str, Any]:
    async with asyncio.timeout(5):
        reply: dict[str, Any] = json.loads((await asking.recv_multipart())[-1])
        return reply


async def test_a_wish_is_passed_on_and_answered(place: Path) -> None:
    async with serving(place) as daemon:
        asking = daemon.ask()
        await asking.send(Request("start", id="7").encode())
        wish = await daemon.wishes.get()
        assert isinstance(wish, ev.Start)
        daemon.server.answer(wish.ask, {"state": "connecting"}, None)

        assert await reply_of(asking) == {
            "v": 1,
            "id": "7",
            "ok": True,
            "result": {"state": "connecting"},
            "voiced": __version__,
        }


async def test_a_refusal_is_passed_back(place: Path) -> None:
    async with serving(place) as daemon:
        asking = daemon.ask(zmq.REQ)
        await asking.send(Request("say", {"text": "hi"}, id="8").encode())
        wish = await daemon.wishes.get()
        daemon.server.answer(wish.ask, None, Failure("refused", "no", "start it"))

        reply = await reply_of(asking)
        assert reply["ok"] is False
        assert reply["error"] == {"code": "refused", "message": "no", "hint": "start it"}


async def test_a_question_is_answered_at_once(place: Path) -> None:
    async with serving(place) as daemon:
        asking = daemon.ask()
        await asking.send(Request("version").encode())
        assert (await reply_of(asking))["result"] == {"voiced": __version__}

        await asking.send(Request("reload").encode())
        assert (await reply_of(asking))["error"]["message"] == "config.toml:3: unknown key"


@pytest.mark.parametrize("verb", ["status", "transcript"])
async def test_a_question_that_fails_is_refused_and_ends_nothing(
    place: Path, verb: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(place) as daemon:
        asking = daemon.ask()
        await asking.send(Request(verb, {"text": "marked words"}, id="9").encode())
        reply = await reply_of(asking)

        assert (reply["id"], reply["ok"]) == ("9", False)
        assert reply["error"]["code"] == "refused"
        assert reply["error"]["message"] == "voiced failed at this: see its log"
        await asking.send(Request("version").encode())
        assert (await reply_of(asking))["ok"]
    assert f"{verb} failed" in caplog.text
    assert "Traceback" in caplog.text
    assert "marked words" not in caplog.text


async def test_an_answer_that_takes_its_time_keeps_nobody_else_waiting(place: Path) -> None:
    async with serving(place) as daemon:
        patient, hasty = daemon.ask(), daemon.ask()
        await patient.send(Request("timeline", {"number": "3"}, id="1").encode())
        await hasty.send(Request("version", id="2").encode())
        assert (await reply_of(hasty))["id"] == "2"
        daemon.drawn.set()
        reply = await reply_of(patient)

    assert (reply["id"], reply["result"]) == ("1", {"number": "3"})


@pytest.mark.parametrize(
    ("wish", "code", "message"),
    [
        ("save", "refused", "it is off"),
        ("sing", "usage", "it cannot sing"),
        ("fail", "refused", module.FAILED.message),
    ],
)
async def test_an_errand_that_fails_says_so_and_ends_nothing(
    place: Path, wish: str, code: str, message: str
) -> None:
    async with serving(place) as daemon:
        asking = daemon.ask()
        for _ in range(2):
            await asking.send(Request("recorder", {"wish": wish}).encode())
            error = (await reply_of(asking))["error"]
            assert (error["code"], error["message"]) == (code, message)


async def test_no_more_errands_are_run_at_once_than_there_is_room_for(place: Path) -> None:
    async with serving(place) as daemon:
        asking = daemon.ask()
        for number in range(module.MAX_ERRANDS + 1):
            await asking.send(Request("timeline", id=str(number)).encode())
        refused = await reply_of(asking)
        daemon.drawn.set()
        replies = [await reply_of(asking) for _ in range(module.MAX_ERRANDS)]
        await asking.send(Request("timeline", id="again").encode())
        again = await reply_of(asking)

    assert refused["error"]["message"] == "too much is asked at once for timeline"
    assert all(reply["ok"] for reply in [*replies, again])


@pytest.mark.parametrize("name", ["decode_request", "wish_of"])
async def test_a_request_that_nobody_foresaw_is_refused_and_ends_nothing(
    place: Path, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    async with serving(place) as daemon:
        asking = daemon.ask()
        with monkeypatch.context() as patch:
            patch.setattr(module, name, fail)
            await asking.send(Request("say", {"text": "marked words"}).encode())
            reply = await reply_of(asking)

        assert reply["error"]["code"] == "refused"
        assert reply["error"]["message"] == "voiced failed at this: see its log"
        await asking.send(Request("version").encode())
        assert (await reply_of(asking))["ok"]
        assert daemon.wishes.empty()
    assert "Traceback" in caplog.text
    assert "marked words" not in caplog.text


@pytest.mark.parametrize(
    "frames",
    [
        [b"not json"],
        [b""],
        [b"\x00" * 1000],
        [b'{"v": 1, "verb": "fly"}'],
        [b"a", b"b", b"c"],
        [b'{"v": 1, "verb": "mute", "args": {"wish": "maybe"}}'],
        [b'{"v": 1, "verb": "say", "args": {"text": "  "}}'],
    ],
)
async def test_garbage_is_answered_with_one_line_and_does_no_harm(
    place: Path, frames: list[bytes]
) -> None:
    async with serving(place) as daemon:
        asking = daemon.ask()
        await asking.send_multipart(frames)
        reply = await reply_of(asking)

        assert reply["ok"] is False
        assert reply["error"]["code"] == "usage"
        assert "\n" not in reply["error"]["message"]
        await asking.send(Request("version").encode())
        assert (await reply_of(asking))["ok"]


async def test_raw_bytes_on_the_socket_do_no_harm(place: Path) -> None:
    async with serving(place) as daemon:
        for data in (b"GET / HTTP/1.0\r\n\r\n", os.urandom(5000), b"\xff" * 64 + b"\x00" * 64):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.connect(str(place / "control.sock"))
                raw.send(data)
        asking = daemon.ask()
        await asking.send(Request("version").encode())

        assert (await reply_of(asking))["ok"]
        assert daemon.wishes.empty()


async def test_a_late_wish_to_open_the_microphone_is_refused_as_stale(place: Path) -> None:
    async with serving(place) as daemon:
        asking = daemon.ask()
        await asking.send(Request("toggle", t=1).encode())

        assert (await reply_of(asking))["error"]["code"] == "stale"
        assert daemon.wishes.empty()


async def test_an_answer_nobody_waits_for_is_let_go(place: Path) -> None:
    async with serving(place) as daemon:
        daemon.server.answer(99, {}, None)


async def test_a_server_that_ends_leaves_its_sockets_to_the_next(place: Path) -> None:
    first = Daemon(place)
    first.server.bind(*first.sockets)
    asking = first.ask()
    first.server.close()
    await asking.send(Request("version").encode())
    second = ControlServer(lambda _: None, {"version": lambda: {"n": 2}}, lambda: None)
    second.bind(*first.sockets)
    running = asyncio.create_task(second.run())

    assert (await reply_of(asking))["result"] == {"n": 2}
    running.cancel()
    second.close()
    # The first server's own sockets are closed already, and closing again does nothing.
    first.close()


async def test_whoever_begins_to_listen_is_noticed_and_gets_what_is_published(place: Path) -> None:
    async with serving(place) as daemon:
        listening = daemon.listen(NOTICES)
        async with asyncio.timeout(5):
            await daemon.subscribed.wait()
        daemon.server.publish("state", {"state": "idle"})

        async with asyncio.timeout(5):
            notice = json.loads(await listening.recv())
        assert (notice["v"], notice["event"], notice["state"]) == (1, "state", "idle")
        assert notice["t"] > 1e9


async def test_everybody_who_begins_to_listen_is_noticed(place: Path) -> None:
    async with serving(place) as daemon:
        everybody: list[zmq.asyncio.Socket] = []
        for _ in range(3):
            daemon.subscribed.clear()
            everybody.append(daemon.listen(b""))
            async with asyncio.timeout(5):
                await daemon.subscribed.wait()


async def test_levels_go_to_those_who_ask_for_them_and_to_nobody_else(place: Path) -> None:
    async with serving(place) as daemon, asyncio.timeout(5):
        script, bars = daemon.listen(NOTICES), daemon.listen(LEVELS)
        assert await daemon.levels_wanted.get()
        await daemon.subscribed.wait()
        daemon.server.publish_levels({"microphone": None})
        daemon.server.publish("state", {"state": "idle"})

        assert decode_levels(await bars.recv()) == {"microphone": None}
        assert json.loads(await script.recv())["event"] == "state"


async def test_levels_are_wanted_until_the_last_one_has_gone(place: Path) -> None:
    async with serving(place) as daemon, asyncio.timeout(5):
        first, second = daemon.listen(LEVELS), daemon.listen(LEVELS)
        assert await daemon.levels_wanted.get()
        assert await daemon.levels_wanted.get()
        first.close()
        third = daemon.listen(LEVELS)
        assert await daemon.levels_wanted.get()
        third.setsockopt(zmq.UNSUBSCRIBE, LEVELS)
        second.close()

        assert not await daemon.levels_wanted.get()
        assert not daemon.subscribed.is_set()


def test_every_verb_of_the_conversation_is_a_wish() -> None:
    wishes = [
        wish_of(Request(verb, args), 7)
        for verb, args in (
            ("start", {}),
            ("stop", {}),
            ("toggle", {}),
            ("interrupt", {}),
            ("mute", {"wish": "on"}),
            ("mute", {"wish": "off"}),
            ("mute", {"wish": "toggle"}),
            ("say", {"text": "hi"}),
            ("ptt", {"edge": "press"}),
            ("ptt", {"edge": "release"}),
            ("ptt", {"edge": "cancel"}),
        )
    ]

    assert wishes == [
        ev.Start(7),
        ev.Stop(7),
        ev.Toggle(7),
        ev.Interrupt(7),
        ev.Mute(wish=True, ask=7),
        ev.Mute(wish=False, ask=7),
        ev.Mute(wish=None, ask=7),
        ev.Say("hi", 7),
        ev.TalkPress(7),
        ev.TalkRelease(7),
        ev.TalkCancel(7),
    ]
    with pytest.raises(WireError, match="ptt cannot be done"):
        wish_of(Request("ptt", {"edge": "sideways"}), 7)


@pytest.mark.parametrize("edge", ["press", "release", "cancel"])
def test_an_edge_of_the_talk_key_says_when_it_was(edge: str) -> None:
    wish = wish_of(Request("ptt", {"edge": edge}, t=12_500_000_000), 7)

    assert isinstance(wish, ev.TalkPress | ev.TalkRelease | ev.TalkCancel)
    assert wish.at_s == 12.5


async def test_a_request_of_another_version_is_told_so(place: Path) -> None:
    async with serving(place) as daemon:
        asking = daemon.ask()
        await asking.send(b'{"v": 2, "verb": "status"}')

        assert (await reply_of(asking))["error"]["code"] == "version"
