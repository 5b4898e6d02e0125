"""A message bus: one connection, kept for as long as the daemon runs.

Rules
1. Nothing that a bus does or fails to do ends the daemon.  What it cannot do is told once.
2. A lost connection is tried again, ever more seldom.
3. Every call has a time limit: somebody on the bus may hang.
4. Signals wait in a bounded queue; where it overflows, the connection begins anew, and so
   does the knowledge of whoever listened.

D-Bus is imported here and nowhere else, on a thread, when the first connection is made:
it takes a quarter of a second and 3 MB.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from voiced.errors import AnswerError, BusError

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus
    from dbus_fast.message import Message

logger = logging.getLogger(__name__)

CONNECT_WITHIN_S: Final = 10.0
ANSWER_WITHIN_S: Final = 2.0
RETRY_AFTER_S: Final = 1.0
RETRY_AT_MOST_EVERY_S: Final = 300.0
STEADY_AFTER_S: Final = 60.0
"""A connection that lasted so long is not held against the bus when it is lost."""
SIGNALS_QUEUED: Final = 1000

DRIVER: Final = "org.freedesktop.DBus"
DRIVER_PATH: Final = "/org/freedesktop/DBus"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
SYSTEM_ADDRESS: Final = "unix:path=/run/dbus/system_bus_socket"


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that was said to everybody."""

    sender: str
    """Unique name of who said it."""
    path: str
    interface: str
    member: str
    signature: str
    body: list[Any]


@dataclass(frozen=True, slots=True)
class Peer:
    """An object on the bus that can be asked."""

    name: str
    path: str
    interface: str


class Bus:
    """A connection.

    Args:
        connection: It is made.
        message: Makes what is sent over it.
    """

    def __init__(self, connection: "MessageBus", message: "type[Message]") -> None:
        self._connection = connection
        self._message = message
        self._signals: asyncio.Queue[Signal] = asyncio.Queue(SIGNALS_QUEUED)
        connection.add_message_handler(self._take)

    async def call(
        self, peer: Peer, member: str, returns: str, signature: str = "", *body: object
    ) -> list[Any]:
        """Ask for something, and return the answer.

        Args:
            peer: Whom to ask.
            member: What to ask for.
            returns: Signature of the answer.
            signature: That of the question.
            body: The question.

        Raises:
            AnswerError: There is another answer.
            BusError: There is none.
        """
        reply = await self._ask(peer, member, signature, body)
        if reply.signature != returns:
            raise AnswerError(f"{peer.name} answers {member} with something else")
        return list(reply.body)

    async def call_for_descriptor(
        self, peer: Peer, member: str, signature: str, *body: object
    ) -> int:
        """Ask for a file descriptor; the caller closes it.

        Raises:
            BusError: None came.
        """
        reply = await self._ask(peer, member, signature, body)
        if not reply.unix_fds:
            raise BusError(f"{peer.name} gave no descriptor for {member}")
        return int(reply.unix_fds[0])

    async def get(self, peer: Peer, name: str, returns: str) -> Any:  # noqa: ANN401 - a property can be anything
        """Return a property.

        Args:
            peer: Whose it is.
            name: Its name.
            returns: Its signature.

        Raises:
            BusError: There is no such property.
        """
        asked = Peer(peer.name, peer.path, PROPERTIES)
        (variant,) = await self.call(asked, "Get", "v", "ss", peer.interface, name)
        if variant.signature != returns:
            raise AnswerError(f"{name} of {peer.name} is something else")
        return variant.value

    async def names(self) -> list[str]:
        """Return the names of everybody on the bus.

        Raises:
            BusError: The bus does not say.
        """
        (found,) = await self.call(_DRIVER, "ListNames", "as")
        return list(found)

    async def owner(self, name: str) -> str:
        """Return the unique name of whoever has a name.

        Raises:
            BusError: Nobody has it.
        """
        (found,) = await self.call(_DRIVER, "GetNameOwner", "s", "s", name)
        return str(found)

    async def id(self) -> str:
        """Return what tells this bus from those before it.

        Raises:
            BusError: The bus does not say.
        """
        (found,) = await self.call(_DRIVER, "GetId", "s")
        return str(found)

    async def listen(self, **terms: str) -> None:
        """Have signals of a kind delivered.

        Raises:
            BusError: The bus refuses.
        """
        rule = "".join(f",{term}='{value}'" for term, value in terms.items())
        await self.call(_DRIVER, "AddMatch", "", "s", f"type='signal'{rule}")

    async def signal(self) -> Signal:
        """Wait for the next signal."""
        return await self._signals.get()

    async def gone(self) -> None:
        """Wait until the connection is lost.

        Raises:
            BusError: It is.
        """
        try:
            await self._connection.wait_for_disconnect()  # type: ignore[no-untyped-call] # published so
        except (OSError, EOFError, ValueError, RuntimeError) as error:
            raise BusError(f"the connection is lost: {error}") from error
        raise BusError("the connection is lost")

    async def _ask(
        self, peer: Peer, member: str, signature: str, body: Sequence[object]
    ) -> "Message":
        call = self._message(
            destination=peer.name,
            path=peer.path,
            interface=peer.interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reply = await self._connection.call(call)
        except TimeoutError as error:
            raise BusError(f"{peer.name} does not answer {member}") from error
        except (OSError, EOFError) as error:
            raise BusError(f"the connection is lost: {error}") from error
        if reply is None:
            raise BusError("the connection is lost")
        if reply.message_type.name == "ERROR":
            said = reply.body[0] if reply.signature.startswith("s") else reply.error_name
            raise AnswerError(f"{peer.name} refuses {member}: {said}")
        return reply

    def _take(self, message: "Message") -> None:
        if message.message_type.name != "SIGNAL":
            return
        signal = Signal(
            message.sender or "",
            message.path or "",
            message.interface or "",
            message.member or "",
            message.signature,
            message.body,
        )
        try:
            self._signals.put_nowait(signal)
        except asyncio.QueueFull:
            self._connection.disconnect()


_DRIVER: Final = Peer(DRIVER, DRIVER_PATH, DRIVER)
Visit = Callable[[Bus], Awaitable[None]]
"""What is done with a connection, until it is cancelled."""


def system_address(environment: Mapping[str, str]) -> str:
    """Return where the system's bus is."""
    return environment.get("DBUS_SYSTEM_BUS_ADDRESS") or SYSTEM_ADDRESS


def session_address(environment: Mapping[str, str], runtime: Path) -> str:
    """Return where the user's bus is.

    Args:
        environment: Says so, where the desktop or the service manager started us.
        runtime: ``XDG_RUNTIME_DIR``, where it is by custom.
    """
    return environment.get("DBUS_SESSION_BUS_ADDRESS") or f"unix:path={runtime}/bus"


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Bus]:
    """Give a connection.

    Raises:
        BusError: There is no bus, or it does not want us.
    """
    kind, message = await asyncio.to_thread(_load, address)
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            connection = await kind(bus_address=address, negotiate_unix_fd=True).connect()
    except TimeoutError as error:
        raise BusError(f"{address} does not answer") from error
    except (OSError, EOFError, ValueError) as error:
        # An address that makes no sense and a refusal are values that are wrong to D-Bus.
        raise BusError(f"{address}: {error}") from error
    try:
        yield Bus(connection, message)
    finally:
        connection.disconnect()


