"""The session with the provider: connects, configures, sends, receives.

Rules
1. One task for each attempt, with its number on every event.  ``close`` cancels it;
   nothing of it is reported afterwards.
2. Every end we did not ask for is a ``SessionLost``, whatever the close code.  Whether
   and when to try again is not decided here.
3. What is sent goes through an outbox in order.  When the network cannot keep up, the
   oldest audio is dropped and counted; nothing else ever is.
4. What a server says that cannot be read is logged, without its content, and dropped.
5. A key is never logged; where it goes is decided in ``dial``.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from voiced.conversation.events import Received, ServerError, ServerEvent, SessionLost, SessionReady
from voiced.conversation.failures import REMEDIES
from voiced.errors import ConfigError, WireError
from voiced.realtime import client_messages as out
from voiced.realtime import dialects
from voiced.realtime import server_messages as wire
from voiced.realtime.builtin import BuiltinError, BuiltinServer
from voiced.realtime.dial import CONNECT_WITHIN_S, Connect, dial
from voiced.realtime.translate import Translator, detection_change, plain, session_update
from voiced.settings import Settings

logger = logging.getLogger(__name__)

GREET_WITHIN_S: Final = 5.0
"""A server that says nothing for so long is configured unasked."""
CONFIGURE_WITHIN_S: Final = 10.0
MAX_AUDIO_WAITING: Final = 500
"""Ten seconds of audio in 20 ms pieces."""
UNREADABLE_SHOWN: Final = 5
NEED_A_KEY: Final = (401, 403)
"""HTTP statuses of a server that wants to know who we are."""
FIRST_SETTINGS: Final = "configure_0"
LATER_SETTINGS: Final = "configure_1"
REFUSALS: Final = frozenset(
    {
        "cannot_update_voice",
        "integer_below_min_value",
        "invalid_event",
        "invalid_request_error",
        "invalid_value",
        "missing_required_parameter",
        "unknown_parameter",
    }
)
"""Errors that say that our settings are wrong; any other may be gone next time."""

Emit = Callable[[Received], None]
FindKey = Callable[[], str | None]
"""Returns the API key, or None; raises ``ConfigError`` where it must not be used."""
Awaited = TypeVar("Awaited", wire.SessionCreated, wire.SessionUpdated)


class _Lost(Exception):  # noqa: N818 - an end, not a fault
    """The attempt is over."""

    def __init__(self, event: SessionLost) -> None:
        super().__init__(event.message)
        self.event = event


class Outbox:
    """What waits to be sent, in order.

    Attributes:
        dropped: How many pieces of audio were dropped for want of room.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._messages: deque[out.ClientMessage] = deque()
        self._audio = 0
        self._filled = asyncio.Event()

    def put(self, message: out.ClientMessage) -> None:
        """Add a message; never waits."""
        if isinstance(message, out.Append):
            if self._audio >= MAX_AUDIO_WAITING:
                self._drop_oldest_audio()
            self._audio += 1
        self._messages.append(message)
        self._filled.set()

    async def get(self) -> out.ClientMessage:
        """Wait for the next message."""
        await self._filled.wait()
        message = self._messages.popleft()
        self._audio -= isinstance(message, out.Append)
        if not self._messages:
            self._filled.clear()
        return message

    def _drop_oldest_audio(self) -> None:
        oldest = next(m for m in self._messages if isinstance(m, out.Append))
        self._messages.remove(oldest)
        self._audio -= 1
        self.dropped += 1


