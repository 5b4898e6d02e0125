"""The user's side of a session: audio in, turns, items and their words.

Rules
1. The order is the documented one: speech_started, speech_stopped, committed, the item
   added and done.  Its words come when they are known.
2. Work on audio is done in short slices, and the loop gets its turn between them: one
   event may carry minutes.
3. Words are looked for whether or not the client wants to read them; the brain does.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, assert_never

from voiced.local import events as ev
from voiced.local.buffer import InputBuffer
from voiced.local.ears import Listener
from voiced.local.errors import ClientError
from voiced.local.formats import (
    BYTES_PER_FRAME,
    BYTES_PER_MS,
    ENCODED_BYTES_PER_MS,
    Decoder,
    decode_base64,
    to_ms,
)
from voiced.local.item_json import show
from voiced.local.items import HeardPart, Item, Message
from voiced.local.scene import Scene
from voiced.local.turns import TurnEnded, TurnRules, TurnStarted

logger = logging.getLogger(__name__)

SLICE_MS: Final = 60
"""Some 2 ms of detection."""
LEAST_COMMIT_MS: Final = 100
WORDS_TIMEOUT_S: Final = 15.0
"""How long a reply waits for the words it answers."""


@dataclass(frozen=True, slots=True)
class Attention:
    """Somebody listens to a turn."""

    item_id: str
    """Id of the item that the turn will be."""
    listener: Listener
    words: asyncio.Task[str | None]


class Hearing:
    """Hears one user.

    Args:
        scene: The session.
        on_speech: Called when the user begins to speak.
        on_turn: Called when the detected end of a turn has made an item.
    """

    def __init__(
        self, scene: Scene, *, on_speech: Callable[[], None], on_turn: Callable[[], None]
    ) -> None:
        self._scene = scene
        self._on_speech = on_speech
        self._on_turn = on_turn
        self._buffer = InputBuffer(scene.equipment.make_detector)
        self._decoder = Decoder(scene.config.input_format)
        self._attention: Attention | None = None
        """Who listens to the running turn."""
        self._unknown: dict[asyncio.Task[None], str] = {}
        """Who looks for words, and for which item."""
        self.configure()

    def configure(self) -> None:
        """Follow the session's settings."""
        config = self._scene.config
        if self._decoder.audio_format != config.input_format:
            self._decoder = Decoder(config.input_format)
        detection = config.detection
        if (detection is None) == self._buffer.is_detecting:
            self._forget_turn()
        self._buffer.detect(
            None
            if detection is None
            else TurnRules(detection.threshold, detection.prefix_padding_ms, detection.silence_ms)
        )

    def close(self) -> None:
        """Let go of the audio and the detector."""
        self._attention = None
        self._buffer.close()

    @property
    def is_speaking(self) -> bool:
        """Tell whether a detected turn is running."""
        return self._buffer.is_speaking

    @property
    def promised_id(self) -> str | None:
        """Return the id that the running turn's item is going to have, as was told."""
        return None if self._attention is None else self._attention.item_id

    async def append(self, audio: str) -> None:
        """Take the audio of an event.

        Raises:
            ClientError: It is no audio.
        """
        data = decode_base64(audio, self._scene.config.input_format)
        decoder, size = self._decoder, SLICE_MS * ENCODED_BYTES_PER_MS[self._decoder.audio_format]
        for start in range(0, len(data), size):
            if start:
                await asyncio.sleep(0)
            self._hear(decoder.decode(data[start : start + size]))

    def commit(self) -> None:
        """Make the buffered audio an item, at the client's word.

        Raises:
            ClientError: There is too little.
        """
        buffered = self._buffer.frames
        if to_ms(buffered) < LEAST_COMMIT_MS:
            raise ClientError(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{LEAST_COMMIT_MS}ms of audio, but buffer only has "
                f"{buffered * BYTES_PER_FRAME / BYTES_PER_MS:.2f}ms of audio.",
            )
        pcm = self._buffer.commit()
        self._add_turn(pcm, self._attention or self._attend(pcm))

    def clear(self) -> None:
        """Drop the buffered audio."""
        self._buffer.clear()
        self._forget_turn()
        self._scene.outbox.put(ev.Cleared())

    def time_out(self, silence_ms: int) -> None:
        """Make an empty item, because the user has been silent for so long."""
        now_ms = to_ms(self._buffer.appended_frames)
        item_id = ev.new_id("item")
        self._scene.outbox.put(
            ev.TimeoutTriggered(
                audio_start_ms=max(0, now_ms - silence_ms),
                audio_end_ms=now_ms,
                item_id=item_id,
            )
        )
        self._buffer.commit()
        self._add_item(item_id, HeardPart(b"", 0, ""))

    def look_for_words(self, item: Item) -> None:
        """Find the words of an item the client has put into the conversation."""
        if isinstance(item, Message):
            for part in item.parts:
                if isinstance(part, HeardPart) and part.transcript is None:
                    self._recognise(part, self._attend(part.pcm, item.id), is_told=False)

    async def words_known(self, items: Iterable[Item]) -> None:
        """Wait until the words of these items are known, or for as long as is decent."""
        ids = {item.id for item in items}
        awaited = [task for task, item_id in self._unknown.items() if item_id in ids]
        if awaited:
            await asyncio.wait(awaited, timeout=WORDS_TIMEOUT_S)

    def _hear(self, pcm: bytes) -> None:
        dropped = self._buffer.dropped_frames
        changes = self._buffer.append(pcm)
        if dropped == 0 < self._buffer.dropped_frames:
            logger.warning("a turn is longer than can be kept; its beginning is dropped")
        if self._attention is not None:
            self._attention.listener.hear(pcm)
        elif not self._buffer.is_detecting:
            self._attention = self._attend(self._buffer.since(0))
        for change in changes:
            match change:
                case TurnStarted():
                    self._begin_turn(change)
                case TurnEnded():
                    self._end_turn(change)
                case _:
                    assert_never(change)

    def _begin_turn(self, turn: TurnStarted) -> None:
        attention = self._attention = self._attend(self._buffer.since(turn.start_frame))
        self._scene.outbox.put(
            ev.SpeechStarted(audio_start_ms=to_ms(turn.start_frame), item_id=attention.item_id)
        )
        self._on_speech()

    def _end_turn(self, turn: TurnEnded) -> None:
        pcm = self._buffer.take(turn.start_frame, turn.end_frame)
        attention = self._attention or self._attend(pcm)
        self._scene.outbox.put(
            ev.SpeechStopped(audio_end_ms=to_ms(turn.end_frame), item_id=attention.item_id)
        )
        self._add_turn(pcm, attention)
        self._on_turn()

    def _add_turn(self, pcm: bytes, attention: Attention) -> None:
        part = HeardPart(pcm, len(pcm) // BYTES_PER_MS)
        self._attention = None
        self._add_item(attention.item_id, part)
        self._recognise(part, attention, is_told=self._scene.config.transcribes)

    def _add_item(self, item_id: str, part: HeardPart) -> None:
        item = Message(item_id, "user", "completed", [part])
        previous = self._scene.conversation.add(item)
        shown = show(item)
        self._scene.outbox.put(
            ev.Committed(previous_item_id=previous, item_id=item.id),
            ev.ItemAdded(previous_item_id=previous, item=shown),
            ev.ItemDone(previous_item_id=previous, item=shown),
        )

    def _forget_turn(self) -> None:
        if self._attention is not None:
            self._attention.words.cancel()
        self._attention = None

    def _attend(self, pcm: bytes, item_id: str | None = None) -> Attention:
        """Let somebody listen, from these samples on."""
        listener = self._scene.equipment.ears.listen()
        listener.hear(pcm)
        words = self._scene.tasks.create_task(listener.words(), name="ears")
        return Attention(item_id or ev.new_id("item"), listener, words)

    def _recognise(self, part: HeardPart, attention: Attention, *, is_told: bool) -> None:
        attention.listener.finish()
        work = self._find_words(part, attention, is_told=is_told)
        task = self._scene.tasks.create_task(work, name=f"words {attention.item_id}")
        self._unknown[task] = attention.item_id
        task.add_done_callback(self._unknown.pop)

    async def _find_words(self, part: HeardPart, attention: Attention, *, is_told: bool) -> None:
        part.transcript = await attention.words
        if is_told:
            self._tell_words(attention.item_id, part)

    def _tell_words(self, item_id: str, part: HeardPart) -> None:
        words = part.transcript
        if words is None:
            error = ev.TranscriptionError(message="The speech recogniser does not work.")
            self._scene.outbox.put(
                ev.TranscriptionFailed(item_id=item_id, content_index=0, error=error)
            )
            return
        if words:
            self._scene.outbox.put(
                ev.TranscriptionDelta(item_id=item_id, content_index=0, delta=words)
            )
        self._scene.outbox.put(
            ev.TranscriptionCompleted(
                item_id=item_id,
                content_index=0,
                transcript=words,
                usage=ev.DurationUsage(seconds=part.audio_ms / 1000),
            )
        )
