from pathlib import Path

import pytest
import tomli
from hypothesis import example, given
from hypothesis import strategies as st

from voiced.config import parse
from voiced.errors import ConfigError
from voiced.option import to_toml
from voiced.settings import (
    TABLES,
    Audio,
    Provider,
    Settings,
    Transcript,
    check_together,
    default_toml,
    options,
)

CONFIG = Path(__file__).resolve().parents[1] / "config" / "voiced.toml"


@pytest.mark.repository
def test_the_configuration_file_is_printed_from_the_settings() -> None:
    assert CONFIG.read_text() == default_toml()


def test_the_printed_file_says_what_is_the_default() -> None:
    assert parse(default_toml()) == Settings()


def test_a_page_of_comments_sets_nothing_and_has_everything() -> None:
    page = default_toml(is_commented=True)

    assert tomli.loads(page) == {table: {} for table in TABLES}
    for option in options():
        assert f"\n#{option.key} = {to_toml(option.default)}\n" in page


def test_every_option_is_in_the_printed_file_with_a_reason() -> None:
    lines = default_toml().splitlines()
    for option in options():
        place = lines.index(f"{option.key} = {to_toml(option.default)}")
        assert lines[place - 1].startswith(f"# {option.rule.why}")
        assert option.rule.why.endswith(".")


def test_every_default_keeps_its_own_rule() -> None:
    for option in options():
        assert option.check(option.default) == option.default


def test_every_table_is_explained() -> None:
    assert all(kind.__doc__ for kind in TABLES.values())
    assert set(tomli.loads(default_toml())) == set(TABLES)


def option_named(table: str, key: str):  # type: ignore[no-untyped-def] # noqa: ANN201 - an Option
    return next(each for each in options() if (each.table, each.key) == (table, key))


@pytest.mark.parametrize(
    ("table", "key", "value", "complaint"),
    [
        ("audio", "input", 3, '[audio] input must be a text in quotes, not 3 (default: "default")'),
        ("audio", "device_rate_hz", "48k", 'must be a whole number, not "48k"'),
        ("audio", "device_rate_hz", 4.5, "must be a whole number, not 4.5"),
        ("audio", "device_rate_hz", True, "must be a whole number, not true"),
        ("turns", "threshold", "high", 'must be a number, not "high"'),
        ("turns", "threshold", False, "must be a number, not false"),
        ("session", "autostart", "yes", 'must be true or false, not "yes" (default: false)'),
        ("session", "autostart", [1], "must be true or false, not a list"),
        ("session", "autostart", {}, "must be true or false, not a table"),
        ("provider", "kind", "opnai", '"opnai" is not one of "openai", "azure", "compatible"'),
        ("turns", "threshold", 1.5, "threshold = 1.5 is not between 0.0 and 1.0"),
        ("turns", "threshold", -0.5, "threshold = -0.5 is not between 0.0 and 1.0"),
        ("turns", "threshold", float("nan"), "threshold = nan is not between"),
        ("session", "idle_hangup_s", -1, "idle_hangup_s = -1.0 is not 0.0 or more"),
    ],
)
def test_a_wrong_value_names_the_key_the_value_and_what_it_may_be(
    table: str, key: str, value: object, complaint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        option_named(table, key).check(value)

    assert complaint in str(caught.value)
    assert f"[{table}] {key}" in str(caught.value)


def test_a_whole_number_is_a_number() -> None:
    assert option_named("session", "idle_hangup_s").check(60) == 60.0


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (Settings(provider=Provider(kind="azure")), r"\[provider\] url is missing"),
        (Settings(provider=Provider(kind="compatible")), 'kind = "compatible" needs'),
        (Settings(transcript=Transcript(file="talks.txt")), '"talks.txt" is no absolute path'),
        (Settings(audio=Audio(device_rate_hz=44)), "device_rate_hz = 44 is neither 0 nor 8000"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(settings: Settings, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        check_together(settings)


def test_options_that_fit_are_taken() -> None:
    check_together(Settings())
    check_together(Settings(audio=Audio(device_rate_hz=48_000)))
    check_together(Settings(provider=Provider(kind="compatible", url="https://x/v1")))


@given(st.text())
@example('a "quoted" \\ line\nand\ranother\t\x00\x7f')
def test_texts_are_written_so_that_they_can_be_read_again(text: str) -> None:
    written = to_toml(text)

    assert tomli.loads(f"x = {written}")["x"] == text
    assert "\n" not in written
