"""The configuration file: which one is in use, and what holds by it."""

import os
from pathlib import Path
from typing import Any, Final

from voicectl import client
from voicectl.outcome import CommandError
from voiced import config
from voiced.option import to_toml
from voiced.settings import Settings, options

ASK_WITHIN_S: Final = 2.0


def own() -> Path:
    """Return where the user's own file is."""
    return config.config_directory(os.environ) / config.FILE


def in_use() -> Path:
    """Return the file that the running daemon reads, or else the user's own."""
    try:
        reply = client.ask("version", {}, ASK_WITHIN_S)
    except CommandError:
        return own()
    told = (reply.result or {}).get("config")
    return Path(told) if told else own()


def load(file: Path, *, is_optional: bool = True) -> Settings:
    """Read a file.

    Args:
        file: The file.
        is_optional: It may be missing.

    Raises:
        ConfigError: It cannot be used.
    """
    if is_optional and not file.exists():
        return Settings()
    return config.load(file, {})


def check(data: bytes, name: str) -> None:
    """Check what a file holds.

    Raises:
        ConfigError: It cannot be used.
    """
    config.read(data, name)


def as_toml(settings: Settings, file: Path, *, only_changed: bool) -> str:
    """Write the settings as a file; what differs from the default says so."""
    lines = [f"# {file}" + ("" if file.exists() else ": there is no such file")]
    table = ""
    for option in options():
        value = getattr(getattr(settings, option.table), option.key)
        is_changed = value != option.default
        if only_changed and not is_changed:
            continue
        if option.table != table:
            table = option.table
            lines += ["", f"[{table}]"]
        mark = f"  # default: {to_toml(option.default)}" if is_changed else ""
        lines.append(f"{option.key} = {to_toml(value)}{mark}")
    return "\n".join(lines) + "\n"


def as_object(settings: Settings, file: Path, *, only_changed: bool) -> dict[str, Any]:
    """Return the settings for JSON."""
    values: dict[str, dict[str, Any]] = {}
    changed = []
    for option in options():
        value = getattr(getattr(settings, option.table), option.key)
        is_changed = value != option.default
        if is_changed:
            changed.append(f"{option.table}.{option.key}")
        if is_changed or not only_changed:
            values.setdefault(option.table, {})[option.key] = value
    told = {"v": 1, "file": str(file), "exists": file.exists()}
    return {**told, "settings": values, "changed": changed}
