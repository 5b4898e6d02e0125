"""The daemon as a process, on the virtual sound card, steered by voicectl."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 15.0
STOP_WITHIN_S = 10.0


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
        """Start the daemon and wait until its control socket answers."""
        with (self.directory / "voiced.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "voiced", "--config", str(self.config_path)],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_WITHIN_S
        socket = Path(self.environment["XDG_RUNTIME_DIR"]) / "voiced" / "control.sock"
        while not socket.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"the daemon did not come up:\n{self.log}")
            time.sleep(0.01)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop the daemon and return its exit status."""
        process, self.process = self.process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the daemon did not stop:\n{self.log}") from None

    def ctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run voicectl to its end."""
        done = subprocess.run(
            self.ctl_command(*arguments),
            env=self.environment,
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"voicectl {arguments}: {done.returncode}: {done.stderr}\n{self.log}"
            )
        return done

    def ctl_command(self, *arguments: str) -> list[str]:
        """Return the command line of voicectl."""
        return [sys.executable, "-m", "voicectl", *arguments]

    def status(self) -> dict[str, Any]:
        """Return ``voicectl status --json``."""
        report: dict[str, Any] = json.loads(self.ctl("status", "--json").stdout)
        return report

    def cpu_s(self) -> float:
        """Return the processor time the daemon has used so far, without its children."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks = int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Return the resident memory of the daemon, in MB of 10^6 bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


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
