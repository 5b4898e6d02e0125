"""The daemon as a process, on the virtual sound card, steered by voicectl or directly."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import zmq

from tests.rig.notices import Notice, Notices, says
from voiced.control.messages import Request, decode_reply
from voiced.control.protocol import CONTROL_SOCKET, EVENTS_SOCKET

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
ANSWERS_WITHIN_S = 20.0
"""What is waited for comes at once; this only ends a test that would hang."""


class DaemonError(Exception):
    """The daemon did not do what every test relies on.  A busy machine is no excuse."""


class Daemon:
    """``voiced --config FILE`` in an environment of its own.

    Args:
        environment: Has HOME, XDG_RUNTIME_DIR and the sound server of a virtual card.
        config: Text of the TOML file.
        extra: More variables.

    Attributes:
        directory: Where the configuration file and the log are.
    """

    def __init__(
        self, environment: Mapping[str, str], config: str, extra: Mapping[str, str] | None = None
    ) -> None:
        self.environment = {**environment, "PYTHONPATH": str(ROOT), **(extra or {})}
        self.directory = Path(self.environment["HOME"])
        self.config_path = self.directory / "voiced.toml"
        self.config_path.write_text(config)
        self.process: subprocess.Popen[bytes] | None = None
        self._sockets = Path(self.environment["XDG_RUNTIME_DIR"]) / "voiced"
        self._notices: Notices | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """Return what the daemon wrote to stderr."""
        return (self.directory / "voiced.log").read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Return the process id."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start the daemon, listen to it, and wait until it has said something."""
        with (self.directory / "voiced.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "voiced", "--config", str(self.config_path)],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._notices = Notices(self._sockets / EVENTS_SOCKET)
        try:
            self.until("state", within_s=READY_WITHIN_S)
        except DaemonError:
            self.stop()
            raise

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop the daemon and return its exit status."""
        process, self.process = self.process, None
        notices, self._notices = self._notices, None
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise DaemonError(f"the daemon did not stop:\n{self.log}") from None
        finally:
            if notices is not None:
                notices.close()

    def until(self, event: str, within_s: float = ANSWERS_WITHIN_S, **fields: object) -> Notice:
        """Wait for the next notice of a kind, and pass over those before it.

        Every call goes on where the one before it ended, so a state that is over by the
        time it is asked for is found all the same.

        Args:
            event: Its kind.
            within_s: How long to wait.
            fields: What it must say; of an object, only the keys given count.

        Raises:
            DaemonError: It did not come.
        """
        wanted = {"event": event, **fields}
        notices = self._listening()
        try:
            return notices.until(lambda it: says(it, wanted), within_s, self._is_alive)
        except TimeoutError:
            raise self._missed(wanted, notices) from None

    def settle(self, state: str, within_s: float = ANSWERS_WITHIN_S) -> Notice:
        """Wait until the newest state is this one, for a state that is sure to stay.

        Raises:
            DaemonError: It is another.
        """
        notices = self._listening()
        try:
            return notices.settle(state, within_s, self._is_alive)
        except TimeoutError:
            raise self._missed({"state": state}, notices) from None

    def ask(self, verb: str, **arguments: str) -> dict[str, Any]:
        """Ask the daemon for something without starting voicectl, and return the result.

        Raises:
            DaemonError: It refused, or said nothing.
        """
        with zmq.Context() as context, context.socket(zmq.REQ) as asking:
            asking.setsockopt(zmq.LINGER, 0)
            asking.connect(f"ipc://{self._sockets / CONTROL_SOCKET}")
            asking.send(Request(verb, arguments).encode())
            if not asking.poll(int(ANSWERS_WITHIN_S * 1000)):
                raise DaemonError(f"{verb} was not answered:\n{self.log}")
            reply = decode_reply(asking.recv())
        if reply.error is not None:
            raise DaemonError(f"{verb}: {reply.error}\n{self.log}")
        return reply.result or {}

    def notices(self, event: str) -> list[Notice]:
        """Return every notice of a kind so far, whoever has waited for it."""
        return [notice for notice in tuple(self._listening().kept) if notice["event"] == event]

    def ctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run voicectl to its end."""
        done = subprocess.run(
            self.ctl_command(*arguments),
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if check and done.returncode != 0:
            raise DaemonError(f"voicectl {arguments}: {done.returncode}: {done.stderr}\n{self.log}")
        return done

    def ctl_command(self, *arguments: str) -> list[str]:
        """Return the command line of voicectl."""
        return [sys.executable, "-m", "voicectl", *arguments]

    def status(self) -> dict[str, Any]:
        """Return what ``voicectl status --json`` would print."""
        return self.ask("status")

    def cpu_s(self) -> float:
        """Return the processor time the daemon has used so far, without its children."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks = int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Return the resident memory of the daemon, in MB of 10^6 bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def _is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _listening(self) -> Notices:
        assert self._notices is not None, "the daemon does not run"
        return self._notices

    def _missed(self, wanted: object, notices: Notices) -> DaemonError:
        came = notices.outline()
        return DaemonError(f"no {wanted} came, but:\n{came}\nThe log:\n{self.log}")


def configuration(url: str, **tables: Mapping[str, object]) -> str:
    """Return a TOML file for a scripted provider, with more tables as needed."""
    merged: dict[str, dict[str, object]] = {"provider": {"kind": "compatible", "url": url}}
    for table, keys in tables.items():
        merged.setdefault(table, {}).update(keys)
    lines: list[str] = []
    for table, values in merged.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
