"""What is done about the assistant's own voice in the microphone, pure.

Rules, the first that fits wins
1. ``half_duplex = "always"`` means always, with a headset too: nothing is heard while the
   assistant speaks.
2. A headset gives no echo: nothing is done, and speech is noticed here.
3. A microphone from which the sound server takes the echo is not cancelled a second time.
4. Echo cancellation, where it is wanted, installed, and the loudspeaker is not too late.
5. Otherwise nothing is heard while the assistant speaks, unless ``half_duplex = "never"``:
   then the assistant's voice goes to the server, which alone decides what an interruption is.
"""

from dataclasses import dataclass
from typing import Final

from voiced.conversation.sound_events import HearingChanged
from voiced.settings import Audio

CANCELLED: Final = "cancelled"
SERVER: Final = "server"
HEADSET: Final = "headset"
HALF_DUPLEX: Final = "half_duplex"
KEPT: Final = "kept"
DETECTABLE: Final = (CANCELLED, SERVER, HEADSET)
"""Where the assistant's voice is not taken for the user's."""
LATEST_ECHO_MS: Final = 450
"""An echo that comes later than this is not found by the canceller."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the devices and of the canceller."""

    has_canceller: bool
    trouble: str = ""
    """Why the canceller was switched off; empty while it works."""
    is_headset: bool = False
    """The loudspeaker is one; false where nobody knows."""
    is_server_cancelling: bool = False
    """The microphone is one from which the sound server takes the echo."""
    bypasses: str = ""
    """The loudspeaker that such a microphone knows nothing of; empty where it knows ours."""
    latency_ms: int | None = None
    """How late the loudspeaker is; None while it has not played."""


def judge(audio: Audio, facts: Facts, *, is_local: bool) -> HearingChanged:
    """Decide what is done about the echo.

    Args:
        audio: The settings.
        facts: The devices and the canceller.
        is_local: Speech is to be noticed on this machine.
    """
    echo, reason = _decide(audio, facts)
    return HearingChanged(echo, is_local and echo in DETECTABLE, reason)


def _decide(audio: Audio, facts: Facts) -> tuple[str, str]:
    if audio.half_duplex == "always":
        return HALF_DUPLEX, ""
    if facts.is_headset:
        return HEADSET, ""
    if facts.is_server_cancelling:
        return SERVER, _bypassed(facts.bypasses)
    obstacle = _obstacle(facts)
    if audio.echo_cancellation and not obstacle:
        return CANCELLED, ""
    why = obstacle if audio.echo_cancellation else ""
    if audio.half_duplex == "never":
        return KEPT, f"{why}: the assistant hears itself" if why else ""
    return HALF_DUPLEX, f"{why}: nothing is heard while the assistant speaks" if why else ""


def _obstacle(facts: Facts) -> str:
    """Say why the canceller cannot be used; empty when it can."""
    if facts.trouble:
        return f"the echo cancellation failed ({facts.trouble})"
    if not facts.has_canceller:
        return "pywebrtc-audio is not installed, so the echo cannot be cancelled"
    if facts.latency_ms is not None and facts.latency_ms > LATEST_ECHO_MS:
        return (
            f"the loudspeaker is {facts.latency_ms} ms late, and an echo that comes more than"
            f" {LATEST_ECHO_MS} ms late cannot be cancelled"
        )
    return ""


def _bypassed(loudspeaker: str) -> str:
    if not loudspeaker:
        return ""
    return f'the sound server may not know what "{loudspeaker}" plays: choose its echo-cancel sink'
