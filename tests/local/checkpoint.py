"""A place in another program where it tells that it is there, and waits to go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

CODE = """
def checkpoint():
    import os, socket
    with socket.socket(socket.AF_UNIX) as point:
        point.connect({path!r})
        point.sendall(b"%d\\n" % os.getpid())
        point.recv(1)
"""


class Checkpoint:
    """The test's end of it.

    Attributes:
        code: Python source that defines ``checkpoint()``, for the program.
        pid: The program that was there last.
    """

    def __init__(self, path: Path) -> None:
        self.code = CODE.format(path=str(path))
        self.pid = 0
        self._arrived: asyncio.Queue[tuple[int, asyncio.StreamWriter]] = asyncio.Queue()

    async def reached(self) -> None:
        """Wait until a program is there, and let it go on."""
        (await self.held()).close()

    async def held(self) -> asyncio.StreamWriter:
        """Wait until a program is there; it goes on when what is returned is closed."""
        self.pid, writer = await self._arrived.get()
        return writer

    async def arrive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take note of a program."""
        self._arrived.put_nowait((int(await reader.readline()), writer))


@asynccontextmanager
async def checkpoint(folder: Path) -> AsyncIterator[Checkpoint]:
    """Give a checkpoint for programs started while the block runs."""
    path = folder / "at"
    made = Checkpoint(path)
    server = await asyncio.start_unix_server(made.arrive, str(path))
    try:
        yield made
    finally:
        server.close()
