import json
from typing import Any, Final

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from voicectl.schema import schema
from voiced.config import parse
from voiced.errors import ConfigError
from voiced.option import Option, to_toml
from voiced.settings import default_toml, options

SCHEMA: Final[dict[str, Any]] = schema()
VALIDATOR: Final = Draft202012Validator(SCHEMA)
VALUES: Final[st.SearchStrategy[object]] = (
    st.booleans()
    | st.integers(-10, 200_000)
    | st.floats(-10, 10, allow_nan=False)
    | st.text(max_size=5)
    | st.just([])
)


def is_taken(text: str) -> bool:
    try:
        parse(text)
    except ConfigError:
        return False
    return True


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_every_option_is_in_it_with_its_default_and_its_reason() -> None:
    for option in options():
        value = SCHEMA["properties"][option.table]["properties"][option.key]
        assert value["default"] == option.default
        assert value["description"] == option.rule.why


def test_the_default_configuration_and_an_empty_one_are_valid() -> None:
    assert VALIDATOR.is_valid(tomli.loads(default_toml()))
    assert VALIDATOR.is_valid({})


@pytest.mark.parametrize("option", list(options()), ids=lambda option: option.name)
@given(data=st.data())
def test_it_takes_the_values_that_the_daemon_takes(option: Option, data: st.DataObject) -> None:
    value = data.draw(VALUES | st.sampled_from((option.default, *option.rule.choices)))
    if option.kind is int and isinstance(value, float) and value.is_integer():
        return  # to JSON it is a whole number
    written = "[]" if isinstance(value, list) else to_toml(value)
    text = f"[{option.table}]\n{option.key} = {written}\n"

    assert VALIDATOR.is_valid(tomli.loads(text)) == is_taken(text)


@pytest.mark.parametrize(
    "text",
    [
        "inptu = 1",
        "[adio]",
        "audio = 1",
        "[[audio]]",
        "[audio]\ninptu = 1",
        "[audio]\ndevice_rate_hz = 4000",
        "[audio]\ndevice_rate_hz = 200000",
        '[local]\nbrain = "ftp://x"',
        '[local]\nbrain = "parrots"',
        '[provider]\napi_key = "x"',
        '[provider]\nkind = "azure"',
        '[provider]\nkind = "compatible"\nurl = ""',
        '[provider]\nurl = "nowhere"',
        '[provider]\nurl = "https://"',
        '[provider]\nurl = "ftp://example.org"',
        '[provider]\nurl = "http://example.org/v1"',
        '[provider]\nurl = "ws://127.0.0.1.example.org"',
        '[provider]\nurl = "ws://localhost.example.org"',
        '[provider]\nurl = "https://me:secret@example.org"',
        '[provider]\nurl = "https://example.org:0"',
        '[provider]\nurl = "https://example.org:65536"',
        '[provider]\nurl = "https://example.org:x"',
    ],
)
def test_what_the_daemon_refuses_is_refused(text: str) -> None:
    assert not is_taken(text)
    assert not VALIDATOR.is_valid(tomli.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "[audio]\ndevice_rate_hz = 0",
        "[audio]\ndevice_rate_hz = 48000",
        "[session]\nidle_hangup_s = 60",
        '[local]\nbrain = "http://127.0.0.1:8080/v1"',
        '[provider]\nkind = "local"\nurl = "nowhere"',
        '[provider]\nurl = ""',
        '[provider]\nkind = "compatible"\nurl = "https://example.org:8443/v1?a=b"',
        '[provider]\nkind = "azure"\nurl = "wss://name.example.org/openai/v1"',
        '[provider]\nkind = "compatible"\nurl = "http://127.0.0.1:65535/v1"',
        '[provider]\nkind = "compatible"\nurl = "ws://[::1]:8080"',
        '[provider]\nkind = "compatible"\nurl = "http://localhost/v1"',
    ],
)
def test_what_the_daemon_takes_is_taken(text: str) -> None:
    assert is_taken(text)
    assert VALIDATOR.is_valid(tomli.loads(text))
