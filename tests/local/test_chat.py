import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest

from tests.local.client import part, session
from tests.local.fakes import equipment, tone
from voiced.errors import ConfigError
from voiced.local.brain import Line
from voiced.local.chat import (
    LONGEST_LINE_BYTES,
    ChatBrain,
    EventLines,
    completions_url,
    messages_of,
    text_of,
)
from voiced.local.errors import ReplyError

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Chat:
    """A chat completions server on loopback.

    Args:
        answer: Writes what follows the request.

    Attributes:
        requests: Head and body of each request.
        stays_open: The connection is left to the client to close.
        has_gone: The client has closed it.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.stays_open = False
        self.requests: list[tuple[str, dict[str, object]]] = []
        self.has_gone = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        (length,) = [
            int(line.split(":")[1])
            for line in head.lower().splitlines()
            if line.startswith("content-length")
        ]
        self.requests.append((head, json.loads(await reader.readexactly(length))))
        await self._answer(writer)
        await writer.drain()
        if self.stays_open and not await reader.read():
            self.has_gone.set()
        writer.close()


@asynccontextmanager
async def chat(answer: Answer) -> AsyncIterator[tuple[Chat, str]]:
    """Serve while the block runs; gives the server and its address."""
    made = Chat(answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    async with server:
        yield made, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def streamed(*pieces: str, end: str = "data: [DONE]\n\n", status: str = "200 OK") -> Answer:
    """Return what answers with these pieces of text."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: text/event-stream\r\n\r\n".encode())
        for piece in pieces:
            chunk = {"choices": [{"index": 0, "delta": {"content": piece}}]}
            writer.write(f"data: {json.dumps(chunk)}\n\n".encode())
        writer.write(end.encode())

    return answer


async def ask(
    address: str, *lines: Line, instructions: str = "Be brief.", key: str | None = None
) -> list[str]:
    brain = ChatBrain(address, model="small", key=key)
    try:
        return [piece async for piece in brain.reply(lines or [Line("user", "Hi")], instructions)]
    finally:
        await brain.close()


async def test_the_answer_comes_in_the_pieces_the_model_writes() -> None:
    async with chat(streamed("", "Hel", "lo. ", "", "Yes.")) as (_, address):
        assert await ask(address) == ["Hel", "lo. ", "Yes."]


async def test_the_conversation_and_the_key_are_sent_and_nothing_else() -> None:
    async with chat(streamed("Yes.")) as (server, address):
        await ask(address, Line("user", "Hi"), Line("assistant", "Hm"), key="sk-secret")

    ((head, body),) = server.requests
    assert head.startswith("POST /v1/chat/completions HTTP/1.1")
    assert "authorization: bearer sk-secret" in head.lower()
    assert body == {
        "model": "small",
        "stream": True,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hm"},
        ],
    }


async def test_without_a_key_none_is_sent() -> None:
    async with chat(streamed("Yes.")) as (server, address):
        await ask(address)

    assert "authorization" not in server.requests[0][0].lower()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (streamed(status="500 No"), "answered 500"),
        (streamed(end="data: {nonsense\n\n"), "no answer"),
        (streamed(end='data: {"error": {"message": "secret"}}\n\n'), "with an error"),
        (streamed(end="x" * (LONGEST_LINE_BYTES + 10)), "line without end"),
        (streamed(), "said nothing"),
        (streamed(end="<html>secret</html>"), "said nothing"),
        (streamed(end='data: {"choices": [{"delta": null}]}\n\ndata: [DONE]\n\n'), "said nothing"),
        (streamed(end='data: {"choices": null}\n\n'), "said nothing"),
    ],
)
async def test_a_server_that_fails_fails_the_reply_without_quoting_it(
    answer: Answer, message: str
) -> None:
    async with chat(answer) as (_, address):
        with pytest.raises(ReplyError, match=message) as caught:
            await ask(address)

    assert caught.value.code == "brain_failed"
    assert "secret" not in str(caught.value)


async def test_a_server_that_is_not_there_fails_the_reply() -> None:
    async with chat(streamed()) as (_, address):
        pass

    with pytest.raises(ReplyError, match="does not answer") as caught:
        await ask(address)

    assert caught.value.code == "brain_unreachable"


async def test_an_answer_that_breaks_off_is_what_came_of_it() -> None:
    async with chat(streamed("This much.", end="")) as (_, address):
        assert await ask(address) == ["This much."]


