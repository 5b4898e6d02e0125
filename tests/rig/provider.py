"""A Realtime server that says exactly what a test tells it to.

It greets, accepts the session's settings and records everything with the time at which
it crossed the socket.  Replies are made of samples the test brings, so that a recording
of the loudspeaker can be compared with them.  A ``RuleBook`` judges every client event.
"""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.rig.rules import BYTES_PER_MS, Event, RuleBook

Script = Callable[["Wire"], Awaitable[None]]
ANSWERS_WITHIN_S = 20.0
"""What is waited for comes at once; this only ends a test that would hang."""


@dataclass
class Logged:
    """One event that crossed the socket."""

    at_s: float
    """Monotonic time."""
    event: Event


@dataclass
class Piece:
    """One item of a reply."""

    item_id: str
    pcm: bytes
    phase: str | None = None


@dataclass
class Wire:
    """One connection of the client.

    Attributes:
        rules: Judges what the client says.
        received: Client events but the audio, in order.
        appended: Audio with the time of its arrival.
        headers: Of the handshake.
        path: Of the handshake, with the query.
    """

    socket: ServerConnection
    headers: dict[str, str]
    path: str
    rules: RuleBook = field(default_factory=RuleBook)
    received: list[Logged] = field(default_factory=list)
    sent: list[Logged] = field(default_factory=list)
    appended: list[tuple[float, bytes]] = field(default_factory=list)
    is_configured: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _ids: int = 0

    async def send(self, event: Event) -> float:
        """Send an event and return when that was."""
        self._ids += 1
        event = {"event_id": f"event_{self._ids}"} | event
        self.rules.server(event)
        text = json.dumps(event)
        at_s = time.monotonic()
        self.sent.append(Logged(at_s, event))
        await self.socket.send(text)
        return at_s

    async def expect(
        self, kind: str, *, after: int = 0, within_s: float = ANSWERS_WITHIN_S
    ) -> Logged:
        """Wait for a client event; ``after`` skips so many received before."""
        async with asyncio.timeout(within_s), self._changed:
            while True:
                for logged in self.received[after:]:
                    if logged.event.get("type") == kind:
                        return logged
                await self._changed.wait()

    async def hear(self, pieces: int, within_s: float = ANSWERS_WITHIN_S) -> None:
        """Wait until so many pieces of audio have come since the session began."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: len(self.appended) >= pieces)

    def of_type(self, kind: str) -> list[Event]:
        """Return the client events of one type, in order."""
        return [logged.event for logged in self.received if logged.event.get("type") == kind]

    # --- the user --------------------------------------------------------------------

    async def speech_started(self, item_id: str = "item_user") -> float:
        """Hear the user and return when the client was told."""
        return await self.send(
            {
                "type": "input_audio_buffer.speech_started",
                "audio_start_ms": self.rules.appended_bytes // BYTES_PER_MS,
                "item_id": item_id,
            }
        )

    async def turn_ended(self, item_id: str = "item_user") -> None:
        """Hear the end of the user's turn, and make an item of it."""
        at_ms = self.rules.appended_bytes // BYTES_PER_MS
        await self.send(
            {
                "type": "input_audio_buffer.speech_stopped",
                "audio_end_ms": at_ms,
                "item_id": item_id,
            }
        )
        await self.send(
            {
                "type": "input_audio_buffer.committed",
                "previous_item_id": None,
                "item_id": item_id,
            }
        )

    # --- replies ---------------------------------------------------------------------

    async def created(self, response_id: str, metadata: dict[str, str] | None = None) -> None:
        """Begin a response."""
        body = response_body(response_id, "in_progress", metadata=metadata)
        await self.send({"type": "response.created", "response": body})

    async def item_added(self, response_id: str, piece: Piece, output_index: int = 0) -> None:
        """Begin an item."""
        item: Event = {"id": piece.item_id, "object": "realtime.item", "type": "message"}
        item |= {"status": "in_progress", "role": "assistant", "content": []}
        if piece.phase:
            item["phase"] = piece.phase
        added = {"response_id": response_id, "output_index": output_index, "item": item}
        await self.send({"type": "response.output_item.added"} | added)
        await self.send({"type": "conversation.item.added", "previous_item_id": None, "item": item})

    async def delta(
        self, response_id: str, item_id: str, pcm: bytes, output_index: int = 0
    ) -> float:
        """Send samples and return when."""
        return await self.send(
            {
                "type": "response.output_audio.delta",
                "response_id": response_id,
                "item_id": item_id,
                "output_index": output_index,
                "content_index": 0,
                "delta": base64.b64encode(pcm).decode(),
            }
        )

    async def audio_done(self, response_id: str, item_id: str, output_index: int = 0) -> None:
        """End the samples of an item."""
        place = {"output_index": output_index, "content_index": 0}
        ids = {"response_id": response_id, "item_id": item_id}
        await self.send({"type": "response.output_audio.done"} | ids | place)

    async def done(self, response_id: str, status: str = "completed", **more: object) -> None:
        """End a response."""
        body = response_body(response_id, status) | more
        await self.send({"type": "response.done", "response": body})

    async def reply(
        self, response_id: str, pieces: Sequence[Piece], *, delta_ms: int = 250
    ) -> None:
        """Send a whole reply at once, as fast as the socket takes it."""
        await self.created(response_id)
        for index, piece in enumerate(pieces):
            await self.item_added(response_id, piece, index)
            for part in split(piece.pcm, delta_ms):
                await self.delta(response_id, piece.item_id, part, index)
            await self.audio_done(response_id, piece.item_id, index)
        await self.done(response_id)

    # --- the client ------------------------------------------------------------------

    async def listen(self) -> None:
        """Take what the client says until it hangs up."""
        try:
            while True:
                await self._take(await self.socket.recv(), time.monotonic())
        except ConnectionClosed:
            return
        finally:
            self.closed.set()

    async def _take(self, frame: str | bytes, at_s: float) -> None:
        event = json.loads(frame)
        self.rules.client(event)
        if event["type"] == "input_audio_buffer.append":
            async with self._changed:
                self.appended.append((at_s, base64.b64decode(event["audio"])))
                self._changed.notify_all()
            return
        if event["type"] == "session.update":
            await self.send({"type": "session.updated", "session": session(event["session"])})
            self.is_configured.set()
        async with self._changed:
            self.received.append(Logged(at_s, event))
            self._changed.notify_all()


