"""Asks the daemon one thing; every verb that asks goes through here.

A key press runs through this module, so it imports next to nothing.
"""

import os
import time

from voicectl import tinyjson, zmtp
from voicectl.outcome import (
    NOT_RUNNING,
    CommandError,
    NoAnswerError,
    NotRunningError,
    RefusedError,
    TooLongError,
    VersionError,
)
from voiced import __version__
from voiced.control.place import runtime_directory
from voiced.control.protocol import CONTROL_SOCKET, EXIT_CODES, MAX_REQUEST_BYTES, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

TIMEOUT_S: "Final" = 5.0
MAX_REPLY_BYTES: "Final" = 1 << 24
ATTEMPTS: "Final" = 3
"""How often a connection is made; a daemon that is restarted hangs up on its visitors."""
NEWBORN_NS: "Final" = 500_000_000
"""An older process was something else before it became voicectl, or is used by a person."""
EDGE_NEWBORN_NS: "Final" = 60_000_000_000
"""The same for the edges of a key.  On a busy machine they wait for long to run, and a press
that lost the time of its key would come after the release and open the microphone again."""
START_FIELD: "Final" = 19
"""Place of the start time among the fields of /proc/self/stat behind the name."""


def ask(verb: str, args: dict[str, str], timeout_s: float = TIMEOUT_S) -> "dict[str, Any]":
    """Send a request and return the result.

    Raises:
        CommandError: It was not done; the class says why.
    """
    return result_of(ask_for_reply(verb, args, timeout_s))


def ask_for_reply(verb: str, args: dict[str, str], timeout_s: float) -> "dict[str, Any]":
    """Send a request and return the reply, which may be a refusal.

    Raises:
        CommandError: There is none that can be used.
    """
    until_s = time.monotonic() + timeout_s
    began_ns = started_ns(EDGE_NEWBORN_NS if verb == "ptt" else NEWBORN_NS)
    data = encode(verb, args, began_ns, int(timeout_s * 1000))
    return decode(_exchanged(_socket_path(), data, until_s))


def encode(verb: str, args: dict[str, str], began_ns: int, deadline_ms: int) -> bytes:
    """Write a request.

    Raises:
        TooLongError: The daemon would not take it.
    """
    fields = {"v": VERSION, "id": str(os.getpid()), "verb": verb, "args": args}
    fields |= {"t": began_ns, "deadline_ms": deadline_ms}
    # Plain characters, not escapes: a long text stays as short as it is.
    data = tinyjson.dumps(fields, is_ascii=False).encode()
    if len(data) > MAX_REQUEST_BYTES:
        raise TooLongError(f"too long: at most {MAX_REQUEST_BYTES} bytes are taken")
    return data


def decode(data: bytes) -> "dict[str, Any]":
    """Read a reply.

    Raises:
        VersionError: It cannot be understood, or is that of another version.
    """
    try:
        reply = tinyjson.loads(data.decode())
    except ValueError as error:
        raise VersionError(f"voiced said something that cannot be read: {error}") from error
    if not isinstance(reply, dict):
        raise VersionError("voiced said something that is no reply")
    check_version(reply)
    return reply


def result_of(reply: "dict[str, Any]") -> "dict[str, Any]":
    """Return the result of a reply.

    Raises:
        RefusedError: There is none; it says why nothing was done.
        VersionError: There is neither a result nor a reason.
    """
    if reply.get("ok") is True:
        result = reply.get("result")
        return result if isinstance(result, dict) else {}
    error = reply.get("error")
    if not isinstance(error, dict):
        raise VersionError("voiced said something that is neither a result nor an error")
    code, message, hint = (str(error.get(name) or "") for name in ("code", "message", "hint"))
    raise RefusedError(message or code, hint, EXIT_CODES.get(code))


def check_version(reply: "dict[str, Any]") -> None:
    """Refuse a reply of another version.

    The version of the protocol must be ours.  So must the program's but for its last
    number: what the verbs mean may change with the others, and a daemon that still runs
    after an upgrade is found out by the first key.

    Raises:
        VersionError: It is another one.
    """
    theirs, version = str(reply.get("voiced") or ""), reply.get("v")
    if version != VERSION:
        raise VersionError(
            f"voiced {theirs or '(of unknown version)'} speaks version {version} of the control"
            f" protocol, this voicectl {__version__} speaks {VERSION}",
            theirs,
        )
    if theirs and _series(theirs) != _series(__version__):
        raise VersionError(
            f"voiced {theirs} is running, but this is voicectl {__version__}", theirs
        )


def started_ns(newborn_ns: int = NEWBORN_NS) -> int:
    """Return when this process began, by CLOCK_MONOTONIC.

    Of two processes, the one that was started first has the smaller figure, however late
    either of them got to run.

    Args:
        newborn_ns: An older process is taken to begin now.
    """
    now_ns = time.monotonic_ns()
    slept_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - now_ns
    try:
        ticks_hz = os.sysconf("SC_CLK_TCK")
        return birth_ns(_own_stat(), ticks_hz, now_ns, slept_ns, newborn_ns)
    except (OSError, ValueError, IndexError):
        # Without /proc, or with one that says something else, the clock has to do.
        return now_ns


def birth_ns(
    stat: bytes, ticks_hz: int, now_ns: int, slept_ns: int, newborn_ns: int = NEWBORN_NS
) -> int:
    """Return the start of a process by its /proc/PID/stat.

    The kernel tells it in ticks of 10 ms, too coarse for a tap on a key.  Inside of a tick
    the process id tells who came first: ids are given out in turn.

    Args:
        stat: What the file says.
        ticks_hz: How many ticks a second has.
        now_ns: CLOCK_MONOTONIC; returned for a process that is not new.
        slept_ns: How far CLOCK_BOOTTIME, by which ticks are counted, is ahead of it.
        newborn_ns: An older process is not new.
    """
    ticks = int(stat.rsplit(b")", 1)[1].split()[START_FIELD])
    tick_ns = 1_000_000_000 // ticks_hz
    # Rounded, so that two processes which read the clocks differently agree.
    slept_ticks = (slept_ns + tick_ns // 2) // tick_ns
    # An id is less than 2^22, so twice as many nanoseconds are less than a tick.
    born_ns = (ticks - slept_ticks) * tick_ns + 2 * int(stat.split(b" ", 1)[0])
    return born_ns if now_ns - newborn_ns < born_ns < now_ns + newborn_ns else now_ns


def _own_stat() -> bytes:
    descriptor = os.open("/proc/self/stat", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def _socket_path() -> str:
    try:
        return f"{runtime_directory(os.environ)}/{CONTROL_SOCKET}"
    except ValueError as error:
        raise CommandError(str(error), status=NOT_RUNNING) from error


def _exchanged(path: str, data: bytes, until_s: float) -> bytes:
    for _ in range(ATTEMPTS):
        try:
            return zmtp.Exchange(path, until_s, MAX_REPLY_BYTES).run(data)
        except zmtp.ClosedError as error:
            # What has been sent may have been done: toggling twice would undo it.
            if error.is_sent:
                raise NoAnswerError("voiced hung up without an answer") from error
        except TimeoutError as error:
            raise NoAnswerError from error
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunningError from error
        except zmtp.ZmtpError as error:
            raise VersionError(f"what serves {path} cannot be understood: {error}") from error
        except OSError as error:
            what = f"cannot reach voiced at {path}: {error.strerror or error}"
            raise CommandError(what, status=NOT_RUNNING) from error
    raise NoAnswerError("voiced hung up without an answer")


def _series(version: str) -> list[str]:
    """Return major and minor."""
    return version.split(".")[:2]
