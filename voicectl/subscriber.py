"""The subscriber's half of ZMTP 3 with the NULL mechanism, without the connection: pure.

A program that listens for hours is small when it does not load libzmq, has no threads, and
sees the end of the connection as what it is, the end of the daemon.
"""

from voicectl.zmtp import COMMAND, GREETING, LONG, MECHANISM, MORE, VERSION_AT
from voiced.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

READY: "Final" = b"\x05READY\x0bSocket-Type\0\0\0\x03SUB"
SUBSCRIBE: "Final" = b"\x01"
MAX_FRAME_BYTES: "Final" = 16_777_216
"""Nothing the daemon says comes near it."""


class Subscriber:
    """One connection to a publisher.

    Args:
        topics: What the messages begin with that are wanted.
    """

    def __init__(self, *topics: bytes) -> None:
        self._topics = topics
        self._buffer = bytearray()
        self._is_greeted = False
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Take what has arrived.

        Returns:
            The messages that are complete, and what must be sent now.

        Raises:
            WireError: The other end does not speak ZMTP 3.
        """
        self._buffer += data
        messages: list[bytes] = []
        answer = b""
        if not self._is_greeted:
            if len(self._buffer) < len(GREETING):
                return [], b""
            self._greeted(self._take(len(GREETING)))
            answer += frame(COMMAND, READY)
        while (came := self._next_frame()) is not None:
            flags, body = came
            if flags & COMMAND:
                answer += self._obey(body)
                continue
            self._parts.append(body)
            if not flags & MORE:
                messages.append(b"".join(self._parts))
                self._parts.clear()
        return messages, answer

    def _greeted(self, greeting: bytes) -> None:
        is_zmtp = greeting[0] == GREETING[0] and greeting[9] == GREETING[9]
        is_version_3 = greeting[VERSION_AT] >= GREETING[VERSION_AT]
        if not (is_zmtp and is_version_3 and greeting[MECHANISM] == GREETING[MECHANISM]):
            raise WireError("the daemon does not speak ZMTP 3")
        self._is_greeted = True

    def _obey(self, command: bytes) -> bytes:
        name, body = command[1 : 1 + command[0]], command[1 + command[0] :]
        if name == b"READY":
            # libzmq hangs up on whoever says this before it is ready.
            return b"".join(frame(0, SUBSCRIBE + topic) for topic in self._topics)
        if name == b"PING":
            return frame(COMMAND, b"\x04PONG" + body[2:])
        return b""

    def _next_frame(self) -> tuple[int, bytes] | None:
        if len(self._buffer) < 2:  # noqa: PLR2004 - flags and a short length
            return None
        flags = self._buffer[0]
        head = 9 if flags & LONG else 2
        if len(self._buffer) < head:
            return None
        size = int.from_bytes(self._buffer[1:head], "big")
        if size > MAX_FRAME_BYTES or (flags & COMMAND and not size):
            raise WireError(f"the daemon sent a frame of {size} bytes")
        if len(self._buffer) < head + size:
            return None
        self._take(head)
        return flags, self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def frame(flags: int, body: bytes) -> bytes:
    """Write one short frame."""
    return bytes((flags, len(body))) + body
