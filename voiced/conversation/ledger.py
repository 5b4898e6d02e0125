"""What was received of each reply, and what of it was heard.

Rules (R3, R4 and R5 of the interruption transaction)
1. Samples belong to a piece: (item_id, content_index).  Pieces stand in the order in
   which they are played.
2. Heard is what the loudspeaker says, clamped to what was received.  It names every piece
   that it has not fully played: a complete piece that it does not name was heard in full.
3. A cut settles every piece it finds, once: heard in full -> nothing; in part ->
   truncate at its own heard ms; not at all -> delete.  A settled item is closed: its
   samples are dropped and it is never truncated again.
4. Truncation is for the session that made the item.  A piece that outlived its session
   is silenced like any other, and nothing is sent about it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from voiced.conversation.sound_events import Heard

FRAMES_PER_MS = 24
BYTES_PER_FRAME = 2
REMEMBERED = 512
"""How many closed items are remembered; a conversation rarely has as many in flight."""


@dataclass(slots=True)
class Piece:
    """One content part of one item, on its way to the loudspeaker."""

    session: int
    response_id: str
    item_id: str
    content_index: int
    is_first: bool
    """Nothing of this item was handed to the loudspeaker before this piece."""
    received_bytes: int = 0
    is_complete: bool = False
    """The server has sent all of it."""
    last_play: int = 0
    """Number of the ``Play`` effect that carried its newest samples."""

    @property
    def received_frames(self) -> int:
        """Return the whole frames received."""
        return self.received_bytes // BYTES_PER_FRAME


@dataclass(frozen=True, slots=True)
class Truncate:
    """The item was heard up to here."""

    item_id: str
    content_index: int
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Nothing of the item was heard."""

    response_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a cut means for the server's copy of the conversation."""

    remedies: tuple[Truncate | Delete, ...]
    sounding_item: str | None
    """The item under the playhead."""
    heard_ms: int
    """How much of that item was heard."""


@dataclass(slots=True)
class Ledger:
    """The pieces that are received and not known to be played."""

    pieces: list[Piece] = field(default_factory=list)
    begun: dict[str, None] = field(default_factory=dict)
    """Items of which a piece was ever entered, oldest first."""
    closed: dict[str, None] = field(default_factory=dict)
    """Items whose samples are dropped, oldest first."""

    def is_sounding(self) -> bool:
        """Tell whether samples were handed over that may not have been played yet."""
        return any(piece.received_bytes for piece in self.pieces)

    def sounding_item(self) -> str | None:
        """Return the first item that may not have been heard to its end."""
        return next((piece.item_id for piece in self.pieces if piece.received_bytes), None)

    def holds(self, response_id: str) -> bool:
        """Tell whether samples of a response may not have been played yet."""
        return any(p.received_bytes and p.response_id == response_id for p in self.pieces)

    def is_incomplete(self) -> bool:
        """Tell whether more samples are to come for something that was handed over."""
        return any(piece.received_bytes and not piece.is_complete for piece in self.pieces)

    def add_item(self, session: int, response_id: str, item_id: str) -> None:
        """Enter an item that a response is going to say, before its first sample."""
        if item_id not in self.closed and item_id not in self.begun:
            self._enter(session, response_id, item_id, 0)

    def receive(
        self, session: int, response_id: str, key: tuple[str, int], *, size: int, play: int
    ) -> bool:
        """Count ``size`` bytes of a piece; false means the item is closed: drop them.

        Args:
            session: The session the samples came from.
            response_id: The response they belong to.
            key: The piece, as (item_id, content_index).
            size: How many bytes.
            play: Number of the ``Play`` effect that is to carry them.
        """
        item_id, content_index = key
        if item_id in self.closed:
            return False
        piece = self._find(item_id, content_index)
        if piece is None:
            piece = self._enter(session, response_id, item_id, content_index)
        piece.received_bytes += size
        piece.last_play = play
        return True

    def complete(self, item_id: str, content_index: int) -> bool:
        """Note that a piece has all its samples; true when it has some and was open."""
        piece = self._find(item_id, content_index)
        if piece is None or piece.is_complete:
            return False
        piece.is_complete = True
        if not piece.received_bytes:
            self.pieces.remove(piece)
        return bool(piece.received_bytes)

    def end(self, response_id: str | None) -> list[Piece]:
        """Note that no more samples will come; return the pieces that waited for some.

        Args:
            response_id: The response that is over; None means every one.
        """
        ended = [
            piece
            for piece in self.pieces
            if not piece.is_complete and response_id in (piece.response_id, None)
        ]
        return [piece for piece in ended if self.complete(piece.item_id, piece.content_index)]

    def drained(self, plays: int) -> None:
        """Forget the pieces that have been played.

        Args:
            plays: So many ``Play`` effects had been played to their last sample.
        """
        self.pieces = [
            piece for piece in self.pieces if not (piece.is_complete and piece.last_play <= plays)
        ]

    def take(self) -> list[Piece]:
        """Close every open item and hand the pieces over, to be settled once."""
        taken, self.pieces = self.pieces, []
        for piece in taken:
            self.close(piece.item_id)
        return taken

    def close(self, item_id: str) -> None:
        """Drop every further sample of an item."""
        _remember(self.closed, item_id)

    def new_session(self) -> None:
        """Forget the items of a session that is over: the next may use their ids again."""
        self.begun.clear()
        self.closed.clear()

    def _enter(self, session: int, response_id: str, item_id: str, content_index: int) -> Piece:
        is_first = item_id not in self.begun
        piece = Piece(session, response_id, item_id, content_index, is_first)
        self.pieces.append(piece)
        _remember(self.begun, item_id)
        return piece

    def _find(self, item_id: str, content_index: int) -> Piece | None:
        for piece in self.pieces:
            if piece.item_id == item_id and piece.content_index == content_index:
                return piece
        return None


def settle(pieces: Iterable[Piece], heard: Iterable[Heard], *, session: int) -> Settlement:
    """Compare what was received with what was heard.

    Args:
        pieces: What ``Ledger.take`` returned when the cut was ordered.
        heard: What the loudspeaker reported.
        session: The session that is open; pieces of others get no remedy.
    """
    frames = {(entry.item_id, entry.content_index): entry.heard_frames for entry in heard}
    remedies: dict[str, Truncate | Delete] = {}
    sounding_item: str | None = None
    sounding_ms = 0
    for piece in pieces:
        unnamed_frames = piece.received_frames if piece.is_complete else 0
        heard_frames = min(
            frames.get((piece.item_id, piece.content_index), unnamed_frames),
            piece.received_frames,
        )
        heard_ms = heard_frames // FRAMES_PER_MS
        if heard_ms > 0:
            sounding_item, sounding_ms = piece.item_id, heard_ms
        is_whole = piece.is_complete and heard_frames == piece.received_frames
        if piece.session != session or is_whole or piece.item_id in remedies:
            continue
        if heard_ms == 0 and piece.is_first:
            remedies[piece.item_id] = Delete(piece.response_id, piece.item_id)
        elif piece.received_frames:
            remedies[piece.item_id] = Truncate(piece.item_id, piece.content_index, heard_ms)
    return Settlement(tuple(remedies.values()), sounding_item, sounding_ms)


def _remember(ids: dict[str, None], item_id: str) -> None:
    """Add an id to a bounded set, which forgets the oldest."""
    ids[item_id] = None
    while len(ids) > REMEMBERED:
        del ids[next(iter(ids))]
