"""What is known of the user's presence, from everybody who says something about it.

Rules
1. The screen is locked while anybody says so, and open when nobody does.
2. What a session's LockedHint or a screen saver says is sure for as long as there is a
   connection to them.  That somebody asked for a lock is not: some lock programs never
   say that the screen is open again.
3. Whoever says that the screen is open settles what was only asked for.
"""

from dataclasses import dataclass, field

from voiced.conversation import events as ev
from voiced.conversation.absence import LOCKED, SUSPENDED


@dataclass(slots=True)
class Presence:
    """The facts, and what was told of them."""

    asked: set[str] = field(default_factory=set)
    """Sessions that were asked to lock the screen."""
    locked: set[str] = field(default_factory=set)
    """Sessions that say that their screen is locked."""
    covered: set[str] = field(default_factory=set)
    """Screen savers that say that they cover the screen."""
    is_sleeping: bool = False
    """The machine goes to sleep, or sleeps."""
    knows_sessions: bool = False
    """There is a connection to those who know of sessions and of sleep."""
    knows_savers: bool = False
    """There is a connection to the screen savers."""
    told: dict[str, bool] = field(default_factory=dict)
    """Reason to be away -> whether it was sure, as it was told last."""

    def lock_asked(self, session: str) -> None:
        """Note that a session was asked to lock the screen."""
        self.asked.add(session)

    def unlock_asked(self, session: str) -> None:
        """Note that a session was asked to open the screen."""
        self.asked.discard(session)

    def session_says(self, session: str, *, is_locked: bool) -> None:
        """Note what a session says about its screen."""
        if is_locked:
            self.locked.add(session)
        else:
            self.locked.discard(session)
            self.asked.discard(session)

    def session_ended(self, session: str) -> None:
        """Note that a session is no more."""
        self.locked.discard(session)
        self.asked.discard(session)

    def saver_says(self, saver: str, *, is_active: bool) -> None:
        """Note what a screen saver says."""
        if is_active:
            self.covered.add(saver)
        else:
            self.covered.discard(saver)
            self.asked.clear()

    def saver_ended(self, saver: str) -> None:
        """Note that a screen saver is no more."""
        self.covered.discard(saver)

    def news(self) -> list[ev.DesktopEvent]:
        """Return what has changed since the last time."""
        before, self.told = self.told, self._reasons()
        gone = [ev.Back(reason) for reason in before if reason not in self.told]
        come = [
            ev.Away(reason, is_sure)
            for reason, is_sure in self.told.items()
            if before.get(reason) is not is_sure
        ]
        return [*come, *gone]

    def _reasons(self) -> dict[str, bool]:
        reasons: dict[str, bool] = {}
        is_told = bool(self.locked) and self.knows_sessions
        is_seen = bool(self.covered) and self.knows_savers
        if self.asked or self.locked or self.covered:
            reasons[LOCKED] = is_told or is_seen
        if self.is_sleeping:
            reasons[SUSPENDED] = self.knows_sessions
        return reasons
