"""Turns what the user says into words, while it is being said.

Rules
1. Decoding happens in worker processes (``recogniser.py``).  The first is started when
   somebody first speaks; they are kept and used again.
2. A worker has one turn at a time.  Where all are busy, a turn waits and its audio is
   kept.
3. A long turn, or one whose audio pauses, is recognised in segments, so that nobody
   keeps a worker for himself.
4. A turn that nobody waits for any more is dropped, also in the worker.
5. Without pocketsphinx, or when a worker dies, the words are unknown: ``None``.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol, Self, cast

from voiced.audio.pcm import Resampler
from voiced.local.formats import BYTES_PER_MS, PCM_RATE_HZ
from voiced.local.recogniser import HEADER, NOT_INSTALLED

logger = logging.getLogger(__name__)

RECOGNISER_RATE_HZ: Final = 16_000
MAX_WORKERS: Final = max(1, min(4, os.cpu_count() or 1))
LONGEST_TURN_MS: Final = 120_000
"""What of a longer turn comes later is not transcribed."""
PIECE_BYTES: Final = 100 * BYTES_PER_MS
SEGMENT_BYTES: Final = 30_000 * BYTES_PER_MS
PAUSE_S: Final = 3.0
"""A client that stops sending in the middle of a turn has to give its worker back."""
STOP_S: Final = 0.3


class Listener(Protocol):
    """Hears one turn of the user."""

    def hear(self, pcm: bytes) -> None:
        """Take the next samples, 24 kHz."""

    def finish(self) -> None:
        """Note that the turn is over."""

    async def words(self) -> str | None:
        """Recognise as the samples come, and return the words when the turn is over.

        Returns:
            The words, empty when there were none, ``None`` when they are unknown.
        """


class Ears(Protocol):
    """Hears turns."""

    def listen(self) -> Listener:
        """Begin to hear a turn."""


class Worker:
    """One recogniser process.

    Attributes:
        is_usable: It has not ended.
        is_missing: It ended because pocketsphinx is not installed.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        # They were asked for when the process was started.
        self._frames = cast("asyncio.StreamWriter", process.stdin)
        self._answers = cast("asyncio.StreamReader", process.stdout)
        self._turns = 0
        self.is_usable = True
        self.is_missing = False

    @classmethod
    async def start(cls) -> Self:
        """Start a process; it loads its models while it is already taking audio."""
        program = Path(__file__).with_name("recogniser.py")
        # -P keeps this package's folder, with its errors.py and items.py, off the path.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(program),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return cls(process)

    async def transcribe(self, pieces: AsyncGenerator[bytes, None]) -> str | None:
        """Return the words of a turn, ``None`` when the process has ended."""
        self._turns += 1
        name = str(self._turns)
        is_open = False
        try:
            # Whoever is cancelled in the middle of the next line has opened the turn.
            is_open = True
            await self._send(b"S", name.encode())
            async with aclosing(pieces):
                async for piece in pieces:
                    await self._send(b"A", piece)
            await self._send(b"E")
            is_open = False
            return await self._answer(name)
        except ConnectionError:
            await self._report_end()
            return None
        finally:
            if is_open and self.is_usable:
                self._frames.write(HEADER.pack(b"X", 0))

    async def stop(self) -> None:
        """End the process."""
        self._frames.close()
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _send(self, kind: bytes, data: bytes = b"") -> None:
        self._frames.write(HEADER.pack(kind, len(data)) + data)
        await self._frames.drain()

    async def _answer(self, name: str) -> str | None:
        # An answer with another name is to a turn that was dropped too late.
        while line := await self._answers.readline():
            answer = json.loads(line)
            if answer["name"] == name:
                return str(answer["words"])
        await self._report_end()
        return None

    async def _report_end(self) -> None:
        self.is_usable = False
        self._frames.close()
        status = await self._process.wait()
        self.is_missing = status == NOT_INSTALLED
        if self.is_missing:
            logger.warning(
                "pocketsphinx is not installed, so nothing said can be made out: "
                "pip install 'voiced[local]'"
            )
        else:
            logger.warning("the speech recogniser ended with status %s", status)


class SphinxEars:
    """The workers and who may use them.

    Use as an async context manager: leaving it ends the workers.
    """

    def __init__(self, *, max_workers: int = MAX_WORKERS) -> None:
        self._free = asyncio.Semaphore(max_workers)
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._is_deaf = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._all))

    def listen(self) -> "Turn":
        """Begin to hear a turn."""
        return Turn(self)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker | None]:
        """Lend a worker, ``None`` when there can be none."""
        async with self._free:
            if self._is_deaf:
                yield None
                return
            try:
                worker = self._idle.pop() if self._idle else await Worker.start()
            except OSError as exc:
                logger.warning("the speech recogniser cannot be started: %s", exc.strerror)
                yield None
                return
            self._all.add(worker)
            try:
                yield worker
            finally:
                self._take_back(worker)

    def _take_back(self, worker: Worker) -> None:
        if worker.is_usable:
            self._idle.append(worker)
        else:
            self._all.discard(worker)
            self._is_deaf = self._is_deaf or worker.is_missing


class Turn:
    """One turn on its way to a worker."""

    def __init__(self, ears: SphinxEars) -> None:
        self._ears = ears
        self._resampler = Resampler(PCM_RATE_HZ, RECOGNISER_RATE_HZ)
        self._waiting = bytearray()
        self._heard_bytes = 0
        self._is_over = False
        self._changed = asyncio.Event()

    def hear(self, pcm: bytes) -> None:
        """Take the next samples."""
        if self._heard_bytes < LONGEST_TURN_MS * BYTES_PER_MS:
            self._heard_bytes += len(pcm)
            self._waiting += pcm
            self._changed.set()

    def finish(self) -> None:
        """Note that the turn is over."""
        self._is_over = True
        self._changed.set()

    async def words(self) -> str | None:
        """Recognise as the samples come, and return the words when the turn is over."""
        found: list[str] = []
        while await self._has_more():
            async with self._ears.worker() as worker:
                words = None if worker is None else await worker.transcribe(self._segment())
            if words is None:
                return None
            found.append(words)
        return " ".join(filter(None, found))

    async def _has_more(self) -> bool:
        while not self._waiting and not self._is_over:
            await self._change()
        return bool(self._waiting)

    async def _segment(self) -> AsyncGenerator[bytes, None]:
        """Yield samples until the turn is over or pauses, or a worker has had enough."""
        given = 0
        while given < SEGMENT_BYTES:
            if self._waiting:
                piece = bytes(self._waiting[:PIECE_BYTES])
                del self._waiting[:PIECE_BYTES]
                given += len(piece)
                yield self._resampler.process(piece)
            elif self._is_over or not await self._change_within(PAUSE_S):
                break
        yield self._resampler.finish()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _change_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._change()
        except TimeoutError:
            return False
        return True
