"""JSON without the json module says and understands the same."""

import json
import math
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicectl import tinyjson

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values)
@settings(max_examples=40)
def test_it_writes_what_the_json_module_writes(value: object) -> None:
    assert tinyjson.dumps(value) == json.dumps(value)
    assert tinyjson.dumps(value, is_ascii=False) == json.dumps(value, ensure_ascii=False)


@given(values)
@settings(max_examples=40)
def test_it_reads_what_the_json_module_reads(value: object) -> None:
    assert tinyjson.loads(f" {json.dumps(value, indent=1)}\n") == value


def test_it_reads_numbers_that_are_none() -> None:
    assert tinyjson.loads("[Infinity, -Infinity]") == [math.inf, -math.inf]
    assert math.isnan(tinyjson.loads("NaN"))


@given(st.text(max_size=20))
def test_it_refuses_what_the_json_module_refuses(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            tinyjson.loads(text)
    else:
        assert tinyjson.loads(text) == expected or expected != expected  # noqa: PLR0124 - NaN


@pytest.mark.parametrize("text", ["", "{} {}", "[" * 100_000, '{"a"', "nope"])
def test_it_refuses_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        tinyjson.loads(text)


def test_a_python_without_the_parts_in_c_has_the_json_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "_json", None)

    assert tinyjson.loads('{"a": [1]}') == {"a": [1]}
    assert tinyjson.dumps({"a": "é"}, is_ascii=False) == '{"a": "é"}'


def test_what_is_no_part_of_json_is_refused() -> None:
    with pytest.raises(TypeError):
        tinyjson.dumps({"a": object()})
