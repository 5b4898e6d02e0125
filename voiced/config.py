"""Finds and reads the TOML file.

Bad input is told in one line that names the file, the line, the key, the value and the
remedy.  Nothing is guessed and nothing is ignored.
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomli

from voiced.errors import ConfigError
from voiced.realtime.dialects import websocket_url
from voiced.settings import TABLES, Option, Scalar, Settings, check_together, options, to_toml

FILE: Final = "config.toml"
_OPTIONS: Final[dict[tuple[str, str], Option]] = {
    (each.table, each.key): each for each in options()
}


def config_directory(environment: Mapping[str, str]) -> Path:
    """Return where the configuration lives."""
    base = environment.get("XDG_CONFIG_HOME")
    home = environment.get("HOME") or str(Path.home())
    return (Path(base) if base else Path(home) / ".config") / "voiced"


def load(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        path: The file; None means the user's own, which may be missing.
        environment: The environment.

    Raises:
        ConfigError: The file cannot be read, or something in it is wrong.
    """
    is_optional = path is None
    path = path or config_directory(environment) / FILE
    try:
        if path.is_fifo():
            raise ConfigError(f"{path}: cannot be read: it is a pipe")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        if is_optional:
            return Settings()
        raise ConfigError(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        return parse(text)
    except ConfigError as error:
        place = "" if error.line is None else f":{error.line}"
        place += "" if error.column is None else f":{error.column}"
        raise ConfigError(
            f"{path}{place}: {error}", line=error.line, column=error.column
        ) from error


def parse(text: str) -> Settings:
    """Read the settings from the text of a TOML file.

    Raises:
        ConfigError: Something is wrong; ``line`` and ``column`` say where.
    """
    try:
        tables = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message = re.sub(r" \(at (line \d+, column \d+|end of document)\)$", "", str(error))
        raise ConfigError(f"not TOML: {message}", line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise ConfigError("not TOML: something is nested too deeply") from error
    values: dict[str, dict[str, Scalar]] = {}
    for table, keys in tables.items():
        if table not in TABLES:
            raise ConfigError(_unknown_table(table), line=find_line(text, table))
        if not isinstance(keys, dict):
            raise ConfigError(f"[{table}] must be a table", line=find_line(text, table))
        values[table] = {key: _value(text, table, key, value) for key, value in keys.items()}
    settings = Settings(**{table: TABLES[table](**keys) for table, keys in values.items()})
    try:
        check_together(settings)
        if settings.provider.kind != "local":
            websocket_url(settings.provider)
    except ConfigError as error:
        line = None if error.option is None else find_line(text, *error.option)
        raise ConfigError(str(error), line=line) from error
    return settings


def _value(text: str, table: str, key: str, value: Any) -> Scalar:  # noqa: ANN401 - whatever TOML holds
    option = _OPTIONS.get((table, key))
    line = find_line(text, table, key)
    if option is None:
        raise ConfigError(_unknown_key(table, key), line=line)
    try:
        return option.check(value)
    except ConfigError as error:
        raise ConfigError(str(error), line=line) from error


def _unknown_key(table: str, key: str) -> str:
    known = [each.key for each in _OPTIONS.values() if each.table == table]
    close = difflib.get_close_matches(key, known, n=1)
    shown = _shown(key)
    if close:
        return f"unknown key `[{table}] {shown}`, did you mean `{close[0]}`?"
    elsewhere = [each.table for each in _OPTIONS.values() if each.key == key]
    if elsewhere:
        return f"unknown key `[{table}] {shown}`, it belongs in `[{elsewhere[0]}]`"
    return f"unknown key `[{table}] {shown}`; [{table}] has: {', '.join(known)}"


def _unknown_table(table: str) -> str:
    close = difflib.get_close_matches(table, TABLES, n=1)
    if close:
        return f"unknown table `[{_shown(table)}]`, did you mean `[{close[0]}]`?"
    return f"unknown table `[{_shown(table)}]`; there is: {', '.join(TABLES)}"


def _shown(name: str) -> str:
    """Return a name of the file so that it stays on one line."""
    return name if name.isprintable() else to_toml(name)


def find_line(text: str, table: str, key: str | None = None) -> int | None:
    """Return the line on which a table or one of its keys stands, counted from 1.

    tomli gives places only for faults of syntax, so the place is found by its first
    words; a line inside a longer text does not count.
    """
    lines = text.splitlines()
    name = _as_written(table)
    header = re.compile(rf"\s*\[\s*{name}\s*\]")
    any_header = re.compile(r"\s*\[")
    dotted = re.compile(rf"\s*{name}\s*\.\s*{_as_written(key or '')}\s*=")
    plain = re.compile(rf"\s*{_as_written(key or '')}\s*=")
    inside = False
    for number, line in enumerate(lines, start=1):
        is_header = bool(any_header.match(line))
        inside = bool(header.match(line)) if is_header else inside
        if key is None:
            found = bool(header.match(line) or re.match(rf"\s*{name}\s*[.=]", line))
        else:
            found = bool((inside and plain.match(line)) or dotted.match(line))
        if found and _is_statement(lines[: number - 1]):
            return number
    return None


def _as_written(name: str) -> str:
    """Return a pattern for a key as it may stand in the file: bare or in quotes."""
    return rf"""["']?{re.escape(name)}["']?"""


def _is_statement(before: list[str]) -> bool:
    """Tell whether what follows these lines is not inside a text that spans lines."""
    try:
        tomli.loads("\n".join(before))
    except tomli.TOMLDecodeError:
        return False
    return True
