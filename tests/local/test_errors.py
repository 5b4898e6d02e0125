from voiced.errors import VoicedError
from voiced.local.errors import ClientError, ReplyError


def test_a_refusal_carries_what_the_client_is_told() -> None:
    error = ClientError("invalid_value", "No.", param="audio")

    assert (error.code, error.message, error.param) == ("invalid_value", "No.", "audio")
    assert str(error) == "No."
    assert isinstance(error, VoicedError)


def test_a_failed_reply_carries_what_its_response_tells() -> None:
    error = ReplyError("brain_failed", "No answer.")

    assert (error.code, error.message, str(error)) == ("brain_failed", "No answer.", "No answer.")
    assert isinstance(error, VoicedError)
