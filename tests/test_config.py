import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiced.config import config_directory, load, parse
from voiced.errors import ConfigError
from voiced.settings import Settings


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    return caught.value


def test_an_empty_file_means_the_defaults() -> None:
    assert parse("") == Settings()


def test_what_is_set_is_set_and_the_rest_is_the_default() -> None:
    settings = parse('[audio]\ninput = "Jabra"\n[session]\nidle_hangup_s = 60\n')

    assert settings.audio.input == "Jabra"
    assert settings.audio.output == "default"
    assert settings.session.idle_hangup_s == 60.0


def test_an_unknown_key_is_answered_with_the_one_that_is_meant() -> None:
    error = refusal('[provider]\nkind = "local"\n\n[audio]\ninptu = "x"\n')

    assert str(error) == "unknown key `[audio] inptu`, did you mean `input`?"
    assert error.line == 5


def test_a_key_in_the_wrong_table_is_answered_with_the_right_one() -> None:
    assert str(refusal("[audio]\nusd_per_day = 3\n")) == (
        "unknown key `[audio] usd_per_day`, it belongs in `[limits]`"
    )


def test_a_key_like_no_other_is_answered_with_all_there_are() -> None:
    assert str(refusal("[limits]\nzzz = 3\n")) == (
        "unknown key `[limits] zzz`; [limits] has: usd_per_day"
    )


def test_an_unknown_table_is_answered_with_the_one_that_is_meant() -> None:
    error = refusal("\n[adio]\n")

    assert str(error) == "unknown table `[adio]`, did you mean `[audio]`?"
    assert error.line == 2
    assert "there is: provider, audio" in str(refusal("[qqqqqq]\n"))


def test_a_wrong_value_is_told_with_its_line() -> None:
    error = refusal('[turns]\n# a comment\ndetection = "server-vad"\n')

    assert error.line == 3
    assert '"server-vad" is not one of "server_vad"' in str(error)


def test_broken_toml_is_told_with_line_and_column() -> None:
    error = refusal('[audio]\ninput = "x\n')

    assert str(error).startswith("not TOML: ")
    assert (error.line, error.column) == (2, 11)


def test_options_that_do_not_fit_are_refused_at_their_place() -> None:
    azure = refusal('\n[provider]\nkind = "azure"\n')
    rate = refusal("[audio]\ndevice_rate_hz = 4000\n")
    brain = refusal('[local]\nbrain = "ftp://x"\n')
    url = refusal('[provider]\nkind = "compatible"\nurl = "ws://example.org"\n')

    assert "url is missing" in str(azure)
    assert 'brain = "ftp://x" is neither "parrot" nor the URL' in str(brain)
    assert "is not encrypted" in str(url)
    assert [error.line for error in (azure, rate, brain, url)] == [3, 2, 2, 3]


def test_the_built_in_server_needs_no_address() -> None:
    assert parse('[provider]\nkind = "local"\nurl = "nowhere"\n').provider.kind == "local"


def test_what_nobody_can_mean_is_refused() -> None:
    assert "must not be empty" in str(refusal('[audio]\ninput = " "\n'))
    assert "is not 0.0 or more" in str(refusal("[session]\nidle_hangup_s = inf\n"))
    assert "nested too deeply" in str(refusal("audio.input = " + "[" * 50_000))
    assert '"a\\nb"' in str(refusal('[audio]\n"a\\nb" = 1\n'))


