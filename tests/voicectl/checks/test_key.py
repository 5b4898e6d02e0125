from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.voicectl.checks.said import levels, only
from voicectl.checks.finding import Finding
from voicectl.checks.key import check
from voiced.settings import Provider, Settings

SECRET = "sk-marked"
OPENAI = Settings()


def looked(
    directory: Path,
    environment: Mapping[str, str] | None = None,
    settings: Settings | None = OPENAI,
    *,
    has_service: bool = False,
) -> tuple[list[Finding], str | None]:
    found, key = check(settings, directory, environment or {}, has_service=has_service)
    assert SECRET not in repr(found)
    return found, key


def test_no_key_fails_with_the_verb_that_takes_one(tmp_path: Path) -> None:
    found, key = looked(tmp_path)

    assert levels(found) == {"key.present": "fail"}
    assert only(found, "key.present").remedy.startswith("voicectl secret set")
    assert key is None


def test_a_file_of_ones_own_is_good(tmp_path: Path) -> None:
    (tmp_path / "openai.key").write_text(f"{SECRET}\n")
    (tmp_path / "openai.key").chmod(0o600)
    found, key = looked(tmp_path, {"OPENAI_API_KEY": "another"}, has_service=True)

    assert levels(found) == {"key.present": "ok", "key.mode": "ok"}
    assert key == SECRET


def test_a_file_that_others_can_read_fails(tmp_path: Path) -> None:
    file = tmp_path / "openai.key"
    file.write_text(SECRET)
    file.chmod(0o644)
    found, key = looked(tmp_path)

    finding = only(found, "key.mode")
    assert levels(found) == {"key.mode": "fail"}
    assert finding.message == f"{file} can be read by others (mode 0644)"
    assert finding.remedy == f"chmod 600 {file}"
    assert key is None


def test_a_key_of_this_shell_is_not_seen_by_the_service(tmp_path: Path) -> None:
    environment = {"OPENAI_API_KEY": SECRET}
    by_hand, key = looked(tmp_path, environment)
    found, _ = looked(tmp_path, environment, has_service=True)

    assert levels(by_hand) == {"key.present": "ok"}
    assert key == SECRET
    assert levels(found) == {"key.present": "warn"}
    assert "the service does not see" in only(found, "key.present").message


@pytest.mark.parametrize("key", [f"{SECRET} ", f"{SECRET} x", f"{SECRET}\nx", f"{SECRET}é"])
def test_what_cannot_be_a_key_fails(tmp_path: Path, key: str) -> None:
    found, used = looked(tmp_path, {"OPENAI_API_KEY": f"{key}y"})

    assert levels(found) == {"key.present": "fail"}
    assert used is None


def test_who_needs_no_key_is_not_asked_for_one(tmp_path: Path) -> None:
    local = Settings(provider=Provider(kind="local"))
    compatible = Settings(provider=Provider(kind="compatible", url="https://example.org"))

    assert levels(looked(tmp_path, settings=local)[0]) == {"key.present": "skip"}
    assert levels(looked(tmp_path, settings=compatible)[0]) == {"key.present": "ok"}
    assert levels(looked(tmp_path, settings=None)[0]) == {"key.present": "skip"}
