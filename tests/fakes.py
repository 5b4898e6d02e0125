"""Shells that remember what they were told, for the runner."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from voiced.audio.capture import MicrophoneFigures
from voiced.audio.playback import SpeakerFigures
from voiced.control.messages import Failure
from voiced.conversation import events as ev
from voiced.conversation.status import Interruption
from voiced.realtime import client_messages as out

Entry = TypeVar("Entry")


class Journal(list[Entry]):
    """A list that a test can wait on."""

    def __init__(self) -> None:
        super().__init__()
        self._written = asyncio.Event()

    def append(self, entry: Entry) -> None:
        """Write an entry."""
        super().append(entry)
        self._written.set()

    async def until(self, condition: Callable[[list[Entry]], bool]) -> None:
        """Wait until the entries fulfil a condition."""
        async with asyncio.timeout(5):
            while not condition(self):
                self._written.clear()
                await self._written.wait()


@dataclass
class FakeSpeaker:
    """A loudspeaker that writes down its calls."""

    calls: Journal[tuple[object, ...]] = field(default_factory=Journal)
    underruns: int = 0

    def open(self) -> None:
        self.calls.append(("open",))

    def close(self) -> None:
        self.calls.append(("close",))

    def play(self, item_id: str, content_index: int, pcm: bytes) -> None:
        self.calls.append(("play", item_id, content_index, pcm))

    def finish(self, item_id: str, content_index: int) -> None:
        self.calls.append(("finish", item_id, content_index))

    def cut(self, number: int) -> None:
        self.calls.append(("cut", number))

    def duck(self, gain_db: float) -> None:
        self.calls.append(("duck", gain_db))

    def hold(self, number: int) -> None:
        self.calls.append(("hold", number))

    def resume(self) -> None:
        self.calls.append(("resume",))

    def check(self) -> None:
        self.calls.append(("check",))

    def figures(self) -> SpeakerFigures:
        return SpeakerFigures("loud", self.underruns, 0, 2)


@dataclass
class FakeMicrophone:
    """A microphone that writes down its calls, and does at once what it is asked."""

    calls: Journal[str] = field(default_factory=Journal)

    def open(self) -> None:
        self.calls.append("open")

    def close(self) -> None:
        self.calls.append("close")

    def call_when_done(self, call: Callable[[], None]) -> None:
        call()

    def check(self) -> None:
        self.calls.append("check")

    def figures(self) -> MicrophoneFigures:
        return MicrophoneFigures("quiet", 4, 0)


@dataclass
class FakeProvider:
    """A provider that writes down what it is asked."""

    calls: Journal[object] = field(default_factory=Journal)
    dropped: int = 5

    def open(self, number: int) -> None:
        self.calls.append(("open", number))

    def close(self) -> None:
        self.calls.append("close")

    def send(self, message: out.ClientMessage) -> None:
        self.calls.append(message)

    def detect_turns(self, event_id: str, *, wanted: bool) -> None:
        self.calls.append(("detect turns", event_id, wanted))


@dataclass
class FakeWords:
    """A record of what was said that writes down its calls."""

    calls: list[tuple[object, ...]] = field(default_factory=list)
    problem: str | None = None

    def said(self, role: str, item_id: str, text: str, *, is_final: bool) -> None:
        self.calls.append(("said", role, item_id, text, is_final))

    def cut(self, item_id: str | None, heard_ms: int, unheard: tuple[str, ...]) -> None:
        self.calls.append(("cut", item_id, heard_ms, unheard))

    def session_over(self) -> None:
        self.calls.append(("session_over",))


@dataclass
class FakeInterruptions:
    """A record of interruptions that writes down its calls."""

    calls: list[tuple[object, ...]] = field(default_factory=list)
    events: list[ev.Event] = field(default_factory=list)
    recorder_s: int = 30

    def happened(self, event: ev.Event) -> None:
        self.events.append(event)

    def ducked(self, gain_db: float) -> None:
        self.calls.append(("ducked", gain_db))

    def silenced(self, *, is_held: bool) -> None:
        self.calls.append(("silenced", is_held))

    def resumed(self) -> None:
        self.calls.append(("resumed",))

    def told(self, interruption: Interruption) -> None:
        self.calls.append(("told", interruption))


@dataclass
class FakeDesktop:
    """A desktop that writes down what it is told."""

    calls: Journal[str] = field(default_factory=Journal)

    def allow_sleep(self) -> None:
        self.calls.append("allow sleep")

    def pause_players(self) -> None:
        self.calls.append("pause players")

    def resume_players(self) -> None:
        self.calls.append("resume players")


@dataclass
class FakePublic:
    """People outside who remember everything."""

    answers: list[tuple[int, dict[str, Any] | None, Failure | None]] = field(default_factory=list)
    notices: Journal[tuple[str, dict[str, Any]]] = field(default_factory=Journal)

    def answer(self, ask: int, result: dict[str, Any] | None, failure: Failure | None) -> None:
        self.answers.append((ask, result, failure))

    def publish(self, event: str, fields: dict[str, Any]) -> None:
        self.notices.append((event, fields))

    def of(self, event: str) -> list[dict[str, Any]]:
        """Return the notices of one kind."""
        return [fields for name, fields in self.notices if name == event]