class ScriptedProvider:
    """The server.

    Args:
        script: Runs for every connection, once it is configured; optional.
    """

    def __init__(self, script: Script | None = None) -> None:
        self.wires: list[Wire] = []
        self._script = script
        self._server: Server | None = None
        self._connected = asyncio.Condition()

    @property
    def base_url(self) -> str:
        """Return what belongs into ``[provider] url``."""
        assert self._server is not None
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"http://127.0.0.1:{port}/v1"

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, compression=None, max_size=None, ping_interval=None
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def wire(self, number: int = 0, within_s: float = ANSWERS_WITHIN_S) -> Wire:
        """Wait until the client has connected and configured its nth session."""
        async with asyncio.timeout(within_s):
            async with self._connected:
                await self._connected.wait_for(lambda: len(self.wires) > number)
            wire = self.wires[number]
            await wire.is_configured.wait()
            return wire

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        wire = Wire(socket, dict(socket.request.headers.raw_items()), socket.request.path)
        async with self._connected:
            self.wires.append(wire)
            self._connected.notify_all()
        await wire.send({"type": "session.created", "session": session({})})
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(wire.listen())
            if self._script is not None:
                await wire.is_configured.wait()
                await self._script(wire)
            await listening


def split(pcm: bytes, part_ms: int) -> list[bytes]:
    """Cut samples into parts of so many ms."""
    size = part_ms * BYTES_PER_MS
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]


def session(wanted: Event) -> Event:
    """Return a session object with what the client wanted in force."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_test",
        "model": "scripted",
        "expires_at": int(time.time()) + 3600,
        "output_modalities": ["audio"],
        **wanted,
    }


def response_body(response_id: str, status: str, metadata: dict[str, str] | None = None) -> Event:
    """Return a response object."""
    return {
        "object": "realtime.response",
        "id": response_id,
        "status": status,
        "status_details": None,
        "output": [],
        "usage": None,
        "metadata": metadata,
    }
