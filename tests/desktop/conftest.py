"""A message bus for each test that asks for one."""

from collections.abc import Iterator

import pytest

from tests.rig.desktop import PROGRAM, PrivateBus, missing_program


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    """Give a message bus of one's own."""
    if missing_program():
        pytest.skip(f"no message bus here, not installed: {PROGRAM}")
    with PrivateBus() as made:
        yield made
