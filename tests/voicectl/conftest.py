"""What tests of voicectl share."""

import os
from pathlib import Path

import pytest

from tests.voicectl.manager import Manager


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manager:
    """Give a stand-in for the service manager, and make it the one of this process."""
    made = Manager(tmp_path)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made
