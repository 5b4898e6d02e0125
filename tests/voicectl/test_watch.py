import os
import select
from pathlib import Path

import pytest

from voicectl import watch
from voicectl.watch import DirectoryWatch


def is_told(watching: DirectoryWatch, within_s: float) -> bool:
    assert watching.descriptor is not None
    return bool(select.select([watching.descriptor], [], [], within_s)[0])


def test_what_is_made_in_the_directory_is_told_once(tmp_path: Path) -> None:
    watching = DirectoryWatch(tmp_path)
    watching.arm()
    assert not is_told(watching, 0)
    (tmp_path / "file").touch()

    assert is_told(watching, 20)
    assert watching.has_told()
    assert not watching.has_told()
    watching.disarm()


def test_what_is_moved_into_the_directory_is_told(tmp_path: Path) -> None:
    watching = DirectoryWatch(tmp_path / "place")
    (tmp_path / "place").mkdir()
    (tmp_path / "file").touch()
    watching.arm()
    (tmp_path / "file").rename(tmp_path / "place" / "file")

    assert is_told(watching, 20)
    watching.disarm()


def test_a_directory_that_is_not_there_is_told_when_its_way_grows(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b"
    watching = DirectoryWatch(place)
    watching.arm()
    place.parent.mkdir()
    assert is_told(watching, 20)

    watching.arm()
    assert not is_told(watching, 0)
    place.mkdir()
    assert is_told(watching, 20)
    watching.disarm()


def test_a_directory_that_goes_is_told(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    watching = DirectoryWatch(place)
    watching.arm()
    place.rmdir()

    assert is_told(watching, 20)
    watching.disarm()


def test_nothing_is_told_and_nothing_kept_open_after_the_end(tmp_path: Path) -> None:
    watching = DirectoryWatch(tmp_path)
    assert not watching.has_told()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a short list
    for _ in range(3):
        watching.arm()
    watching.disarm()

    assert watching.descriptor is None
    assert not watching.has_told()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - a short list


def test_a_system_without_watches_left_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel refuses a watch for nothing as it refuses one too many: with an error."""
    monkeypatch.setattr(watch, "WANTED", 0)
    watching = DirectoryWatch(tmp_path)
    watching.arm()

    assert watching.descriptor is None
