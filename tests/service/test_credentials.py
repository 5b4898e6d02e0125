from pathlib import Path

import pytest

from voiced.errors import ConfigError
from voiced.service.credentials import find_key


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_credential_of_the_service_comes_first(tmp_path: Path) -> None:
    write(tmp_path / "creds" / "openai", "from-systemd\n")
    write(tmp_path / "openai.key", "from-file\n")
    environment = {
        "CREDENTIALS_DIRECTORY": str(tmp_path / "creds"),
        "OPENAI_API_KEY": "from-environment",
    }

    assert find_key(environment, tmp_path) == "from-systemd"


def test_the_file_comes_before_the_environment(tmp_path: Path) -> None:
    write(tmp_path / "openai.key", " from-file \n")

    assert find_key({"OPENAI_API_KEY": "from-environment"}, tmp_path) == "from-file"


def test_an_empty_credential_is_none(tmp_path: Path) -> None:
    write(tmp_path / "creds" / "openai", "\n")
    write(tmp_path / "openai.key", "")
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path / "creds"), "OPENAI_API_KEY": " x "}

    assert find_key(environment, tmp_path) == "x"


def test_no_key_is_no_fault(tmp_path: Path) -> None:
    assert find_key({"CREDENTIALS_DIRECTORY": str(tmp_path)}, tmp_path) is None
    assert find_key({"OPENAI_API_KEY": ""}, tmp_path) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "openai.key", "secret", mode)

    with pytest.raises(ConfigError) as caught:
        find_key({}, tmp_path)

    assert f"chmod 600 {path}" in str(caught.value)
    assert "secret" not in str(caught.value).replace("openai.key", "")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "openai.key").mkdir()

    with pytest.raises(ConfigError, match=r"cannot read .*openai.key"):
        find_key({}, tmp_path)
