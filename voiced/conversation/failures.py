"""Which failures of a session are for good, and what to say about them.

Close codes and error codes: OpenAI's realtime guides and the behaviour of the service
as other clients met it.  1000 and 1001 are losses like any other: the service closes an
expired session with 1001.
"""

from voiced.conversation.events import SessionLost

REMEDIES = {
    "no_api_key": 'no API key: set OPENAI_API_KEY, or use provider.kind = "local"',
    "invalid_api_key": "the provider refused the API key: set another one",
    "insufficient_quota": "the account has no quota left: see the provider's billing page",
    "credit_balance_exhausted": "the account has no credit left: see the provider's billing page",
    "billing_hard_limit_reached": "the account's spending limit is reached: raise it",
    "account_deactivated": "the account is deactivated: ask the provider",
    "model_not_found": "the provider has no such model, or nothing at this address:"
    " look at provider.model and provider.url",
    "invalid_intent": "the provider refused the kind of session: check provider.url",
    "beta_api_shape_disabled": "the server speaks only another version of the protocol",
    "built_in_server": "the built-in server does not start",
    "configuration_refused": "the provider refused the session's settings",
    "not_usable": "the configuration or the key cannot be used",
}
"""Codes that end the conversation until the user changes something, and what to change."""

FATAL_CLOSE_CODES = {3000: "invalid_api_key", 4000: "configuration_refused"}
FATAL_HTTP_STATUSES = {
    400: "configuration_refused",
    401: "invalid_api_key",
    403: "invalid_api_key",
    404: "model_not_found",
}


def fatal_code(lost: SessionLost) -> str | None:
    """Return why no further attempt makes sense, or None when one does."""
    if lost.error_code in REMEDIES:
        return lost.error_code
    if lost.http_status is not None:
        return FATAL_HTTP_STATUSES.get(lost.http_status)
    if lost.close_code is not None:
        return FATAL_CLOSE_CODES.get(lost.close_code)
    return None


def explain(code: str, message: str) -> str:
    """Say in one line what is wrong and what to change."""
    remedy = REMEDIES[code]
    return f"{remedy} ({message})" if message else remedy
