import pytest

from voiced.conversation.events import SessionLost
from voiced.conversation.failures import REMEDIES, explain, fatal_code


@pytest.mark.parametrize(
    ("lost", "code"),
    [
        (SessionLost("", error_code="insufficient_quota"), "insufficient_quota"),
        (SessionLost("", close_code=3000), "invalid_api_key"),
        (SessionLost("", close_code=4000), "configuration_refused"),
        (SessionLost("", http_status=401), "invalid_api_key"),
        (SessionLost("", http_status=404), "model_not_found"),
        (SessionLost("", http_status=429), None),
        (SessionLost("", http_status=503), None),
        (SessionLost("", close_code=1000), None),
        (SessionLost("", close_code=1001), None),
        (SessionLost("", close_code=1006, error_code="server_error"), None),
        (SessionLost("name not found"), None),
    ],
)
def test_only_what_the_user_must_change_is_fatal(lost: SessionLost, code: str | None) -> None:
    assert fatal_code(lost) == code


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_every_explanation_is_one_line_and_quotes_the_server(code: str) -> None:
    assert explain(code, "") == REMEDIES[code]
    assert explain(code, "no such thing") == f"{REMEDIES[code]} (no such thing)"
    assert "\n" not in REMEDIES[code]
