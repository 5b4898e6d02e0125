"""One notification on the desktop, for who pressed a key and sees no terminal.

Rules
1. There is at most one on the screen: a new one takes the place of the one before it, and
   of two that come at once, as of the two edges of a tap, one speaks for both.
2. It is a courtesy.  Whatever goes wrong with it is let go, and after ``WITHIN_S`` it is
   given up: the exit status is what counts.
3. Where there is no session bus, nothing is done, and nothing is loaded.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

WITHIN_S: Final = 2.0
NAME: Final = "org.freedesktop.Notifications"
PATH: Final = "/org/freedesktop/Notifications"
BUS_NAME: Final = "org.freedesktop.DBus"
BUS_PATH: Final = "/org/freedesktop/DBus"
MEMORY: Final = "voicectl.notification"
"""File in the runtime directory: who showed the last notification, and its number."""
LONGEST: Final = 1000
"""Bytes of it that are read."""
NORMAL: Final = 1
"""The urgency; what is less urgent is not shown at all by some desktops."""
LET_IT_DECIDE: Final = -1
"""How long it stays is up to the desktop."""


def show(summary: str, body: str, within_s: float = WITHIN_S) -> None:
    """Show a notification, if there is a desktop to show it."""
    address = bus_address()
    if address is None:
        return
    import asyncio

    from dbus_fast.errors import AuthError, DBusError, InvalidAddressError

    memory = None
    try:
        memory = _open_memory()
        asyncio.run(asyncio.wait_for(_show(address, summary, body, memory), within_s))
    except (OSError, EOFError, DBusError, AuthError, InvalidAddressError):
        # A courtesy: the complaint is on stderr, and the exit status tells.
        return
    finally:
        if memory is not None:
            os.close(memory)


def bus_address() -> str | None:
    """Return where the session bus is; None when there is none."""
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS") or f"unix:path={_runtime()}/bus"
    kind, _, rest = address.partition(":path=")
    is_absent = kind == "unix" and not Path(rest.split(",")[0]).exists()
    return None if is_absent else address


async def _show(address: str, summary: str, body: str, memory: int | None) -> None:
    from dbus_fast import Message, Variant
    from dbus_fast.aio import MessageBus

    bus = await MessageBus(bus_address=address).connect()
    try:
        replaces = _remembered(memory, await _shower(bus))
        hints = {"urgency": Variant("y", NORMAL)}
        escaped = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        notify = Message(
            destination=NAME,
            path=PATH,
            interface=NAME,
            member="Notify",
            signature="susssasa{sv}i",
            body=["voiced", replaces, "", summary, escaped, [], hints, LET_IT_DECIDE],
        )
        reply = await bus.call(notify)
        if not reply.error_name:
            _remember(memory, str(reply.sender), reply.body[0])
    finally:
        bus.disconnect()


async def _shower(bus: "MessageBus") -> str | None:
    """Return the unique name of what shows notifications; None while nothing does."""
    from dbus_fast import Message

    asked = Message(
        destination=BUS_NAME,
        path=BUS_PATH,
        interface=BUS_NAME,
        member="GetNameOwner",
        signature="s",
        body=[NAME],
    )
    reply = await bus.call(asked)
    return None if reply.error_name else str(reply.body[0])


def _open_memory() -> int | None:
    """Open the memory, which nobody else has until it is closed; None where there is none.

    Raises:
        BlockingIOError: Another process has it, and shows what is wrong.
    """
    import fcntl

    try:
        path = Path(_runtime()) / MEMORY
        memory = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(memory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(memory)
        raise
    return memory


def _remembered(memory: int | None, shower: str | None) -> int:
    """Return the number of our last notification; 0 when somebody else showed it.

    Numbers begin anew with every server: the same one may be of another program now.
    """
    if memory is None:
        return 0
    try:
        owner, number = os.pread(memory, LONGEST, 0).decode().split()
    except (OSError, ValueError):
        return 0
    return int(number) if owner == shower and number.isdigit() else 0


def _remember(memory: int | None, shower: str, number: int) -> None:
    if memory is not None:
        os.ftruncate(memory, 0)
        os.pwrite(memory, f"{shower} {number}\n".encode(), 0)


def _runtime() -> str:
    return os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
