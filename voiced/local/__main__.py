"""Runs the built-in Realtime server alone: ``python -m voiced.local``.

The first line on standard output says where it is.  Exit status: 0 after SIGTERM or
SIGINT, 1 when the address cannot be had, 2 for bad arguments, 78 when something that
was asked for is not installed.
"""

import argparse
import asyncio
import ipaddress
import logging
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from voiced.audio.vad import make_detector, silero_runs
from voiced.errors import ConfigError
from voiced.local.brain import Brain
from voiced.local.ears import SphinxEars
from voiced.local.parrot import Parrot
from voiced.local.scene import Equipment
from voiced.local.server import MAX_SESSION_S, LocalServer
from voiced.local.voice import PROGRAMS, find_voice

logger = logging.getLogger(__name__)

NO_ADDRESS: Final = 1
BAD_ARGUMENTS: Final = 2
NOT_INSTALLED: Final = 78
LAST_PORT: Final = 65_535
PARROT: Final = "parrot"
KEY_VARIABLE: Final = "VOICED_BRAIN_KEY"


class Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments and leave."""
        self.exit(BAD_ARGUMENTS, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server and return the exit status."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    _check(parser, options)
    logging.basicConfig(
        level=options.log_level.upper(), format="%(levelname)s %(name)s: %(message)s"
    )
    for name in ("httpx", "httpcore"):
        # Their messages quote addresses, which may hold a password.
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        asyncio.run(run(options))
    except ConfigError as exc:
        print(f"{parser.prog}: {exc}", file=sys.stderr)
        return NOT_INSTALLED
    except OSError as exc:
        print(f"{parser.prog}: {exc}", file=sys.stderr)
        return NO_ADDRESS
    return 0


def make_parser() -> Parser:
    """Return what reads the command line."""
    parser = Parser(prog="voiced.local", description="The built-in Realtime server.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to serve on (default: %(default)s)")
    add("--port", type=int, default=0, help="port to serve on; 0 takes a free one")
    add("--unix", type=Path, metavar="PATH", help="serve on a unix socket instead")
    add("--allow-remote", action="store_true", help="allow an address that others can reach")
    add(
        "--brain",
        default=PARROT,
        help=f"'parrot', or the base URL of a chat completions server; its key: ${KEY_VARIABLE}",
    )
    add("--brain-model", default="default", metavar="NAME", help="the chat server's model")
    add("--voice", choices=[*PROGRAMS, "none"], help="the program that speaks")
    add("--pace", type=float, default=4.0, help="times real time that audio is sent; 0: at once")
    add("--max-session-s", type=float, default=MAX_SESSION_S, help="longest session, seconds")
    add("--watch-parent", action="store_true", help="exit when standard input is closed")
    add("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    return parser


async def run(options: argparse.Namespace) -> None:
    """Serve until a signal comes, or the parent goes.

    Raises:
        ConfigError: Something that was asked for is not installed.
        OSError: The address cannot be had.
    """
    async with AsyncExitStack() as stack:
        equipment = await _equip(options, stack)
        server = LocalServer(equipment, max_session_s=options.max_session_s)
        over = asyncio.Event()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signal_number, over.set)
        if options.watch_parent:
            await stack.enter_async_context(_parent_watched(over))
        serving = (
            server.on_unix(options.unix)
            if options.unix
            else server.on_tcp(options.host, options.port)
        )
        address = await stack.enter_async_context(serving)
        print(address, flush=True)
        logger.info("serving on %s", address)
        await over.wait()
        logger.info("stopping")


def _check(parser: Parser, options: argparse.Namespace) -> None:
    """Refuse arguments that make no sense, in one line."""
    if not 0 <= options.port <= LAST_PORT:
        parser.error(f"--port must be between 0 and {LAST_PORT}")
    if not 0 <= options.pace < float("inf"):
        parser.error("--pace must be 0 or more")
    if not 0 < options.max_session_s < float("inf"):
        parser.error("--max-session-s must be more than 0")
    if options.brain != PARROT and not _is_web_address(options.brain):
        parser.error("--brain must be 'parrot' or an http:// or https:// address")
    if not options.unix and not options.allow_remote and not _is_loopback(parser, options.host):
        parser.error(
            f"others can reach {options.host} and there is no authentication; "
            "--allow-remote serves there all the same"
        )
    if options.watch_parent and not _stdin_can_close():
        parser.error("--watch-parent needs a pipe as standard input")


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_loopback(parser: Parser, host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        parser.error(f"--host: no such address: {host}")
    return all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)


def _stdin_can_close() -> bool:
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(0)


async def _equip(options: argparse.Namespace, stack: AsyncExitStack) -> Equipment:
    voice = find_voice(options.voice)
    brain: Brain = Parrot() if options.brain == PARROT else _chat_brain(options, stack)
    ears = await stack.enter_async_context(SphinxEars())
    await asyncio.to_thread(silero_runs)  # loads it now, before somebody waits
    return Equipment(make_detector, ears, voice, brain, options.pace)


def _chat_brain(options: argparse.Namespace, stack: AsyncExitStack) -> Brain:
    try:
        from voiced.local.chat import ChatBrain  # noqa: PLC0415 - needs an extra
    except ImportError as exc:
        raise ConfigError(
            "--brain with an address needs httpx: pip install 'voiced[local]'"
        ) from exc
    brain = ChatBrain(options.brain, model=options.brain_model, key=os.environ.get(KEY_VARIABLE))
    stack.push_async_callback(brain.close)
    return brain


class _EndOfInput(asyncio.Protocol):
    """Sets an event when the other end of a pipe is closed."""

    def __init__(self, over: asyncio.Event) -> None:
        self._over = over

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self._over.set()


@asynccontextmanager
async def _parent_watched(over: asyncio.Event) -> AsyncIterator[None]:
    """Set the event when standard input is closed, as it is when the parent ends."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: _EndOfInput(over), sys.stdin)
    try:
        yield
    finally:
        transport.close()


if __name__ == "__main__":
    sys.exit(main())
