"""Runs a verb in this process, against a daemon that only pretends."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rig.pretender import WITHIN_S, Pretender
from voiced.control.messages import Request


@contextmanager
def answering(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, *replies: bytes
) -> Iterator[list[Request]]:
    """Answer one request after the other; gives what was asked."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    asked: list[Request] = []
    with Pretender(runtime) as daemon:

        def serve() -> None:
            for reply in replies:
                asked.append(daemon.answer(reply))  # noqa: PERF401 - seen as it grows

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield asked
        thread.join(WITHIN_S)
