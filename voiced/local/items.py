"""The conversation: its items, in order, and what may be done to them.

Rules
1. Truncation cuts the audio and the words spoken after the cut; what the user did not
   hear, the conversation no longer holds.
2. A part that was truncated takes no more audio.
3. Memory is bounded.  Beyond the limit the oldest audio goes first and the words stay;
   where that is not enough, or there are too many items, the oldest items go.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, assert_never

from voiced.local.errors import ClientError
from voiced.local.formats import BYTES_PER_MS
from voiced.local.script import Word

Role = Literal["system", "user", "assistant"]
Status = Literal["completed", "incomplete", "in_progress"]

ROOT: Final = "root"
"""As ``previous_item_id``: put the item first."""
MAX_BYTES: Final = 64 * 1024 * 1024
"""Audio and text kept in one conversation; audio alone is about 23 minutes."""
MAX_ITEMS: Final = 4096


@dataclass(slots=True)
class TextPart:
    """Written words."""

    text: str


@dataclass(slots=True)
class ImagePart:
    """A picture; nothing here looks at it."""

    url: str
    detail: str


@dataclass(slots=True)
class HeardPart:
    """What the user said."""

    pcm: bytes
    audio_ms: int
    transcript: str | None = None
    """The words; empty when there were none, ``None`` while they are not known."""

    def forget_sound(self) -> None:
        """Keep only the words and the length."""
        self.pcm = b""


@dataclass(slots=True)
class SpokenPart:
    """What the assistant said."""

    pcm: bytearray = field(default_factory=bytearray)
    audio_bytes: int = 0
    """Of everything that was said and not cut off, kept or forgotten."""
    words: list[Word] = field(default_factory=list)
    is_cut: bool = False
    is_forgotten: bool = False
    """The samples had to go; what comes later is only counted."""

    @property
    def audio_ms(self) -> int:
        """Return how much was said."""
        return self.audio_bytes // BYTES_PER_MS

    @property
    def transcript(self) -> str:
        """Return the words that are left."""
        return "".join(word.text for word in self.words)

    def add(self, pcm: bytes) -> None:
        """Add samples, unless the part was truncated."""
        if self.is_cut:
            return
        self.audio_bytes += len(pcm)
        if not self.is_forgotten:
            self.pcm += pcm

    def forget_sound(self) -> None:
        """Keep only the words and the length."""
        self.pcm.clear()
        self.is_forgotten = True

    def cut(self, audio_end_ms: int) -> None:
        """Keep what was heard."""
        del self.pcm[audio_end_ms * BYTES_PER_MS :]
        self.audio_bytes = audio_end_ms * BYTES_PER_MS
        self.words = [word for word in self.words if word.end_ms <= audio_end_ms]
        self.is_cut = True


Part = TextPart | ImagePart | HeardPart | SpokenPart


@dataclass(slots=True)
class Message:
    """Something that was said or written."""

    id: str
    role: Role
    status: Status
    parts: list[Part]


@dataclass(slots=True)
class FunctionCall:
    """A call of one of the client's functions."""

    id: str
    status: Status
    name: str
    call_id: str
    arguments: str


@dataclass(slots=True)
class FunctionOutput:
    """What the function returned."""

    id: str
    status: Status
    call_id: str
    output: str


Item = Message | FunctionCall | FunctionOutput


