"""Finds and reads the TOML file.

Bad input is told in one line that names the file, the place in it, the key, the value and
the remedy.  Nothing is guessed and nothing is ignored.
"""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomli

from voiced import places
from voiced.errors import ConfigError
from voiced.option import Option, Scalar, to_toml
from voiced.realtime.dialects import websocket_url
from voiced.settings import TABLES, Settings, check_together, options

FILE: Final = "config.toml"
SECRET: Final = re.compile(r"key|.*(apikey|token|secret|password)")
"""The names, in small letters alone, of what somebody may try to keep in this file."""
NO_QUOTES: Final = "Invalid value"
"""What tomli says of a text without quotes, among others."""
TWICE: Final = ("Cannot declare", "Cannot overwrite", "Duplicate")
"""How begins what tomli says of something that is there twice."""
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
        data = path.read_bytes()
    except FileNotFoundError as error:
        if is_optional:
            return Settings()
        raise ConfigError(f"{path}: there is no such file") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    return read(data, str(path))


def read(data: bytes, name: str) -> Settings:
    """Read the settings from what a file holds.

    Args:
        data: The file.
        name: What complaints call it.

    Raises:
        ConfigError: Something is wrong; the text says where.
    """
    try:
        return parse(_decode(data))
    except ConfigError as error:
        place = "" if error.line is None else f":{error.line}"
        place += "" if error.column is None else f":{error.column}"
        raise ConfigError(
            f"{name}{place}: {error}", line=error.line, column=error.column
        ) from error


def parse(text: str) -> Settings:
    """Read the settings from the text of a TOML file.

    Raises:
        ConfigError: Something is wrong; ``line`` and ``column`` say where.
    """
    try:
        tables = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise _no_toml(text, error) from error
    except RecursionError as error:
        raise ConfigError("not TOML: something is nested too deeply") from error
    values: dict[str, dict[str, Scalar]] = {}
    for table, keys in tables.items():
        if table not in TABLES:
            raise _stray(text, table, keys)
        if not isinstance(keys, dict):
            raise _at_key(text, f"[{table}] must be a table", table)
        values[table] = {key: _value(text, table, key, value) for key, value in keys.items()}
    settings = Settings(**{table: TABLES[table](**keys) for table, keys in values.items()})
    try:
        check_together(settings)
        if settings.provider.kind != "local":
            websocket_url(settings.provider)
    except ConfigError as error:
        raise _at_value(text, str(error), *(error.option or ())) from error
    return settings


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise ConfigError(
            "not UTF-8: save the file in that encoding", line=line, column=column
        ) from error


def _no_toml(text: str, error: tomli.TOMLDecodeError) -> ConfigError:
    """Return what is wrong with a text that is no TOML."""
    twice = places.first_duplicate(text) if error.msg.startswith(TWICE) else None
    if twice is not None:
        first, again = twice
        what = _written(first.path, is_table=len(first.path) == 1)
        complaint = f"not TOML: {what} is there twice, first in line {first.key.line}"
        return _at(again.key, complaint)
    hint = ": a text needs quotes" if error.msg == NO_QUOTES else ""
    return _at(places.Place(error.lineno, error.colno), f"not TOML: {error.msg}{hint}")


def _at_key(text: str, complaint: str, *path: str) -> ConfigError:
    found = places.find(text, *path)
    return _at(None if found is None else found.key, complaint)


def _at_value(text: str, complaint: str, *path: str) -> ConfigError:
    found = places.find(text, *path)
    return _at(None if found is None else found.value, complaint)


def _at(place: places.Place | None, complaint: str) -> ConfigError:
    line, column = (None, None) if place is None else (place.line, place.column)
    return ConfigError(complaint, line=line, column=column)


def _stray(text: str, name: str, value: object) -> ConfigError:
    """Return what is wrong with a name that is no table of ours."""
    if not isinstance(value, dict):
        return _at_key(text, _unknown_key(None, name), name)
    for key in filter(_is_secret, value):
        return _at_key(text, _unknown_key(name, key), name, key)
    return _at_key(text, _unknown_table(name), name)


def _value(text: str, table: str, key: str, value: Any) -> Scalar:  # noqa: ANN401 - whatever TOML holds
    option = _OPTIONS.get((table, key))
    if option is None:
        raise _at_key(text, _unknown_key(table, key), table, key)
    try:
        return option.check(value)
    except ConfigError as error:
        raise _at_value(text, str(error), table, key) from error


def _unknown_key(table: str | None, key: str) -> str:
    """Return what is wrong with a key; without a table, it is outside of every one."""
    path = (key,) if table is None else (table, key)
    if _is_secret(key):
        return f"{_written(path)} does not belong here: take it out, and run voicectl secret set"
    known = [each.key for each in _OPTIONS.values() if each.table == table]
    close = difflib.get_close_matches(key, known, n=1)
    start = f"unknown key {_written(path)}"
    if close:
        return f"{start}, did you mean `{close[0]}`?"
    elsewhere = [each.table for each in _OPTIONS.values() if each.key == key]
    if elsewhere:
        return f"{start}, it belongs in `[{elsewhere[0]}]`"
    if known:
        return f"{start}; [{table}] has: {', '.join(known)}"
    return f"{start}; every key belongs in a table, such as [{next(iter(TABLES))}]"


def _unknown_table(table: str) -> str:
    close = difflib.get_close_matches(table, TABLES, n=1)
    if close:
        return f"unknown table {_written((table,), is_table=True)}, did you mean `[{close[0]}]`?"
    return f"unknown table {_written((table,), is_table=True)}; there is: {', '.join(TABLES)}"


def _is_secret(key: str) -> bool:
    return bool(SECRET.fullmatch("".join(filter(str.isalpha, key.casefold()))))


def _written(path: places.KeyPath, *, is_table: bool = False) -> str:
    """Return a name of the file as people write it, on one line."""
    *tables, last = (name if name.isprintable() else to_toml(name) for name in path)
    shown = f"[{last}]" if is_table else " ".join([*(f"[{table}]" for table in tables), last])
    return f"`{shown}`"
