"""The official client talks to the server as it talks to the service."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent

from tests.local.client import check
from tests.local.fakes import silence
from tests.local.process import running
from tests.local.speech import say, word_errors

PATIENCE_S: Final = 30.0
PIECE_BYTES: Final = 40 * 48


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Give the base URL of a server in a process of its own."""
    with running("--log-level", "warning", "--pace", "6") as (address, _):
        yield address


class Talk:
    """A conversation through the official client.

    Attributes:
        events: Everything the server has said.
    """

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.events: list[RealtimeServerEvent] = []

    async def until(self, kind: str) -> RealtimeServerEvent:
        """Return the next event of a kind."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = await self.connection.recv()
                check(event.to_dict(mode="json"))
                self.events.append(event)
                assert event.type != "error", event
                if event.type == kind:
                    return event

    async def speak(self, pcm: bytes) -> None:
        """Append audio, faster than real time."""
        for start in range(0, len(pcm), PIECE_BYTES):
            audio = base64.b64encode(pcm[start : start + PIECE_BYTES]).decode()
            await self.connection.input_audio_buffer.append(audio=audio)

    def audio_ms(self, item_id: str) -> int:
        """Return how much of an item has arrived."""
        return sum(
            len(base64.b64decode(event.delta)) // 48
            for event in self.events
            if event.type == "response.output_audio.delta" and event.item_id == item_id
        )


@asynccontextmanager
async def talk(url: str) -> AsyncIterator[Talk]:
    """Connect the official client, and ask for transcripts."""
    async with (
        AsyncOpenAI(base_url=url, api_key="x") as openai,
        openai.realtime.connect(model="gpt-realtime") as connection,
    ):
        talking = Talk(connection)
        await talking.until("session.created")
        await connection.session.update(
            session={
                "type": "realtime",
                "audio": {"input": {"transcription": {"model": "gpt-transcribe"}}},
            }
        )
        await talking.until("session.updated")
        yield talking


async def test_a_spoken_turn_is_understood_and_answered(url: str) -> None:
    sentence = "hello there my friend"
    async with talk(url) as talking:
        await talking.speak(silence(300) + say(sentence) + silence(800))
        heard = await talking.until("conversation.item.input_audio_transcription.completed")
        done = await talking.until("response.done")

    assert heard.type == "conversation.item.input_audio_transcription.completed"
    assert word_errors(sentence, heard.transcript) <= 1
    assert done.type == "response.done"
    assert done.response.status == "completed"
    assert done.response.usage is not None
    (item,) = done.response.output or []
    assert item.type == "message"
    assert item.role == "assistant"
    assert "You said" in (item.content[0].transcript or "")
    assert talking.audio_ms(item.id or "") > 2000


async def test_a_story_can_be_interrupted_truncated_and_asked_about(url: str) -> None:
    async with talk(url) as talking:
        connection = talking.connection
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "tell me a story"}],
            }
        )
        await connection.response.create()
        added = await talking.until("response.output_item.added")
        assert added.type == "response.output_item.added"
        item_id = added.item.id or ""
        while talking.audio_ms(item_id) < 1000:
            await talking.until("response.output_audio.delta")
        await talking.speak(silence(100) + say("stop please") + silence(800))
        await talking.until("input_audio_buffer.speech_started")
        await connection.conversation.item.truncate(
            item_id=item_id, content_index=0, audio_end_ms=900
        )
        done = await talking.until("response.done")
        truncated = await talking.until("conversation.item.truncated")
        await connection.conversation.item.retrieve(item_id=item_id)
        retrieved = await talking.until("conversation.item.retrieved")
        await talking.until("response.done")

    assert done.type == "response.done"
    assert done.response.status == "cancelled"
    assert done.response.status_details is not None
    assert done.response.status_details.reason == "turn_detected"
    assert truncated.type == "conversation.item.truncated"
    assert truncated.audio_end_ms == 900
    assert retrieved.type == "conversation.item.retrieved"
    assert retrieved.item.type == "message"
    assert retrieved.item.role == "assistant"
    content = retrieved.item.content[0]
    assert len(base64.b64decode(content.audio or "")) == 900 * 48
    (told,) = done.response.output or []
    assert told.type == "message"
    assert told.role == "assistant"
    assert len(content.transcript or "") < len(told.content[0].transcript or "")


async def test_a_written_conversation_is_remembered(url: str) -> None:
    async with talk(url) as talking:
        connection = talking.connection
        done = talking.events[0]
        for text in ("the kettle is blue", "what did I say before?"):
            await connection.conversation.item.create(
                item={
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": text}],
                }
            )
            await connection.response.create(response={"output_modalities": ["text"]})
            done = await talking.until("response.done")

    assert done.type == "response.done"
    (item,) = done.response.output or []
    assert item.type == "message"
    assert item.role == "assistant"
    assert "the kettle is blue" in (item.content[0].text or "")


async def test_pushing_to_talk_works(url: str) -> None:
    async with talk(url) as talking:
        connection = talking.connection
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        )
        await connection.input_audio_buffer.clear()
        await talking.speak(say("hello there my friend"))
        await connection.input_audio_buffer.commit()
        await connection.response.create()
        done = await talking.until("response.done")

    assert done.type == "response.done"
    assert done.response.status == "completed"