@dataclass(slots=True)
class Conversation:
    """The items of one session."""

    id: str
    items: list[Item] = field(default_factory=list)
    max_bytes: int = MAX_BYTES
    max_items: int = MAX_ITEMS

    def last_id(self) -> str | None:
        """Return the id of the newest item."""
        return self.items[-1].id if self.items else None

    def find(self, item_id: str) -> Item | None:
        """Return an item, if it is still here."""
        return next((item for item in self.items if item.id == item_id), None)

    def add(
        self,
        item: Item,
        previous_item_id: str | None = None,
        *,
        promised_id: str | None = None,
    ) -> str | None:
        """Insert an item and return the id of the one before it.

        Args:
            item: A new item.
            previous_item_id: Where it goes: after this item, first for "root", and last
                when it is left out.
            promised_id: An id that another item is going to have.

        Raises:
            ClientError: The id is taken, or the place does not exist.
        """
        if self.find(item.id) is not None or item.id == promised_id:
            raise ClientError(
                "item_create_duplicate_item_id",
                f"Error adding item: an item with id '{item.id}' already exists.",
                param="item.id",
            )
        index = self._index_after(previous_item_id)
        self.items.insert(index, item)
        return self.items[index - 1].id if index else None

    def get(self, item_id: str, *, verb: str, participle: str) -> Item:
        """Return an item that a client event names.

        Raises:
            ClientError: There is none.
        """
        item = self.find(item_id)
        if item is None:
            raise ClientError(
                f"item_{verb}_invalid_item_id",
                f"Error {participle} item: the item with id '{item_id}' does not exist.",
                param="item_id",
            )
        return item

    def delete(self, item_id: str) -> None:
        """Remove an item.

        Raises:
            ClientError: There is none.
        """
        self.items.remove(self.get(item_id, verb="delete", participle="deleting"))

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Cut the audio of an assistant item at what was heard.

        Raises:
            ClientError: It cannot be cut there.
        """
        item = self.get(item_id, verb="truncate", participle="truncating")
        part = _spoken_part(item, content_index)
        if part is None or not part.audio_ms:
            raise ClientError(
                "unsupported_content_type", "Only model output audio messages can be truncated"
            )
        if audio_end_ms > part.audio_ms:
            raise ClientError(
                "invalid_value",
                f"Audio content of {part.audio_ms}ms is already shorter than {audio_end_ms}ms",
            )
        part.cut(audio_end_ms)

    def holds_assistant_audio(self) -> bool:
        """Tell whether the assistant has spoken and it was kept."""
        return any(isinstance(part, SpokenPart) for part in self._parts())

    def trim(self) -> int:
        """Bring the conversation within its limits and return how much had to go.

        The count is of items and emptied audio parts together.
        """
        dropped = max(0, len(self.items) - self.max_items)
        del self.items[:dropped]
        excess = sum(_item_bytes(item) for item in self.items) - self.max_bytes
        for part in self._parts():
            if excess > 0 and isinstance(part, HeardPart | SpokenPart) and part.pcm:
                excess -= len(part.pcm)
                part.forget_sound()
                dropped += 1
        while excess > 0 and len(self.items) > 1:
            excess -= _item_bytes(self.items.pop(0))
            dropped += 1
        return dropped

    def _parts(self) -> Iterator[Part]:
        for item in self.items:
            if isinstance(item, Message):
                yield from item.parts

    def _index_after(self, previous_item_id: str | None) -> int:
        if previous_item_id is None:
            return len(self.items)
        if previous_item_id == ROOT:
            return 0
        for index, item in enumerate(self.items):
            if item.id == previous_item_id:
                return index + 1
        raise ClientError(
            "item_create_invalid_previous_item_id",
            f"Error adding item: the previous item with id '{previous_item_id}' does not exist.",
            param="previous_item_id",
        )


def _spoken_part(item: Item, content_index: int) -> SpokenPart | None:
    if not isinstance(item, Message) or content_index >= len(item.parts):
        return None
    part = item.parts[content_index]
    return part if isinstance(part, SpokenPart) else None


def _item_bytes(item: Item) -> int:
    match item:
        case Message():
            return sum(_part_bytes(part) for part in item.parts)
        case FunctionCall():
            return len(item.arguments)
        case FunctionOutput():
            return len(item.output)
        case _:
            assert_never(item)


def _part_bytes(part: Part) -> int:
    match part:
        case TextPart():
            return len(part.text)
        case ImagePart():
            return len(part.url)
        case HeardPart() | SpokenPart():
            return len(part.pcm)
        case _:
            assert_never(part)