async def attend(name: str, address: str, visit: Visit, on_lost: Callable[[], None]) -> None:
    """Keep a connection, and do something with it, until cancelled.

    Args:
        name: What people call this bus.
        address: Where it is.
        visit: What is done with each connection.
        on_lost: Called when nothing is known from this bus any more.
    """
    loop = asyncio.get_running_loop()
    wait_s, is_told = RETRY_AFTER_S, False
    while True:
        began_s = loop.time()
        try:
            async with connected(address) as bus, asyncio.TaskGroup() as tasks:
                tasks.create_task(_visit(visit, bus), name=f"{name} bus")
                await bus.gone()
        except* BusError as group:
            if loop.time() - began_s > STEADY_AFTER_S:
                wait_s, is_told = RETRY_AFTER_S, False
            if not is_told:
                logger.info("nothing is heard from the %s bus: %s", name, _first(group))
                is_told = True
            on_lost()
        _heed_cancellation()
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, RETRY_AT_MOST_EVERY_S)


def _heed_cancellation() -> None:
    """Go on being cancelled: a group that failed at the same moment hides it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _visit(visit: Visit, bus: Bus) -> None:
    await visit(bus)


def _first(group: BaseExceptionGroup[BusError]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _load(address: str) -> "tuple[type[MessageBus], type[Message]]":
    """Import D-Bus, where there is anything to connect to.

    Raises:
        BusError: There is nothing.
    """
    kind, _, path = address.partition("=")
    if kind == "unix:path" and not Path(path.partition(",")[0]).exists():
        raise BusError(f"there is no {address}")
    from dbus_fast.aio import MessageBus  # noqa: PLC0415 - it takes long, and not everybody needs it
    from dbus_fast.message import Message  # noqa: PLC0415 - the same

    return MessageBus, Message
