"""A daemon that answers what it was told to, for voicectl in the same process."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import zmq

from voiced import __version__
from voiced.control.messages import Failure, Reply, decode_request
from voiced.control.protocol import CONTROL_SOCKET

Answer = Mapping[str, Any] | Failure | bytes
"""A result, a refusal, or the bytes of the whole reply."""


class StandIn:
    """Serves the control socket on a thread of its own.

    Args:
        runtime: What XDG_RUNTIME_DIR says; a short path.
        answers: Verb -> what it is answered with.
        version: What it says its version is.

    Attributes:
        asked: The verbs so far.
    """

    def __init__(
        self, runtime: Path, answers: Mapping[str, Answer], version: str = __version__
    ) -> None:
        self.asked: list[str] = []
        self._answers = answers
        self._version = version
        directory = runtime / "voiced"
        directory.mkdir(mode=0o700, exist_ok=True)
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.setsockopt(zmq.LINGER, 0)
        self._router.bind(f"ipc://{directory / CONTROL_SOCKET}")
        self._end = self._context.socket(zmq.PAIR)
        self._end.bind("inproc://end")
        self._thread = threading.Thread(target=self._serve, name="stand-in")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._context.socket(zmq.PAIR) as ending:
            ending.connect("inproc://end")
            ending.send(b"")
            self._thread.join()
        self._context.destroy(linger=0)

    def _serve(self) -> None:
        poller = zmq.Poller()
        for socket in (self._router, self._end):
            poller.register(socket, zmq.POLLIN)
        while self._end not in dict(poller.poll()):
            *envelope, data = self._router.recv_multipart()
            request = decode_request(data)
            self.asked.append(request.verb)
            self._router.send_multipart([*envelope, self._reply(request.verb)])

    def _reply(self, verb: str) -> bytes:
        match self._answers.get(verb):
            case bytes(reply):
                return reply
            case Failure() as failure:
                return Reply("", self._version, error=failure).encode()
            case None:
                return Reply("", self._version, result={}).encode()
            case result:
                return Reply("", self._version, result=json.loads(json.dumps(result))).encode()