class RealtimeClient:
    """The provider, as the runner sees it: verbs that never wait.

    Args:
        settings: Which provider, and the session we want.
        key: Finds the API key.
        builtin: The built-in server, for provider.kind = "local".
        tasks: Owns the attempts.
        emit: Takes the events.
    """

    def __init__(
        self,
        settings: Settings,
        key: FindKey,
        builtin: BuiltinServer,
        tasks: asyncio.TaskGroup,
        emit: Emit,
    ) -> None:
        self.settings = settings
        self._key = key
        self._builtin = builtin
        self._tasks = tasks
        self._emit = emit
        self._task: asyncio.Task[None] | None = None
        self._translator: Translator | None = None
        self._outbox = Outbox()
        self._dropped_before = 0
        self._is_held = False

    @property
    def dropped(self) -> int:
        """Return how many pieces of audio the network was too slow for."""
        return self._dropped_before + self._outbox.dropped

    def open(self, number: int) -> None:
        """Connect and configure; answered by ``SessionReady`` or ``SessionLost``."""
        self.close()
        self._is_held = False
        self._dropped_before += self._outbox.dropped
        self._outbox = Outbox()
        self._translator = Translator(self.settings)
        attempt = _Attempt(self._translator, self._key, self._builtin, self._outbox)
        self._task = self._tasks.create_task(self._run(number, attempt), name=f"session {number}")

    def close(self) -> None:
        """Hang up."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def send(self, message: out.ClientMessage) -> None:
        """Send a message in the session that is open; never waits."""
        if self._task is not None:
            self._outbox.put(message)

    def detect_turns(self, event_id: str, *, wanted: bool) -> None:
        """Have the server find the end of the turns, as configured, or leave it to us."""
        self._is_held = not wanted
        self.send(detection_change(self.settings, event_id, wanted=wanted))

    def configure(self, settings: Settings) -> None:
        """Take new settings; a running session is told what it can be told."""
        self.settings = settings
        self._builtin.settings = settings.local
        if self._translator is not None:
            self._translator.settings = settings
        self.send(session_update(settings, LATER_SETTINGS, with_voice=False, is_held=self._is_held))

    async def _run(self, number: int, attempt: "_Attempt") -> None:
        me = asyncio.current_task()

        def report(event: ServerEvent) -> None:
            if self._task is me:
                self._emit(Received(number, event))

        lost = await attempt.run(report)
        report(lost)


class _Attempt:
    """One connection, from dialling to its end."""

    def __init__(
        self, translator: Translator, key: FindKey, builtin: BuiltinServer, outbox: Outbox
    ) -> None:
        self._settings = translator.settings
        self._find_key = key
        self._key: str | None = None
        self._builtin = builtin
        self._outbox = outbox
        self._translator = translator
        self._last_error: ServerError | None = None
        self._unreadable = 0
        self._has_heard = False
        """The server has said something."""

    async def run(self, report: Callable[[ServerEvent], None]) -> SessionLost:
        """Hold the session and return how it ended."""
        try:
            async with AsyncExitStack() as stack:
                socket = await self._connect(stack)
                report(await self._configure(socket))
                return await self._converse(socket, report)
        except _Lost as lost:
            return lost.event
        except ConnectionClosed as closed:
            return self._closed(closed)
        except ConfigError as error:
            return SessionLost(str(error), error_code="not_usable")

    async def _connect(self, stack: AsyncExitStack) -> ClientConnection:
        """Dial; the stack hangs up."""
        try:
            return await stack.enter_async_context(await self._dial())
        except BuiltinError as error:
            code = "built_in_server" if error.is_final else None
            raise _Lost(SessionLost(str(error), error_code=code)) from error
        except InvalidStatus as error:
            raise _Lost(_refused(error, has_key=bool(self._key))) from error
        except TimeoutError as error:
            raise _Lost(SessionLost(f"no connection within {CONNECT_WITHIN_S:g} s")) from error
        except (OSError, WebSocketException, ValueError, ImportError) as error:
            # ValueError: an address that only the resolver finds wrong; ImportError: a proxy
            # of a kind that needs one more package.
            what = plain(str(error), self._key) or type(error).__name__
            raise _Lost(SessionLost(f"no connection: {what}")) from error

    async def _dial(self) -> Connect:
        provider = self._settings.provider
        if provider.kind != "local":
            self._key = self._translator.key = await asyncio.to_thread(self._find_key)
        if dialects.DIALECTS[provider.kind].needs_key and not self._key:
            raise _Lost(SessionLost("", error_code="no_api_key"))
        path = await self._builtin.ensure() if provider.kind == "local" else None
        return dial(provider, self._key, builtin=path)

    async def _configure(self, socket: ClientConnection) -> SessionReady:
        """Tell the server what we want and read back what it made of it."""
        await self._await_message(socket, wire.SessionCreated, GREET_WITHIN_S)
        wish = session_update(self._settings, FIRST_SETTINGS, with_voice=True)
        await socket.send(out.encode(wish))
        answer = await self._await_message(socket, wire.SessionUpdated, CONFIGURE_WITHIN_S)
        if answer is None and not self._has_heard:
            raise _Lost(SessionLost("the server accepts the connection and says nothing"))
        if answer is None:
            logger.warning("the server does not say which settings are in force")
            return self._translator.ready(
                wire.SessionUpdated(msgspec.to_builtins(wish.session)), time.time()
            )
        return self._translator.ready(answer, time.time())

    async def _await_message(
        self, socket: ClientConnection, kind: type[Awaited], within_s: float
    ) -> Awaited | None:
        """Wait for one kind of message; an error about our settings ends the attempt."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    message = self._decode(await socket.recv())
                    self._has_heard = True
                    if isinstance(message, kind):
                        return message
                    if isinstance(message, wire.ErrorEvent):
                        raise _Lost(_not_configured(self._translator.error(message)))
        except TimeoutError:
            return None

    async def _converse(
        self, socket: ClientConnection, report: Callable[[ServerEvent], None]
    ) -> SessionLost:
        """Send and receive until the connection ends; say how it ended."""
        async with asyncio.TaskGroup() as both:
            sender = both.create_task(self._send_all(socket), name="send")
            try:
                while True:
                    self._take(await socket.recv(), report)
            except ConnectionClosed as closed:
                sender.cancel()
                return self._closed(closed)

    def _take(self, frame: str | bytes, report: Callable[[ServerEvent], None]) -> None:
        message = self._decode(frame)
        event = None if message is None else self._translator.event(message)
        if isinstance(event, ServerError):
            self._last_error = event
        if event is not None:
            report(event)

    async def _send_all(self, socket: ClientConnection) -> None:
        while True:
            try:
                await socket.send(out.encode(await self._outbox.get()))
            except ConnectionClosed:
                return  # the receiving side reports it

    def _decode(self, frame: str | bytes) -> wire.ServerMessage | None:
        try:
            return wire.decode(frame)
        except WireError as error:
            self._unreadable += 1
            # A server that talks nonsense all day does not fill the log.
            level = logging.WARNING if self._unreadable <= UNREADABLE_SHOWN else logging.DEBUG
            logger.log(level, "dropped something unreadable from the server: %s", error)
            return None

    def _closed(self, closed: ConnectionClosed) -> SessionLost:
        code = closed.rcvd.code if closed.rcvd else None
        reason = closed.rcvd.reason if closed.rcvd else ""
        error_code = self._last_error.code if self._last_error else None
        if closed.rcvd is None and closed.sent is not None:
            reason = closed.sent.reason
        reason = plain(reason, self._key)
        what = f"closed with {code}" if code else "broke off"
        return SessionLost(
            f"the connection {what}{': ' if reason else ''}{reason}", code, None, error_code
        )


def _not_configured(error: ServerError) -> SessionLost:
    """Return what an error before the session is ready means: a refusal, or bad luck."""
    if error.code in REMEDIES:
        return SessionLost(error.message, error_code=error.code)
    if error.event_id == FIRST_SETTINGS or error.code in REFUSALS:
        return SessionLost(error.message, error_code="configuration_refused")
    return SessionLost(error.message or f"the server answered with {error.code}")


def _refused(error: InvalidStatus, *, has_key: bool) -> SessionLost:
    """Return what an HTTP status means; the body may quote the key and is not repeated."""
    status = error.response.status_code
    code = None if has_key or status not in NEED_A_KEY else "no_api_key"
    message = f"the server answered {status} to the connection"
    return SessionLost(message, http_status=status, error_code=code)
