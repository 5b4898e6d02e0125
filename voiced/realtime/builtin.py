"""The built-in Realtime server as a child process, started when it is first needed.

Rules
1. The child serves on a unix socket inside our private runtime directory.
2. It ends when we do, however we end: it watches its standard input.
3. A child that died is started again by the next attempt to connect; how often that
   happens is the conversation's backoff, not ours.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Final

from voiced.settings import Local

logger = logging.getLogger(__name__)

START_WITHIN_S: Final = 15.0
STOP_WITHIN_S: Final = 2.0


LONGEST_WORDS: Final = 4096
"""Of a longer line of its log only the end is shown."""


class BuiltinError(Exception):
    """The built-in server does not run; the text is what it said last."""

    def __init__(self, message: str, *, is_final: bool) -> None:
        super().__init__(message)
        self.is_final = is_final
        """It will not start next time either."""


class BuiltinServer:
    """The child process.

    Args:
        path: The unix socket it serves on.
        settings: Its brain.
        tasks: Owns the task that reads what the child writes.
    """

    def __init__(self, path: Path, settings: Local, tasks: asyncio.TaskGroup) -> None:
        self.path = path
        self.settings = settings
        self._tasks = tasks
        self._process: asyncio.subprocess.Process | None = None
        self._started_with: Local | None = None
        self._last_words = ""

    @property
    def pid(self) -> int | None:
        """Return the child's process id, or None when it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def wait(self) -> None:
        """Wait until the child has ended."""
        if self._process is not None:
            await self._process.wait()

    async def ensure(self) -> Path:
        """Return the socket of a running server, starting one if need be.

        Raises:
            BuiltinError: It did not start.
        """
        if self.pid is not None and self._started_with == self.settings:
            return self.path
        await self.stop()
        await self._start()
        return self.path

    async def stop(self) -> None:
        """End the child; it gets a moment to do so in order."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _start(self) -> None:
        arguments = ["--unix", str(self.path), "--watch-parent", "--brain", self.settings.brain]
        if self.settings.brain_model:
            arguments += ["--brain-model", self.settings.brain_model]
        environment = {k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"}
        self._last_words = ""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "voiced.local",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        self._process, self._started_with = process, self.settings
        reader = self._tasks.create_task(self._read_words(process), name="built-in server's log")
        try:
            async with asyncio.timeout(START_WITHIN_S):
                ready = await _first_line(process)
        except TimeoutError:
            await self.stop()
            raise BuiltinError(
                f"no sign of life for {START_WITHIN_S:g} s", is_final=False
            ) from None
        except asyncio.CancelledError:
            # Whoever asked has gone; the next one must not find a server that is half up.
            self._process = None
            process.kill()
            raise
        if not ready:
            status = await process.wait()
            await reader
            message = self._last_words or f"it ended with status {status}"
            raise BuiltinError(message, is_final=True)
        logger.info("the built-in server is ready")

    async def _read_words(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None  # noqa: S101 - asked for above
        rest = b""
        while chunk := await process.stderr.read(LONGEST_WORDS):
            *lines, rest = (rest + chunk).split(b"\n")
            rest = rest[-LONGEST_WORDS:]
            for line in lines:
                self._last_words = line[-LONGEST_WORDS:].decode(errors="replace").strip()
                logger.info("built-in server: %s", self._last_words)


async def _first_line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 - asked for above
    return await process.stdout.readline()
