from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from voiced.places import Place, entries, find, first_duplicate


def places(text: str, *path: str) -> tuple[Place, Place] | None:
    entry = find(text, *path)
    return None if entry is None else (entry.key, entry.value)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("[audio]\ninput = 3\n", (2, 1), (2, 9)),
        ("[audio]\r\ninput = 3\r\n", (2, 1), (2, 9)),
        ('[audio]\n  "input"=3', (2, 3), (2, 11)),
        ('[audio]\n"in\\u0070ut" = 3', (2, 1), (2, 16)),
        ("[ 'audio' ] # why\n\n\tinput\t=\t3", (3, 2), (3, 10)),
        ("audio.input = 3\n", (1, 7), (1, 15)),
        ('audio . "input" = 3\n', (1, 9), (1, 19)),
        ("audio = {output = 1, input = 3}\n", (1, 22), (1, 30)),
        ("audio = {\n output = 1, # why\n input = 3,\n}\n", (3, 2), (3, 10)),
        ("audio = {}\n[provider]\ninput = 1\n[audio]\ninput=3\n", (5, 1), (5, 7)),
        ('[x]\ny = """\n[audio]\ninput = 1\n"""\n[audio]\ninput = 3\n', (7, 1), (7, 9)),
        ("[x]\ny = '''\n[audio]\n'''''\n[audio]\ninput = 3\n", (6, 1), (6, 9)),
        ('x = [1, [2, "]"], {a = 3, b = [\n"}"]}, # ]\n]\n[audio]\ninput = 3\n', (5, 1), (5, 9)),
        ("[[x]]\na = 1\n[[x]]\na = 2\n[audio]\ninput = 3\n", (6, 1), (6, 9)),
        ("x.y.z = {a = {b = 1979-05-27 07:32:00Z}}\naudio.input = 3", (2, 7), (2, 15)),
    ],
)
def test_a_key_and_its_value_are_found_as_they_are_written(
    text: str, key: tuple[int, int], value: tuple[int, int]
) -> None:
    assert places(text, "audio", "input") == (Place(*key), Place(*value))


def test_the_first_place_of_a_table_is_found() -> None:
    assert places("\n [audio]\n", "audio") == (Place(2, 3), Place(2, 3))
    assert places("audio.x = 3\n", "audio") == (Place(1, 1), Place(1, 11))
    assert places('audio = "x"\n', "audio") == (Place(1, 1), Place(1, 9))
    assert places("", "audio") is None


@pytest.mark.parametrize(
    ("text", "first", "again"),
    [
        ("[a]\nb = 1\nb = 2\n", (2, 1), (3, 1)),
        ("[a]\n[c]\n[a]\n", (1, 2), (3, 2)),
        ("a.b = 1\n[a]\nb = 2\n", (1, 3), (3, 1)),
        ("a = {b = 1, b = 2}\n", (1, 6), (1, 13)),
    ],
)
def test_what_is_written_twice_is_found(
    text: str, first: tuple[int, int], again: tuple[int, int]
) -> None:
    found = first_duplicate(text)

    assert found is not None
    assert (found[0].key, found[1].key) == (Place(*first), Place(*again))


def test_two_keys_of_one_table_are_no_duplicate() -> None:
    assert first_duplicate("a.b = 1\na.c = 2\n") is None


@pytest.mark.parametrize(
    "text", ["a = 1\n[b", "a = 1\n= 2", "a = 1\nb 2", "a = 1\nb =", "a = 1\n'''x''' = 1"]
)
def test_of_a_text_that_is_no_toml_the_beginning_is_read(text: str) -> None:
    assert find(text, "a") is not None


def test_depth_does_not_matter() -> None:
    text = f"a = {'[' * 100_000}{']' * 100_000}\nb = 1\n"

    assert places(text, "b") == (Place(2, 1), Place(2, 5))


@given(st.text(alphabet="ab.=[]{}\"'\\\n #,1") | st.text())
def test_any_text_has_places_and_all_that_tomli_reads_has_one(text: str) -> None:
    found = {entry.path for entry in entries(text)}

    try:
        tables: dict[str, Any] = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    for name, value in tables.items():
        assert (name,) in found
        if isinstance(value, dict):
            assert {(name, key) for key in value} <= found
