"""One option: its rule, its check, and how its value is written in TOML."""

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from voiced.errors import ConfigError

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value may be, and why one would change it."""

    why: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    is_name: bool = False
    """A text that must not be empty."""


def option(
    default: Scalar,
    why: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    is_name: bool = False,
) -> Any:  # noqa: ANN401 - like dataclasses.field, it stands in for the value
    """Describe one option; the type of the value is the type of the field."""
    rule = Rule(why, choices, minimum, maximum, is_name)
    return field(default=default, metadata={"rule": rule})


@dataclass(frozen=True, slots=True)
class Option:
    """One option, as the TOML file knows it."""

    table: str
    key: str
    kind: type
    default: Scalar
    rule: Rule

    @property
    def name(self) -> str:
        """Return the name people read in messages."""
        return f"[{self.table}] {self.key}"

    def check(self, value: object) -> Scalar:
        """Return the value in the option's type.

        Raises:
            ConfigError: It has another type, or is out of range.
        """
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, str | int | float | bool) or type(value) is not self.kind:
            raise ConfigError(
                f"{self.name} must be {_NAMES[self.kind]}, not {_describe(value)}"
                f" (default: {to_toml(self.default)})"
            )
        self._check_range(value)
        return value

    def _check_range(self, value: Scalar) -> None:
        rule = self.rule
        if rule.choices and value not in rule.choices:
            allowed = ", ".join(to_toml(choice) for choice in rule.choices)
            raise ConfigError(f"{self.name} = {to_toml(value)} is not one of {allowed}")
        if isinstance(value, str):
            if rule.is_name and not value.strip():
                raise ConfigError(
                    f"{self.name} must not be empty (default: {to_toml(self.default)})"
                )
            return
        too_small = rule.minimum is not None and not value >= rule.minimum
        too_large = rule.maximum is not None and not value <= rule.maximum
        if too_small or too_large or not isfinite(value):
            raise ConfigError(f"{self.name} = {to_toml(value)} is not {_range(rule)}")


_NAMES = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


def _range(rule: Rule) -> str:
    if rule.maximum is None:
        return f"{to_toml(rule.minimum)} or more"
    return f"between {to_toml(rule.minimum)} and {to_toml(rule.maximum)}"


def _describe(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return to_toml(value)


def to_toml(value: object) -> str:
    """Write a value the way the TOML file has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    return str(value)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    is_control = character < " " or character == "\x7f"
    return f"\\u{ord(character):04x}" if is_control else character


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
