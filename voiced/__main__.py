"""The ``voiced`` command: arguments and exit statuses, nothing else."""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from voiced import __version__, config, daemon, log
from voiced.errors import ConfigError, LockError
from voiced.service import manager

EX_TEMPFAIL: Final = 75
EX_CONFIG: Final = 78

STATUSES: Final = {
    0: "stopped when asked",
    1: "a fault of voiced",
    2: "wrong arguments",
    EX_TEMPFAIL: "another voiced of this user is running",
    EX_CONFIG: "the configuration or the secret cannot be used",
}
"""Exit status -> what it means."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="voiced",
        description="Hold a spoken conversation that you can interrupt. Steered by voicectl.",
        epilog='Without a key and a network: set [provider] kind = "local".  Exit status: '
        + "; ".join(f"{number} {why}" for number, why in STATUSES.items()),
    )
    made.add_argument("--config", type=Path, metavar="FILE", help="the TOML file to read")
    made.add_argument("--version", action="version", version=f"voiced {__version__}")
    return made


def main() -> int:
    """Run the daemon in the foreground and return its exit status."""
    arguments = parser().parse_args()
    try:
        settings = config.load(arguments.config, os.environ)
        log.set_up(settings.log.level, os.environ)
        daemon.check(settings)
        asyncio.run(daemon.run(settings, arguments.config))
    except (ConfigError, LockError) as error:
        log.last_words(str(error), os.environ)
        manager.state(str(error))
        return EX_TEMPFAIL if isinstance(error, LockError) else EX_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main())
