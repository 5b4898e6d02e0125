"""The interruptions of the day, counted; pure."""

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Sequence
from math import ceil
from statistics import median
from typing import Final

from voiced.control.figures import OutcomeReport, SpreadReport, StatsReport
from voiced.control.protocol import VERSION
from voiced.conversation.status import Interruption

SOURCES: Final = ("local", "server", "control")
SILENT_EDGES_MS: Final = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
SOUND_EDGES_MS: Final = (0.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0, 400.0, 600.0, 1000.0)
"""Where the bars of a histogram begin; they are the same every day, to be compared."""
MOST: Final = 10_000
"""Figures of a day that are kept; of more, the oldest are left out of the histograms."""


class Tally:
    """What is counted from midnight to midnight.

    Args:
        unix_s: The time.
    """

    def __init__(self, unix_s: float) -> None:
        self.begin(unix_s)

    def begin(self, unix_s: float) -> None:
        """Count from nothing."""
        self._since_s = unix_s
        self._ducks = 0
        self._outcomes: dict[str, OutcomeReport] = {
            source: {"confirmed": 0, "given_back": 0} for source in SOURCES
        }
        self._silent_ms: deque[float] = deque(maxlen=MOST)
        self._sound_to_silent_ms: deque[float] = deque(maxlen=MOST)

    def duck(self) -> None:
        """Count that the assistant was made quieter."""
        self._ducks += 1

    def take(self, interruption: Interruption) -> None:
        """Count an interruption."""
        nothing: OutcomeReport = {"confirmed": 0, "given_back": 0}
        outcome = self._outcomes.setdefault(interruption.source, nothing)
        outcome["confirmed" if interruption.confirmed else "given_back"] += 1
        if interruption.silent_ms is not None:
            self._silent_ms.append(interruption.silent_ms)
        if interruption.sound_to_silent_ms is not None:
            self._sound_to_silent_ms.append(interruption.sound_to_silent_ms)

    def report(self) -> StatsReport:
        """Return what was counted."""
        confirmed = sum(each["confirmed"] for each in self._outcomes.values())
        given_back = sum(each["given_back"] for each in self._outcomes.values())
        return {
            "v": VERSION,
            "since": round(self._since_s, 3),
            "interruptions": {
                "total": confirmed + given_back,
                "confirmed": confirmed,
                "given_back": given_back,
                "ducks": self._ducks,
                "by_source": dict(self._outcomes),
            },
            "silent_ms": spread(self._silent_ms, SILENT_EDGES_MS),
            "sound_to_silent_ms": spread(self._sound_to_silent_ms, SOUND_EDGES_MS),
        }


def spread(values: Collection[float], edges: Sequence[float]) -> SpreadReport:
    """Return how some values are spread over bins that begin at the edges."""
    counts = [0] * len(edges)
    for value in values:
        counts[max(0, bisect_right(edges, value) - 1)] += 1
    ends = [*edges[1:], None]
    inorder = sorted(values)
    return {
        "count": len(inorder),
        "median": round(median(inorder), 1) if inorder else None,
        "p95": round(inorder[ceil(0.95 * len(inorder)) - 1], 1) if inorder else None,
        "max": round(inorder[-1], 1) if inorder else None,
        "bins": [
            {"from_ms": start, "to_ms": end, "count": count}
            for start, end, count in zip(edges, ends, counts, strict=True)
        ],
    }
