"""Where the sockets are; shared by the daemon and voicectl.

voicectl answers a key press with this module, so it imports next to nothing.
"""

import os

from voiced.control.protocol import DIRECTORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def runtime_directory(environment: "Mapping[str, str]") -> str:
    """Return the directory of the sockets; it need not exist.

    Raises:
        ValueError: There is no place for them; the text says what to do.
    """
    base = environment.get("XDG_RUNTIME_DIR") or ""
    if base and not base.startswith("/"):
        raise ValueError(f"XDG_RUNTIME_DIR = {base} is no absolute path: set it to one")
    if not base:
        base = f"/run/user/{os.getuid()}"
        if not os.path.isdir(base):  # noqa: PTH112 - pathlib takes longer than the whole exchange
            raise ValueError(
                "XDG_RUNTIME_DIR is not set: log in by a session that sets it,"
                " or set it to a private directory"
            )
    return f"{base}/{DIRECTORY}"
