"""A Realtime client for tests, and what it may expect of the server.

Every event is checked as it arrives: against the types of the official package, and for
fields these do not know.
"""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self

from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter
from websockets.asyncio.client import ClientConnection, connect

from voiced.local.scene import Equipment
from voiced.local.server import LocalServer
from voiced.local.shapes import Json

PATIENCE_S: Final = 30.0
SERVER_EVENT: Final[TypeAdapter[BaseModel]] = TypeAdapter(RealtimeServerEvent)

UNDECLARED: Final = {"session.id", "session.object", "session.expires_at"}
"""Fields the service sends and the package does not declare."""
OPTIONAL: Final = {
    "conversation.item.input_audio_transcription.completed": {"languages"},
}
"""Fields that are declared and need not be sent."""

LETTERS: Final = {
    "response.created": "C",
    "response.output_item.added": "O",
    "conversation.item.added": "A",
    "response.content_part.added": "P",
    "response.output_audio_transcript.delta": "t",
    "response.output_audio.delta": "a",
    "response.output_text.delta": "x",
    "response.output_audio.done": "B",
    "response.output_audio_transcript.done": "T",
    "response.output_text.done": "X",
    "response.content_part.done": "Q",
    "conversation.item.done": "I",
    "response.output_item.done": "J",
    "response.done": "D",
}
ORDER: Final = re.compile(r"C(OAP(([ta])*BT|x*X)QIJ|OP(([ta])*BT|x*X)QJ)?D")
"""The documented order of the events of one reply, a letter each."""


def check(event: Json) -> None:
    """Fail unless an event is what the official package knows, no more and no less."""
    model = SERVER_EVENT.validate_json(json.dumps(event), strict=True)
    extra = set(_undeclared(model, "")) - UNDECLARED
    assert not extra, f"{event['type']}: undeclared fields {extra}"
    missing = set(type(model).model_fields) - set(event)
    missing -= OPTIONAL.get(str(event["type"]), set())
    assert not missing, f"{event['type']}: no {missing}"
    response = getattr(model, "response", None)
    if isinstance(response, BaseModel):
        missing = set(type(response).model_fields) - set(part(event, "response"))
        assert not missing, f"{event['type']}: response has no {missing}"


def _undeclared(value: object, path: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}".lstrip(".")
        for name in type(value).model_fields:
            yield from _undeclared(getattr(value, name), f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for entry in value:
            yield from _undeclared(entry, f"{path}[]")


def part(event: Json, *keys: str | int) -> Json:
    """Return an object inside an event."""
    value: object = event
    for key in keys:
        assert isinstance(value, dict | list)
        value = value[key]  # type: ignore[index]  # a list gets its number
    assert isinstance(value, dict)
    return value


def reply_order(events: list[Json]) -> dict[str, str]:
    """Return the letters of each response's events, by its id."""
    owners: dict[str, str] = {}
    letters: dict[str, str] = {}
    for event in events:
        letter = LETTERS.get(str(event["type"]))
        if letter is None:
            continue
        if letter in "CD":
            owner: str | None = str(part(event, "response")["id"])
        elif letter in "AI":
            owner = owners.get(str(part(event, "item")["id"]))
        else:
            owner = str(event["response_id"])
            if letter == "O":
                owners[str(part(event, "item")["id"])] = owner
        if owner is not None:
            letters[owner] = letters.get(owner, "") + letter
    return letters


class Client:
    """One session.

    Attributes:
        events: Everything the server has said, oldest first.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[Json] = []

    async def send(self, kind: str, **fields: object) -> None:
        """Send an event."""
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def say(self, pcm: bytes, *, piece_ms: int = 40) -> None:
        """Append audio in pieces, as fast as it goes."""
        size = piece_ms * 48
        for start in range(0, len(pcm), size):
            audio = base64.b64encode(pcm[start : start + size]).decode()
            await self.send("input_audio_buffer.append", audio=audio)

    async def next(self) -> Json:
        """Return the next event."""
        async with asyncio.timeout(PATIENCE_S):
            event: Json = json.loads(await self.socket.recv())
        check(event)
        self.events.append(event)
        return event

    async def until(self, kind: str) -> Json:
        """Return the next event of a kind; those before it are in ``events``."""
        while (event := await self.next())["type"] != kind:
            assert kind == "error" or event["type"] != "error", event
        return event

    async def error(self) -> Json:
        """Return the body of the next error."""
        return part(await self.until("error"), "error")

    async def configure(self, **session: object) -> Json:
        """Change settings and return the session."""
        await self.send("session.update", session={"type": "realtime", **session})
        return part(await self.until("session.updated"), "session")

    async def detect(self, **detection: object) -> None:
        """Set the turn detection; nothing means none."""
        values = {"type": "server_vad", **detection} if detection else None
        await self.configure(audio={"input": {"turn_detection": values}})

    async def write(self, text: str, **fields: object) -> str:
        """Add a written turn of the user and return its id."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.send("conversation.item.create", item=item, **fields)
        return str(part(await self.until("conversation.item.done"), "item")["id"])

    async def reply(self, **response: object) -> Json:
        """Ask for a reply and return its ``response.done``."""
        await self.send("response.create", response=response)
        done = await self.until("response.done")
        await self.until("rate_limits.updated")
        return part(done, "response")

    async def settled(self) -> None:
        """Wait until the server has handled everything sent so far."""
        await self.send("conversation.item.retrieve", item_id="nobody", event_id="settled")
        while (await self.error())["event_id"] != "settled":
            pass

    def kinds(self) -> list[str]:
        """Return the types of all events so far."""
        return [str(event["type"]) for event in self.events]

    def of_kind(self, kind: str) -> list[Json]:
        """Return all events of a kind so far."""
        return [event for event in self.events if event["type"] == kind]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.socket.close()
        if error is None:
            for response_id, letters in reply_order(self.events).items():
                is_over = letters.endswith("D")
                assert not is_over or ORDER.fullmatch(letters), f"{response_id}: {letters}"


@asynccontextmanager
async def session(
    equipment: Equipment, *, max_session_s: float = 3600.0, query: str = "model=test"
) -> AsyncIterator[Client]:
    """Serve, connect, and wait for the session to begin."""
    server = LocalServer(equipment, max_session_s=max_session_s)
    async with server.on_tcp("127.0.0.1", 0) as url, connected(url, query) as client:
        await client.until("session.created")
        yield client


@asynccontextmanager
async def connected(url: str, query: str = "model=test") -> AsyncIterator[Client]:
    """Connect to a server."""
    address = f"{url.replace('http', 'ws', 1)}/realtime?{query}"
    async with (
        # With a short queue, what is left unread would hold up the closing.
        connect(address, compression=None, max_size=None, max_queue=None) as socket,
        Client(socket) as client,
    ):
        yield client
