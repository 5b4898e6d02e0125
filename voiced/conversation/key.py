"""The push-to-talk key: which of its edges count.

Every edge is a process of its own, so two of them can overtake each other.  Each says when
its process began, and that decides.

Rules
1. A press that began before the last release is over already and opens nothing.
2. So is one that began just after it: nobody presses again so fast, but the processes of a
   key that repeats itself begin in any order.
3. A release is always believed: an open microphone is worse than a turn that ends early.
4. A press while the key is down is the key repeating itself, if it follows soon on the
   last one.  Otherwise the release was lost, and the second press takes its place.
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
    released_s: float = float("-inf")
    """When the last release began."""

    def press(self, at_s: float, *, is_held: bool) -> Edge:
        """Return what a press means.

        Args:
            at_s: When its process began.
            is_held: A hold is under way.
        """
        if at_s <= self.released_s + DISORDER_S:
            return Edge.NOTHING
        since_s, self.pressed_s = at_s - self.pressed_s, max(at_s, self.pressed_s)
        if not is_held:
            return Edge.DOWN
        return Edge.NOTHING if since_s < REPEAT_WITHIN_S else Edge.UP

    def release(self, at_s: float) -> None:
        """Note a release, or whatever else ends the hold."""
        self.released_s = max(at_s, self.released_s)
