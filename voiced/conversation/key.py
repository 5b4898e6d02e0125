"""The push-to-talk key: which of its edges count.

Every edge is a process of its own, so two of them can overtake each other.  Each says when
its process began, and that decides.

Rules
1. A press that began before the last release is over already and opens nothing.
2. So is one that began just after it: nobody presses again so fast, but the processes of a
   key that repeats itself begin in any order.
3. A release is always believed: an open microphone is worse than a turn that ends early.
4. A press that follows soon on the last one, with no release in between, is the key
   repeating itself.  It changes nothing, also when something else has ended the hold.
5. A later one during a hold is a second press: the release was lost, and it takes its
   place.
"""

from dataclasses import dataclass
from enum import Enum

REPEAT_WITHIN_S = 0.75
"""Keys begin to repeat themselves after up to 0.66 s, and then do it every 0.04 s."""
DISORDER_S = 0.02
"""Processes that are started one after the other may begin the other way round by so much."""


class Edge(Enum):
    """What a press means."""

    DOWN = "down"
    UP = "up"
    NOTHING = "nothing"


@dataclass(slots=True)
class Key:
    """The edges so far, on the clock of ``now``."""

    pressed_s: float = float("-inf")
    """When the last press that counted began."""
    ended_s: float = float("-inf")
    """When the last release began, or whatever else ended a hold."""
    is_down: bool = False
    """Pressed, and not released as far as anybody knows."""

    def press(self, at_s: float, *, is_held: bool) -> Edge:
        """Return what a press means.

        Args:
            at_s: When its process began.
            is_held: A hold is under way.
        """
        since_s, self.pressed_s = at_s - self.pressed_s, max(at_s, self.pressed_s)
        if self.is_down and since_s < REPEAT_WITHIN_S:
            return Edge.NOTHING
        if at_s <= self.ended_s + DISORDER_S:
            return Edge.NOTHING
        self.is_down = True
        return Edge.UP if is_held else Edge.DOWN

    def release(self, at_s: float) -> None:
        """Note a release."""
        self.is_down = False
        self.end(at_s)

    def end(self, at_s: float) -> None:
        """Note that something else ended the hold: the key may still be down."""
        self.ended_s = max(at_s, self.ended_s)
