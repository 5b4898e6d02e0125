"""The layout of the tree: every module has its tests, none is too long."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CEILING = 400
PACKAGES = ("voiced", "voicectl")

TESTED_ELSEWHERE = {
    "voiced/__main__.py": "tests/test_daemon.py",
    "voiced/daemon.py": "tests/test_daemon.py",
    "voiced/errors.py": "tests/test_config.py",
    "voiced/report.py": "tests/test_runner.py",
    "voiced/option.py": "tests/test_settings.py",
    "voiced/audio/playhead.py": "tests/audio/test_buffer.py",
    "voiced/audio/stages.py": "tests/audio/test_ear.py",
    "voiced/audio/portaudio.py": "tests/audio/test_playback.py",
    "voiced/audio/worker.py": "tests/audio/test_line.py",
    "voiced/conversation/effects.py": "tests/conversation/test_machine.py",
    "voiced/conversation/events.py": "tests/conversation/test_machine.py",
    "voiced/conversation/scene.py": "tests/conversation/test_machine.py",
    "voiced/conversation/sound_events.py": "tests/conversation/test_sound.py",
    "voiced/conversation/status.py": "tests/conversation/test_machine.py",
    "voiced/conversation/turns.py": "tests/conversation/test_server.py",
    "voiced/realtime/builtin.py": "tests/realtime/test_builtin.py",
    "voiced/realtime/dial.py": "tests/realtime/test_client.py",
    "voicectl/__main__.py": "tests/voicectl/test_fast.py",
    "voicectl/client.py": "tests/test_daemon.py",
    "voicectl/quick.py": "tests/voicectl/test_fast.py",
    "voicectl/checks/finding.py": "tests/voicectl/verbs/test_doctor.py",
    "voicectl/sounding.py": "tests/voicectl/test_chirp.py",
    "voicectl/service_facts.py": "tests/voicectl/checks/test_unit.py",
    "voicectl/settings_file.py": "tests/voicectl/verbs/test_config.py",
    "voicectl/verbs/session.py": "tests/test_daemon.py",
    "voicectl/verbs/state.py": "tests/test_daemon.py",
    "voicectl/verbs/views.py": "tests/voicectl/test_transcript.py",
    "voicectl/verbs/tree.py": "tests/test_daemon.py",
    "voiced/control/protocol.py": "tests/control/test_messages.py",
    "voiced/control/figures.py": "tests/test_interruptions.py",
}
"""Modules whose tests do not bear their name, and where those are."""

pytestmark = pytest.mark.repository


def modules() -> list[Path]:
    """Return every module of the two packages, relative to the root."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in found)


@pytest.mark.parametrize("module", modules(), ids=str)
def test_no_module_is_longer_than_the_ceiling(module: Path) -> None:
    assert len((ROOT / module).read_text().splitlines()) <= CEILING


@pytest.mark.parametrize(
    "module", [module for module in modules() if module.name != "__init__.py"], ids=str
)
def test_every_module_has_its_tests(module: Path) -> None:
    elsewhere = TESTED_ELSEWHERE.get(str(module))
    if elsewhere is not None:
        assert (ROOT / elsewhere).exists()
        return
    parts = module.parts[1:] if module.parts[0] == "voiced" else module.parts
    assert (ROOT / "tests" / Path(*parts).with_name(f"test_{module.name}")).exists()


def test_no_exception_is_out_of_date() -> None:
    assert set(TESTED_ELSEWHERE) <= {str(module) for module in modules()}


@pytest.mark.parametrize("module", modules(), ids=str)
def test_every_module_says_what_it_is_for(module: Path) -> None:
    first = (ROOT / module).read_text().lstrip().splitlines()[:1]

    assert first
    assert first[0].startswith('"""')
    assert len(first[0]) > len('"""""" ')


def test_the_architecture_fits_on_its_pages() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 200
