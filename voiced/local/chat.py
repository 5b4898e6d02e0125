"""The brain that asks a chat model: any server with OpenAI's chat completions.

Rules
1. The key goes to the address it was given for, in a header, and nowhere else; it never
   travels in clear beyond this machine.
2. Whatever the server answers, the worst that happens is a ``ReplyError``.
3. What is read is bounded: the length of a line and of the whole answer.
"""

import ipaddress
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec

from voiced.errors import ConfigError
from voiced.local.brain import Line
from voiced.local.errors import ReplyError

CONNECT_S: Final = 5.0
SILENCE_S: Final = 60.0
"""How long the model may think without a word."""
LONGEST_LINE_BYTES: Final = 1024 * 1024
LONGEST_REPLY: Final = 20_000
"""Characters; some twenty minutes of speech."""
UNINTELLIGIBLE: Final = "(unintelligible)"
END_OF_STREAM: Final = "[DONE]"


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    error: object = None


@dataclass(slots=True)
class EventLines:
    """Finds the ``data:`` lines in a stream of server-sent events."""

    pending: bytes = field(default=b"")

    def feed(self, data: bytes) -> Iterable[str]:
        """Add bytes and return the data of the lines that are complete now.

        Raises:
            ReplyError: A line is too long to be meant.
        """
        *lines, self.pending = (self.pending + data).split(b"\n")
        if len(self.pending) > LONGEST_LINE_BYTES:
            raise ReplyError("brain_failed", "The chat server sent a line without end.")
        for line in lines:
            name, _, value = line.partition(b":")
            if name == b"data":
                yield value.decode("utf-8", "replace").strip()

    def finish(self) -> Iterable[str]:
        """Return the data of a last line that nothing ended."""
        return self.feed(b"\n")


class ChatBrain:
    """Answers with a chat model.

    Args:
        base_url: Where the server is, with or without ``/v1``.
        model: The model's name.
        key: Sent as bearer token, where the server wants one.

    Raises:
        ConfigError: The key would travel in clear.
    """

    def __init__(self, base_url: str, *, model: str, key: str | None) -> None:
        self._url = completions_url(base_url)
        self._model = model
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        is_near = _is_loopback(self._url)
        if key and not is_near and not self._url.startswith("https://"):
            raise ConfigError(
                "VOICED_BRAIN_KEY is only sent over https, or to this machine; "
                "use an https:// address for --brain"
            )
        # Proxies from the environment are for the outer world, not for a model next door.
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(SILENCE_S, connect=CONNECT_S),
            trust_env=not is_near,
        )

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.aclose()

    async def reply(self, lines: Sequence[Line], instructions: str) -> AsyncGenerator[str, None]:
        """Yield the answer as the model writes it.

        Args:
            lines: The conversation so far.
            instructions: The system text.

        Raises:
            ReplyError: The server cannot be reached, refuses, or makes no sense.
        """
        length = 0
        try:
            async with aclosing(self._stream(messages_of(lines, instructions))) as words:
                async for text in words:
                    yield text
                    length += len(text)
                    if length > LONGEST_REPLY:
                        return
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            # The text of the exception may quote the address, and that a password.
            raise ReplyError(
                "brain_unreachable", f"The chat server does not answer ({type(exc).__name__})."
            ) from exc

    async def _stream(self, messages: list[dict[str, str]]) -> AsyncGenerator[str, None]:
        body = {"model": self._model, "messages": messages, "stream": True}
        async with self._client.stream("POST", self._url, json=body) as response:
            if response.status_code != httpx.codes.OK:
                raise ReplyError(
                    "brain_failed", f"The chat server answered {response.status_code}."
                )
            has_spoken = False
            async for line in _lines(response):
                if line == END_OF_STREAM:
                    break
                if text := text_of(line):
                    has_spoken = True
                    yield text
            if not has_spoken:
                raise ReplyError("brain_failed", "The chat server said nothing.")


async def _lines(response: httpx.Response) -> AsyncGenerator[str, None]:
    """Yield the data of the events in an answer, also of a last one that nothing ended."""
    lines = EventLines()
    async for data in response.aiter_bytes():
        for line in lines.feed(data):
            yield line
    for line in lines.finish():
        yield line


def completions_url(base_url: str) -> str:
    """Return where to post, for a base URL with or without ``/v1``."""
    base = base_url.rstrip("/")
    path = urlsplit(base).path
    if not path.endswith("/v1") and "/v1/" not in path:
        base += "/v1"
    return f"{base}/chat/completions"


def messages_of(lines: Sequence[Line], instructions: str) -> list[dict[str, str]]:
    """Return a conversation as chat messages; empty ones are left out."""
    messages = [{"role": "system", "content": instructions}] if instructions else []
    for line in lines:
        text = UNINTELLIGIBLE if line.text is None or _is_noise(line) else line.text
        if text:
            messages.append({"role": line.role, "content": text})
    return messages


def text_of(data: str) -> str:
    """Return the words in one event of the stream.

    Raises:
        ReplyError: It is no such event, or it tells of an error.
    """
    if not data:
        return ""
    try:
        chunk = msgspec.json.decode(data, type=_Chunk)
    except msgspec.DecodeError as exc:
        raise ReplyError("brain_failed", "The chat server sent what is no answer.") from exc
    if chunk.error is not None:
        raise ReplyError("brain_failed", "The chat server broke off with an error.")
    deltas = [choice.delta for choice in (chunk.choices or ())[:1] if choice.delta is not None]
    return "".join(delta.content or "" for delta in deltas)


def _is_noise(line: Line) -> bool:
    return line.text == "" and line.heard_ms > 0


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
