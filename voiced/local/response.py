"""One response: what has been said so far, and the events that tell it.

Rules
1. Events of a response keep the documented order: created; for each item added, its
   part, its deltas, and the ``done`` of each; done.
2. What was opened is closed in the same way whether the response ends well or not; an
   interrupted item is ``incomplete``.
3. The closing events tell what was generated.  Truncation changes the conversation, not
   the history of the response.
4. A response that writes outside the conversation makes no ``conversation.item`` event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, TypedDict

from voiced.local import events as ev
from voiced.local.formats import BYTES_PER_MS, PCM_RATE_HZ, AudioFormat
from voiced.local.item_json import show
from voiced.local.items import Conversation, Message, SpokenPart, TextPart
from voiced.local.script import Word
from voiced.local.session_config import Modality
from voiced.local.shapes import Json
from voiced.local.usage import Usage, output_tokens

Ending = Literal["completed", "cancelled", "incomplete", "failed"]


class At(TypedDict):
    """Where in a response something happens."""

    response_id: str
    item_id: str
    output_index: int
    content_index: int


@dataclass(frozen=True, slots=True)
class Manner:
    """How a response is to be given."""

    instructions: str
    modality: Modality
    voice: str
    speed: float
    audio_format: AudioFormat
    max_output_tokens: int | None
    metadata: dict[str, str] | None


@dataclass(slots=True)
class Response:
    """The record of one response."""

    id: str
    manner: Manner
    conversation: Conversation | None
    """``None`` for a response outside the conversation."""
    item: Message
    """What is being said; the conversation holds the same object."""
    written: TextPart
    spoken: SpokenPart
    is_begun: bool = False
    """The item has been announced."""
    previous_item_id: str | None = None
    text: str = ""
    """Everything written, or the transcript of everything spoken."""
    audio_bytes: int = 0
    """Samples made, in bytes."""

    @classmethod
    def new(cls, manner: Manner, conversation: Conversation | None) -> Self:
        """Return a response of which nothing has been said.

        Args:
            manner: How it is to be given.
            conversation: What it becomes a part of; ``None`` for none.
        """
        written, spoken = TextPart(""), SpokenPart()
        part = spoken if manner.modality == "audio" else written
        item = Message(ev.new_id("item"), "assistant", "in_progress", [part])
        return cls(ev.new_id("resp"), manner, conversation, item, written, spoken)

    @property
    def audio_ms(self) -> int:
        """Return how much was spoken."""
        return self.audio_bytes // BYTES_PER_MS

    @property
    def tokens(self) -> int:
        """Return the output so far, in tokens."""
        return output_tokens(self.text, self.audio_ms)

    def created(self) -> ev.Event:
        """Return the event that announces the response."""
        return ev.ResponseCreated(response=self._body(None, None))

    def begin(self) -> list[ev.Event]:
        """Open the item and its part."""
        self.is_begun = True
        # "An item the model is still generating has no content."
        shown: Json = {**show(self.item), "content": []}
        added: list[ev.Event] = [
            ev.OutputItemAdded(response_id=self.id, output_index=0, item=shown)
        ]
        if self.conversation is not None:
            self.previous_item_id = self.conversation.add(self.item)
            added.append(ev.ItemAdded(previous_item_id=self.previous_item_id, item=shown))
        return [*added, ev.ContentPartAdded(**self._at(), part=self._part(""))]

    def write(self, text: str) -> list[ev.Event]:
        """Add written words."""
        self.written.text += text
        self.text += text
        return [ev.TextDelta(**self._at(), delta=text)]

    def say(self, words: Sequence[Word], pcm: bytes, audio: bytes) -> list[ev.Event]:
        """Add spoken words and their sound; either may be empty.

        Args:
            words: The words that begin in this piece of sound.
            pcm: The sound as samples, kept for truncation.
            audio: The same in the client's format.
        """
        said: list[ev.Event] = []
        if words:
            text = "".join(word.text for word in words)
            self.text += text
            if not self.spoken.is_cut:
                self.spoken.words += words
            said.append(ev.TranscriptDelta(**self._at(), delta=text))
        if audio:
            self.spoken.add(pcm)
            self.audio_bytes += len(pcm)
            said.append(ev.AudioDelta(**self._at(), delta=audio))
        return said

    def finish(self, details: ev.StatusDetails, usage: Usage) -> list[ev.Event]:
        """Close everything that is open.

        Args:
            details: Why the response is over.
            usage: What it cost.
        """
        self.item.status = "completed" if details.type == "completed" else "incomplete"
        closing = self._close_item() if self.is_begun else []
        return [*closing, ev.ResponseDone(response=self._body(details, usage))]

    def _close_item(self) -> list[ev.Event]:
        at = self._at()
        shown = self._shown_item()
        if self.manner.modality == "audio":
            closing: list[ev.Event] = [
                ev.AudioDone(**at),
                ev.TranscriptDone(**at, transcript=self.text),
            ]
        else:
            closing = [ev.TextDone(**at, text=self.text)]
        closing.append(ev.ContentPartDone(**at, part=self._part(self.text)))
        # An item that the client has deleted meanwhile is the conversation's no more.
        if self.conversation is not None and self.conversation.find(self.item.id) is not None:
            closing.append(ev.ItemDone(previous_item_id=self.previous_item_id, item=shown))
        closing.append(ev.OutputItemDone(response_id=self.id, output_index=0, item=shown))
        return closing

    def _part(self, text: str) -> Json:
        if self.manner.modality == "audio":
            return {"type": "audio", "transcript": text}
        return {"type": "text", "text": text}

    def _at(self) -> At:
        return At(response_id=self.id, item_id=self.item.id, output_index=0, content_index=0)

    def _shown_item(self) -> Json:
        is_audio = self.manner.modality == "audio"
        content = (
            {"type": "output_audio", "transcript": self.text}
            if is_audio
            else {"type": "output_text", "text": self.text}
        )
        return {**show(self.item), "content": [content]}

    def _body(self, details: ev.StatusDetails | None, usage: Usage | None) -> ev.ResponseBody:
        manner = self.manner
        audio_format: Json = {"type": manner.audio_format}
        if manner.audio_format == "audio/pcm":
            audio_format["rate"] = PCM_RATE_HZ
        return ev.ResponseBody(
            id=self.id,
            status="in_progress" if details is None else details.type,
            status_details=None if details is None or details.type == "completed" else details,
            output=[self._shown_item()] if self.is_begun else [],
            conversation_id=None if self.conversation is None else self.conversation.id,
            output_modalities=[manner.modality],
            max_output_tokens=manner.max_output_tokens or "inf",
            audio={"output": {"format": audio_format, "voice": manner.voice}},
            usage=usage,
            metadata=manner.metadata,
        )
