import pytest

from voicectl.claims import CLAIMS, holds

LISTENING = {"state": "listening", "online": True, "muted": False}
MUTED = {"state": "muted", "online": False, "muted": True}


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (LISTENING, {"running", "connected", "listening"}),
        (MUTED, {"running", "muted"}),
        ({"state": "idle"}, {"running"}),
    ],
)
def test_what_is_so_is_read_from_the_status(report: dict[str, object], expected: set[str]) -> None:
    assert {claim for claim in CLAIMS if holds(claim, report)} == expected
    assert holds(str(report["state"]), report)
