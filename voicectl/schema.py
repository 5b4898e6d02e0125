"""The configuration file as JSON Schema, made from the settings, pure.

Editors check and complete a TOML file by it.  It refuses what the daemon refuses, as far
as JSON can tell: to JSON 10 and 10.0 are the same, and there is no infinity.  Addresses
must be written in small letters.
"""

from typing import Any, Final

from voiced.option import Option
from voiced.settings import MIN_DEVICE_RATE_HZ, TABLES, options

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
TYPES: Final = {str: "string", int: "integer", float: "number", bool: "boolean"}

_PORT: Final = (
    r"(:(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})?)?([/?#].*)?$"
)
_ANY_HOST: Final = r"(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)"
_THIS_MACHINE: Final = r"(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])"
SERVER_URL: Final = f"^((https|wss)://{_ANY_HOST}|(http|ws)://{_THIS_MACHINE}){_PORT}"
NOTHING_OR_A_PATH: Final = r"^(~?/|(?![\s\S]))"
BRAIN: Final = "^(parrot$|https?://)"


def schema() -> dict[str, Any]:
    """Return the schema."""
    tables: dict[str, Any] = {
        name: {
            "type": "object",
            "description": table.__doc__,
            "additionalProperties": False,
            "properties": {},
        }
        for name, table in TABLES.items()
    }
    for option in options():
        tables[option.table]["properties"][option.key] = _value(option)
    tables["local"]["properties"]["brain"]["pattern"] = BRAIN
    tables["transcript"]["properties"]["file"]["pattern"] = NOTHING_OR_A_PATH
    tables["audio"]["properties"]["device_rate_hz"]["anyOf"] = [
        {"const": 0},
        {"minimum": MIN_DEVICE_RATE_HZ},
    ]
    return {
        "$schema": DRAFT,
        "title": "Configuration of voiced",
        "type": "object",
        "additionalProperties": False,
        "properties": tables,
        "allOf": [_address_where_there_is_a_server(), _address_where_none_is_known()],
    }


def _value(option: Option) -> dict[str, Any]:
    rule = option.rule
    made: dict[str, Any] = {
        "type": TYPES[option.kind],
        "description": rule.why,
        "default": option.default,
    }
    if rule.choices:
        made["enum"] = list(rule.choices)
    if rule.minimum is not None:
        made["minimum"] = rule.minimum
    if rule.maximum is not None:
        made["maximum"] = rule.maximum
    if rule.is_name:
        made["pattern"] = r"\S"
    return made


def _address_where_there_is_a_server() -> dict[str, Any]:
    """Return the rule for an address, which the built-in server does not need."""
    address = {"anyOf": [{"const": ""}, {"pattern": SERVER_URL}]}
    return {
        "if": _provider({"kind": {"const": "local"}}, "kind"),
        "else": {"properties": {"provider": {"properties": {"url": address}}}},
    }


def _address_where_none_is_known() -> dict[str, Any]:
    return {
        "if": _provider({"kind": {"enum": ["azure", "compatible"]}}, "kind"),
        "then": _provider({"url": {"minLength": 1}}, "url"),
    }


def _provider(properties: dict[str, Any], key: str) -> dict[str, Any]:
    """Return what holds for a file that sets a key of the provider."""
    table = {"properties": properties, "required": [key]}
    return {"properties": {"provider": table}, "required": ["provider"]}
