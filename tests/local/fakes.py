"""Stand-ins for what a server is made of: they satisfy the same Protocols and act."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence

import numpy as np

from voiced.local.brain import Brain, Line
from voiced.local.errors import ReplyError
from voiced.local.formats import BYTES_PER_MS, PCM_RATE_HZ
from voiced.local.scene import Equipment
from voiced.local.voice import Sound, Voice

MS_PER_CHARACTER = 10
"""How long ``Tones`` takes for each character of a text."""


def tone(length_ms: float, *, hz: float = 440.0, amplitude: int = 8000) -> bytes:
    """Return a tone at 24 kHz."""
    time = np.arange(round(length_ms * PCM_RATE_HZ / 1000)) / PCM_RATE_HZ
    return (np.sin(2 * np.pi * hz * time) * amplitude).astype("<i2").tobytes()


def silence(length_ms: float) -> bytes:
    """Return silence at 24 kHz."""
    return bytes(round(length_ms * BYTES_PER_MS))


class Loudness:
    """A detector that takes everything loud for speech."""

    window_frames = 512

    def speech(self, window: bytes) -> float:
        """Return 1 for a loud window."""
        loudest = int(np.abs(np.frombuffer(window, dtype="<i2").astype(np.int32)).max())
        return 1.0 if loudest > 1000 else 0.0

    def forget(self) -> None:
        """Nothing to forget: each window stands for itself."""


class Note:
    """A listener that is told what it has heard.

    Attributes:
        pcm: Everything it was given.
    """

    def __init__(self, words: str | None, can_tell: asyncio.Event) -> None:
        self.pcm = b""
        self._words = words
        self._can_tell = can_tell
        self._is_over = asyncio.Event()

    def hear(self, pcm: bytes) -> None:
        """Take samples."""
        self.pcm += pcm

    def finish(self) -> None:
        """Note the end of the turn."""
        self._is_over.set()

    async def words(self) -> str | None:
        """Return the words once the turn is over."""
        await self._is_over.wait()
        await self._can_tell.wait()
        return self._words


class Notes:
    """Ears that know beforehand what will be said.

    Args:
        words: What each turn will have been; ``None`` for what cannot be made out, and
            for everything after the last.

    Attributes:
        listeners: One for each turn so far.
        can_tell: Cleared, the words are not told until it is set.
    """

    def __init__(self, *words: str | None) -> None:
        self._words = deque(words)
        self.listeners: list[Note] = []
        self.can_tell = asyncio.Event()
        self.can_tell.set()

    def listen(self) -> Note:
        """Begin to hear a turn."""
        note = Note(self._words.popleft() if self._words else None, self.can_tell)
        self.listeners.append(note)
        return note


class Tones:
    """A voice that hums: ten milliseconds for each character.

    Attributes:
        asked: What it was asked to say, with the voice and the speed.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, float]] = []

    async def speak(self, text: str, voice: str, speed: float) -> Sound:
        """Return a tone."""
        self.asked.append((text, voice, speed))
        return Sound(PCM_RATE_HZ, tone(len(text) * MS_PER_CHARACTER))


class Script:
    """A brain that says what is written.

    Args:
        replies: The pieces of each reply.

    Attributes:
        given: The conversation and the instructions of each reply.
    """

    def __init__(self, *replies: Sequence[str]) -> None:
        self._replies = deque(replies)
        self.given: list[tuple[list[Line], str]] = []

    async def reply(self, lines: Sequence[Line], instructions: str) -> AsyncGenerator[str, None]:
        """Yield the next reply."""
        self.given.append((list(lines), instructions))
        for piece in self._replies.popleft() if self._replies else ("Yes.",):
            yield piece


class Thinking:
    """A brain that says something and then thinks until it is stopped.

    Attributes:
        is_thinking: It has said what it has to say.
        is_stopped: It was stopped.
    """

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces
        self.is_thinking = asyncio.Event()
        self.is_stopped = asyncio.Event()

    async def reply(self, lines: Sequence[Line], instructions: str) -> AsyncGenerator[str, None]:
        """Yield what it has to say, and wait."""
        try:
            for piece in self._pieces:
                yield piece
            self.is_thinking.set()
            await asyncio.Event().wait()
        finally:
            self.is_stopped.set()


class Failing:
    """A brain, or a voice, that fails."""

    async def reply(self, lines: Sequence[Line], instructions: str) -> AsyncGenerator[str, None]:
        """Yield a sentence and fail."""
        yield "This much I know. "
        raise ReplyError("brain_failed", "The rest has slipped my mind.")

    async def speak(self, text: str, voice: str, speed: float) -> Sound:
        """Fail."""
        raise ReplyError("voice_failed", "Hoarse.")


def equipment(
    *,
    ears: Notes | None = None,
    voice: Voice | None = None,
    brain: Brain | None = None,
    make_detector: Callable[[], Loudness] = Loudness,
    pace: float = 0.0,
) -> Equipment:
    """Return the equipment of a server that needs nothing and waits for nothing."""
    return Equipment(make_detector, ears or Notes(), voice or Tones(), brain or Script(), pace)
