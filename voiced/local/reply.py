"""Gives one reply: the brain's words, spoken, sent at the right pace.

Rules
1. A sentence is spoken as soon as the brain has finished it, and sent before the next.
2. Words go out just ahead of their sound.
3. The pace is kept against the clock from the first sound on, so delays do not add up.
4. Whoever stops a reply cancels its task and closes the record, in one step; nothing of
   the reply is sent after that.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from math import inf
from typing import Final, Protocol

from voiced.audio.pcm import Resampler
from voiced.local import events as ev
from voiced.local.brain import Line
from voiced.local.errors import ReplyError
from voiced.local.formats import BYTES_PER_MS, PCM_RATE_HZ, Encoder
from voiced.local.response import Response
from voiced.local.scene import Equipment
from voiced.local.script import Sentences, Word, words_of
from voiced.local.voice import Sound

PIECE_MS: Final = 200
WORDS_AHEAD_MS: Final = 150
"""How far the transcript runs ahead of the sound it goes with."""


class Stage(Protocol):
    """Where a reply takes place."""

    def tell(self, events: Iterable[ev.Event]) -> None:
        """Send events."""

    async def room(self) -> None:
        """Wait until the client has caught up."""

    async def lines(self) -> Sequence[Line]:
        """Return the conversation to reply to, once its words are known."""


@dataclass(slots=True)
class Pacer:
    """Holds sound back so that it leaves at a multiple of real time."""

    pace: float
    started_s: float | None = None

    async def wait(self, sent_ms: float) -> None:
        """Wait until the sound after the first ``sent_ms`` is due."""
        now_s = asyncio.get_running_loop().time()
        if self.started_s is None:
            self.started_s = now_s
        if self.pace > 0:
            due_s = self.started_s + sent_ms / 1000 / self.pace
            await asyncio.sleep(max(0.0, due_s - now_s))


class Reply:
    """One reply on its way."""

    def __init__(self, response: Response, equipment: Equipment, stage: Stage) -> None:
        self.response = response
        self._equipment = equipment
        self._stage = stage
        self._encoder = Encoder(response.manner.audio_format)
        self._pacer = Pacer(equipment.pace)

    @property
    def silent_at_s(self) -> float:
        """Return when a client that plays at once will have played it all."""
        if self._pacer.started_s is None:
            return 0.0
        return self._pacer.started_s + self.response.audio_ms / 1000

    async def give(self) -> ev.StatusDetails:
        """Give the reply and return how it ended."""
        try:
            lines = await self._stage.lines()
            words = self._equipment.brain.reply(lines, self.response.manner.instructions)
            async with aclosing(words):
                await self._perform(words)
        except ReplyError as exc:
            error = ev.StatusError(code=exc.code, message=exc.message)
            return ev.StatusDetails(type="failed", error=error)
        if self._is_full():
            return ev.StatusDetails(type="incomplete", reason="max_output_tokens")
        return ev.StatusDetails(type="completed")

    async def _perform(self, words: AsyncGenerator[str, None]) -> None:
        if self.response.manner.modality == "text":
            await self._write(words)
            return
        sentences = Sentences()
        async for piece in words:
            for sentence in sentences.feed(piece):
                await self._speak(sentence)
            if self._is_full():
                return
        for sentence in sentences.finish():
            await self._speak(sentence)

    async def _write(self, words: AsyncGenerator[str, None]) -> None:
        async for piece in words:
            await self._stage.room()
            self._open()
            self._stage.tell(self.response.write(piece))
            if self._is_full():
                return

    async def _speak(self, sentence: str) -> None:
        if self._is_full():
            return
        manner = self.response.manner
        sound = await self._equipment.voice.speak(sentence, manner.voice, manner.speed)
        blank = " " if self.response.text else ""
        words = words_of(
            blank + sentence, start_ms=self.response.audio_ms, length_ms=sound.length_ms
        )
        for pcm in _pieces(sound):
            await self._pacer.wait(self.response.audio_ms)
            await self._stage.room()
            self._open()
            until_ms = self.response.audio_ms + len(pcm) // BYTES_PER_MS + WORDS_AHEAD_MS
            self._say(words, until_ms, pcm)
            if self._is_full():
                return
        self._open()
        self._say(words, inf, b"")

    def _say(self, words: list[Word], until_ms: float, pcm: bytes) -> None:
        """Send sound, and the words that begin before ``until_ms``."""
        due = [word for word in words if word.start_ms < until_ms]
        del words[: len(due)]
        self._stage.tell(self.response.say(due, pcm, self._encoder.encode(pcm)))

    def _open(self) -> None:
        if not self.response.is_begun:
            self._stage.tell(self.response.begin())

    def _is_full(self) -> bool:
        limit = self.response.manner.max_output_tokens
        return limit is not None and self.response.tokens >= limit


def _pieces(sound: Sound) -> Iterable[bytes]:
    """Yield a sound in short pieces at 24 kHz; the last may be half as long again."""
    resampler = Resampler(sound.rate_hz, PCM_RATE_HZ)
    step = sound.rate_hz * PIECE_MS // 1000 * 2
    size = PIECE_MS * BYTES_PER_MS
    waiting = b""
    for start in range(0, len(sound.pcm), step):
        waiting += resampler.process(sound.pcm[start : start + step])
        if len(waiting) > size + size // 2:
            yield waiting[:size]
            waiting = waiting[size:]
    if sound.pcm:
        yield waiting + resampler.finish()
