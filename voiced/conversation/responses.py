"""The one owner of ``response.create``, and the list of responses that are dead.

Rules
1. One response at a time (R8).  A wish that comes while one is under way waits for its
   ``response.done``; a refusal is matched by event id and tried again after that.
2. A dead response stays dead (R5), by id, before and after its ``response.done``, also
   when the interruption came before ``response.created``.
3. A response is cancelled by id, and only when the server will not do it itself (R7).
4. Late and repeated events change nothing.
5. A response that is overdue is no longer waited for.  It is not dead: what still comes of
   it is played.  It is cancelled when something else is asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

REMEMBERED = 64
"""How many dead responses are remembered."""

ALREADY_ACTIVE = "conversation_already_has_active_response"
"""The server's word for "one response at a time"."""


@dataclass(slots=True)
class Responses:
    """Which response is under way, wanted, expected or dead."""

    active: str | None = None
    """The response the server is generating."""
    requested: str | None = None
    """Event id of our ``response.create`` that has no answer yet."""
    last_request: str | None = None
    """Event id of the newest ``response.create``, answered or not."""
    is_wanted: bool = False
    """A reply is to be asked for as soon as the server is free."""
    is_expected: bool = False
    """The server is going to start a reply by itself."""
    is_committed: bool = False
    """A turn of ours is on its way; a reply is asked for when the server has taken it."""
    is_doomed: bool = False
    """The next reply the server starts by itself answers a turn that is over."""
    doomed_requests: set[str] = field(default_factory=set)
    """Requests of ours whose response is dead before it is born."""
    is_overdue: bool = False
    """Nothing has come of the active response for so long that nobody waits for it."""
    cancelling: str | None = None
    """The response we cancelled last."""
    last_done: str | None = None
    """The response that ended last."""
    dead: dict[str, bool] = field(default_factory=dict)
    """Dead response -> whether the server was told or does it itself; oldest first."""

    def is_busy(self) -> bool:
        """Tell whether the server may refuse another ``response.create``."""
        return self.active is not None or self.requested is not None

    def is_living(self) -> bool:
        """Tell whether the server is generating a reply that is waited for."""
        return self.active is not None and self.active not in self.dead and not self.is_overdue

    def is_awaited(self) -> bool:
        """Tell whether the server owes us something: a reply, an answer, or an end."""
        return self.is_pending() or (self.is_busy() and not self.is_overdue)

    def is_pending(self) -> bool:
        """Tell whether a living reply is under way, asked for or expected."""
        asked = self.requested is not None and self.requested not in self.doomed_requests
        is_coming = self.is_wanted or self.is_expected or self.is_committed
        return self.is_living() or asked or is_coming

    def is_dead(self, response_id: str) -> bool:
        """Tell whether everything of a response is to be dropped."""
        return response_id in self.dead

    def want(self, event_id: str) -> bool:
        """Ask for a reply; true means: send ``response.create`` with this id now."""
        if self.is_busy():
            self.is_wanted = True
            return False
        self.is_wanted = False
        self.requested = self.last_request = event_id
        return True

    def expect(self) -> None:
        """Note that the user's turn is over and the server will answer it."""
        self.is_expected = True
        # A reply to an earlier turn that has not begun by now never will: the server
        # cancels what it is doing when it hears the user.
        self.is_doomed = False

    def created(self, response_id: str, marker: str | None, *, user_is_speaking: bool) -> bool:
        """Note a new response; false means it is dead on arrival.

        Not every server hands the marker back: without one, the response is ours when
        we asked for one and the server had no reason of its own.
        """
        is_dead = response_id in self.dead
        asked = marker if marker is not None else self._request_without_marker()
        if asked is not None:
            is_dead |= asked in self.doomed_requests
            self._answered(asked)
        else:
            is_dead |= self.is_doomed or user_is_speaking
            self.is_doomed = self.is_expected = False
        if self.active is not None and self.is_overdue:
            self._bury(self.active, is_told=True)
        self.active = response_id
        self.is_overdue = False
        if is_dead:
            self._bury(response_id, is_told=False)
        return not is_dead

    def done(self, response_id: str) -> None:
        """Note the end of a response, also of one that was never announced."""
        is_repeated = response_id == self.last_done
        self.last_done = response_id
        if self.active == response_id:
            self.active = None
            self.is_overdue = False
        elif self.active is None and response_id not in self.dead and not is_repeated:
            # Cancelled before it was created: that was the one we waited for.
            asked = self._request_without_marker()
            if asked is not None:
                self._answered(asked)
            self.is_expected = self.is_doomed = False

    def refused(self, event_id: str | None, code: str | None) -> bool:
        """Note the refusal of a request of ours; true when nobody needs to hear of it.

        A server that leaves out the event id is understood by its code.
        """
        is_busy_now = code == ALREADY_ACTIVE
        asked = self.requested if event_id is None and is_busy_now else event_id
        if asked is None or asked not in (self.requested, self.last_request):
            return False
        is_doomed = asked in self.doomed_requests
        self._answered(asked)
        if is_busy_now and not is_doomed:
            self.is_wanted = True
        return is_doomed or is_busy_now

    def lose_patience(self) -> bool:
        """Stop waiting for a reply of which nothing comes; true when somebody waited for it.

        A request, a promise or a dead response of which nothing comes is forgotten.
        """
        was_pending = self.is_pending()
        if self.is_living():
            self.is_overdue = True
        elif not self.is_overdue:
            self.active = None
        self.requested = None
        self.is_wanted = self.is_expected = self.is_committed = self.is_doomed = False
        self.doomed_requests.clear()
        return was_pending

    def kill(self, *, server_cancels: bool, server_replies: bool) -> None:
        """Declare everything under way, asked for or expected dead.

        Args:
            server_cancels: The server cancels the active response by itself.
            server_replies: The server starts replies by itself.
        """
        if self.active is not None:
            was_told = self.dead.get(self.active, False)
            self._bury(self.active, is_told=was_told or server_cancels)
        if self.requested is not None:
            self.doomed_requests.add(self.requested)
        if self.is_expected:
            self.is_expected = False
            self.is_doomed = server_replies
        self.is_wanted = self.is_committed = False

    def server_cancels(self) -> None:
        """Note that the server cancels by itself what is dead already."""
        if self.active is not None and self.active in self.dead:
            self.dead[self.active] = True

    def bury(self, response_id: str) -> None:
        """Declare a response dead that is over on the server, or never was the active one."""
        if response_id != self.active:
            self._bury(response_id, is_told=True)

    def to_cancel(self) -> Iterable[str]:
        """Return the response that has to be cancelled by us, at most once."""
        if self.active is not None and self.dead.get(self.active) is False:
            self.dead[self.active] = True
            self.cancelling = self.active
            return (self.active,)
        return ()

    def cancel_refused(self) -> str | None:
        """Return the response that is over, if the server says that there is none to cancel."""
        return self.active if self.active == self.cancelling else None

    def reset(self) -> None:
        """Forget everything: the session it belonged to is gone, its ids may come again."""
        self.active = self.requested = self.last_done = self.cancelling = None
        self.is_wanted = self.is_expected = self.is_committed = False
        self.is_doomed = self.is_overdue = False
        self.doomed_requests.clear()
        self.dead.clear()

    def _request_without_marker(self) -> str | None:
        """Return our request, unless the server has a reply of its own to begin first."""
        return None if self.is_expected or self.is_doomed else self.requested

    def _answered(self, event_id: str) -> None:
        self.doomed_requests.discard(event_id)
        if self.requested == event_id:
            self.requested = None

    def _bury(self, response_id: str, *, is_told: bool) -> None:
        self.dead[response_id] = is_told
        if response_id == self.active:
            self.is_overdue = False
        while len(self.dead) > REMEMBERED:
            del self.dead[next(iter(self.dead))]
