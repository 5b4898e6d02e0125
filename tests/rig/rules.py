"""A judge of the wire: what a client may say to a Realtime server, and when.

The judge sees both directions in the order in which they crossed the server, and keeps
its own books.  It shares no code with voiced.  Rules by number of the interruption
transaction where they have one:

* R4  truncate: an item the server sent audio of, once, after 0 and not beyond the audio;
      delete: an item of which no audio was confirmed as heard, once, and not truncated
* R7  cancel by id, a response that is active and that the server will not cancel itself
* R8  one response at a time
* R11 audio in pieces of at most 40 ms, whole samples
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
BYTES_PER_MS = 48
MAX_APPEND_BYTES = 40 * BYTES_PER_MS
MIN_COMMIT_BYTES = 100 * BYTES_PER_MS


@dataclass
class RuleBook:
    """What was said, and what of it was against the rules.

    Attributes:
        violations: One sentence for each breach.
        interrupts: The session's ``interrupt_response``.
    """

    interrupts: bool = True
    violations: list[str] = field(default_factory=list)
    audio_bytes: dict[str, int] = field(default_factory=dict)
    """Item -> bytes of audio the server sent."""
    truncated: dict[str, int] = field(default_factory=dict)
    """Item -> ms at which the client cut it."""
    deleted: set[str] = field(default_factory=set)
    items: set[str] = field(default_factory=set)
    active: str | None = None
    ended: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    """Responses somebody cancelled: the client, or the server at speech_started."""
    creates_pending: int = 0
    buffered_bytes: int = 0
    appended_bytes: int = 0

    def server(self, event: Event) -> None:
        """Take note of what the server sends."""
        match event:
            case {"type": "response.created", "response": {"id": response_id}}:
                self.active = response_id
                self.creates_pending = max(0, self.creates_pending - 1)
            case {"type": "response.done", "response": {"id": response_id}}:
                self.ended.add(response_id)
                if self.active == response_id:
                    self.active = None
            case {"type": "response.output_item.added", "item": {"id": item_id}}:
                self.items.add(item_id)
            case {"type": "response.output_audio.delta", "item_id": item_id, "delta": delta}:
                size = len(base64.b64decode(delta))
                self.audio_bytes[item_id] = self.audio_bytes.get(item_id, 0) + size
            case {"type": "input_audio_buffer.speech_started"}:
                if self.interrupts and self.active is not None:
                    self.cancelled.add(self.active)
            case {"type": "input_audio_buffer.committed"}:
                self.buffered_bytes = 0
            case _:
                return

    def client(self, event: Event) -> None:
        """Judge what the client sends."""
        match event:
            case {"type": "input_audio_buffer.append", "audio": audio}:
                self._append(audio)
            case {"type": "input_audio_buffer.commit"}:
                if self.buffered_bytes < MIN_COMMIT_BYTES:
                    self._breach("commit of less than 100 ms")
                self.buffered_bytes = 0
            case {"type": "input_audio_buffer.clear"}:
                self.buffered_bytes = 0
            case {"type": "response.create"}:
                if self.active is not None or self.creates_pending:
                    self._breach(f"response.create while {self.active or 'another'} is under way")
                self.creates_pending += 1
            case {"type": "response.cancel"}:
                self._cancel(event.get("response_id"))
            case {"type": "conversation.item.truncate"}:
                self._truncate(event["item_id"], event["audio_end_ms"])
            case {"type": "conversation.item.delete", "item_id": item_id}:
                self._delete(item_id)
            case {"type": "session.update", "session": session}:
                detection = session.get("audio", {}).get("input", {}).get("turn_detection")
                self.interrupts = bool(detection and detection.get("interrupt_response", True))
            case {"type": "conversation.item.create"}:
                return
            case _:
                self._breach(f"unknown client event {event.get('type')}")

    def audio_ms(self, item_id: str) -> int:
        """Return how much of an item the server has sent, in whole ms."""
        return self.audio_bytes.get(item_id, 0) // BYTES_PER_MS

    def _append(self, audio: str) -> None:
        try:
            size = len(base64.b64decode(audio, validate=True))
        except (binascii.Error, TypeError) as error:
            self._breach(f"append that is no base64: {error}")
            return
        self.buffered_bytes += size
        self.appended_bytes += size
        if size > MAX_APPEND_BYTES or size % 2:
            self._breach(f"append of {size} bytes")

    def _cancel(self, response_id: str | None) -> None:
        if response_id is None:
            self._breach("cancel without an id")
        elif response_id in self.cancelled:
            self._breach(f"cancel of {response_id}, which is being cancelled")
        elif response_id != self.active and response_id not in self.ended:
            self._breach(f"cancel of {response_id}, which was never active")
        else:
            self.cancelled.add(response_id)

    def _truncate(self, item_id: str, audio_end_ms: int) -> None:
        if item_id not in self.audio_bytes:
            self._breach(f"truncate of {item_id}, which has no audio")
        elif audio_end_ms > self.audio_ms(item_id):
            sent_ms = self.audio_ms(item_id)
            self._breach(f"truncate of {item_id} at {audio_end_ms} ms of {sent_ms} ms")
        elif audio_end_ms <= 0:
            self._breach(f"truncate of {item_id} at {audio_end_ms} ms")
        if item_id in self.truncated:
            self._breach(f"second truncate of {item_id}")
        if item_id in self.deleted:
            self._breach(f"truncate of {item_id}, which was deleted")
        self.truncated[item_id] = audio_end_ms

    def _delete(self, item_id: str) -> None:
        if item_id not in self.items:
            self._breach(f"delete of unknown item {item_id}")
        if item_id in self.deleted:
            self._breach(f"second delete of {item_id}")
        if item_id in self.truncated:
            self._breach(f"delete of {item_id}, which was truncated")
        self.deleted.add(item_id)

    def _breach(self, sentence: str) -> None:
        self.violations.append(sentence)
