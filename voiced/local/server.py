"""Serves sessions over WebSocket, on loopback TCP or a unix socket.

Rules
1. There is no authentication, so there is no address but this machine's unless asked
   for, and no web page but this machine's may connect.
2. A message that is too long to be meant closes its connection (1009); one that is only
   too long for an event is refused like any other.
3. The library's own log would show what is said; it never gets below INFO.
"""

import asyncio
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, cast
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from voiced.local import events as ev
from voiced.local.errors import ClientError
from voiced.local.scene import Equipment
from voiced.local.session import Session

logger = logging.getLogger(__name__)

BASE_PATH: Final = "/v1"
PATH: Final = f"{BASE_PATH}/realtime"
DEFAULT_MODEL: Final = "voiced-local"
MAX_SESSION_S: Final = 3600.0
MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
WAITING_MESSAGES: Final = 4
"""Messages read ahead of the one that is being handled."""
OPENING_S: Final = 5.0
CLOSING_S: Final = 0.5
REFUSED: Final = 4000
"""Close code of a session that is not served."""
LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
SOCKET_UMASK: Final = 0o177
SUBPROTOCOL: Final = Subprotocol("realtime")

Handler = Callable[[ServerConnection], Awaitable[None]]


class LocalServer:
    """The sessions of one listening socket.

    Args:
        equipment: What its sessions share.
        max_session_s: How long a session may last.
    """

    def __init__(self, equipment: Equipment, *, max_session_s: float = MAX_SESSION_S) -> None:
        self._equipment = equipment
        self._max_session_s = max_session_s

    @asynccontextmanager
    async def on_tcp(self, host: str, port: int) -> AsyncIterator[str]:
        """Serve on an address while the block runs; gives the base URL.

        Raises:
            OSError: The address cannot be had.
        """
        server = await _serve_on(self._handle, host=host, port=port)
        address, bound_port = server.sockets[0].getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        try:
            yield f"http://{shown}:{bound_port}{BASE_PATH}"
        finally:
            await _close(server)

    @asynccontextmanager
    async def on_unix(self, path: Path) -> AsyncIterator[str]:
        """Serve on a unix socket of mode 0600 while the block runs; gives its name.

        Raises:
            OSError: The socket cannot be had, or somebody serves on it.
        """
        server = await _serve_on(self._handle, sock=bind_unix(path))
        try:
            yield f"unix:{path}"
        finally:
            await _close(server)
            _remove(path)

    async def _handle(self, connection: ServerConnection) -> None:
        request = cast("Request", connection.request)  # the handshake is over
        query = parse_qs(request.path.partition("?")[2])
        refusal = _refusal(request.headers, query)
        if refusal is not None:
            await connection.send(ev.encode(ev.refusal(refusal, None)), text=True)
            await connection.close(REFUSED, f"invalid_request_error.{refusal.code}")
            return
        model = query.get("model", [DEFAULT_MODEL])[0]
        await Session(
            connection, self._equipment, model=model, max_session_s=self._max_session_s
        ).run()


def bind_unix(path: Path) -> socket.socket:
    """Return a socket bound to a path that only this user can connect to.

    A socket that nobody serves any more is replaced.

    Raises:
        OSError: Somebody serves on it, or it is no socket.
    """
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    umask = os.umask(SOCKET_UMASK)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(umask)
    return listener


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _serve_on(
    handle: Handler,
    *,
    host: str | None = None,
    port: int | None = None,
    sock: socket.socket | None = None,
) -> Server:
    quiet = logging.getLogger(f"{__name__}.websockets")
    quiet.setLevel(logging.WARNING)
    return await serve(
        handle,
        # A socket made here would not get TCP_NODELAY, and events would wait for each other.
        host,
        port,
        sock=sock,
        process_request=_answer_http,
        select_subprotocol=_choose_subprotocol,
        compression=None,
        max_size=MAX_MESSAGE_BYTES,
        max_queue=WAITING_MESSAGES,
        open_timeout=OPENING_S,
        close_timeout=CLOSING_S,
        server_header=None,
        logger=quiet,
    )


async def _close(server: Server) -> None:
    server.close()
    try:
        async with asyncio.timeout(CLOSING_S + 0.5):
            await server.wait_closed()
    except TimeoutError:
        logger.info("a connection did not close in time")


def _answer_http(connection: ServerConnection, request: Request) -> Response | None:
    """Answer what is not for a session."""
    origin = request.headers.get("Origin")
    if origin is not None and not _is_near(origin):
        return _problem(connection, HTTPStatus.FORBIDDEN, "Web pages may not connect.")
    if request.path.partition("?")[0] != PATH:
        return _problem(connection, HTTPStatus.NOT_FOUND, f"Sessions are at {PATH}.")
    return None


def _is_near(origin: str) -> bool:
    """Tell whether a web page comes from this machine."""
    try:
        return urlsplit(origin).hostname in LOOPBACK_NAMES
    except ValueError:
        return False


def _problem(connection: ServerConnection, status: HTTPStatus, message: str) -> Response:
    body = {"error": {"type": "invalid_request_error", "code": None, "message": message}}
    response = connection.respond(status, json.dumps(body))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response


def _choose_subprotocol(
    _connection: ServerConnection, offered: Sequence[Subprotocol]
) -> Subprotocol | None:
    # A browser offers its key as another one, which is not to be quoted back.
    return SUBPROTOCOL if SUBPROTOCOL in offered else None


def _refusal(headers: Headers, query: dict[str, list[str]]) -> ClientError | None:
    """Return why a client that has connected is not served."""
    if "OpenAI-Beta" in headers:
        return ClientError(
            "beta_api_shape_disabled",
            "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
        )
    if query.get("intent", ["conversation"]) != ["conversation"]:
        return ClientError("invalid_intent", "Only conversations are served, no transcriptions.")
    return None
