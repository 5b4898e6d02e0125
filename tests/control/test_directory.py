import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from voiced.control.directory import InstanceLock, prepare, runtime_directory
from voiced.errors import ConfigError, LockError


def test_the_sockets_are_where_the_session_says(tmp_path: Path) -> None:
    assert runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "voiced"


def test_without_a_session_there_is_a_usual_place_or_a_clear_line() -> None:
    usual = Path(f"/run/user/{os.getuid()}")
    if usual.is_dir():
        assert runtime_directory({}) == usual / "voiced"
    else:
        with pytest.raises(ConfigError, match="XDG_RUNTIME_DIR is not set"):
            runtime_directory({})


def test_the_directory_is_ours_alone(tmp_path: Path) -> None:
    directory = tmp_path / "voiced"
    directory.mkdir(mode=0o755)
    prepare(directory, ("control.sock",))

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_path_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="longer than 107 bytes"):
        prepare(tmp_path / ("x" * 100), ("a", "control.sock"))


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "voiced").write_text("a file")

    with pytest.raises(ConfigError, match=r"cannot use .*voiced: "):
        prepare(tmp_path / "voiced", ("control.sock",))


def test_a_second_daemon_is_kept_out_and_told_by_whom(tmp_path: Path) -> None:
    first, second = InstanceLock(tmp_path), InstanceLock(tmp_path)
    first.acquire()

    with pytest.raises(LockError) as caught:
        second.acquire()

    assert caught.value.pid == os.getpid()
    assert f"process {os.getpid()}" in str(caught.value)
    first.release()
    second.acquire()
    second.release()
    second.release()


def test_the_lock_of_a_process_that_died_is_free(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from voiced.control.directory import InstanceLock;"
        "InstanceLock(Path(sys.argv[1])).acquire(); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    lock = InstanceLock(tmp_path)

    assert done.returncode == 9
    lock.acquire()
    lock.release()


def test_a_lock_whose_owner_is_unknown_is_still_a_lock(tmp_path: Path) -> None:
    first = InstanceLock(tmp_path)
    first.acquire()
    (tmp_path / "lock").write_text("?")

    with pytest.raises(LockError) as caught:
        InstanceLock(tmp_path).acquire()

    assert caught.value.pid is None
    first.release()


def test_what_is_in_the_way_of_a_socket_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "control.sock").write_text("precious")

    with pytest.raises(ConfigError, match=r"control\.sock: something else is there; remove it"):
        prepare(tmp_path, ("control.sock",))
    assert (tmp_path / "control.sock").read_text() == "precious"


def test_a_lock_that_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()

    with pytest.raises(ConfigError, match="cannot lock"):
        InstanceLock(tmp_path).acquire()


def test_a_place_that_depends_on_where_one_stands_is_refused() -> None:
    with pytest.raises(ConfigError, match="no absolute path"):
        runtime_directory({"XDG_RUNTIME_DIR": "run"})
