"""Figures and how they are shown."""

from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Figure:
    """What was measured, over so many trials."""

    median: float
    p95: float
    max: float
    min: float
    n: int


def figure(values: list[float]) -> Figure:
    """Return the figure of some measurements."""
    array = np.asarray(values, dtype=float)
    return Figure(
        median=round(float(np.median(array)), 2),
        p95=round(float(np.percentile(array, 95)), 2),
        max=round(float(array.max()), 2),
        min=round(float(array.min()), 2),
        n=len(values),
    )


@dataclass(frozen=True)
class Reach:
    """What a figure has to keep; None asks for nothing."""

    median: float | None = None
    p95: float | None = None
    least: float | None = None
    most: float | None = None

    def is_kept(self, figure: Figure) -> bool:
        """Tell whether a figure keeps it."""
        limits = ((self.median, figure.median), (self.p95, figure.p95), (self.most, figure.max))
        below = all(limit is None or value <= limit for limit, value in limits)
        return below and (self.least is None or figure.min >= self.least)

    def __str__(self) -> str:
        parts = (
            ("median <=", self.median),
            ("p95 <=", self.p95),
            ("min >=", self.least),
            ("max <=", self.most),
        )
        return ", ".join(f"{name} {limit:g}" for name, limit in parts if limit is not None)


NONE = Reach()


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    key: str
    """Name of the measurement in the JSON."""
    subject: str
    """Whose figure it is."""
    what: str
    reach: Reach
    figure: Figure

    @property
    def verdict(self) -> str:
        """Return how the figure stands to what it has to keep."""
        if self.reach == NONE:
            return ""
        return f"{'ok' if self.reach.is_kept(self.figure) else 'MISSED'} ({self.reach})"


def table(rows: list[Row]) -> str:
    """Return the rows as text."""
    head = f"{'what':58} {'who':16} {'median':>8} {'p95':>8} {'min':>8} {'max':>8} {'n':>6}  reach"
    lines = [head, "-" * len(head)]
    for row in rows:
        f = row.figure
        lines.append(
            f"{row.what:58} {row.subject:16} {f.median:8.2f} {f.p95:8.2f}"
            f" {f.min:8.2f} {f.max:8.2f} {f.n:6}  {row.verdict}"
        )
    return "\n".join(lines)


def missed(rows: list[Row]) -> list[Row]:
    """Return the rows whose figure is not what it has to be."""
    return [row for row in rows if not row.reach.is_kept(row.figure)]


def as_json(rows: list[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the rows as one object: measurement -> subject -> figure."""
    made: dict[str, dict[str, dict[str, float]]] = {}
    for row in rows:
        made.setdefault(row.key, {})[row.subject] = asdict(row.figure)
    return made
