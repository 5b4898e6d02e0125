"""What every test has: no call that blocks the event loop, and sound where it asks for it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

from tests.rig.soundcard import VirtualSoundCard, missing_tools

# The machine may be busy.  Every day the same examples, so that a change is judged by what
# it changed; the long run looks for new ones.
settings.register_profile(
    "everyday", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("everyday"), derandomize=False)

WATCHED = ["voiced.audio", "voiced.realtime", "voiced.control", "voiced.desktop"]


def pytest_configure(config: pytest.Config) -> None:
    """Choose the examples."""
    settings.load_profile("everyday" if config.option.markexpr == "not long" else "long")


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster]:
    """Break a test in which voiced blocks the event loop."""
    with blockbuster_ctx(WATCHED) as guard:
        # Sockets are made before anything waits for the loop, and removed when nothing does.
        guard.functions["os.unlink"].can_block_in("voiced/control/listeners.py", "listen")
        guard.functions["os.stat"].can_block_in("voiced/control/listeners.py", "listen")
        yield guard


@pytest.fixture
def runtime() -> Iterator[Path]:
    """Give a runtime directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="vr", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def card() -> Iterator[VirtualSoundCard]:
    """Give a virtual sound card of one's own."""
    absent = missing_tools()
    if absent:
        pytest.skip(f"no virtual sound card here, not installed: {', '.join(absent)}")
    with VirtualSoundCard() as made:
        yield made


@pytest.fixture
def sound(card: VirtualSoundCard) -> Iterator[VirtualSoundCard]:
    """Make the virtual sound card the one of this process."""
    with card.in_process():
        yield card
