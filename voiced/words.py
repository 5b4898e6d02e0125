"""What was said: told to who listens, kept in memory, written down where the user wants it.

Rules
1. Nothing of it reaches the log or the status.
2. The file is the user's wish: without ``[transcript] file`` memory is all there is.
3. The file is closed to others before anything is written to it.
4. Writing never holds up a conversation and never ends one: it is done on a thread, and
   what goes wrong is told once, until it works again.
"""

import errno
import logging
import os
import stat
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from voiced.audio.worker import Worker
from voiced.control.messages import cut_mark, line_text
from voiced.control.transcript import Line, Transcript
from voiced.errors import ConfigError

logger = logging.getLogger(__name__)

SERVICE_WRITES: Final = "~/.local/state/voiced"
"""What its sandbox leaves open."""
MOST_WAITING: Final = 1000
"""Lines that wait to be written; when the disk is slower than this, the rest is lost."""
OTHERS: Final = 0o077
"""What may be done with a file by those who do not own it."""


class Words:
    """What was said.  Used on the event loop.

    Args:
        publish: Tells everybody who listens.
        on_problem: Called when ``problem`` has changed.

    Attributes:
        path: Where lines are written; None writes none.
        problem: Why they are not, in a sentence for people.
    """

    def __init__(
        self, publish: Callable[[str, dict[str, Any]], None], on_problem: Callable[[], None]
    ) -> None:
        self.path: Path | None = None
        self.problem: str | None = None
        self._publish = publish
        self._on_problem = on_problem
        self._transcript = Transcript()
        self._worker: Worker | None = None
        self._waiting = 0

    def said(self, role: str, item_id: str, text: str, *, is_final: bool) -> None:
        """Take words; see ``control.transcript``."""
        complete = self._transcript.said(role, item_id, text, time.time(), is_final=is_final)
        for line in complete:
            if line.is_cut:
                self._tell(line)
        self._publish(
            "transcript", {"role": role, "item_id": item_id, "text": text, "final": is_final}
        )
        self._write(complete)

    def cut(self, item_id: str | None, heard_ms: int, unheard: tuple[str, ...]) -> None:
        """Note how much of what the assistant said was heard before it was interrupted."""
        self._close(self._transcript.cut(item_id, heard_ms, unheard))

    def session_over(self) -> None:
        """Note that nothing more comes of what is under way."""
        self._close(self._transcript.session_over())

    def report(self) -> dict[str, Any]:
        """Return what was said up to now, oldest first."""
        return {"t": round(time.time(), 3), "lines": [line.report() for line in self._transcript]}

    def end(self) -> None:
        """Write what waits, and no more."""
        if self._worker is not None:
            self._worker.close()

    def join(self, within_s: float) -> bool:
        """Wait, on any thread, until everything is written; false when the disk hangs."""
        return self._worker is None or self._worker.join(within_s)

    def _close(self, lines: list[Line]) -> None:
        for line in lines:
            self._tell(line)
        self._write(lines)

    def _tell(self, line: Line) -> None:
        report = line.report()
        told = {name: report[name] for name in ("role", "item_id", "text", "final", "cut")}
        self._publish("transcript", {**told, "heard_ms": line.heard_ms})

    def _write(self, lines: list[Line]) -> None:
        path = self.path
        if path is None:
            return
        for line in lines:
            text = _entry(line)
            line.is_written = True
            if self._waiting >= MOST_WAITING:
                self._written(OSError(f"{path} takes too long"))
                return
            self._waiting += 1
            if self._worker is None:
                self._worker = Worker("transcript")
            self._worker.submit(partial(append, path, text), self._written_one)

    def _written_one(self, error: Exception | None) -> None:
        self._waiting -= 1
        self._written(error)

    def _written(self, error: Exception | None) -> None:
        problem = None
        if error is not None:
            why = getattr(error, "strerror", None) or str(error)
            problem = f"[transcript] file cannot be written: {why}"
            if getattr(error, "errno", None) == errno.EROFS:
                problem += f"; the service may write to {SERVICE_WRITES} only"
        if problem == self.problem:
            return
        self.problem = problem
        if problem is not None:
            logger.error("%s", problem)
            self._publish("error", {"code": "transcript_file", "message": problem})
        self._on_problem()


def place_of(file: str) -> Path | None:
    """Return where ``[transcript] file`` says that lines are written.

    Raises:
        ConfigError: Nothing can be written there.
    """
    if not file:
        return None
    try:
        path = Path(file).expanduser()
        is_there = path.parent.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"[transcript] file = {file}: it cannot be reached: {why}; name a file in a"
            " directory of yours",
            option=("transcript", "file"),
        ) from error
    if not is_there:
        raise ConfigError(
            f"[transcript] file = {file}: there is no directory {path.parent}; make it, or"
            " name a file in another",
            option=("transcript", "file"),
        )
    return path


def append(path: Path, text: str) -> None:
    """Add a line to a file that nobody else can read; in one step, or not at all.

    Raises:
        OSError: It cannot be done.
    """
    # Not blocking: a pipe that nobody reads is an error, not the end of the thread.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        _close_to_others(path, descriptor)
        data = text.encode("utf-8", "replace")
        before = os.fstat(descriptor).st_size
        if os.write(descriptor, data) != len(data):
            os.ftruncate(descriptor, before)
            raise OSError(f"{path} is full")
    finally:
        os.close(descriptor)


def _close_to_others(path: Path, descriptor: int) -> None:
    """Let nobody else read a file; what is no file, such as a pipe, is the user's affair.

    Raises:
        OSError: It cannot be done.
    """
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & OTHERS:
        return
    if found.st_uid != os.geteuid():
        raise OSError(f"{path} belongs to somebody else, and others can use it; name another")
    os.fchmod(descriptor, 0o600)
    if os.fstat(descriptor).st_mode & OTHERS:
        # Some file systems know no owners, and take every mode for done.
        raise OSError(f"{path} cannot be closed to others there; name another")
    logger.warning("%s could be read by others; it is closed to them now", path)


def _entry(line: Line) -> str:
    """Return what is written of a line: all of it, or that it was cut off after all."""
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(line.began_s))
    report = line.report()
    said = f"assistant:{cut_mark(report)}" if line.is_written else line_text(report)
    return f"{stamp} {said}\n"
