"""Replies and their interruption: what is said, what is heard, what the server is told.

Rules (numbers of the interruption transaction in ARCHITECTURE.md)
1. A cut has two halves.  ``interrupt`` silences the loudspeaker and declares everything
   under way dead; ``was_cut`` takes the loudspeaker's report and tells the server.
   Nothing is sent between the two that could wait (R1).
2. The pieces a cut finds are settled by that cut alone (R4).
3. An item of which nothing was heard is deleted when its response is over: until then
   the server is still writing it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.doubt import Notice
from voiced.conversation.ledger import Delete, Ledger, Piece, settle
from voiced.conversation.responses import Responses
from voiced.conversation.status import Interruption

Effects = list[fx.Effect]


@dataclass(slots=True)
class Cut:
    """A cut whose report has not come yet."""

    notice: Notice
    session: int
    pieces: list[Piece]
    afterwards: Effects
    """What is sent once the loudspeaker is silent, if the session is still there."""


@dataclass(slots=True)
class Turns:
    """The replies of a conversation.

    Args:
        new_id: Makes the event ids of what is sent.
    """

    new_id: Callable[[str], str]
    responses: Responses = field(default_factory=Responses)
    ledger: Ledger = field(default_factory=Ledger)
    cuts: dict[int, Cut] = field(default_factory=dict)
    session: int = 0
    """The session whose items may be truncated; 0 while none is ready."""
    plays: int = 0
    """How many ``Play`` effects were ordered."""
    cut_count: int = 0
    unheard: dict[str, list[str]] = field(default_factory=dict)
    """Response -> items to delete when it is over."""
    last_interruption: Interruption | None = None
    interruptions: int = 0
    """How many there were, those included that gave the words back."""
    commits: int = 0
    """Turns of ours that the server has not yet taken."""

    # --- what the machine asks ---------------------------------------------------------

    @property
    def is_sounding(self) -> bool:
        """Tell whether samples are on their way to the ear."""
        return self.ledger.is_sounding()

    @property
    def is_owed(self) -> bool:
        """Tell whether the server owes us something: a reply, its end, or more samples."""
        return self.responses.is_awaited() or self.ledger.is_incomplete()

    @property
    def is_cutting(self) -> bool:
        """Tell whether a cut waits for its report."""
        return bool(self.cuts)

    # --- replies -----------------------------------------------------------------------

    def ask(self) -> Effects:
        """Ask the server for a reply: now, or when it is free and the loudspeaker silent."""
        if self.cuts:
            self.responses.is_wanted = True
            return []
        event_id = self.new_id("response")
        return [fx.CreateResponse(event_id)] if self.responses.want(event_id) else []

    def ask_if_wanted(self) -> Effects:
        """Ask for the reply that had to wait, if one had to and the server is free."""
        if not self.responses.is_wanted or self.responses.is_busy():
            return []
        return self.ask()

    def created(self, event: ev.ResponseCreated, *, user_is_speaking: bool) -> None:
        """Note that the server started a response."""
        self.responses.created(event.response_id, event.marker, user_is_speaking=user_is_speaking)

    def item_added(self, event: ev.ItemAdded) -> Effects:
        """Note an item the response is going to say."""
        if not event.is_message:
            return []
        if self.responses.is_dead(event.response_id):
            return self._never_heard(event.response_id, event.item_id)
        self.ledger.add_item(self.session, event.response_id, event.item_id)
        return []

    def delta(self, event: ev.AudioDelta) -> Effects:
        """Play samples of a living reply; drop those of a dead one (R5)."""
        if self.responses.is_dead(event.response_id):
            return self._never_heard(event.response_id, event.item_id)
        key, play = (event.item_id, event.content_index), self.plays + 1
        if not event.pcm or not self.ledger.receive(
            self.session, event.response_id, key, size=len(event.pcm), play=play
        ):
            return []
        self.plays = play
        return [fx.Play(event.item_id, event.content_index, event.pcm)]

    def audio_done(self, event: ev.AudioDone) -> Effects:
        """Release what a piece still holds back: no more of it will come."""
        if not self.ledger.complete(event.item_id, event.content_index):
            return []
        return [fx.FinishPlay(event.item_id, event.content_index)]

    def done(self, response_id: str) -> Effects:
        """Note the end of a response on the server; it may sound on here (R6)."""
        self.responses.done(response_id)
        effects = self._finish_all(response_id)
        deletes: Effects = [self._delete(item) for item in self.unheard.pop(response_id, ())]
        return [*effects, *self.when_silent(deletes), *self.ask_if_wanted()]

    def cancel_refused(self) -> Effects:
        """Note that what we tried to cancel is over: its end may never be told."""
        over = self.responses.cancel_refused()
        return [] if over is None else self.done(over)

    def lose_patience(self) -> tuple[bool, Effects]:
        """Stop waiting for what the server owes; tell whether somebody waited for a reply."""
        was_pending = self.responses.lose_patience()
        return was_pending, self._finish_all(None)

    def drained(self, plays: int) -> None:
        """Note that everything up to a ``Play`` was heard."""
        self.ledger.drained(plays)

    # --- interruption ------------------------------------------------------------------

    def interrupt(
        self,
        notice: Notice,
        *,
        server_cancels: bool,
        server_replies: bool,
        afterwards: Effects | None = None,
    ) -> Effects:
        """Silence the assistant: the first half of a cut.

        Args:
            notice: How the user was noticed.
            server_cancels: The server stops generating by itself (R7).
            server_replies: The server starts replies by itself.
            afterwards: What is to be sent when the loudspeaker is silent.
        """
        was_sounding = self.is_sounding
        self.responses.kill(server_cancels=server_cancels, server_replies=server_replies)
        pieces = self.ledger.take()
        for piece in pieces:
            self.responses.bury(piece.response_id)
        if was_sounding:
            self.cut_count += 1
            cut = Cut(notice, self.session, pieces, list(afterwards or ()))
            self.cuts[self.cut_count] = cut
            return [fx.CutPlayback(self.cut_count)]
        effects: Effects = []
        for piece in pieces:
            effects += self._delete_when_over(piece.response_id, piece.item_id)
        if not self.cuts:
            effects = [*self._cancel(), *effects]
        return self.when_silent([*effects, *(afterwards or ())])

    def was_cut(self, event: se.PlaybackCut) -> Effects:
        """Tell the server what was heard: the second half of a cut."""
        cut = self.cuts.pop(event.cut, None)
        if cut is None:
            return []
        settlement = settle(cut.pieces, event.heard, session=self.session)
        effects = self.cancel_what_is_in_the_way()
        for remedy in settlement.remedies:
            if isinstance(remedy, Delete):
                effects += self._delete_when_over(remedy.response_id, remedy.item_id)
                continue
            effects.append(
                fx.TruncateItem(
                    self.new_id("truncate"),
                    remedy.item_id,
                    remedy.content_index,
                    remedy.audio_end_ms,
                )
            )
        if cut.notice.silent_at_s is None:
            cut.notice.silent_at_s = event.silent_at_s
        afterwards = cut.afterwards if cut.session == self.session else []
        sends = self.when_silent([*effects, *afterwards])
        unheard = tuple(it.item_id for it in settlement.remedies if isinstance(it, Delete))
        told = cut.notice.measured(
            self._count(),
            heard_ms=settlement.heard_ms,
            item_id=settlement.sounding_item,
            confirmed=True,
        )
        self.last_interruption = told
        return [*sends, *self.ask_if_wanted(), fx.TellInterruption(told, unheard)]

    def was_held(self, event: se.PlaybackHeld) -> None:
        """Note when a loudspeaker was silent whose hold has become a cut."""
        for cut in self.cuts.values():
            if cut.notice.hold == event.hold:
                cut.notice.silent_at_s = event.silent_at_s

    def give_back(self, notice: Notice) -> fx.TellInterruption:
        """Note that nobody interrupts after all: what sounds or is held goes on."""
        item_id = self.ledger.sounding_item()
        told = notice.measured(self._count(), heard_ms=None, item_id=item_id, confirmed=False)
        self.last_interruption = told
        return fx.TellInterruption(told)

    def cancel_what_is_in_the_way(self) -> Effects:
        """Cancel a dead response the server still generates: a new turn needs the room."""
        return [] if self.cuts else self._cancel()

    def when_silent(self, effects: Effects) -> Effects:
        """Return what is to be sent now; while the loudspeaker is being cut, it waits (R1)."""
        waiting = [cut for cut in self.cuts.values() if cut.session == self.session]
        if not waiting:
            return effects
        waiting[-1].afterwards += effects
        return []

    def session_over(self) -> Effects:
        """Forget what the server was doing; what is sounding sounds on to its end."""
        self.session = self.commits = 0
        self.responses.reset()
        self.ledger.new_session()
        self.unheard.clear()
        return self._finish_all(None)

    def _count(self) -> int:
        self.interruptions += 1
        return self.interruptions

    def _finish_all(self, response_id: str | None) -> Effects:
        return [
            fx.FinishPlay(piece.item_id, piece.content_index)
            for piece in self.ledger.end(response_id)
        ]

    def _cancel(self) -> Effects:
        return [
            fx.CancelResponse(self.new_id("cancel"), response_id)
            for response_id in self.responses.to_cancel()
        ]

    def _never_heard(self, response_id: str, item_id: str) -> Effects:
        """Close an item of a dead response; have it deleted if none of it was played."""
        if item_id in self.ledger.closed:
            return []
        was_begun = item_id in self.ledger.begun
        self.ledger.close(item_id)
        if was_begun:
            return []
        return self.when_silent(self._delete_when_over(response_id, item_id))

    def _delete_when_over(self, response_id: str, item_id: str) -> Effects:
        if self.session and self.responses.active == response_id:
            self.unheard.setdefault(response_id, []).append(item_id)
            return []
        return [self._delete(item_id)] if self.session else []

    def _delete(self, item_id: str) -> fx.DeleteItem:
        return fx.DeleteItem(self.new_id("delete"), item_id)
