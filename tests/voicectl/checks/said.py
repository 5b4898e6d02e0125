"""Findings as a test compares them."""

from collections.abc import Iterable

from voicectl.checks.finding import Finding


def levels(found: Iterable[Finding]) -> dict[str, str]:
    """Return id -> level; every id once."""
    pairs = [(each.id, str(each.level)) for each in found]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def only(found: Iterable[Finding], identity: str) -> Finding:
    """Return the one finding with an id."""
    (one,) = (each for each in found if each.id == identity)
    return one