async def test_a_last_line_that_nothing_ends_is_heard() -> None:
    last = 'data: {"choices": [{"delta": {"content": "more."}}]}'
    async with chat(streamed("And ", end=last)) as (_, address):
        assert await ask(address) == ["And ", "more."]


async def test_an_address_that_is_none_fails_the_reply() -> None:
    with pytest.raises(ReplyError, match="does not answer"):
        await ask("http://voiced..invalid")


async def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voiced.local.chat.LONGEST_REPLY", 10)
    async with chat(streamed(*["five."] * 10)) as (_, address):
        assert len(await ask(address)) == 3


async def test_stopping_closes_the_connection() -> None:
    async with chat(streamed("One. ", end="")) as (server, address):
        server.stays_open = True
        brain = ChatBrain(address, model="small", key=None)
        async with aclosing(brain.reply([Line("user", "Hi")], "")) as words:
            assert await anext(words) == "One. "
        await server.has_gone.wait()
        await brain.close()


async def test_a_session_goes_on_when_its_chat_model_fails() -> None:
    async with chat(streamed(status="503 No")) as (_, address):
        brain = ChatBrain(address, model="small", key=None)
        async with session(equipment(brain=brain)) as client:
            first, second = await client.reply(), await client.reply()
        await brain.close()

    for done in (first, second):
        assert done["status"] == "failed"
        assert part(done, "status_details", "error")["code"] == "brain_failed"


async def test_an_interrupted_reply_lets_go_of_the_chat_model() -> None:
    async with chat(streamed("The sea is blue. ", end="")) as (server, address):
        server.stays_open = True
        brain = ChatBrain(address, model="small", key=None)
        async with session(equipment(brain=brain)) as client:
            await client.send("response.create")
            await client.until("response.output_audio.delta")
            await client.say(tone(200))
            done = part(await client.until("response.done"), "response")
            await server.has_gone.wait()
        await brain.close()

    assert done["status"] == "cancelled"


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://h:1", "http://h:1/v1/chat/completions"),
        ("http://h:1/", "http://h:1/v1/chat/completions"),
        ("http://h/v1", "http://h/v1/chat/completions"),
        ("http://h/v1/", "http://h/v1/chat/completions"),
        ("https://h/openai/v1/x", "https://h/openai/v1/x/chat/completions"),
    ],
)
def test_the_base_url_may_have_its_version_or_not(base: str, url: str) -> None:
    assert completions_url(base) == url


@pytest.mark.parametrize("address", ["http://example.org", "http://10.0.0.1/v1"])
def test_a_key_does_not_travel_in_clear(address: str) -> None:
    with pytest.raises(ConfigError, match="VOICED_BRAIN_KEY") as caught:
        ChatBrain(address, model="m", key="sk-secret")

    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["https://example.org", "http://[::1]:1", "http://localhost"])
async def test_a_key_may_go_where_nobody_can_read_it(address: str) -> None:
    await ChatBrain(address, model="m", key="sk-secret").close()


def test_messages_leave_out_what_was_not_said() -> None:
    lines: Sequence[Line] = [
        Line("user", None, 500),
        Line("user", "", 500),
        Line("user", "", 0),
        Line("assistant", ""),
        Line("user", "Hi"),
    ]

    assert messages_of(lines, "") == [
        {"role": "user", "content": "(unintelligible)"},
        {"role": "user", "content": "(unintelligible)"},
        {"role": "user", "content": "Hi"},
    ]


def test_lines_may_arrive_in_any_pieces() -> None:
    stream = b": comment\r\n\r\ndata: one\r\n\r\nevent: x\ndata:two\n\n"
    for size in range(1, len(stream)):
        lines = EventLines()
        found = [
            line
            for start in range(0, len(stream), size)
            for line in lines.feed(stream[start : start + size])
        ]
        assert found == ["one", "two"]


def test_chunks_without_words_say_nothing() -> None:
    assert text_of("") == ""
    assert text_of('{"choices": []}') == ""
    assert text_of('{"choices": [{"delta": {"role": "assistant"}}]}') == ""
    assert text_of('{"choices": [{"delta": {"content": null}}], "usage": {}}') == ""
    assert text_of('{"choices": [{"delta": {"content": "Hi"}}]}') == "Hi"
