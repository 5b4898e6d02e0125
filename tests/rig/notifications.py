"""What shows the notifications of a desktop, on a message bus of one's own."""

from dataclasses import dataclass, field
from typing import Any, Self

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

NOTIFICATIONS = "org.freedesktop.Notifications"


@dataclass(frozen=True)
class Shown:
    """A notification as it was asked for."""

    id: int
    replaces: int
    summary: str
    body: str


@dataclass
class NotificationServer:
    """What shows notifications.

    Attributes:
        address: The bus.
        is_mute: It never answers.
        shown: What it was asked to show.
    """

    address: str
    is_mute: bool = False
    shown: list[Shown] = field(default_factory=list)
    _bus: MessageBus | None = None

    async def __aenter__(self) -> Self:
        self._bus = await MessageBus(bus_address=self.address).connect()
        self._bus.add_message_handler(self._take)
        await self._bus.request_name(NOTIFICATIONS)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._bus is not None
        self._bus.disconnect()
        await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # theirs

    def _take(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or message.member != "Notify":
            return None
        body: list[Any] = message.body
        number = body[1] or len(self.shown) + 1
        self.shown.append(Shown(number, body[1], body[3], body[4]))
        return True if self.is_mute else Message.new_method_return(message, "u", [number])
