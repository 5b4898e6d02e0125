"""The assistant's side of a session: which replies are under way, and their ends.

Rules
1. One response at a time writes to the conversation.  Responses outside it run beside.
2. The user's speech stops the response that writes to the conversation, if it is still
   being generated, and nothing else.
3. A response is over once, whoever ends it: its events close, its task is cancelled.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from voiced.local import events as ev
from voiced.local import usage
from voiced.local.brain import Line, lines_of
from voiced.local.errors import ClientError
from voiced.local.item_json import ITEM_REFERENCE, parse
from voiced.local.items import Conversation, Item
from voiced.local.reply import Reply
from voiced.local.requests import ResponseParams
from voiced.local.response import Manner, Response
from voiced.local.scene import Scene
from voiced.local.session_config import format_of, modality_of, tokens_of, voice_of
from voiced.local.shapes import Json

MOST_ASIDE: Final = 8
"""Responses outside the conversation that may run at once."""
TOKENS_PER_MINUTE: Final = 1_000_000
"""What ``rate_limits.updated`` shows as the limit; nothing is ever refused for it."""


class Words(Protocol):
    """Knows what the user said."""

    def look_for_words(self, item: Item) -> None:
        """Find the words in an item's audio."""

    async def words_known(self, items: Iterable[Item]) -> None:
        """Wait for the words of these items."""


@dataclass(slots=True)
class Performance:
    """One reply, and where it takes place."""

    scene: Scene
    words: Words
    response: Response
    given: Sequence[Item]
    """What is replied to: the conversation as it was, or a context of its own."""
    task: asyncio.Task[None] | None = None

    def tell(self, events: Iterable[ev.Event]) -> None:
        """Send events."""
        self.scene.outbox.put(*events)

    async def room(self) -> None:
        """Wait until the client has caught up."""
        await self.scene.outbox.room()

    async def lines(self) -> Sequence[Line]:
        """Return the conversation to reply to, once its words are known."""
        await self.words.words_known(self.given)
        return lines_of(self.given)

    def cost(self) -> usage.Usage:
        """Return what the response is billed for."""
        response = self.response
        if not response.is_begun:
            return usage.nothing()
        return usage.count(
            self.given,
            instructions=response.manner.instructions,
            output_text=response.text,
            output_ms=response.audio_ms,
        )


