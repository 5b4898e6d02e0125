"""The link to a daemon that may go and come back; nothing here waits.

Rules
1. Whoever uses it polls ``descriptors`` for ``timeout_s`` and then calls ``advance``.
2. The end of the connection is the end of the daemon; the making of its socket is its
   return.  A look by the clock is taken only where no event can be had: between a
   socket's making and its being served, and where the system has no watches left.
3. A daemon is ``stopped`` when nobody serves the socket, and ``starting`` when its socket
   takes us and says nothing, as one does that outlives a restart.
4. It never starts a daemon.
"""

import socket
import time
from pathlib import Path
from typing import Any, Final

from voicectl.outcome import VersionError
from voicectl.subscriber import Subscriber
from voicectl.watch import DirectoryWatch
from voicectl.zmtp import GREETING
from voiced.control.messages import decode_notice
from voiced.control.protocol import EVENTS_SOCKET, NOTICES, VERSION
from voiced.errors import ConfigError, WireError

Notice = dict[str, Any]

SILENT_S: Final = 1.0
"""A daemon that says nothing for so long is starting."""
BUSY_S: Final = 0.5
"""When to try again where no event can tell."""
FIRST_RETRY_S: Final = 0.02
RETRIES: Final = 7
"""Tries, each after twice the time, at a socket that is there and not served: 2.5 s."""


class Link:
    """What a daemon publishes, for as long as one listens.

    Args:
        directory: Where the sockets are; it need not be there.
        topics: What else is wanted besides the notices.

    Attributes:
        connections: How many there were in which a state was told; one more is perhaps
            another daemon.
        others: Messages that are no notices, oldest first; whoever reads them empties it.
    """

    def __init__(self, directory: Path, *topics: bytes) -> None:
        self.connections = 0
        self.others: list[bytes] = []
        self._path = directory / EVENTS_SOCKET
        self._topics = (NOTICES, *topics)
        self._watch = DirectoryWatch(directory)
        self._connection: _Connection | None = None
        self._is_told = False
        """A state has come over the connection in use."""
        self._said = ""
        self._retries = 0
        self._due_s: float | None = 0.0

    @property
    def descriptors(self) -> list[int]:
        """Return what becomes readable when there is something to do."""
        if self._connection is not None:
            return [self._connection.descriptor]
        return [] if self._watch.descriptor is None else [self._watch.descriptor]

    @property
    def timeout_s(self) -> float | None:
        """Return after how long there is something to do in any case."""
        return None if self._due_s is None else max(0.0, self._due_s - time.monotonic())

    def advance(self) -> list[Notice]:
        """Do what can be done now, and return the notices that are new.

        Raises:
            ConfigError: The place of the socket cannot be used.
            VersionError: The daemon speaks another version of the protocol.
        """
        if self._connection is None:
            return self._try_again()
        try:
            messages = self._connection.receive()
        except WireError as error:
            raise VersionError(str(error)) from error
        except OSError:
            was_told = self._is_told
            self.close()
            if not was_told:
                # Taken and let go, perhaps for ever: once more, but not at once.
                self._due_s = time.monotonic() + BUSY_S
            return self._try_again()
        if not messages and self._is_due():
            self._due_s = None
            return self._say("starting")
        return self._read(messages)

    def close(self) -> None:
        """Let go of the connection and the watch."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._watch.disarm()
        self._is_told = False
        self._retries = 0
        self._due_s = 0.0

    def _try_again(self) -> list[Notice]:
        if self._watch.has_told():
            self._retries = 0
        elif not self._is_due():
            return []
        # Armed before the try: a socket made after it is not missed.
        self._watch.arm()
        try:
            self._connection = _Connection(self._path, self._topics)
        except BlockingIOError:
            # Served by somebody who takes nobody in at the moment.
            self._due_s = time.monotonic() + BUSY_S
            return self._say("starting")
        except (FileNotFoundError, ConnectionRefusedError) as error:
            self._plan(is_there=isinstance(error, ConnectionRefusedError))
            return self._say("stopped")
        except OSError as error:
            what = error.strerror or str(error)
            raise ConfigError(f"cannot reach voiced at {self._path}: {what}") from error
        self._watch.disarm()
        self._retries = 0
        self._due_s = time.monotonic() + SILENT_S
        return []

    def _plan(self, *, is_there: bool) -> None:
        """Decide when to look again without having been told to."""
        if is_there and self._retries < RETRIES:
            wait_s = FIRST_RETRY_S * 2**self._retries
            self._retries += 1
        elif self._watch.descriptor is None:
            wait_s = BUSY_S
        else:
            self._due_s = None
            return
        self._due_s = time.monotonic() + wait_s

    def _read(self, messages: list[bytes]) -> list[Notice]:
        notices: list[Notice] = []
        for message in messages:
            if not message.startswith(NOTICES):
                self.others.append(message)
                continue
            try:
                notices.append(decode_notice(message))
            except WireError as error:
                raise VersionError(str(error)) from error
        if not self._is_told:
            # Others' news are none before we know how things are.
            while notices and notices[0]["event"] != "state":
                del notices[0]
        if notices:
            self.connections += not self._is_told
            self._is_told = True
            self._due_s = None
            self._said = ""
        return notices

    def _say(self, state: str) -> list[Notice]:
        """Say what the daemon cannot say itself, once."""
        if self._said == state:
            return []
        self._said = state
        return [{"v": VERSION, "t": round(time.time(), 3), "event": "state", "state": state}]

    def _is_due(self) -> bool:
        return self._due_s is not None and time.monotonic() >= self._due_s


class _Connection:
    """One connection to the events' socket."""

    def __init__(self, path: Path, topics: tuple[bytes, ...]) -> None:
        self._peer = Subscriber(*topics)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(str(path))
            self._socket.sendall(GREETING)
        except OSError:
            self._socket.close()
            raise

    @property
    def descriptor(self) -> int:
        return self._socket.fileno()

    def receive(self) -> list[bytes]:
        """Return the messages that have arrived.

        Raises:
            ConnectionError: The other end has gone.
            WireError: It speaks something else.
        """
        try:
            data = self._socket.recv(65_536)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionResetError
        messages, answer = self._peer.feed(data)
        if answer:
            self._socket.sendall(answer)
        return messages

    def close(self) -> None:
        self._socket.close()
