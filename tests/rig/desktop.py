"""A desktop of one's own: two private message buses, and those who speak on them.

The fakes are peers on a real bus, so the daemon talks to them as it would to logind, to a
screen saver or to a player.  They remember what they were asked.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

PROGRAM = "dbus-daemon"
READY_WITHIN_S = 20.0
ANSWERS_WITHIN_S = 20.0
"""What is waited for comes at once; this only ends a test that would hang."""
PROPERTIES = "org.freedesktop.DBus.Properties"

# No service directory: nothing of this machine is started by a name that is called.
CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

Answer = tuple[str, list[Any]]
"""Signature and body."""
Method = Callable[[Message], Answer]


def missing_program() -> bool:
    """Tell whether there is no message bus to be had on this machine."""
    return shutil.which(PROGRAM) is None


class PrivateBus:
    """A message bus that lives as long as the ``with`` block, or until it is stopped.

    Attributes:
        address: Where it is.
    """

    def __init__(self) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="vb", dir="/tmp"))
        self.address = f"unix:path={self._place}/bus"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._place, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it serves."""
        configuration = self._place / "bus.conf"
        configuration.write_text(CONFIGURATION.format(path=self._place / "bus"))
        self._process = subprocess.Popen(
            [PROGRAM, f"--config-file={configuration}", "--nofork", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("unix:")

    def stop(self) -> None:
        """End it, and with it every connection."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


class FakePeer:
    """Somebody on a bus.

    Args:
        connection: To the bus.

    Attributes:
        methods: (path, interface, member) -> what answers it.
        properties: (path, interface, name) -> its value.
        calls: Members that were called, in order.
    """

    def __init__(self, connection: MessageBus) -> None:
        self.methods: dict[tuple[str, str, str], Method] = {}
        self.properties: dict[tuple[str, str, str], Variant] = {}
        self.calls: list[str] = []
        self._came = asyncio.Condition()
        self._telling: set[asyncio.Task[None]] = set()
        self.connection = connection
        connection.add_message_handler(self._handle)

    def say(self, path: str, interface: str, member: str, signature: str, *body: object) -> None:
        """Emit a signal."""
        self.connection.send(Message.new_signal(path, interface, member, signature, list(body)))

    def change(self, path: str, interface: str, name: str, value: Variant) -> None:
        """Change a property, and say so."""
        self.properties[path, interface, name] = value
        self.say(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", interface, {name: value}, [])

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a call has made something true."""
        async with asyncio.timeout(ANSWERS_WITHIN_S), self._came:
            await self._came.wait_for(condition)

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()

    def note(self, call: str) -> None:
        """Remember something, and let whoever waits look."""
        self.calls.append(call)
        task = asyncio.get_running_loop().create_task(self._tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        path, interface, member = message.path or "", message.interface or "", message.member or ""
        if interface == PROPERTIES and member == "Get":
            value = self.properties.get((path, *message.body))
            if value is None:
                return Message.new_error(message, "org.example.Missing", f"no {message.body}")
            return Message.new_method_return(message, "v", [value])
        method = self.methods.get((path, interface, member))
        if method is None:
            return None
        signature, body = method(message)
        descriptors = [each for each in body if signature == "h"]
        self.note(member)
        answer = [0] if descriptors else body
        return Message.new_method_return(message, signature, answer, descriptors)


class FakeLogind(FakePeer):
    """logind, with one session of this user and one of somebody else.

    Attributes:
        inhibitors: Read ends of what was given to those who delay sleep.
    """

    NAME = "org.freedesktop.login1"
    PATH = "/org/freedesktop/login1"
    MANAGER = "org.freedesktop.login1.Manager"
    SESSION = "org.freedesktop.login1.Session"
    OURS = "/org/freedesktop/login1/session/_31"
    THEIRS = "/org/freedesktop/login1/session/_32"

    def __init__(self, connection: MessageBus) -> None:
        super().__init__(connection)
        self.inhibitors: list[int] = []
        self.sessions = {self.OURS: os.getuid(), self.THEIRS: os.getuid() + 1}
        self.methods = {
            (self.PATH, self.MANAGER, "ListSessions"): self._list,
            (self.PATH, self.MANAGER, "Inhibit"): self._inhibit,
        }
        self.properties[self.PATH, self.MANAGER, "PreparingForSleep"] = Variant("b", False)
        for path in self.sessions:
            self._describe(path)

    def lock(self, path: str = OURS) -> None:
        """Ask a session to lock its screen."""
        self.say(path, self.SESSION, "Lock", "")

    def unlock(self, path: str = OURS) -> None:
        """Ask a session to open its screen."""
        self.say(path, self.SESSION, "Unlock", "")

    def hint(self, path: str = OURS, *, is_locked: bool) -> None:
        """Have a session say whether its screen is locked."""
        self.change(path, self.SESSION, "LockedHint", Variant("b", is_locked))

    def prepare(self, *, sleep: bool) -> None:
        """Say that the machine goes to sleep, or that it is awake again."""
        self.properties[self.PATH, self.MANAGER, "PreparingForSleep"] = Variant("b", sleep)
        self.say(self.PATH, self.MANAGER, "PrepareForSleep", "b", sleep)

    def begin_session(self, path: str, uid: int) -> None:
        """Let somebody log in."""
        self.sessions[path] = uid
        self._describe(path)
        self.say(self.PATH, self.MANAGER, "SessionNew", "so", "9", path)

    def end_session(self, path: str) -> None:
        """Let somebody log out."""
        del self.sessions[path]
        self.say(self.PATH, self.MANAGER, "SessionRemoved", "so", "9", path)

    async def inhibited(self, count: int = 1) -> None:
        """Wait until sleep is delayed for the nth time."""
        await self.until(lambda: len(self.inhibitors) >= count)

    async def released(self) -> None:
        """Wait until nobody delays sleep any more."""
        loop = asyncio.get_running_loop()
        released = asyncio.Event()
        loop.add_reader(self.inhibitors[-1], released.set)
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                await released.wait()
        finally:
            loop.remove_reader(self.inhibitors[-1])

    def is_inhibited(self) -> bool:
        """Tell whether somebody delays sleep."""
        os.set_blocking(self.inhibitors[-1], False)
        try:
            return os.read(self.inhibitors[-1], 1) != b""
        except BlockingIOError:
            return True

    def close(self) -> None:
        """Let go of the descriptors."""
        for each in self.inhibitors:
            os.close(each)

    def _describe(self, path: str) -> None:
        uid = self.sessions[path]
        user = Variant("(uo)", [uid, f"{self.PATH}/user/_{uid}"])
        self.properties[path, self.SESSION, "User"] = user
        self.properties[path, self.SESSION, "LockedHint"] = Variant("b", False)

    def _list(self, _: Message) -> Answer:
        rows = [["1", uid, "somebody", "seat0", path] for path, uid in self.sessions.items()]
        return "a(susso)", [rows]

    def _inhibit(self, message: Message) -> Answer:
        assert message.body[0] == "sleep"
        assert message.body[3] == "delay"
        end, given = os.pipe()
        self.inhibitors.append(end)
        # The bus has its own copy as soon as the answer is written.
        asyncio.get_running_loop().call_later(0.1, os.close, given)
        return "h", [given]


class FakeSaver(FakePeer):
    """A screen saver."""

    def __init__(self, connection: MessageBus, name: str = "org.gnome.ScreenSaver") -> None:
        super().__init__(connection)
        self.name, self.path = name, "/" + name.replace(".", "/")
        self.is_active = False
        self.methods[self.path, name, "GetActive"] = lambda _: ("b", [self.is_active])

    def cover(self, *, is_active: bool) -> None:
        """Cover the screen, or uncover it."""
        self.is_active = is_active
        self.say(self.path, self.name, "ActiveChanged", "b", is_active)


class FakePlayer(FakePeer):
    """A player of music.

    Attributes:
        is_stubborn: It takes no notice of what it is asked.
    """

    PATH = "/org/mpris/MediaPlayer2"
    PLAYER = "org.mpris.MediaPlayer2.Player"

    def __init__(self, connection: MessageBus, status: str = "Playing") -> None:
        super().__init__(connection)
        self.methods[self.PATH, self.PLAYER, "Pause"] = lambda _: self._become("Paused")
        self.methods[self.PATH, self.PLAYER, "Play"] = lambda _: self._become("Playing")
        self.properties[self.PATH, self.PLAYER, "PlaybackStatus"] = Variant("s", status)

    @property
    def status(self) -> str:
        """Return what it is doing."""
        return str(self.properties[self.PATH, self.PLAYER, "PlaybackStatus"].value)

    def become(self, status: str) -> None:
        """Be started, paused or stopped by its user."""
        self.change(self.PATH, self.PLAYER, "PlaybackStatus", Variant("s", status))

    def _become(self, status: str) -> Answer:
        self.become(status)
        return "", []


@asynccontextmanager
async def on_bus(address: str, *names: str) -> AsyncIterator[MessageBus]:
    """Give a connection that has names."""
    connection = await MessageBus(bus_address=address, negotiate_unix_fd=True).connect()
    try:
        for name in names:
            await connection.request_name(name)
        yield connection
    finally:
        connection.disconnect()
