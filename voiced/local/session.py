"""One client's session: reads its events in order and does what they ask.

Rules
1. One client event at a time, in the order they came.
2. Whatever is wrong with an event, its client is told once and the session goes on.
3. Everything the session runs belongs to its task group and ends with it.
"""

import asyncio
import logging
import time
from typing import Final, NoReturn, Protocol, assert_never

from websockets.exceptions import ConnectionClosed

from voiced.local import events as ev
from voiced.local import requests as rq
from voiced.local.errors import ClientError
from voiced.local.hearing import Hearing
from voiced.local.item_json import parse, show
from voiced.local.scene import Equipment, Scene
from voiced.local.session_config import new_session
from voiced.local.speaking import Speaking

logger = logging.getLogger(__name__)

GOING_AWAY: Final = 1001
LAST_WORDS_S: Final = 1.0
"""How long the last events may take to leave."""


class Socket(Protocol):
    """The client's connection."""

    async def recv(self) -> str | bytes:
        """Return the next message.

        Raises:
            ConnectionClosed: There is none.
        """

    async def send(self, message: bytes, *, text: bool) -> None:
        """Send a message, as text frame."""

    async def close(self, code: int, reason: str) -> None:
        """Close the connection."""


class SessionOverError(Exception):
    """Unwinds the task group of a session that has reached its end."""


class Session:
    """One connection.

    Args:
        socket: The connection.
        equipment: What the server is made of.
        model: The model its client asked for.
        max_session_s: How long it may last.
    """

    def __init__(
        self, socket: Socket, equipment: Equipment, *, model: str, max_session_s: float
    ) -> None:
        self._socket = socket
        self._equipment = equipment
        self._max_session_s = max_session_s
        self._config = new_session(
            session_id=ev.new_id("sess"),
            model=model,
            expires_at_s=int(time.time() + max_session_s),
        )
        self._desk: Desk | None = None

    async def run(self) -> None:
        """Serve the client until it leaves or its time is up."""
        logger.info("a session begins")
        try:
            async with asyncio.TaskGroup() as tasks:
                scene = Scene(self._equipment, self._config, tasks)
                tasks.create_task(scene.outbox.pump(self._send), name="outbox")
                scene.outbox.put(ev.SessionCreated(session=scene.config.shown))
                self._desk = Desk(scene)
                await self._serve(self._desk, scene)
                await self._expire(scene)
        except* (ConnectionClosed, SessionOverError):
            logger.info("a session is over")
        finally:
            if self._desk is not None:
                self._desk.clear()

    async def _serve(self, desk: "Desk", scene: Scene) -> None:
        """Take events until the session's time is up."""
        limit = asyncio.timeout(self._max_session_s)
        try:
            async with limit:
                while True:
                    message = await self._socket.recv()
                    await scene.outbox.room()
                    await desk.take(message)
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            desk.stop_clock()

    async def _expire(self, scene: Scene) -> NoReturn:
        """Tell the client that its time is up, and end the session."""
        message = f"Your session hit the maximum duration of {self._max_session_s / 60:g} minutes."
        scene.outbox.put(ev.Error(error=ev.ErrorBody(code="session_expired", message=message)))
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                await scene.outbox.drain()
        except TimeoutError:
            logger.info("an expired session's client does not read")
        await self._socket.close(GOING_AWAY, message)
        raise SessionOverError

    async def _send(self, message: bytes) -> None:
        await self._socket.send(message, text=True)


