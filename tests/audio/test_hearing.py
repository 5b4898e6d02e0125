"""What is done about the echo, from facts."""

import pytest

from voiced.audio.hearing import Facts, judge
from voiced.conversation.sound_events import HearingChanged
from voiced.settings import Audio

PLAIN = Facts(has_canceller=True)
ALWAYS = Audio(half_duplex="always")
NEVER = Audio(half_duplex="never")
OFF = Audio(echo_cancellation=False)
OFF_NEVER = Audio(echo_cancellation=False, half_duplex="never")


@pytest.mark.parametrize(
    ("audio", "facts", "echo", "can_detect"),
    [
        (Audio(), PLAIN, "cancelled", True),
        (NEVER, PLAIN, "cancelled", True),
        (Audio(), Facts(has_canceller=True, latency_ms=450), "cancelled", True),
        (Audio(), Facts(has_canceller=False, is_headset=True), "headset", True),
        (OFF, Facts(has_canceller=True, is_headset=True), "headset", True),
        (Audio(), Facts(has_canceller=True, is_server_cancelling=True), "server", True),
        (OFF, Facts(has_canceller=True, is_server_cancelling=True), "server", True),
        (OFF, PLAIN, "half_duplex", False),
        (OFF_NEVER, PLAIN, "kept", False),
        (ALWAYS, PLAIN, "half_duplex", False),
        (ALWAYS, Facts(has_canceller=True, is_headset=True), "half_duplex", False),
        (ALWAYS, Facts(has_canceller=True, is_server_cancelling=True), "half_duplex", False),
    ],
)
def test_what_is_as_configured_has_no_reason(
    audio: Audio, facts: Facts, echo: str, *, can_detect: bool
) -> None:
    assert judge(audio, facts, is_local=True) == HearingChanged(echo, can_detect)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (Facts(has_canceller=False), "pywebrtc-audio is not installed"),
        (Facts(has_canceller=True, latency_ms=612), "the loudspeaker is 612 ms late"),
        (Facts(has_canceller=True, trouble="no memory"), "failed (no memory)"),
    ],
)
def test_what_is_not_as_configured_says_why(facts: Facts, why: str) -> None:
    quiet, loud = judge(Audio(), facts, is_local=True), judge(NEVER, facts, is_local=True)

    assert (quiet.echo, quiet.can_detect) == ("half_duplex", False)
    assert (loud.echo, loud.can_detect) == ("kept", False)
    assert why in quiet.reason
    assert why in loud.reason
    assert quiet.reason.endswith("nothing is heard while the assistant speaks")
    assert loud.reason.endswith("the assistant hears itself")


def test_a_canceller_that_is_not_wanted_is_not_missed() -> None:
    assert judge(OFF, Facts(has_canceller=False), is_local=True).reason == ""


def test_a_server_that_does_not_know_our_loudspeaker_is_told_of() -> None:
    facts = Facts(has_canceller=True, is_server_cancelling=True, bypasses="HDMI")
    verdict = judge(Audio(), facts, is_local=True)

    assert verdict.echo == "server"
    assert '"HDMI"' in verdict.reason


def test_without_local_detection_nothing_is_noticed_here() -> None:
    assert judge(Audio(), PLAIN, is_local=False) == HearingChanged("cancelled", can_detect=False)
