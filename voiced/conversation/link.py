"""The session: which attempt counts, when to try again, when to replace it.

Rules
1. Every attempt has a number of its own; what an older one still says is dropped.
2. A close we did not ask for is a loss, whatever its code, and is tried again with
   full jitter; a refusal for good is not.
3. A session that is old is replaced while neither side speaks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from voiced.conversation.backoff import HEALTHY_AFTER_S, Backoff
from voiced.conversation.events import SessionReady

BEFORE_EXPIRY_S = 60.0
"""A session is replaced so long before the server says it ends."""


@dataclass(slots=True)
class Link:
    """The session in use.

    Args:
        random: Returns a number in [0, 1).
        max_age_s: Replace a session that is older; 0 goes by what the provider says.
    """

    random: Callable[[], float]
    max_age_s: float = 0.0
    number: int = 0
    """The newest attempt."""
    facts: SessionReady | None = None
    """What the server confirmed; None while no session is ready."""
    ready_s: float = 0.0
    retry_s: float | None = None
    """When to try again."""
    reconnects: int = 0
    finds_turns: bool = False
    """The server looks for turns while no talk key is down."""
    unanswered: int = 0
    """How often it was told to begin or to stop looking, and has not confirmed it."""
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.random)

    @property
    def is_ready(self) -> bool:
        """Tell whether a session is open and configured."""
        return self.facts is not None

    @property
    def interrupts(self) -> bool:
        """Tell whether the server cancels its response when it hears the user."""
        return self.facts is not None and self.facts.interrupts

    @property
    def replies(self) -> bool:
        """Tell whether the server starts a reply when the user's turn is over."""
        return self.facts is not None and self.facts.replies

    @property
    def detects_turns(self) -> bool:
        """Tell whether the server decides when the user's turn is over."""
        return self.facts is not None and self.facts.detects_turns

    def attempt(self) -> int:
        """Begin the next attempt and return its number."""
        self.close()
        return self.number

    def ready(self, facts: SessionReady, now: float) -> None:
        """Note that the session is configured."""
        self.facts = facts
        self.finds_turns = facts.detects_turns
        self.ready_s = now

    def changed(self, facts: SessionReady) -> None:
        """Note that the server confirmed other settings; it expires when it said at first."""
        expires_in_s = self.facts.expires_in_s if self.facts else None
        self.facts = replace(facts, expires_in_s=expires_in_s)

    def lost(self, now: float) -> float:
        """Note the loss and return the wait before the next attempt, in seconds."""
        if self.is_ready and now - self.ready_s >= HEALTHY_AFTER_S:
            self.backoff.reset()
        self.close()
        delay_s = self.backoff.next_delay_s()
        self.retry_s = now + delay_s
        self.reconnects += 1
        return delay_s

    def close(self) -> None:
        """Forget the session; what it still says is dropped."""
        self.number += 1
        self.facts = None
        self.retry_s = None
        self.finds_turns = False
        self.unanswered = 0

    def renew_s(self) -> float | None:
        """Return when the session is old enough to be replaced, or about to expire."""
        if self.facts is None:
            return None
        ages_s = [self.max_age_s] if self.max_age_s > 0 else []
        expires_s = self.facts.expires_in_s
        if expires_s is not None:
            ages_s.append(max(expires_s - BEFORE_EXPIRY_S, expires_s / 2))
        return self.ready_s + min(ages_s) if ages_s else None
