"""Says what a piece of JSON must look like, and refuses what does not.

Rules
1. A shape only checks.  It never changes a value and fills in no default.
2. The first fault found is the one that is told, as the provider tells it: ``code``,
   ``message`` and the path of the field.
3. ``true`` and ``false`` are not numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from voiced.local.errors import ClientError

Json = dict[str, object]
"""A JSON object."""
LARGEST: Final = 2**53
"""No number of the protocol is larger; one of thousands of digits cannot even be shown."""


class Shape(Protocol):
    """One kind of JSON value."""

    def check(self, value: object, path: str) -> None:
        """Refuse a value that is not of this shape.

        Raises:
            ClientError: The value, or something inside it, is wrong.
        """


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever the client likes; it is only echoed."""

    def check(self, value: object, path: str) -> None:
        """Accept every value."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    max_length: int | None = None
    choices: tuple[str, ...] = ()
    """The only strings allowed; empty means any."""

    def check(self, value: object, path: str) -> None:
        """Refuse what is not such a string."""
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if self.choices and value not in self.choices:
            raise wrong_choice(path, value, self.choices)
        if self.max_length is not None and len(value) > self.max_length:
            raise ClientError(
                "string_above_max_length",
                f"Invalid '{path}': string too long. Expected a string with maximum length "
                f"{self.max_length}, but got a string with length {len(value)} instead.",
                param=path,
            )


@dataclass(frozen=True, slots=True)
class Number:
    """A number, with its limits."""

    least: float | None = None
    most: float | None = None
    is_whole: bool = False
    """Only integers are allowed."""

    def check(self, value: object, path: str) -> None:
        """Refuse what is not such a number."""
        kind = "integer" if self.is_whole else "decimal"
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise wrong_type(path, "an integer" if self.is_whole else "a number", value)
        if self.is_whole and not isinstance(value, int):
            raise wrong_type(path, "an integer", value)
        if abs(value) > LARGEST:
            raise ClientError(
                "invalid_value", f"Invalid '{path}': number out of range.", param=path
            )
        if self.least is not None and value < self.least:
            raise ClientError(
                f"{kind}_below_min_value",
                f"Invalid '{path}': {kind} below minimum value. "
                f"Expected a value >= {self.least:g}, but got {value} instead.",
                param=path,
            )
        if self.most is not None and value > self.most:
            raise ClientError(
                f"{kind}_above_max_value",
                f"Invalid '{path}': {kind} above maximum value. "
                f"Expected a value <= {self.most:g}, but got {value} instead.",
                param=path,
            )


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def check(self, value: object, path: str) -> None:
        """Refuse what is neither."""
        if not isinstance(value, bool):
            raise wrong_type(path, "a boolean", value)


@dataclass(frozen=True, slots=True)
class Nullable:
    """A value or null."""

    shape: Shape

    def check(self, value: object, path: str) -> None:
        """Refuse what is neither null nor of the shape."""
        if value is not None:
            self.shape.check(value, path)


@dataclass(frozen=True, slots=True)
class Array:
    """A list of values of one shape."""

    item: Shape
    most: int = 1024

    def check(self, value: object, path: str) -> None:
        """Refuse what is not such a list."""
        if not isinstance(value, list):
            raise wrong_type(path, "an array", value)
        if len(value) > self.most:
            raise ClientError(
                "array_above_max_length",
                f"Invalid '{path}': array too long. Expected an array with maximum length "
                f"{self.most}, but got an array with length {len(value)} instead.",
                param=path,
            )
        for index, entry in enumerate(value):
            self.item.check(entry, f"{path}[{index}]")


@dataclass(frozen=True, slots=True)
class Record:
    """An object whose keys are known."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def check(self, value: object, path: str) -> None:
        """Refuse what is no object, lacks a key, or has one too many."""
        entries = object_at(value, path)
        for key in self.required:
            if key not in entries:
                raise missing(join(path, key))
        for key in entries:
            if key not in self.fields:
                where = join(path, key)
                raise ClientError(
                    "unknown_parameter", f"Unknown parameter: '{where}'.", param=where
                )
        for key, entry in entries.items():
            self.fields[key].check(entry, join(path, key))


@dataclass(frozen=True, slots=True)
class Mapped:
    """An object with free keys and values of one shape."""

    value: Shape
    most: int
    longest_key: int | None = None

    def check(self, value: object, path: str) -> None:
        """Refuse what is no such object."""
        entries = object_at(value, path)
        if len(entries) > self.most:
            raise ClientError(
                "object_above_max_properties",
                f"Invalid '{path}': too many properties. Expected an object with at most "
                f"{self.most} properties, but got an object with {len(entries)} instead.",
                param=path,
            )
        for key, entry in entries.items():
            Text(max_length=self.longest_key).check(key, path)
            self.value.check(entry, join(path, key))


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object whose shape depends on one of its strings."""

    key: str
    shapes: Mapping[str, Shape]

    def check(self, value: object, path: str) -> None:
        """Refuse what has no tag, an unknown one, or the wrong shape for it."""
        entries = object_at(value, path)
        where = join(path, self.key)
        if self.key not in entries:
            raise missing(where)
        tag = entries[self.key]
        Text(choices=tuple(self.shapes)).check(tag, where)
        self.shapes[str(tag)].check(value, path)


@dataclass(frozen=True, slots=True)
class ByKind:
    """One shape for strings or lists, another for everything else."""

    kind: type[str] | type[list[object]]
    shape: Shape
    other: Shape

    def check(self, value: object, path: str) -> None:
        """Refuse what fits neither."""
        shape = self.shape if isinstance(value, self.kind) else self.other
        shape.check(value, path)


def join(path: str, key: str) -> str:
    """Return the path of a key of the object at ``path``."""
    return f"{path}.{key}" if path else key


def object_at(value: object, path: str) -> Json:
    """Return a value as an object.

    Raises:
        ClientError: It is none.
    """
    if not isinstance(value, dict):
        raise wrong_type(path or "event", "an object", value)
    return value


def missing(path: str) -> ClientError:
    """Return the refusal of an object that lacks a key."""
    return ClientError(
        "missing_required_parameter", f"Missing required parameter: '{path}'.", param=path
    )


def wrong_type(path: str, expected: str, value: object) -> ClientError:
    """Return the refusal of a value of the wrong type."""
    return ClientError(
        "invalid_type",
        f"Invalid type for '{path}': expected {expected}, but got {_kind_of(value)} instead.",
        param=path,
    )


def wrong_choice(path: str, value: str, choices: Sequence[str]) -> ClientError:
    """Return the refusal of a word that is not one of the choices."""
    listed = ", ".join(f"'{choice}'" for choice in choices)
    # The value is the client's own and may be huge.
    return ClientError(
        "invalid_value",
        f"Invalid value: '{value[:64]}'. Supported values are: {listed}.",
        param=path,
    )


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
