"""The sockets voicectl talks to: requests on one, a stream of events on the other.

Rules
1. Only this user is served: the directory is 0700, the sockets are 0600, and the uid of
   the peer is looked at with every request.
2. Whatever arrives is answered with one line or dropped; nothing that is sent here can
   end the daemon.
3. Whoever subscribes to the events gets the present state first.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import zmq
import zmq.asyncio

from voiced import __version__
from voiced.control.messages import (
    Failure,
    Reply,
    Request,
    decode_request,
    encode_levels,
    encode_notice,
)
from voiced.control.protocol import CONTROL_SOCKET, EVENTS_SOCKET, LEVELS, MAX_REQUEST_BYTES
from voiced.conversation import events as ev
from voiced.errors import ConfigError, OtherVersionError, WireError

logger = logging.getLogger(__name__)

MAX_PENDING: Final = 256
"""Requests that wait for an answer; more than this and the oldest is forgotten."""
HANDSHAKE_WITHIN_MS: Final = 2000
REQUESTS_QUEUED: Final = 16
EVENTS_QUEUED: Final = 1000
SUBSCRIBED: Final = b"\x01"

MUTE_WISHES: Final = {"on": True, "off": False, "toggle": None}

Query = Callable[[], dict[str, Any]]
"""Answers a question about the daemon; raises ``ConfigError`` where it must refuse."""


class WantLevels(Protocol):
    """Begins or ends the measuring of the levels."""

    def __call__(self, *, wanted: bool) -> None: ...  # noqa: D102 - the class says it


class ControlServer:
    """Serves the control socket.

    Args:
        directory: Where the sockets go; must exist and be ours alone.
        emit: Takes the wishes.
        queries: Verb -> what answers it, for verbs that are not the conversation's.
        on_subscriber: Called when somebody begins to listen to the events.
        on_levels: Called with ``wanted`` when somebody begins to listen to the levels, and
            when nobody does any more.
    """

    def __init__(
        self,
        directory: Path,
        emit: Callable[[ev.Wish], None],
        queries: Mapping[str, Query],
        on_subscriber: Callable[[], None],
        on_levels: WantLevels,
    ) -> None:
        self._directory = directory
        self._emit = emit
        self._queries = queries
        self._on_subscriber = on_subscriber
        self._on_levels = on_levels
        self._context = zmq.asyncio.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._events = self._context.socket(zmq.XPUB)
        self._bound: list[Path] = []
        self._pending: dict[int, tuple[list[bytes], Request]] = {}
        self._asks = ev.NOBODY

    def bind(self) -> None:
        """Take the sockets; the caller holds the lock.

        Raises:
            ConfigError: A path cannot be bound.
        """
        router, events = self._router, self._events
        for socket in (router, events):
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.MAXMSGSIZE, MAX_REQUEST_BYTES)
            socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_WITHIN_MS)
        router.setsockopt(zmq.RCVHWM, REQUESTS_QUEUED)
        events.setsockopt(zmq.SNDHWM, EVENTS_QUEUED)
        events.setsockopt(zmq.XPUB_VERBOSE, 1)
        for socket, name in ((router, CONTROL_SOCKET), (events, EVENTS_SOCKET)):
            _bind(socket, self._directory / name)
            self._bound.append(self._directory / name)

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._serve_requests(), name="control requests")
            tasks.create_task(self._serve_subscribers(), name="control subscribers")

    def answer(self, ask: int, result: dict[str, Any] | None, failure: Failure | None) -> None:
        """Answer a request; one that nobody waits for any more is let go."""
        pending = self._pending.pop(ask, None)
        if pending is not None:
            envelope, request = pending
            self._reply(envelope, Reply(request.id, __version__, result, failure))

    def publish(self, event: str, fields: dict[str, Any]) -> None:
        """Tell everybody who listens."""
        # XPUB never blocks: what a stuck subscriber has no room for is dropped.
        self._events.send(encode_notice(event, time.time(), fields))

    def publish_levels(self, levels: dict[str, Any]) -> None:
        """Tell those who want to see it how loud it is."""
        self._events.send(encode_levels(levels))

    def close(self) -> None:
        """Let go of the sockets and of their files: who asks now is told at once."""
        self._context.destroy(linger=0)
        for path in self._bound:
            path.unlink(missing_ok=True)

    async def _serve_requests(self) -> None:
        while True:
            frames = await self._router.recv_multipart(copy=False)
            if not _is_ours(frames[-1]):
                logger.warning("a request of another user was dropped")
                continue
            self._take([frame.bytes for frame in frames[:-1]], frames[-1].bytes)

    async def _serve_subscribers(self) -> None:
        while True:
            message = await self._events.recv()
            begins, topic = message.startswith(SUBSCRIBED), message[1:]
            if topic == LEVELS:
                # Everybody who begins is told here, but only the last who ends.
                self._on_levels(wanted=begins)
            elif begins:
                self._on_subscriber()

    def _take(self, envelope: list[bytes], data: bytes) -> None:
        try:
            request = decode_request(data)
        except WireError as error:
            logger.warning("dropped something unreadable from the control socket: %s", error)
            code = "version" if isinstance(error, OtherVersionError) else "usage"
            self._reply(envelope, Reply("", __version__, error=Failure(code, str(error))))
            return
        if request.is_stale(time.monotonic_ns()):
            failure = Failure("stale", f"{request.verb} came too late and was not done")
            self._reply(envelope, Reply(request.id, __version__, error=failure))
        elif request.verb in self._queries:
            self._reply(envelope, self._ask_query(request))
        else:
            self._pass_on(envelope, request)

    def _pass_on(self, envelope: list[bytes], request: Request) -> None:
        self._asks += 1
        try:
            wish = wish_of(request, self._asks)
        except WireError as error:
            failure = Failure("usage", str(error))
            self._reply(envelope, Reply(request.id, __version__, error=failure))
            return
        self._pending[self._asks] = (envelope, request)
        while len(self._pending) > MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        self._emit(wish)

    def _ask_query(self, request: Request) -> Reply:
        try:
            return Reply(request.id, __version__, self._queries[request.verb]())
        except ConfigError as error:
            return Reply(request.id, __version__, error=Failure("refused", str(error)))

    def _reply(self, envelope: list[bytes], reply: Reply) -> None:
        # ROUTER drops what is meant for somebody who has gone, and never blocks.
        self._router.send_multipart([*envelope, reply.encode()])


def wish_of(request: Request, ask: int) -> ev.Wish:
    """Return the wish a request stands for.

    Raises:
        WireError: Its arguments make no sense.
    """
    match request.verb, request.args:
        case "start", _:
            return ev.Start(ask)
        case "stop", _:
            return ev.Stop(ask, request.at_s)
        case "toggle", _:
            return ev.Toggle(ask)
        case "interrupt", _:
            return ev.Interrupt(ask)
        case "mute", {"wish": wish} if wish in MUTE_WISHES:
            return ev.Mute(MUTE_WISHES[wish], ask)
        case "say", {"text": text} if text.strip():
            return ev.Say(text, ask)
        case "ptt", {"edge": "press"}:
            return ev.TalkPress(ask, request.at_s)
        case "ptt", {"edge": "release"}:
            return ev.TalkRelease(ask, request.at_s)
        case "ptt", {"edge": "cancel"}:
            return ev.TalkCancel(ask, request.at_s)
        case verb, args:
            raise WireError(f"{verb} cannot be done with {args}")


def _bind(socket: zmq.asyncio.Socket, path: Path) -> None:
    # A socket gets its mode from the umask, so it is right from the first moment.
    before = os.umask(0o177)
    try:
        socket.bind(f"ipc://{path}")
    except zmq.ZMQError as error:
        raise ConfigError(f"cannot serve on {path}: {error.strerror}") from error
    finally:
        os.umask(before)


def _is_ours(frame: zmq.Frame) -> bool:
    """Tell whether a frame was sent by this user; libzmq says "localhost:UID:GID:PID"."""
    try:
        address = str(frame.get("Peer-Address"))
    except zmq.ZMQError:
        return False
    parts = address.split(":")
    return len(parts) > 1 and parts[1] == str(os.getuid())