@pytest.mark.parametrize(
    ("text", "complaint", "line", "column"),
    [
        ("[audio]\n  inptu = 3\n", "unknown key `[audio] inptu`", 2, 3),
        ("audio.inptu = 3\n", "unknown key `[audio] inptu`", 1, 7),
        ("audio = {input = 3}\n", "[audio] input must be a text", 1, 18),
        ("\n[ adio ]\n", "unknown table `[adio]`", 2, 3),
        ("[turns]\nthreshold = 7\n", "threshold = 7.0 is not between", 2, 13),
        ('[provider]\nkind = "azure"\n', "url is missing", 2, 8),
        ('audio = "x"\n', "[audio] must be a table", 1, 1),
        ("[[audio]]\n", "[audio] must be a table", 1, 3),
    ],
)
def test_a_complaint_has_the_place_of_the_key_or_of_the_value(
    text: str, complaint: str, line: int, column: int
) -> None:
    error = refusal(text)

    assert str(error).startswith(complaint) or complaint in str(error)
    assert (error.line, error.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "complaint", "line", "column"),
    [
        (
            '[audio]\ninput = "a"\ninput = "b"\n',
            "`[audio] input` is there twice, first in line 2",
            3,
            1,
        ),
        ("[audio]\n[log]\n[audio]\n", "`[audio]` is there twice, first in line 1", 3, 2),
        ("[audio]\ninput = Jabra\n", "Invalid value: a text needs quotes", 2, 9),
        ("[audio]\n[log\n", "Expected ']' at the end of a table declaration", 2, 5),
    ],
)
def test_what_is_no_toml_is_told_so_that_it_can_be_mended(
    text: str, complaint: str, line: int, column: int
) -> None:
    error = refusal(text)

    assert str(error) == f"not TOML: {complaint}"
    assert (error.line, error.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('[provider]\napi_key = "sk-secret"\n', "`[provider] api_key`"),
        ('[provider]\nkey = "sk-secret"\n', "`[provider] key`"),
        ('OPENAI_API_KEY = "sk-secret"\n', "`OPENAI_API_KEY`"),
        ('[openai]\napi-key = "sk-secret"\n', "`[openai] api-key`"),
        ('[provider]\naccess_token = "sk-secret"\n', "`[provider] access_token`"),
    ],
)
def test_a_key_of_the_provider_is_refused_and_not_repeated(text: str, written: str) -> None:
    complaint = str(refusal(text))

    assert complaint == (
        f"{written} does not belong here: take it out, and run voicectl secret set"
    )


def test_a_key_outside_every_table_is_told_where_it_belongs() -> None:
    assert str(refusal('input = "Jabra"\n')) == ("unknown key `input`, it belongs in `[audio]`")
    assert str(refusal("zzz = 1\n")) == (
        "unknown key `zzz`; every key belongs in a table, such as [provider]"
    )


@given(st.text())
def test_any_text_is_settings_or_one_clear_line(text: str) -> None:
    with suppress(ConfigError):
        assert isinstance(parse(text), Settings)


# --- files ---------------------------------------------------------------------------------


def test_the_users_own_file_may_be_missing(tmp_path: Path) -> None:
    assert load(None, {"XDG_CONFIG_HOME": str(tmp_path)}) == Settings()


def test_the_users_own_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "voiced").mkdir()
    (tmp_path / "voiced" / "config.toml").write_text('[log]\nlevel = "debug"\n')

    assert load(None, {"XDG_CONFIG_HOME": str(tmp_path)}).log.level == "debug"


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing.toml: there is no such file"):
        load(tmp_path / "nothing.toml", {})


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes("[audio]\n# äö".encode() + b"\xff\xfe")

    with pytest.raises(ConfigError, match=r"bad.toml:2:5: not UTF-8: save the file"):
        load(tmp_path / "bad.toml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


def test_a_mark_of_the_byte_order_is_no_statement(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[log]\n", encoding="utf-8-sig")

    assert load(path, {}) == Settings()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")

    with pytest.raises(ConfigError, match="it is a pipe"):
        load(tmp_path / "pipe.toml", {})


def test_a_complaint_names_file_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[audio]\ninptu = 3\n")
    with pytest.raises(ConfigError, match=r"c.toml:2:1: unknown key"):
        load(path, {})

    path.write_text("[audio]\ninput == 3\n")
    with pytest.raises(ConfigError, match=r"c.toml:2:8: not TOML"):
        load(path, {})


def test_the_configuration_lives_where_the_desktop_says() -> None:
    assert config_directory({"XDG_CONFIG_HOME": "/x"}) == Path("/x/voiced")
    assert config_directory({"HOME": "/h"}) == Path("/h/.config/voiced")
    assert config_directory({}) == Path.home() / ".config" / "voiced"
