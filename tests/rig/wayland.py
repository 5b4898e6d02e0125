"""A keyboard for a Wayland compositor: the few messages of the protocol that it takes.

The compositor believes in a real keyboard with the usual layout.  Everything is asked for
and awaited one after the other, so a key has been dealt with when the call returns.
"""

import array
import os
import socket
import struct
import time
from pathlib import Path
from types import TracebackType
from typing import Self

KEYMAP = """\
xkb_keymap {
  xkb_keycodes { include "evdev+aliases(qwerty)" };
  xkb_types { include "complete" };
  xkb_compat { include "complete" };
  xkb_symbols { include "pc+us+inet(evdev)" };
};
"""
ANSWERS_WITHIN_S = 20.0
EVDEV_TO_X = 8
"""A code of X is that of the kernel and this."""

DISPLAY, REGISTRY = 1, 2
DISPLAY_ERROR, DISPLAY_DELETE = 0, 1
DISPLAY_SYNC, DISPLAY_GET_REGISTRY = 0, 1
REGISTRY_BIND = 0
MANAGER_CREATE = 0
KEYBOARD_KEYMAP, KEYBOARD_KEY = 0, 1
XKB_V1 = 1


class WaylandError(Exception):
    """The compositor refused something, or has gone."""


class VirtualKeyboard:
    """A keyboard that is plugged in for as long as the ``with`` block runs.

    Args:
        path: The socket of the compositor.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWERS_WITHIN_S)
        self._socket.connect(str(path))
        self._received = b""
        self._last_id = REGISTRY
        self._globals: dict[str, int] = {}
        self._send(DISPLAY, DISPLAY_GET_REGISTRY, struct.pack("=I", REGISTRY))
        self._settle()
        seat = self._bind("wl_seat")
        manager = self._bind("zwp_virtual_keyboard_manager_v1")
        self._keyboard = self._new_id()
        self._send(manager, MANAGER_CREATE, struct.pack("=II", seat, self._keyboard))
        self._plug_in()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def press(self, code: int) -> None:
        """Push a key down, by its code in X."""
        self._key(code, is_down=True)

    def release(self, code: int) -> None:
        """Let a key go."""
        self._key(code, is_down=False)

    def _key(self, code: int, *, is_down: bool) -> None:
        now_ms = int(time.monotonic() * 1000) & 0xFFFFFFFF
        values = struct.pack("=III", now_ms, code - EVDEV_TO_X, is_down)
        self._send(self._keyboard, KEYBOARD_KEY, values)
        self._settle()

    def _plug_in(self) -> None:
        """Tell the layout."""
        data = KEYMAP.encode() + b"\0"
        handle = os.memfd_create("keymap")
        try:
            os.write(handle, data)
            values = struct.pack("=II", XKB_V1, len(data))
            self._send(self._keyboard, KEYBOARD_KEYMAP, values, handle)
            self._settle()
        finally:
            os.close(handle)

    def _bind(self, interface: str) -> int:
        """Get hold of something that the compositor offers."""
        if interface not in self._globals:
            raise WaylandError(f"the compositor has no {interface}")
        made = self._new_id()
        name = interface.encode() + b"\0"
        padded = name.ljust((len(name) + 3) // 4 * 4, b"\0")
        values = struct.pack("=II", self._globals[interface], len(name)) + padded
        self._send(REGISTRY, REGISTRY_BIND, values + struct.pack("=II", 1, made))
        return made

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _send(self, target: int, opcode: int, values: bytes, handle: int | None = None) -> None:
        header = struct.pack("=II", target, (8 + len(values)) << 16 | opcode)
        attached = [] if handle is None else [handle]
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", attached))]
        self._socket.sendmsg([header + values], rights if attached else [])

    def _settle(self) -> None:
        """Wait until the compositor has dealt with everything that was sent."""
        callback = self._new_id()
        self._send(DISPLAY, DISPLAY_SYNC, struct.pack("=I", callback))
        while True:
            target, opcode, values = self._next()
            if target == callback:
                return
            if target == REGISTRY:
                number, length = struct.unpack_from("=II", values)
                self._globals[values[8 : 7 + length].decode()] = number
            elif target == DISPLAY and opcode == DISPLAY_ERROR:
                raise WaylandError(repr(values[12:]))

    def _next(self) -> tuple[int, int, bytes]:
        target, rest = struct.unpack("=II", self._take(8))
        return target, rest & 0xFFFF, self._take((rest >> 16) - 8)

    def _take(self, length: int) -> bytes:
        while len(self._received) < length:
            more = self._socket.recv(65536)
            if not more:
                raise WaylandError("the compositor has gone")
            self._received += more
        taken, self._received = self._received[:length], self._received[length:]
        return taken
