"""Runs every check; those that wait run side by side.

Rules
1. What the checks need of each other is found out first: the daemon and the configuration.
2. A check that stumbles or hangs costs its own findings, and is told.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from voicectl import service_report, settings_file
from voicectl.checks import config, hotkey, key, network, socket, sound, unit
from voicectl.checks.finding import Finding, fail

WITHIN_S: Final = 15.0
"""More than any check takes that keeps its own time."""
PARTS: Final = ("config", "key", "local", "network", "model", "sound", "unit", "socket", "hotkey")
"""The order of the report."""

Check = Callable[[], list[Finding]]


def examine(environment: Mapping[str, str], *, listens: bool) -> list[Finding]:
    """Look at everything.

    Args:
        environment: The environment.
        listens: The microphone may be opened for a moment.
    """
    service = service_report.report(environment)
    has_service = service.in_use is not None
    program = Path(service.programs.voicectl) if service.programs else None
    daemon = socket.ask(has_service=has_service)
    found, settings = config.check(daemon.config)
    directory = settings_file.own().parent
    about_key, secret = key.check(settings, directory, environment, has_service=has_service)
    closed = daemon.keeps_closed if listens else "not opened, as you asked"
    audio = settings.audio if settings is not None else None
    waiting: dict[str, Check] = {
        "network": lambda: network.check(settings, secret),
        "sound": lambda: sound.check(audio, stays_closed=closed),
        "unit": lambda: unit.judge(service),
        "hotkey": lambda: hotkey.check(program),
    }
    found += about_key + together(waiting, WITHIN_S) + daemon.findings
    return sorted(found, key=lambda each: PARTS.index(each.id.partition(".")[0]))


def together(checks: Mapping[str, Check], within_s: float) -> list[Finding]:
    """Run checks side by side and return their findings.

    Args:
        checks: Name -> check.
        within_s: How long to wait for all of them.
    """
    results: dict[str, list[Finding]] = {}
    threads = [
        # A daemon thread does not keep the process from ending.
        threading.Thread(target=_run, args=(name, check, results), name=name, daemon=True)
        for name, check in checks.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(within_s)
    late = f"no result within {within_s:g} s"
    found = []
    for name in checks:
        found += results.get(name) or [fail(f"{name}.check", late, "run voicectl doctor again")]
    return found


def _run(name: str, check: Check, results: dict[str, list[Finding]]) -> None:
    try:
        results[name] = check()
    except Exception as error:  # noqa: BLE001 - one that stumbles must not hide what the others found
        told = f"the check itself failed: {type(error).__name__}: {error}"
        results[name] = [fail(f"{name}.check", told, "report this as a fault of voicectl")]
