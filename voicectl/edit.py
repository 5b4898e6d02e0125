"""Has a person edit the configuration, and replaces it only by one that can be used.

Rules
1. The editor gets a copy, in a private directory beside the file.  What comes of it is
   read once; these bytes are checked, and these replace the file, at once or not at all.
2. Nothing anybody wrote is lost: the copy stays whenever it is not taken over, and a file
   that changed meanwhile is not replaced.
3. A symbolic link stays; what it leads to is replaced.
"""

import os
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voicectl.settings_file import check
from voiced.errors import ConfigError
from voiced.settings import default_toml

EDITORS: Final = ("sensible-editor", "nano", "vi")
"""What is taken where VISUAL and EDITOR say nothing, the first that is installed."""
PREFIX: Final = ".edit-"
MODE: Final = 0o600
"""Of a file that was not there."""

Again = Callable[[str], bool]
"""Shows what is wrong and tells whether to edit once more."""


class EditError(Exception):
    """The file was not replaced; the text says why, and where the copy is."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Original:
    """The file as it was when the editing began."""

    path: Path
    """Where it really is."""
    data: bytes | None
    """None where there is none."""
    mode: int


def editor(environment: Mapping[str, str]) -> list[str]:
    """Return the command of the editor.

    Raises:
        EditError: There is none.
    """
    for name in ("VISUAL", "EDITOR"):
        wanted = environment.get(name, "").strip()
        if not wanted:
            continue
        try:
            return shlex.split(wanted)
        except ValueError as error:
            raise EditError(f"{name} = {wanted} cannot be read: {error}") from error
    for name in EDITORS:
        if found := shutil.which(name, path=environment.get("PATH")):
            return [found]
    raise EditError("there is no editor", "set VISUAL or EDITOR")


def edit(path: Path, command: list[str], again: Again) -> bool:
    """Have the file edited; false when nothing was changed.

    Args:
        path: The file, which need not exist.
        command: The editor.
        again: Called when the text cannot be used.

    Raises:
        EditError: The file was not replaced.
    """
    original = _read(path)
    begun = default_toml(is_commented=True).encode() if original.data is None else original.data
    copy = _copy(original.path, begun)
    while True:
        edited = _edited(command, copy, begun)
        if edited == begun:
            shutil.rmtree(copy.parent)
            return False
        try:
            check(edited, str(copy))
        except ConfigError as error:
            if again(str(error)):
                continue
            raise EditError("nothing was replaced", f"your text is kept in {copy}") from error
        _replace(original, edited, copy)
        shutil.rmtree(copy.parent, ignore_errors=True)
        return True


def _read(path: Path) -> Original:
    try:
        real = path.resolve()
        status = real.stat()
        if not stat.S_ISREG(status.st_mode):
            raise EditError(f"{path} is no file")
        return Original(real, real.read_bytes(), stat.S_IMODE(status.st_mode))
    except FileNotFoundError:
        return Original(path.resolve(), None, MODE)
    except (OSError, RuntimeError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise EditError(f"cannot read {path}: {what}") from error


def _copy(path: Path, data: bytes) -> Path:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = Path(tempfile.mkdtemp(prefix=PREFIX, dir=path.parent)) / path.name
        copy.write_bytes(data)
    except OSError as error:
        raise EditError(f"cannot write in {path.parent}: {error.strerror}") from error
    return copy


def _edited(command: list[str], copy: Path, begun: bytes) -> bytes:
    """Run the editor and return what it made of the copy."""
    try:
        with _interrupts_left_to_the_editor():
            status = subprocess.run([*command, str(copy)], check=False).returncode
    except OSError as error:
        shutil.rmtree(copy.parent)
        raise EditError(
            f"cannot run {command[0]}: {error.strerror}", "set VISUAL or EDITOR"
        ) from error
    try:
        edited = copy.read_bytes()
    except OSError as error:
        raise EditError(f"cannot read {copy}: {error.strerror}") from error
    if status == 0:
        return edited
    failed = f"{command[0]} failed with status {status}, nothing was replaced"
    if edited == begun:
        shutil.rmtree(copy.parent)
        raise EditError(failed)
    raise EditError(failed, f"your text is kept in {copy}")


@contextmanager
def _interrupts_left_to_the_editor() -> Iterator[None]:
    """Let Ctrl-C be the editor's; a handler, unlike SIG_IGN, is not inherited by it."""
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _replace(original: Original, data: bytes, copy: Path) -> None:
    path, kept = original.path, f"your text is kept in {copy}"
    changed = EditError(f"{path} was changed meanwhile and is left alone", kept)
    try:
        checked = _written(copy.parent / "checked", data, original.mode)
        if original.data is None:
            path.hardlink_to(checked)  # fails where there is a file by now
        elif path.read_bytes() == original.data:
            checked.replace(path)
        else:
            raise changed
        _sync(path.parent)
    except (FileExistsError, FileNotFoundError) as error:
        raise changed from error
    except OSError as error:
        raise EditError(f"cannot write {path}: {error.strerror}", kept) from error


def _written(path: Path, data: bytes, mode: int) -> Path:
    """Write a file to the disk itself."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        os.fchmod(descriptor, mode)
        file.flush()
        os.fsync(descriptor)
    return path


def _sync(directory: Path) -> None:
    """Have the new name outlive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
