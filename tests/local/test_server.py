import asyncio
import json
import socket
import stat
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect, unix_connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.local.client import Client, connected, part
from tests.local.fakes import equipment
from voiced.local import server as module
from voiced.local.server import LocalServer, bind_unix


@pytest.fixture
def server() -> LocalServer:
    return LocalServer(equipment())


@pytest.fixture
def path() -> Iterator[Path]:
    """Give a path short enough for a socket."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="vl") as folder:
        yield Path(folder) / "s"


def websocket_url(url: str) -> str:
    return url.replace("http", "ws", 1) + "/realtime?model=m"


async def test_the_base_url_is_what_a_client_needs(server: LocalServer) -> None:
    async with server.on_tcp("127.0.0.1", 0) as url, connected(url) as client:
        created = await client.next()

    assert url.startswith("http://127.0.0.1:")
    assert url.endswith("/v1")
    assert created["type"] == "session.created"


async def test_the_other_internet_protocol_works_too(server: LocalServer) -> None:
    async with server.on_tcp("::1", 0) as url, connected(url) as client:
        await client.next()

    assert url.startswith("http://[::1]:")


async def test_without_a_model_there_is_a_default(server: LocalServer) -> None:
    async with server.on_tcp("127.0.0.1", 0) as url, connected(url, "") as client:
        created = await client.next()

    assert part(created, "session")["model"] == "voiced-local"


async def test_an_address_in_use_is_an_error(server: LocalServer) -> None:
    async with server.on_tcp("127.0.0.1", 0) as url:
        port = int(url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="address already in use"):
            async with server.on_tcp("127.0.0.1", port):
                pass


async def test_other_paths_are_not_found(server: LocalServer) -> None:
    async with server.on_tcp("127.0.0.1", 0) as url, httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/models")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_plain_request_is_asked_to_upgrade(server: LocalServer) -> None:
    async with server.on_tcp("127.0.0.1", 0) as url, httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/realtime")

    assert answer.status_code == 426


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost.evil.example", "file://", "http://["],
)
async def test_a_web_page_of_somebody_else_may_not_connect(
    server: LocalServer, origin: str
) -> None:
    async with server.on_tcp("127.0.0.1", 0) as url:
        with pytest.raises(InvalidStatus) as caught:
            async with connect(websocket_url(url), origin=Origin(origin)):
                pass

    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:1"])
async def test_a_web_page_of_this_machine_may_connect(server: LocalServer, origin: str) -> None:
    async with (
        server.on_tcp("127.0.0.1", 0) as url,
        connect(websocket_url(url), origin=Origin(origin)) as socket,
    ):
        assert "session.created" in str(await socket.recv())


async def test_a_browser_is_answered_without_its_key(server: LocalServer) -> None:
    offered = [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.sk-secret")]
    async with server.on_tcp("127.0.0.1", 0) as url:
        async with connect(websocket_url(url), subprotocols=offered) as socket:
            assert socket.subprotocol == "realtime"
        async with connect(websocket_url(url), subprotocols=offered[1:]) as socket:
            assert socket.subprotocol is None


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ("model=m", {"OpenAI-Beta": "realtime=v1"}, "beta_api_shape_disabled"),
        ("intent=transcription", {}, "invalid_intent"),
    ],
)
async def test_who_is_not_served_is_told_why(
    server: LocalServer, query: str, headers: dict[str, str], code: str
) -> None:
    async with server.on_tcp("127.0.0.1", 0) as url:
        address = f"{url.replace('http', 'ws', 1)}/realtime?{query}"
        async with connect(address, additional_headers=headers) as socket:
            error = json.loads(await socket.recv())
            with pytest.raises(ConnectionClosedError) as caught:
                await socket.recv()

    assert error["error"]["code"] == code
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4000
    assert caught.value.rcvd.reason == f"invalid_request_error.{code}"


async def test_compression_is_declined(server: LocalServer) -> None:
    async with server.on_tcp("127.0.0.1", 0) as url, connect(websocket_url(url)) as client:
        assert client.protocol.extensions == []


async def test_events_do_not_wait_for_acknowledgements(server: LocalServer, path: Path) -> None:
    """Nagle's algorithm costs 40 ms for each pair of events, and unix sockets know none."""

    async def took_s(client: Client) -> float:
        began_s = time.monotonic()
        await client.write("hello")
        return time.monotonic() - began_s

    async with (
        server.on_tcp("127.0.0.1", 0) as url,
        connected(url) as by_network,
        server.on_unix(path),
        unix_connect(str(path), "ws://localhost/v1/realtime?model=m") as socket_,
        Client(socket_) as by_file,
    ):
        for client in (by_network, by_file):
            await client.until("session.created")
        both = [(await took_s(by_network), await took_s(by_file)) for _ in range(40)]

    network_s, file_s = zip(*both, strict=True)
    assert statistics.median(network_s) < statistics.median(file_s) + 0.02


async def test_a_unix_socket_is_only_for_its_user(server: LocalServer, path: Path) -> None:
    async with server.on_unix(path) as name:
        mode = await asyncio.to_thread(path.stat)
        async with unix_connect(str(path), "ws://localhost/v1/realtime?model=m") as socket:
            first = await socket.recv()

    assert name == f"unix:{path}"
    assert stat.S_IMODE(mode.st_mode) == 0o600
    assert "session.created" in str(first)
    assert not await asyncio.to_thread(path.exists)


async def test_a_socket_that_nobody_serves_any_more_is_replaced(
    server: LocalServer, path: Path
) -> None:
    bind_unix(path).close()
    async with server.on_unix(path):
        pass


async def test_a_socket_that_somebody_serves_is_left_alone(server: LocalServer, path: Path) -> None:
    async with server.on_unix(path):
        with pytest.raises(OSError, match="in use"):
            bind_unix(path)
        async with unix_connect(str(path), "ws://localhost/v1/realtime"):
            pass


def test_a_file_is_not_replaced(path: Path) -> None:
    path.write_text("precious", encoding="utf-8")

    with pytest.raises(OSError, match="in use"):
        bind_unix(path)

    assert path.read_text(encoding="utf-8") == "precious"


async def test_a_server_that_stops_ends_its_sessions(server: LocalServer) -> None:
    async with server.on_tcp("127.0.0.1", 0) as url:
        socket_ = await connect(websocket_url(url))
        await socket_.recv()

    await socket_.wait_closed()
    assert socket_.close_code == 1001


async def test_a_client_that_hangs_does_not_keep_a_server_from_stopping(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OPENING_S", 3600.0)
    async with asyncio.timeout(20):
        async with server.on_tcp("127.0.0.1", 0) as url:
            port = int(url.split(":")[2].split("/")[0])
            silent = socket.create_connection(("127.0.0.1", port))
        silent.close()
