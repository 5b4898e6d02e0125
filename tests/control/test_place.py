import os
from pathlib import Path

import pytest

from voiced.control.place import runtime_directory


def test_the_sockets_are_where_the_session_says() -> None:
    assert runtime_directory({"XDG_RUNTIME_DIR": "/run/mine"}) == "/run/mine/voiced"


def test_without_a_session_there_is_a_usual_place_or_a_clear_line() -> None:
    usual = Path(f"/run/user/{os.getuid()}")
    if usual.is_dir():
        assert runtime_directory({}) == str(usual / "voiced")
    else:
        with pytest.raises(ValueError, match="XDG_RUNTIME_DIR is not set"):
            runtime_directory({})


def test_a_place_that_depends_on_where_one_stands_is_refused() -> None:
    with pytest.raises(ValueError, match="no absolute path"):
        runtime_directory({"XDG_RUNTIME_DIR": "run"})
