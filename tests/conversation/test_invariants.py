"""The rules, over everything that can happen.

``World`` breaks an assertion when a rule is not kept.  Here it is driven through every
sequence of moves up to a depth, each state once, and by chance far beyond it.
"""

import io
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conversation.stage import FORGETFUL, MANUAL, SERVER_VAD
from tests.conversation.world import SETTINGS, World
from voiced.conversation import events as ev
from voiced.settings import Settings


def speaking(facts: ev.SessionReady, *, hears: bool = False) -> World:
    """Return a world in which a reply of one item sounds."""
    world = World(facts, hears=hears)
    ask = ("hear", "hush", "create") if facts.detects_turns else ("say", "answer")
    for move in (*ask, "item", "delta", "play"):
        world.move(move)
    return world


def overheard(facts: ev.SessionReady) -> World:
    """Return a world in which a reply sounds and voices over it are noticed."""
    return speaking(facts, hears=True)


def in_the_tail(facts: ev.SessionReady) -> World:
    """Return one in which all of that reply has come, and its last sounds are played."""
    world = overheard(facts)
    for move in ("whole", "done", "play"):
        world.move(move)
    return world


def vetoed(facts: ev.SessionReady) -> World:
    """Return one in which this machine has just taken a sound over it for no speech."""
    world = in_the_tail(facts)
    for move in ("suspect", "dismiss"):
        world.move(move)
    return world


def explore(world: World, depth: int) -> int:
    """Make every sequence of moves, settle after each, return how many states there are."""
    seen = {world.key()}
    frontier: list[tuple[tuple[str, ...], bytes]] = [((), freeze(world))]
    for _ in range(depth):
        following: list[tuple[tuple[str, ...], bytes]] = []
        for path, frozen in frontier:
            for name in thaw(frozen).possible():
                branch = thaw(frozen)
                moves = (*path, name)
                try:
                    branch.move(name)
                    if branch.key() in seen:
                        continue
                    seen.add(branch.key())
                    following.append((moves, freeze(branch)))
                    branch.settle()
                except AssertionError as error:
                    raise AssertionError(f"after {', '.join(moves)}: {error}") from error
        frontier = following
    return len(seen)


def settings_of_all() -> Settings:
    """Return the settings that every world has."""
    return SETTINGS


def freeze(world: World) -> bytes:
    """Write a world down, without the settings: they are most of it and never change."""
    written = io.BytesIO()
    pickler = pickle.Pickler(written)
    pickler.dispatch_table = {Settings: lambda _: (settings_of_all, ())}
    pickler.dump(world)
    return written.getvalue()


def thaw(frozen: bytes) -> World:
    """Return a world as it was."""
    world: World = pickle.loads(frozen)  # noqa: S301 - frozen by this module
    return world


CASES = [
    pytest.param(World, SERVER_VAD, id="listening, server cancels"),
    pytest.param(World, FORGETFUL, id="listening, we cancel"),
    pytest.param(speaking, SERVER_VAD, id="speaking, server cancels"),
    pytest.param(speaking, FORGETFUL, id="speaking, we cancel"),
    pytest.param(World, MANUAL, id="listening, push to talk"),
    pytest.param(speaking, MANUAL, id="speaking, push to talk"),
]
OVERHEARD = [
    pytest.param(in_the_tail, SERVER_VAD, id="in the tail, server cancels"),
    pytest.param(vetoed, SERVER_VAD, id="vetoed, server cancels"),
    pytest.param(overheard, FORGETFUL, id="overheard, we cancel"),
]
"""With voices there are more moves, so a sequence is one shorter."""


@pytest.mark.parametrize(("start", "facts"), CASES)
def test_every_sequence_of_five_moves_keeps_the_rules(
    start: Callable[[ev.SessionReady], World], facts: ev.SessionReady
) -> None:
    assert explore(start(facts), 5) > 300


@pytest.mark.parametrize(("start", "facts"), OVERHEARD)
def test_every_sequence_of_four_moves_under_voices_keeps_the_rules(
    start: Callable[[ev.SessionReady], World], facts: ev.SessionReady
) -> None:
    assert explore(start(facts), 4) > 300


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("start", "facts"), CASES)
def test_every_sequence_of_seven_moves_keeps_the_rules(
    start: Callable[[ev.SessionReady], World], facts: ev.SessionReady
) -> None:
    assert explore(start(facts), 7) > 1500


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("start", "facts"), OVERHEARD)
def test_every_sequence_of_six_moves_under_voices_keeps_the_rules(
    start: Callable[[ev.SessionReady], World], facts: ev.SessionReady
) -> None:
    assert explore(start(facts), 6) > 1500


@settings(max_examples=300)
@given(data=st.data(), facts=st.sampled_from([SERVER_VAD, FORGETFUL, MANUAL]), hears=st.booleans())
def test_long_random_conversations_keep_the_rules(
    data: st.DataObject, facts: ev.SessionReady, *, hears: bool
) -> None:
    world = World(facts, hears=hears)
    for _ in range(data.draw(st.integers(5, 60))):
        world.move(data.draw(st.sampled_from(world.possible())))
    world.settle()
