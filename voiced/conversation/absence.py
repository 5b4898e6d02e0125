"""The user's absence: why the desktop is closed to us, and what waits for the return.

Rules
1. A conversation that ran when the user left is ended at once and, where the settings
   say "pause", begun again when the last reason is gone.
2. Whatever else ends or begins a conversation meanwhile settles what waits.
3. While the user is away for sure nobody can begin a conversation.  A desktop that asks
   for a lock does not always say when it is open again, so a lock that was only asked
   for gives way to whoever begins one.
"""

from dataclasses import dataclass, field
from typing import Final

from voiced.settings import Desktop

LOCKED: Final = "locked"
SUSPENDED: Final = "suspended"
SENTENCES: Final = {
    LOCKED: "the screen is locked",
    SUSPENDED: "the machine goes to sleep",
}
"""Reason -> the sentence that people read."""
IGNORE: Final = "ignore"
PAUSE: Final = "pause"


@dataclass(slots=True)
class Absence:
    """Why the user is away, and whether a conversation waits."""

    reasons: dict[str, bool] = field(default_factory=dict)
    """Reason -> whether it is sure; in the order they came."""
    is_waiting: bool = False
    """A conversation begins when the user is back."""

    @property
    def paused(self) -> str | None:
        """Return why a conversation waits, or None where none does."""
        return next(iter(self.reasons), None) if self.is_waiting else None

    def begin(self, reason: str, *, is_sure: bool) -> None:
        """Note a reason, or whether it is sure by now."""
        self.reasons[reason] = is_sure

    def end(self, reason: str) -> bool:
        """Note that a reason is gone; true when what waits may begin."""
        if self.reasons.pop(reason, None) is None or self.reasons or not self.is_waiting:
            return False
        self.is_waiting = False
        return True

    def configure(self, settings: Desktop) -> None:
        """Forget what the settings say does not matter."""
        for reason in [each for each in self.reasons if policy(settings, each) == IGNORE]:
            del self.reasons[reason]
        self.is_waiting = self.is_waiting and bool(self.reasons)

    def yields(self) -> str | None:
        """Give way to whoever begins a conversation, or return why not."""
        for reason, is_sure in self.reasons.items():
            if is_sure:
                return SENTENCES[reason]
        self.reasons.clear()
        return None


def policy(settings: Desktop, reason: str) -> str:
    """Return what the settings say about a reason: ``pause``, ``stop`` or ``ignore``."""
    return {LOCKED: settings.on_lock, SUSPENDED: settings.on_suspend}[reason]
