"""The session over a real WebSocket on loopback."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from tests.rig.provider import ScriptedProvider, session
from voiced.conversation import events as ev
from voiced.errors import ConfigError
from voiced.realtime import client as module
from voiced.realtime import client_messages as out
from voiced.realtime.builtin import BuiltinServer
from voiced.realtime.client import MAX_AUDIO_WAITING, Outbox, RealtimeClient
from voiced.settings import Local, Provider, Settings

KEY = "sk-marked-key"
Kind = TypeVar("Kind", bound=ev.ServerEvent)


@dataclass
class Heard:
    """Collects what a client reports."""

    reports: list[ev.Received] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, report: ev.Received) -> None:
        self.reports.append(report)
        self.changed.set()

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [report.event for report in self.reports if isinstance(report.event, kind)]

    async def until(self, kind: type[Kind], count: int = 1) -> Kind:
        async with asyncio.timeout(5):
            while len(self.of(kind)) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.of(kind)[count - 1]


@asynccontextmanager
async def client(
    url: str, key: str | None = KEY, **provider: str
) -> AsyncIterator[tuple[RealtimeClient, Heard]]:
    """Give a client of a server that was told to connect as session 1."""
    heard = Heard()
    settings = Settings(provider=Provider(**{"kind": "compatible", "url": url, **provider}))
    async with asyncio.TaskGroup() as tasks:
        builtin = BuiltinServer(Path("/nowhere"), Local(), tasks)
        made = RealtimeClient(settings, lambda: key, builtin, tasks, heard)
        made.open(1)
        yield made, heard
        made.close()


Answer = Callable[[ServerConnection], Awaitable[None]]
Refuse = Callable[[ServerConnection, Request], Response | None]


@asynccontextmanager
async def server(answer: Answer, refuse: Refuse | None = None) -> AsyncIterator[str]:
    """Give the URL of a server that does one thing with every connection."""
    async with serve(answer, "127.0.0.1", 0, process_request=refuse) as made:
        port = next(iter(made.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/v1"


async def greet(socket: ServerConnection) -> None:
    """Open a session as a server does."""
    await socket.send(json.dumps({"type": "session.created", "session": session({})}))
    wanted = json.loads(await socket.recv())["session"]
    await socket.send(json.dumps({"type": "session.updated", "session": session(wanted)}))


async def test_a_session_is_configured_and_its_settings_read_back() -> None:
    async with ScriptedProvider() as provider, client(provider.base_url) as (_, heard):
        wire = await provider.wire()
        ready = await heard.until(ev.SessionReady)

        assert wire.path == "/v1/realtime?model=gpt-realtime-2.1"
        assert wire.headers["Authorization"] == f"Bearer {KEY}"
        assert "OpenAI-Beta" not in wire.headers
        assert [logged.event["type"] for logged in wire.received] == ["session.update"]
        assert (ready.model, ready.detects_turns, ready.interrupts) == ("scripted", True, True)


async def test_events_arrive_in_order_with_the_number_of_their_session() -> None:
    async with ScriptedProvider() as provider, client(provider.base_url) as (_, heard):
        wire = await provider.wire()
        await wire.speech_started("u")
        await wire.turn_ended("u")
        await heard.until(ev.TurnCommitted)

        assert [type(report.event) for report in heard.reports] == [
            ev.SessionReady,
            ev.SpeechStarted,
            ev.SpeechStopped,
            ev.TurnCommitted,
        ]
        assert {report.session for report in heard.reports} == {1}


async def test_what_is_sent_arrives_in_order() -> None:
    async with ScriptedProvider() as provider, client(provider.base_url) as (made, heard):
        wire = await provider.wire()
        await heard.until(ev.SessionReady)
        made.send(out.Append(b"\x01\x02" * 480))
        made.send(out.Clear("clear_1"))
        made.send(out.Cancel("cancel_1", "resp_1"))
        await wire.expect("response.cancel")

        assert [pcm for _, pcm in wire.appended] == [b"\x01\x02" * 480]
        assert [logged.event["type"] for logged in wire.received[1:]] == [
            "input_audio_buffer.clear",
            "response.cancel",
        ]


async def test_nothing_is_reported_after_close() -> None:
    async with ScriptedProvider() as provider, client(provider.base_url) as (made, heard):
        wire = await provider.wire()
        await heard.until(ev.SessionReady)
        made.close()
        made.send(out.Clear("clear_1"))
        async with asyncio.timeout(5):
            await wire.closed.wait()

        assert [type(report.event) for report in heard.reports] == [ev.SessionReady]
        assert wire.of_type("input_audio_buffer.clear") == []


async def test_a_new_attempt_replaces_the_old_one() -> None:
    async with ScriptedProvider() as provider, client(provider.base_url) as (made, heard):
        await heard.until(ev.SessionReady)
        made.open(2)
        await heard.until(ev.SessionReady, 2)

        assert [report.session for report in heard.reports] == [1, 2]
        await provider.wire(1)


async def test_garbage_does_not_end_the_session() -> None:
    async def answer(socket: ServerConnection) -> None:
        await greet(socket)
        for frame in (b"\x00", "{", "[]", '{"type": 5}', '{"type": "response.done"}') * 3:
            await socket.send(frame)
        await socket.send('{"type": "input_audio_buffer.speech_started", "item_id": "u"}')
        await socket.wait_closed()

    async with server(answer) as url, client(url) as (_, heard):
        assert (await heard.until(ev.SpeechStarted)).item_id == "u"
        assert heard.of(ev.SessionLost) == []


async def test_a_server_that_does_not_greet_or_confirm_is_used_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GREET_WITHIN_S", 0.05)
    monkeypatch.setattr(module, "CONFIGURE_WITHIN_S", 0.05)

    async def answer(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"type": "something.else"}')
        await socket.wait_closed()

    async with server(answer) as url, client(url) as (_, heard):
        ready = await heard.until(ev.SessionReady)

        assert ready.model == "gpt-realtime-2.1"
        assert ready.detects_turns


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4000])
async def test_every_close_is_told_with_its_code(code: int) -> None:
    async def answer(socket: ServerConnection) -> None:
        await greet(socket)
        await socket.close(code, "so long")

    async with server(answer) as url, client(url) as (_, heard):
        lost = await heard.until(ev.SessionLost)

        assert lost.close_code == code
        assert lost.message == f"the connection closed with {code}: so long"


async def test_a_connection_that_breaks_off_is_told() -> None:
    async def answer(socket: ServerConnection) -> None:
        await greet(socket)
        socket.transport.abort()

    async with server(answer) as url, client(url) as (_, heard):
        lost = await heard.until(ev.SessionLost)

        assert (lost.message, lost.close_code) == ("the connection broke off", None)


async def test_the_last_error_before_a_close_is_told_with_it() -> None:
    async def answer(socket: ServerConnection) -> None:
        await greet(socket)
        error = {"type": "error", "error": {"code": "invalid_api_key", "message": "no"}}
        await socket.send(json.dumps(error))
        await socket.close(3000, "invalid_request_error.invalid_api_key")

    async with server(answer) as url, client(url) as (_, heard):
        assert (await heard.until(ev.SessionLost)).error_code == "invalid_api_key"
        assert heard.of(ev.ServerError)[0].code == "invalid_api_key"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("unknown_parameter", "configuration_refused"),
        ("model_not_found", "model_not_found"),
        ("server_error", None),
        ("rate_limit_exceeded", None),
        ("session_expired", None),
    ],
)
async def test_an_error_before_the_session_is_ready_is_a_refusal_or_bad_luck(
    code: str, told: str | None
) -> None:
    async def answer(socket: ServerConnection) -> None:
        error = {"type": "error", "error": {"code": code, "message": "Unknown parameter"}}
        await socket.send(json.dumps(error))
        await socket.wait_closed()

    async with server(answer) as url, client(url) as (_, heard):
        lost = await heard.until(ev.SessionLost)

        assert (lost.error_code, lost.message) == (told, "Unknown parameter")


@pytest.mark.parametrize("status", [401, 404, 429, 503])
async def test_an_http_status_is_told_and_not_the_body(status: int) -> None:
    async def answer(socket: ServerConnection) -> None:
        await socket.wait_closed()

    def refuse(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(HTTPStatus(status), f"your key {KEY} is bad")

    async with server(answer, refuse) as url, client(url) as (_, heard):
        lost = await heard.until(ev.SessionLost)

        assert lost.http_status == status
        assert KEY not in lost.message


async def test_an_error_about_the_event_that_configures_is_a_refusal_whatever_its_code() -> None:
    async def answer(socket: ServerConnection) -> None:
        await socket.send(json.dumps({"type": "session.created", "session": session({})}))
        event_id = json.loads(await socket.recv())["event_id"]
        error = {"code": "odd", "message": "No such voice", "event_id": event_id}
        await socket.send(json.dumps({"type": "error", "error": error}))
        await socket.wait_closed()

    async with server(answer) as url, client(url) as (_, heard):
        assert (await heard.until(ev.SessionLost)).error_code == "configuration_refused"


async def test_a_redirect_is_not_followed() -> None:
    """The header of one provider is not known as a secret by the library."""
    reached = []

    async def answer(socket: ServerConnection) -> None:
        reached.append(dict(socket.request.headers) if socket.request else {})
        await socket.wait_closed()

    async with server(answer) as elsewhere:

        def redirect(connection: ServerConnection, _: Request) -> Response:
            response = connection.respond(HTTPStatus.TEMPORARY_REDIRECT, "")
            response.headers["Location"] = elsewhere
            return response

        async with server(answer, redirect) as url, client(url, kind="azure") as (_, heard):
            assert (await heard.until(ev.SessionLost)).http_status == 307

    assert reached == []


async def test_what_stays_on_this_machine_does_not_go_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with ScriptedProvider() as provider, client(provider.base_url) as (_, heard):
        await heard.until(ev.SessionReady)


@pytest.mark.parametrize(
    ("variable", "proxy"),
    [
        ("https_proxy", "socks5://127.0.0.1:9"),
        ("https_proxy", "http://user@127.0.0.1:9"),
        ("https_proxy", "nonsense://127.0.0.1:9/with/a/path"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str
) -> None:
    monkeypatch.setenv(variable, proxy)
    async with client("https://voiced.invalid/v1") as (_, heard):
        assert (await heard.until(ev.SessionLost)).message.startswith("no connection: ")


async def test_a_name_that_cannot_be_one_is_told() -> None:
    async with client("https://voiced..invalid/v1") as (_, heard):
        assert (await heard.until(ev.SessionLost)).message.startswith("no connection: ")


async def test_a_server_that_wants_a_key_is_told_apart_from_one_that_refuses_it() -> None:
    async def answer(socket: ServerConnection) -> None:
        await socket.wait_closed()

    def refuse(connection: ServerConnection, _: Request) -> Response:
        return connection.respond(HTTPStatus.UNAUTHORIZED, "")

    for key, code in ((None, "no_api_key"), (KEY, None)):
        async with server(answer, refuse) as url, client(url, key=key) as (_, heard):
            assert (await heard.until(ev.SessionLost)).error_code == code


async def test_a_server_that_says_nothing_at_all_is_no_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GREET_WITHIN_S", 0.05)
    monkeypatch.setattr(module, "CONFIGURE_WITHIN_S", 0.05)

    async def answer(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with server(answer) as url, client(url) as (_, heard):
        assert "says nothing" in (await heard.until(ev.SessionLost)).message


async def test_the_key_file_is_nobodys_business_with_the_built_in_server() -> None:
    def refuse() -> str | None:
        raise ConfigError("openai.key can be read by others")

    heard = Heard()
    with tempfile.TemporaryDirectory(prefix="vb", dir="/tmp") as place:
        async with asyncio.TaskGroup() as tasks:
            builtin = BuiltinServer(Path(place) / "local.sock", Local(), tasks)
            made = RealtimeClient(
                Settings(provider=Provider(kind="local")), refuse, builtin, tasks, heard
            )
            made.open(1)
            await heard.until(ev.SessionReady)
            made.close()
            await builtin.stop()


async def test_a_server_that_is_not_there_is_told() -> None:
    async with client("ws://127.0.0.1:9/v1") as (_, heard):
        lost = await heard.until(ev.SessionLost)

        assert lost.message.startswith("no connection: ")
        assert "127.0.0.1" in lost.message


async def test_a_name_that_does_not_exist_is_told() -> None:
    async with client("wss://voiced.invalid/v1") as (_, heard):
        assert (await heard.until(ev.SessionLost)).message.startswith("no connection: ")


async def test_a_provider_that_needs_a_key_is_not_called_without_one() -> None:
    async with client("", key=None, kind="openai") as (_, heard):
        assert (await heard.until(ev.SessionLost)).error_code == "no_api_key"


async def test_a_key_that_must_not_be_used_is_told() -> None:
    def refuse() -> str | None:
        raise ConfigError("openai.key can be read by others")

    heard = Heard()
    async with asyncio.TaskGroup() as tasks:
        builtin = BuiltinServer(Path("/nowhere"), Local(), tasks)
        made = RealtimeClient(Settings(), refuse, builtin, tasks, heard)
        made.open(1)
        lost = await heard.until(ev.SessionLost)

    assert lost == ev.SessionLost("openai.key can be read by others", error_code="not_usable")


async def test_a_url_that_would_send_the_key_in_clear_is_not_called() -> None:
    async with client("ws://example.org/v1") as (_, heard):
        lost = await heard.until(ev.SessionLost)

        assert lost.error_code == "not_usable"
        assert "not encrypted" in lost.message


async def test_a_running_session_is_told_the_new_settings_but_not_the_voice() -> None:
    async with ScriptedProvider() as provider, client(provider.base_url) as (made, heard):
        wire = await provider.wire()
        await heard.until(ev.SessionReady)
        made.configure(Settings(provider=Provider(instructions="Be brief.")))
        update = (await wire.expect("session.update", after=1)).event

        assert update["session"]["instructions"] == "Be brief."
        assert "voice" not in update["session"]["audio"]["output"]
        await wire.send({"type": "session.updated", "session": update["session"]})
        assert (await heard.until(ev.SessionChanged)).facts.detects_turns


async def test_only_who_finds_the_turns_changes_while_a_key_is_held() -> None:
    async with ScriptedProvider() as provider, client(provider.base_url) as (made, heard):
        wire = await provider.wire()
        await heard.until(ev.SessionReady)
        made.detect_turns("detection_1", wanted=False)
        pressed = (await wire.expect("session.update", after=1)).event
        made.configure(Settings(provider=Provider(instructions="Be brief.")))
        reloaded = (await wire.expect("session.update", after=2)).event
        made.detect_turns("detection_2", wanted=True)
        released = (await wire.expect("session.update", after=3)).event

        assert pressed["session"] == {
            "type": "realtime",
            "audio": {"input": {"turn_detection": None}},
        }
        assert reloaded["session"]["audio"]["input"]["turn_detection"] is None
        assert released["session"]["audio"]["input"]["turn_detection"]["type"] == "server_vad"
        assert not (await heard.until(ev.SessionChanged)).facts.detects_turns
        assert (await heard.until(ev.SessionChanged, 3)).facts.detects_turns


async def test_a_full_outbox_drops_the_oldest_audio_and_nothing_else() -> None:
    outbox = Outbox()
    outbox.put(out.Clear("first"))
    for number in range(MAX_AUDIO_WAITING + 3):
        outbox.put(out.Append(number.to_bytes(2, "little")))
    outbox.put(out.Commit("last"))

    messages = [await outbox.get() for _ in range(MAX_AUDIO_WAITING + 2)]

    assert outbox.dropped == 3
    assert messages[0] == out.Clear("first")
    assert messages[1] == out.Append((3).to_bytes(2, "little"))
    assert messages[-1] == out.Commit("last")


async def test_what_was_dropped_is_counted_over_all_sessions() -> None:
    async with client("ws://127.0.0.1:9/v1") as (made, heard):
        await heard.until(ev.SessionLost)
        for _ in range(MAX_AUDIO_WAITING + 3):
            made.send(out.Append(b"12"))
        made.open(2)

        assert made.dropped == 3
