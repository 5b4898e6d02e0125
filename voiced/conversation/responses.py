"""The one owner of ``response.create``, and the list of responses that are dead.

Rules
1. One response at a time (R8).  A wish that comes while one is under way waits for its
   ``response.done``; a refusal is matched by event id and tried again after that.
2. A dead response stays dead (R5), by id, before and after its ``response.done``, also
   when the interruption came before ``response.created``.
3. A response is cancelled by id, and only when the server will not do it itself (R7).
4. Late and repeated events change nothing.
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
    is_doomed: bool = False
    """The next reply the server starts by itself answers a turn that is over."""
    doomed_requests: set[str] = field(default_factory=set)
    """Requests of ours whose response is dead before it is born."""
    dead: dict[str, bool] = field(default_factory=dict)
    """Dead response -> whether the server was told or does it itself; oldest first."""

    def is_busy(self) -> bool:
        """Tell whether the server may refuse another ``response.create``."""
        return self.active is not None or self.requested is not None

    def is_living(self) -> bool:
        """Tell whether the server is generating a reply that is to be heard."""
        return self.active is not None and self.active not in self.dead

    def is_pending(self) -> bool:
        """Tell whether a living reply is under way, asked for or expected."""
        asked = self.requested is not None and self.requested not in self.doomed_requests
        return self.is_living() or asked or self.is_wanted or self.is_expected

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
        self.active = response_id
        if is_dead:
            self._bury(response_id, is_told=False)
        return not is_dead

    def done(self, response_id: str) -> None:
        """Note the end of a response, also of one that was never announced."""
        if self.active == response_id:
            self.active = None
        elif self.active is None and response_id not in self.dead:
            # Cancelled before it was created: that was the one we waited for.
            asked = self._request_without_marker()
            if asked is not None:
                self._answered(asked)
            self.is_expected = self.is_doomed = False

    def refused(self, event_id: str | None, code: str | None) -> bool:
        """Note the refusal of a request of ours; true when it was about one.

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
        return True

    def abandon(self) -> None:
        """Stop waiting for a response or an answer that does not come."""
        if self.active is not None:
            self._bury(self.active, is_told=True)
        self.reset()

    def kill(self, *, server_cancels: bool) -> None:
        """Declare everything under way, asked for or expected dead.

        Args:
            server_cancels: The server cancels the active response by itself.
        """
        if self.active is not None:
            was_told = self.dead.get(self.active, False)
            self._bury(self.active, is_told=was_told or server_cancels)
        if self.requested is not None:
            self.doomed_requests.add(self.requested)
        if self.is_expected:
            self.is_expected = False
            self.is_doomed = True
        self.is_wanted = False

    def to_cancel(self) -> Iterable[str]:
        """Return the response that has to be cancelled by us, at most once."""
        if self.active is not None and self.dead.get(self.active) is False:
            self.dead[self.active] = True
            return (self.active,)
        return ()

    def reset(self) -> None:
        """Forget what was under way: the session it belonged to is gone.

        The dead stay dead; their ids cannot come back.
        """
        self.active = self.requested = None
        self.is_wanted = self.is_expected = self.is_doomed = False
        self.doomed_requests.clear()

    def _request_without_marker(self) -> str | None:
        """Return our request, unless the server has a reply of its own to begin first."""
        return None if self.is_expected or self.is_doomed else self.requested

    def _answered(self, event_id: str) -> None:
        self.doomed_requests.discard(event_id)
        if self.requested == event_id:
            self.requested = None

    def _bury(self, response_id: str, *, is_told: bool) -> None:
        self.dead[response_id] = is_told
        while len(self.dead) > REMEMBERED:
            del self.dead[next(iter(self.dead))]
