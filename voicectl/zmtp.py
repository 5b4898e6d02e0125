"""One request over ZMTP 3.1, the protocol of ZeroMQ, without libzmq.

Loading libzmq takes many times as long as a key press may.  A request and its reply over a
unix socket need only this much of the protocol.

Rules
1. The request waits for the server's READY: libzmq hangs up on whoever is faster.
2. There is one time limit, for everything from the connection to the last byte.
3. Nothing the other side sends makes us wait longer, take more than ``limit`` bytes, or
   fail in any way but those said below.
"""

import time
from _socket import AF_UNIX, SO_SNDTIMEO, SOCK_STREAM, SOL_SOCKET, socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

GREETING: "Final" = (
    # signature, version 3.1, mechanism, "I am no server", filler
    b"\xff\0\0\0\0\0\0\0\x01\x7f" + b"\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(1 + 31)
)
VERSION_AT: "Final" = 10
MECHANISM: "Final" = slice(12, 32)
READY: "Final" = b"\x05READY" + b"\x0bSocket-Type" + b"\0\0\0\x03REQ"
MORE, LONG, COMMAND = 1, 2, 4
"""The flags of a frame."""
HEADER_BYTES: "Final" = 9
PING_HEAD_BYTES: "Final" = 7
"""Name and time-to-live; what follows is to be sent back."""


class ZmtpError(Exception):
    """The other side does not speak the protocol, or says that we do not."""


class ClosedError(Exception):
    """The other side hung up.

    Attributes:
        is_sent: The request was on its way, so it may have been done.
    """

    def __init__(self, *, is_sent: bool) -> None:
        super().__init__("the connection was closed")
        self.is_sent = is_sent


class Exchange:
    """One connection, for one request.

    Args:
        path: The socket.
        until_s: Monotonic time at which to give up.
        limit: How many bytes of frames are taken.
    """

    def __init__(self, path: str, until_s: float, limit: int) -> None:
        self._path = path
        self._until_s = until_s
        self._left = limit
        self._socket = socket(AF_UNIX, SOCK_STREAM)
        self._buffer = bytearray()
        self._is_sent = False

    def run(self, request: bytes) -> bytes:
        """Send the request and return its reply.

        Raises:
            ZmtpError: What came is no ZMTP, or too much.
            ClosedError: The connection ended too early.
            TimeoutError: There was no reply in time.
            OSError: The socket cannot be reached.
        """
        try:
            self._connect()
            try:
                return self._converse(request)
            except (BrokenPipeError, ConnectionResetError) as error:
                raise ClosedError(is_sent=self._is_sent) from error
        finally:
            self._socket.close()

    def _connect(self) -> None:
        self._socket.settimeout(self._time_left_s())
        try:
            self._socket.connect(self._path)
        except BlockingIOError:
            self._connect_in_turn()

    def _connect_in_turn(self) -> None:
        """Wait until the server has room for one more.

        The kernel makes only a blocking connect wait for that.
        """
        from struct import pack

        left_us = int(self._time_left_s() * 1e6)
        self._socket.settimeout(None)
        timeval = pack("@ll", left_us // 1_000_000, left_us % 1_000_000)
        self._socket.setsockopt(SOL_SOCKET, SO_SNDTIMEO, timeval)
        try:
            self._socket.connect(self._path)
        except BlockingIOError as error:
            raise TimeoutError from error

    def _converse(self, request: bytes) -> bytes:
        self._send(GREETING + _frame(COMMAND, READY))
        greeting = self._take(len(GREETING))
        is_zmtp_3 = greeting[0] == 0xFF and greeting[9] & 1 and greeting[VERSION_AT] >= 3  # noqa: PLR2004
        if not is_zmtp_3 or greeting[MECHANISM] != GREETING[MECHANISM]:
            raise ZmtpError("this is no ZeroMQ socket that is open to us")
        parts: list[bytes] = []
        while True:
            flags, body = self._frame()
            if flags & COMMAND:
                self._obey(body, request)
            elif not self._is_sent:
                raise ZmtpError("a reply came before the request")
            else:
                parts.append(body)
                if not flags & MORE:
                    return _reply(parts)

    def _obey(self, command: bytes, request: bytes) -> None:
        if command.startswith(b"\x05READY"):
            if not self._is_sent:
                self._is_sent = True
                self._send(_frame(MORE, b"") + _frame(0, request))
        elif command.startswith(b"\x05ERROR"):
            raise ZmtpError(f"refused: {command[7:].decode('ascii', 'replace')}")
        elif command.startswith(b"\x04PING"):
            self._send(_frame(COMMAND, b"\x04PONG" + command[PING_HEAD_BYTES:]))

    def _frame(self) -> tuple[int, bytes]:
        flags = self._take(1)[0]
        if flags & ~(MORE | LONG | COMMAND) or (flags & COMMAND and flags & MORE):
            raise ZmtpError(f"no frame begins with {flags:#04x}")
        size = int.from_bytes(self._take(8), "big") if flags & LONG else self._take(1)[0]
        # The header counts too, so that there is an end to frames of nothing.
        self._left -= HEADER_BYTES + size
        if self._left < 0:
            raise ZmtpError("too much is sent")
        return flags, self._take(size)

    def _take(self, size: int) -> bytes:
        buffer = self._buffer
        while len(buffer) < size:
            self._socket.settimeout(self._time_left_s())
            data = self._socket.recv(65_536)
            if not data:
                raise ClosedError(is_sent=self._is_sent)
            buffer += data
        taken = bytes(buffer[:size])
        del buffer[:size]
        return taken

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(self._time_left_s())
        self._socket.sendall(data)

    def _time_left_s(self) -> float:
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def _frame(flags: int, body: bytes) -> bytes:
    size = len(body)
    if size <= 0xFF:  # noqa: PLR2004 - what fits a byte
        return bytes((flags, size)) + body
    return bytes((flags | LONG,)) + size.to_bytes(8, "big") + body


def _reply(parts: list[bytes]) -> bytes:
    if len(parts) != 2 or parts[0]:  # noqa: PLR2004 - the empty frame of the envelope, and the text
        raise ZmtpError(f"a reply of {len(parts)} frames")
    return parts[1]
