"""The sockets voicectl talks to: requests on one, a stream of events on the other.

Rules
1. Only this user is served: the directory is 0700, the sockets are 0600 (``listeners``),
   the gate looks at every peer before it can say or hear anything, and each request is
   looked at again.
2. Whatever arrives is answered with one line or dropped; nothing that is sent here can
   end the daemon, fill its memory or its log, or keep the event loop from the sound.
3. Whoever subscribes to the events gets the present state first.
4. A subscriber that is stuck loses what there is no room for, and is dropped when it does
   not answer; once it listens again it gets the present state.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import zmq
import zmq.asyncio

from voiced import __version__
from voiced.control.complaints import Complaints
from voiced.control.gate import Gate, guard, is_ours
from voiced.control.listeners import Listener
from voiced.control.messages import (
    Failure,
    Reply,
    Request,
    decode_request,
    encode_levels,
    encode_notice,
)
from voiced.control.protocol import LEVELS, MAX_REQUEST_BYTES
from voiced.conversation import events as ev
from voiced.errors import ConfigError, OtherVersionError, WireError

logger = logging.getLogger(__name__)

MAX_PENDING: Final = 256
"""Requests that wait for an answer; more than this and the oldest is forgotten."""
REQUESTS_QUEUED: Final = 16
"""Of one peer; more wait on its own side."""
MAX_ERRANDS: Final = 8
"""Answers that are prepared at a time; who asks for more is refused."""
REPLIES_QUEUED: Final = 64
"""For one peer that does not read them."""
EVENTS_QUEUED: Final = 256
"""For one subscriber, beside some 200 kB that the kernel holds for it."""
ASK_SUBSCRIBERS_EVERY_MS: Final = 2000
ANSWER_WITHIN_MS: Final = 6000
REPEAT_AFTER_S: Final = 1.0
REPEAT_AT_MOST_EVERY_S: Final = 60.0
SUBSCRIPTIONS_AT_A_TURN: Final = 100
SUBSCRIBED: Final = b"\x01"

MUTE_WISHES: Final = {"on": True, "off": False, "toggle": None}
FAILED: Final = Failure("refused", "voiced failed at this: see its log")
"""What is answered where nobody foresaw what went wrong."""

Query = Callable[[], dict[str, Any]]
"""Answers a question about the daemon; raises ``ConfigError`` where it must refuse."""
Errand = Callable[[Mapping[str, str]], Awaitable[dict[str, Any]]]
"""The same for what takes its time, given the arguments; ``WireError`` where those are wrong."""


class WantLevels(Protocol):
    """Begins or ends the measuring of the levels."""

    def __call__(self, *, wanted: bool) -> None: ...  # noqa: D102 - the class says it


class ControlServer:
    """Serves the control socket.

    Args:
        emit: Takes the wishes.
        queries: Verb -> what answers it, for verbs that are not the conversation's.
        on_subscriber: Called when somebody begins to listen to the events.
        on_levels: Where there are levels, called with ``wanted`` when somebody begins to
            listen to them, and when nobody does any more.
        errands: As ``queries``, for verbs whose answer takes its time.
    """

    def __init__(
        self,
        emit: Callable[[ev.Wish], None],
        queries: Mapping[str, Query],
        on_subscriber: Callable[[], None],
        on_levels: WantLevels | None = None,
        errands: Mapping[str, Errand] | None = None,
    ) -> None:
        self._emit = emit
        self._queries = queries
        self._on_subscriber = on_subscriber
        self._on_levels = on_levels
        self._errands = errands or {}
        self._under_way = 0
        """How many errands."""
        self._tasks: asyncio.TaskGroup | None = None
        self._context = zmq.asyncio.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._events = self._context.socket(zmq.XPUB)
        self._complaints = Complaints(logger)
        self._gate = Gate(self._context, self._complaints)
        self._has_missed = asyncio.Event()
        """A subscriber had no room for something."""
        self._pending: dict[int, tuple[list[bytes], Request]] = {}
        self._asks = ev.NOBODY

    def bind(self, requests_at: Listener, events_at: Listener) -> None:
        """Serve on two listening sockets; they stay the caller's."""
        self._gate.open()
        router, events = self._router, self._events
        for socket in (router, events):
            guard(socket)
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.MAXMSGSIZE, MAX_REQUEST_BYTES)
            socket.setsockopt(zmq.RCVHWM, REQUESTS_QUEUED)
        router.setsockopt(zmq.SNDHWM, REPLIES_QUEUED)
        events.setsockopt(zmq.SNDHWM, EVENTS_QUEUED)
        events.setsockopt(zmq.HEARTBEAT_IVL, ASK_SUBSCRIBERS_EVERY_MS)
        events.setsockopt(zmq.HEARTBEAT_TIMEOUT, ANSWER_WITHIN_MS)
        events.setsockopt(zmq.XPUB_VERBOSE, 1)
        events.setsockopt(zmq.XPUB_NODROP, 1)
        for socket, listener in ((router, requests_at), (events, events_at)):
            # libzmq closes what it is lent, neither binds nor removes the path, and ends
            # the process when the socket does not listen.
            socket.setsockopt(zmq.USE_FD, listener.lend())
            socket.bind(f"ipc://{listener.path}")

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._gate.run(), name="control gate")
            tasks.create_task(self._gate.tidy(), name="control tidying")
            tasks.create_task(self._serve_requests(), name="control requests")
            tasks.create_task(self._serve_subscribers(), name="control subscribers")
            tasks.create_task(self._repeat(), name="control repetition")

    def answer(self, ask: int, result: dict[str, Any] | None, failure: Failure | None) -> None:
        """Answer a request; one that nobody waits for any more is let go."""
        pending = self._pending.pop(ask, None)
        if pending is not None:
            envelope, request = pending
            self._reply(envelope, Reply(request.id, __version__, result, failure))

    def publish(self, event: str, fields: dict[str, Any]) -> None:
        """Tell everybody who listens; never blocks."""
        if not self._send_to_all(encode_notice(event, time.time(), fields)):
            self._has_missed.set()

    def publish_levels(self, levels: dict[str, Any]) -> None:
        """Tell those who want to see it how loud it is; what they miss, they miss."""
        self._send_to_all(encode_levels(levels))

    def close(self) -> None:
        """Hang up on everybody."""
        self._complaints.close()
        self._context.destroy(linger=0)

    async def _serve_requests(self) -> None:
        while True:
            frames = await self._router.recv_multipart(copy=False)
            if is_ours(_address(frames[-1])):
                self._take([frame.bytes for frame in frames[:-1]], frames[-1].bytes)
            else:
                self._complaints.note("a request of somebody else was dropped")
            # What is there is received without waiting, and the sound needs the loop, too.
            await asyncio.sleep(0)

    async def _serve_subscribers(self) -> None:
        while True:
            is_new = self._begins(await self._events.recv())
            # Of a crowd that came at once, each gets the state, and it is told once.
            for _ in range(SUBSCRIPTIONS_AT_A_TURN):
                if not await self._events.poll(0):
                    break
                is_new |= self._begins(await self._events.recv())
            if is_new:
                self._on_subscriber()
            await asyncio.sleep(0)

    async def _repeat(self) -> None:
        """Tell the state once more where it may have been missed, until nobody misses it."""
        wait_s = REPEAT_AFTER_S
        while True:
            await self._has_missed.wait()
            await asyncio.sleep(wait_s)
            self._has_missed.clear()
            self._on_subscriber()
            is_stuck = self._has_missed.is_set()
            wait_s = min(wait_s * 2, REPEAT_AT_MOST_EVERY_S) if is_stuck else REPEAT_AFTER_S

    def _begins(self, message: bytes) -> bool:
        """Take a subscription or its end; true for somebody who begins to listen."""
        begins, topic = message.startswith(SUBSCRIBED), message[1:]
        if topic != LEVELS:
            return begins
        # Everybody who begins is told here, but only the last who ends.
        if self._on_levels is not None:
            self._on_levels(wanted=begins)
        return False

    def _send_to_all(self, notice: bytes) -> bool:
        """Publish a line; false where somebody has no room, and all but those have it."""
        if self._send(notice):
            return True
        self._events.setsockopt(zmq.XPUB_NODROP, 0)
        self._send(notice)
        self._events.setsockopt(zmq.XPUB_NODROP, 1)
        return False

    def _send(self, notice: bytes) -> bool:
        """Publish a line, to all or to none; false where one had no room."""
        sent = self._events.send(notice, zmq.DONTWAIT)
        assert isinstance(sent, asyncio.Future)  # noqa: S101 - what pyzmq returns, and is done
        return sent.exception() is None

    def _take(self, envelope: list[bytes], data: bytes) -> None:
        try:
            request = decode_request(data)
        except WireError as error:
            self._complaints.note("dropped something unreadable from the control socket: %s", error)
            code = "version" if isinstance(error, OtherVersionError) else "usage"
            self._reply(envelope, Reply("", __version__, error=Failure(code, str(error))))
            return
        except Exception:
            logger.exception("reading a request failed")
            self._reply(envelope, Reply("", __version__, error=FAILED))
            return
        if request.is_stale(time.monotonic_ns()):
            failure = Failure("stale", f"{request.verb} came too late and was not done")
            self._reply(envelope, Reply(request.id, __version__, error=failure))
        elif request.verb in self._queries:
            self._ask_query(envelope, request)
        elif request.verb in self._errands:
            self._send_out(envelope, request)
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
        except Exception:
            logger.exception("reading %s failed", request.verb)
            self._reply(envelope, Reply(request.id, __version__, error=FAILED))
            return
        self._pending[self._asks] = (envelope, request)
        while len(self._pending) > MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        self._emit(wish)

    def _ask_query(self, envelope: list[bytes], request: Request) -> None:
        try:
            result = self._queries[request.verb]()
            self._reply(envelope, Reply(request.id, __version__, result))
        except ConfigError as error:
            failure = Failure("refused", str(error))
            self._reply(envelope, Reply(request.id, __version__, error=failure))
        except Exception:
            # A mistake of ours in one answer is no reason to end a conversation.
            logger.exception("%s failed", request.verb)
            self._reply(envelope, Reply(request.id, __version__, error=FAILED))

    def _send_out(self, envelope: list[bytes], request: Request) -> None:
        if self._tasks is None or self._under_way >= MAX_ERRANDS:
            failure = Failure("refused", f"too much is asked at once for {request.verb}")
            self._reply(envelope, Reply(request.id, __version__, error=failure))
            return
        self._under_way += 1
        errand = self._run_errand(envelope, request)
        self._tasks.create_task(errand, name=f"control {request.verb}")

    async def _run_errand(self, envelope: list[bytes], request: Request) -> None:
        try:
            result = await self._errands[request.verb](request.args)
            self._reply(envelope, Reply(request.id, __version__, result))
        except (ConfigError, WireError) as error:
            failure = Failure("usage" if isinstance(error, WireError) else "refused", str(error))
            self._reply(envelope, Reply(request.id, __version__, error=failure))
        except Exception:
            logger.exception("%s failed", request.verb)
            self._reply(envelope, Reply(request.id, __version__, error=FAILED))
        finally:
            self._under_way -= 1

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


def _address(frame: zmq.Frame) -> str:
    """Return who sent a frame, or nothing where libzmq does not know."""
    try:
        return str(frame.get("Peer-Address"))
    except zmq.ZMQError:
        return ""