class Desk:
    """Does what client events ask."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._hearing = Hearing(scene, on_speech=self._on_speech, on_turn=self._on_turn)
        self._speaking = Speaking(scene, self._hearing, on_idle=self._on_idle)

    def stop_clock(self) -> None:
        """Start nothing by itself any more."""
        self._speaking.stay_awake()

    def clear(self) -> None:
        """Let go of the audio and the detector.

        They are large, and this and its callers refer to each other: the memory would
        come back only when the garbage collector gets round to it.
        """
        self._hearing.close()
        self._scene.conversation.items.clear()

    async def take(self, message: str | bytes) -> None:
        """Do what one message asks, or say why not."""
        event_id: str | None = None
        try:
            raw = rq.read(message)
            event_id = rq.event_id_of(raw)
            await self._handle(rq.parse(raw))
        except ClientError as exc:
            self._scene.outbox.put(ev.refusal(exc, event_id))

    async def _handle(self, event: rq.ClientEvent) -> None:
        match event:
            case rq.Append(audio):
                await self._hearing.append(audio)
            case rq.SessionUpdate():
                self._update(event)
            case rq.Commit():
                self._hearing.commit()
                self._speaking.stay_awake()
                self._scene.tidy()
            case rq.Clear():
                self._hearing.clear()
            case rq.ResponseCreate(response):
                self._speaking.create(response)
            case rq.ResponseCancel(response_id):
                self._speaking.cancel(response_id)
            case rq.OutputClear():
                raise ClientError(
                    "invalid_value",
                    "output_audio_buffer.clear is only for WebRTC and SIP sessions.",
                    param="type",
                )
            case _:
                self._handle_item(event)

    def _handle_item(
        self, event: rq.ItemCreate | rq.ItemRetrieve | rq.ItemTruncate | rq.ItemDelete
    ) -> None:
        conversation, outbox = self._scene.conversation, self._scene.outbox
        match event:
            case rq.ItemCreate():
                self._create_item(event)
            case rq.ItemRetrieve(item_id):
                item = conversation.get(item_id, verb="retrieve", participle="retrieving")
                outbox.put(ev.ItemRetrieved(item=show(item, has_audio=True)))
            case rq.ItemTruncate(item_id, content_index, audio_end_ms):
                conversation.truncate(item_id, content_index, audio_end_ms)
                outbox.put(
                    ev.ItemTruncated(
                        item_id=item_id, content_index=content_index, audio_end_ms=audio_end_ms
                    )
                )
            case rq.ItemDelete(item_id):
                conversation.delete(item_id)
                outbox.put(ev.ItemDeleted(item_id=item_id))
            case _:
                assert_never(event)

    def _create_item(self, event: rq.ItemCreate) -> None:
        audio_format = self._scene.config.input_format
        item = parse(event.item, "item", audio_format=audio_format, new_id=ev.new_id)
        conversation = self._scene.conversation
        previous = conversation.add(
            item, event.previous_item_id, promised_id=self._hearing.promised_id
        )
        self._hearing.look_for_words(item)
        shown = show(item)
        self._scene.outbox.put(
            ev.ItemAdded(previous_item_id=previous, item=shown),
            ev.ItemDone(previous_item_id=previous, item=shown),
        )
        self._scene.tidy()

    def _update(self, event: rq.SessionUpdate) -> None:
        scene = self._scene
        is_fixed = scene.conversation.holds_assistant_audio()
        scene.config = scene.config.updated(event.session, voice_is_fixed=is_fixed)
        self._hearing.configure()
        scene.outbox.put(ev.SessionUpdated(session=scene.config.shown))

    def _on_speech(self) -> None:
        self._speaking.stay_awake()
        detection = self._scene.config.detection
        if detection is not None and detection.interrupts_response:
            self._speaking.interrupt()

    def _on_turn(self) -> None:
        self._scene.tidy()
        detection = self._scene.config.detection
        if detection is not None and detection.creates_response:
            self._reply()

    def _on_idle(self) -> None:
        detection = self._scene.config.detection
        if detection is None or detection.idle_timeout_ms is None or self._hearing.is_speaking:
            return
        self._hearing.time_out(detection.idle_timeout_ms)
        self._reply()

    def _reply(self) -> None:
        """Answer a turn without being asked."""
        try:
            self._speaking.create(rq.ResponseParams())
        except ClientError as exc:
            # "May fail to create a response if the model is already responding."
            self._scene.outbox.put(ev.refusal(exc, None))
