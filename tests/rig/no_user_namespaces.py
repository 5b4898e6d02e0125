"""Runs a command that cannot make user namespaces, as some systems have it for everybody.

``python3 no_user_namespaces.py COMMAND...``; as root, because the filter is to stay when
the user changes.
"""

import ctypes
import os
import struct
import sys
from typing import Final

UNSHARE: Final = {"x86_64": 272, "aarch64": 97}
"""Number of unshare(2), which the service manager uses."""
CLONE_NEWUSER: Final = 0x10000000
EPERM: Final = 1

LOAD, JUMP_IF_EQUAL, JUMP_IF_BITS, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | EPERM
NUMBER_AT, ARGUMENT_AT = 0, 16
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2


def main() -> None:
    """Forbid them and become the command."""
    steps = (
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_IF_EQUAL, 0, 3, UNSHARE[os.uname().machine]),
        (LOAD, 0, 0, ARGUMENT_AT),
        (JUMP_IF_BITS, 0, 1, CLONE_NEWUSER),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(program), 0, 0):
        sys.exit(f"no filter: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - that is what it is for


if __name__ == "__main__":
    main()
