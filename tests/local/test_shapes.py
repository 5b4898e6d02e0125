import pytest

from voiced.local.errors import ClientError
from voiced.local.shapes import (
    Anything,
    Array,
    ByKind,
    Flag,
    Mapped,
    Nullable,
    Number,
    Record,
    Shape,
    Tagged,
    Text,
    object_at,
)

POINT = Record({"type": Text(), "x": Number(), "name": Nullable(Text())}, ("x",))
SHAPE = Tagged("type", {"point": POINT, "text": Record({"type": Text(), "text": Text()})})


def fault(shape: Shape, value: object, path: str = "a") -> tuple[str, str | None]:
    """Return code and param of the refusal."""
    with pytest.raises(ClientError) as caught:
        shape.check(value, path)
    return caught.value.code, caught.value.param


def test_what_has_the_right_shape_is_accepted() -> None:
    for shape, value in (
        (Anything(), object()),
        (Text(), ""),
        (Text(max_length=2), "ab"),
        (Text(choices=("a",)), "a"),
        (Number(least=1, most=2), 1),
        (Number(), 1.5),
        (Number(is_whole=True), -3),
        (Flag(), False),
        (Nullable(Flag()), None),
        (Nullable(Flag()), True),
        (Array(Number()), [1, 2.5]),
        (Mapped(Text(), most=1), {"any": "text"}),
        (SHAPE, {"type": "point", "x": 1, "name": None}),
        (ByKind(str, Text(choices=("inf",)), Number()), "inf"),
        (ByKind(str, Text(choices=("inf",)), Number()), 3),
    ):
        shape.check(value, "a")


@pytest.mark.parametrize(
    ("shape", "value", "kind"),
    [
        (Text(), 1, "an integer"),
        (Text(), None, "null"),
        (Number(), "1", "a string"),
        (Number(), True, "a boolean"),
        (Number(is_whole=True), 1.5, "a decimal number"),
        (Number(is_whole=True), False, "a boolean"),
        (Flag(), 0, "an integer"),
        (Array(Text()), {}, "an object"),
        (Record({}), [], "an array"),
        (Mapped(Text(), most=1), "a", "a string"),
        (Tagged("type", {}), None, "null"),
        (ByKind(str, Text(), Number()), [], "an array"),
    ],
)
def test_a_value_of_another_type_is_named_in_the_refusal(
    shape: Shape, value: object, kind: str
) -> None:
    with pytest.raises(ClientError, match=f"but got {kind} instead") as caught:
        shape.check(value, "session.x")

    assert (caught.value.code, caught.value.param) == ("invalid_type", "session.x")


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        (Text(choices=("a", "b")), "c", ("invalid_value", "a")),
        (Text(max_length=2), "abc", ("string_above_max_length", "a")),
        (Number(least=0, is_whole=True), -1, ("integer_below_min_value", "a")),
        (Number(most=5, is_whole=True), 6, ("integer_above_max_value", "a")),
        (Number(least=0.25), 0.2, ("decimal_below_min_value", "a")),
        (Number(most=1.5), 2, ("decimal_above_max_value", "a")),
        (Number(is_whole=True), 10**400, ("invalid_value", "a")),
        (Number(least=0), -1e300, ("invalid_value", "a")),
        (Array(Text(), most=1), ["a", "b"], ("array_above_max_length", "a")),
        (Array(Text()), ["a", 1], ("invalid_type", "a[1]")),
        (Mapped(Text(), most=0), {"b": "c"}, ("object_above_max_properties", "a")),
        (Mapped(Text(), most=1), {"b": 1}, ("invalid_type", "a.b")),
        (POINT, {"name": "n"}, ("missing_required_parameter", "a.x")),
        (POINT, {"x": 1, "y": 2}, ("unknown_parameter", "a.y")),
        (POINT, {"x": "1"}, ("invalid_type", "a.x")),
        (SHAPE, {}, ("missing_required_parameter", "a.type")),
        (SHAPE, {"type": "circle"}, ("invalid_value", "a.type")),
        (SHAPE, {"type": 3}, ("invalid_type", "a.type")),
        (SHAPE, {"type": "point"}, ("missing_required_parameter", "a.x")),
    ],
)
def test_a_fault_is_told_with_its_code_and_its_place(
    shape: Shape, value: object, expected: tuple[str, str]
) -> None:
    assert fault(shape, value) == expected


def test_the_path_of_a_key_at_the_top_has_no_dot() -> None:
    assert fault(Record({}), {"b": 1}, "") == ("unknown_parameter", "b")
    assert fault(Record({}), 1, "") == ("invalid_type", "event")


def test_a_long_value_is_not_quoted_whole() -> None:
    with pytest.raises(ClientError) as caught:
        Text(choices=("a",)).check("x" * 10_000, "a")

    assert len(caught.value.message) < 200


def test_an_object_is_returned_as_it_is() -> None:
    assert object_at({"a": 1}, "a") == {"a": 1}
