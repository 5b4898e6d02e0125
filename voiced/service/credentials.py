"""The API key: where it may be, and that nobody else may read it.

In this order: the service manager's credential ``openai``, a file of our own with mode
0600, the environment.  Never the TOML file, never an argument, never a log line.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from voiced.errors import ConfigError

CREDENTIAL: Final = "openai"
KEY_FILE: Final = "openai.key"
VARIABLE: Final = "OPENAI_API_KEY"


def find_key(environment: Mapping[str, str], config_directory: Path) -> str | None:
    """Return the API key, or None where there is none.

    Raises:
        ConfigError: There is a file, but others may read it, or we may not.
    """
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if directory:
        key = _read(Path(directory) / CREDENTIAL)
        if key:
            return key
    path = config_directory / KEY_FILE
    key = _read(path)
    if key:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ConfigError(f"{path} can be read by others (mode {mode:04o}): chmod 600 {path}")
        return key
    return environment.get(VARIABLE, "").strip() or None


def _read(path: Path) -> str | None:
    try:
        return os.fsdecode(path.read_bytes()).strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