class Speaking:
    """Gives replies.

    Args:
        scene: The session.
        words: Where the user's words come from.
        on_idle: Called when the user has been silent for the idle time.
    """

    def __init__(self, scene: Scene, words: Words, *, on_idle: Callable[[], None]) -> None:
        self._scene = scene
        self._words = words
        self._on_idle = on_idle
        self._running: dict[str, Performance] = {}
        self._active: Performance | None = None
        """The one that writes to the conversation."""
        self._idle: asyncio.TimerHandle | None = None

    def create(self, params: ResponseParams) -> None:
        """Start a response.

        Raises:
            ClientError: It cannot be started now, or not like that.
        """
        is_aside = params.conversation == "none"
        self._check_free(is_aside=is_aside)
        manner = self._manner(params)
        given = self._context(params.input)
        if not is_aside:
            self.stay_awake()
        conversation = None if is_aside else self._scene.conversation
        response = Response.new(manner, conversation)
        performance = Performance(self._scene, self._words, response, given)
        self._running[response.id] = performance
        if conversation is not None:
            self._active = performance
        self._scene.outbox.put(response.created())
        performance.task = self._scene.tasks.create_task(
            self._perform(performance), name=f"reply {response.id}"
        )

    def cancel(self, response_id: str | None) -> None:
        """Stop a response, the one that writes to the conversation if none is named.

        Raises:
            ClientError: It is not under way.
        """
        found = self._active if response_id is None else self._running.get(response_id)
        if found is None:
            raise ClientError(
                "response_cancel_not_active", "Cancellation failed: no active response found"
            )
        self._stop(found, "client_cancelled")

    def interrupt(self) -> None:
        """Stop what is being said to the user, because he speaks."""
        if self._active is not None:
            self._stop(self._active, "turn_detected")

    def stay_awake(self) -> None:
        """Forget that the user was silent."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _check_free(self, *, is_aside: bool) -> None:
        if not is_aside and self._active is not None:
            raise ClientError(
                "conversation_already_has_active_response",
                "Conversation already has an active response in progress: "
                f"{self._active.response.id}. Wait until the response is finished before "
                "creating a new one.",
            )
        asides = len(self._running) - (self._active is not None)
        if is_aside and asides >= MOST_ASIDE:
            raise ClientError(
                "rate_limit_exceeded",
                f"At most {MOST_ASIDE} responses outside the conversation can run at once.",
            )

    async def _perform(self, performance: Performance) -> None:
        reply = Reply(performance.response, self._scene.equipment, performance)
        details = await reply.give()
        self._close(performance, details, silent_at_s=reply.silent_at_s)

    def _stop(self, performance: Performance, reason: str) -> None:
        if performance.task is not None:
            performance.task.cancel()
        now_s = asyncio.get_running_loop().time()
        details = ev.StatusDetails(type="cancelled", reason=reason)
        self._close(performance, details, silent_at_s=now_s)

    def _close(
        self, performance: Performance, details: ev.StatusDetails, *, silent_at_s: float
    ) -> None:
        response = performance.response
        del self._running[response.id]
        cost = performance.cost()
        self._scene.outbox.put(*response.finish(details, cost), _rate_limits(cost))
        if self._active is performance:
            self._active = None
            self._scene.tidy()
            self._wait_for_user(silent_at_s)

    def _wait_for_user(self, silent_at_s: float) -> None:
        """Call ``on_idle`` when the user says nothing after the reply has been heard."""
        detection = self._scene.config.detection
        self.stay_awake()
        if detection is not None and detection.idle_timeout_ms is not None:
            loop = asyncio.get_running_loop()
            due_s = max(silent_at_s, loop.time()) + detection.idle_timeout_ms / 1000
            self._idle = loop.call_at(due_s, self._on_idle)

    def _manner(self, params: ResponseParams) -> Manner:
        config = self._scene.config
        output: Json = {}
        if params.audio is not None and isinstance(given := params.audio.get("output"), dict):
            output = given
        modalities, limit = params.output_modalities, params.max_output_tokens
        return Manner(
            instructions=_or(params.instructions, config.instructions),
            modality=config.modality if modalities is None else modality_of(modalities),
            voice=voice_of(output["voice"]) if "voice" in output else config.voice,
            speed=config.speed,
            audio_format=(
                format_of(output["format"]) if "format" in output else config.output_format
            ),
            max_output_tokens=config.max_output_tokens if limit is None else tokens_of(limit),
            metadata=params.metadata,
        )

    def _context(self, given: Sequence[Json] | None) -> list[Item]:
        """Return what is replied to: what the client gives or names, or the conversation."""
        conversation = self._scene.conversation
        if given is None:
            return list(conversation.items)
        items = []
        for index, entry in enumerate(given):
            path = f"response.input[{index}]"
            if entry.get("type") == "item_reference":
                items.append(_referred(entry, path, conversation))
                continue
            audio_format = self._scene.config.input_format
            item = parse(entry, path, audio_format=audio_format, new_id=ev.new_id)
            self._words.look_for_words(item)
            items.append(item)
        return items


def _referred(entry: Json, path: str, conversation: Conversation) -> Item:
    ITEM_REFERENCE.check(entry, path)
    item = conversation.find(str(entry["id"]))
    if item is None:
        raise ClientError(
            "invalid_value",
            f"Invalid '{path}.id': the item with id '{entry['id']}' does not exist.",
            param=f"{path}.id",
        )
    return item


def _rate_limits(cost: usage.Usage) -> ev.RateLimitsUpdated:
    limit = ev.RateLimit(
        limit=TOKENS_PER_MINUTE,
        remaining=max(0, TOKENS_PER_MINUTE - cost.total_tokens),
        reset_seconds=round(60 * cost.total_tokens / TOKENS_PER_MINUTE, 3),
    )
    return ev.RateLimitsUpdated(rate_limits=[limit])


def _or(text: str | None, otherwise: str) -> str:
    return otherwise if text is None else text
