"""Asks the daemon, and listens to it for as long as it is there."""

import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from voicectl import exchange
from voicectl.link import Link
from voicectl.outcome import FALSE, NotRunningError, VersionError, complain
from voiced.control.directory import runtime_directory
from voiced.control.messages import Failure, Reply, reply_of
from voiced.control.protocol import CONTROL_SOCKET, EXIT_CODES
from voiced.errors import ConfigError, WireError


def directory() -> Path:
    """Return where the sockets are."""
    return runtime_directory(os.environ)


def wait_until_gone(until_s: float | None) -> bool:
    """Wait until no daemon serves the control socket; false when it is still there.

    Args:
        until_s: Monotonic time at which to stop; None waits for ever.
    """
    while until_s is None or time.monotonic() < until_s:
        try:
            with _connected() as probe:
                probe.settimeout(
                    None if until_s is None else max(0.001, until_s - time.monotonic())
                )
                # The end of the connection is the end of the daemon, or of its patience
                # with somebody who says nothing: then it is asked once more.
                while probe.recv(4096):
                    continue
        except NotRunningError:
            return True
        except ConnectionResetError:
            continue
        except TimeoutError:
            return False
    return False


def ask(verb: str, args: dict[str, str], timeout_s: float) -> Reply:
    """Send a request and wait for its reply.

    Raises:
        CommandError: There is none that can be used; the class says why.
    """
    reply = exchange.ask_for_reply(verb, args, timeout_s)
    try:
        return reply_of(reply)
    except WireError as error:
        raise VersionError(str(error)) from error


def listen(until_s: float | None = None) -> Iterator[dict[str, Any]]:
    """Yield what the daemon publishes; the present state comes first.

    Args:
        until_s: Monotonic time at which to stop; None listens for ever.

    Raises:
        NotRunningError: The daemon is not there, or not any more.
        VersionError: It said something that cannot be read.
    """
    link = Link(directory())
    try:
        while True:
            for notice in link.advance():
                if notice.get("state") == "stopped":
                    raise NotRunningError
                yield notice
            left_s = None if until_s is None else until_s - time.monotonic()
            if left_s is not None and left_s <= 0.0:
                return
            waits = [each for each in (link.timeout_s, left_s) if each is not None]
            select.select(link.descriptors, [], [], min(waits, default=None))
    finally:
        link.close()


def refused(failure: Failure) -> int:
    """Say why something was not done, and return the exit status."""
    complain(failure.message, failure.hint)
    return EXIT_CODES.get(failure.code, FALSE)


@contextmanager
def _connected() -> Iterator[socket.socket]:
    """Give a plain connection to the control socket."""
    path = directory() / CONTROL_SOCKET
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunningError from error
        except OSError as error:
            what = error.strerror or str(error)
            raise ConfigError(f"cannot reach voiced at {path}: {what}") from error
        yield probe
