import threading

from tests.voicectl.checks.said import levels, only
from voicectl.checks.examine import together
from voicectl.checks.finding import Finding, ok


def good() -> list[Finding]:
    return [ok("sound.server", "there")]


def stumbles() -> list[Finding]:
    raise ValueError("nobody thought of this")


def test_a_check_that_stumbles_hides_no_other() -> None:
    found = together({"network": stumbles, "sound": good}, 20.0)

    assert levels(found) == {"network.check": "fail", "sound.server": "ok"}
    assert "ValueError: nobody thought of this" in only(found, "network.check").message


def test_a_check_that_hangs_is_left_behind() -> None:
    release = threading.Event()

    def hangs() -> list[Finding]:
        release.wait(60.0)
        return good()

    found = together({"network": hangs, "sound": good}, 0.2)
    release.set()

    assert levels(found) == {"network.check": "fail", "sound.server": "ok"}
    assert "no result within 0.2 s" in only(found, "network.check").message
