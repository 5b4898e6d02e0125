"""What the figures of a chirp mean."""

import pytest
from msgspec.structs import replace

from tests.voicectl.checks.said import levels, only
from voicectl.checks.loudspeaker import as_object, judged
from voicectl.sound import Device
from voicectl.sounding import Sounding

GOOD = Sounding(
    microphone=Device("mic"),
    loudspeaker=Device("speaker"),
    echo="cancelled",
    can_detect=True,
    latency_ms=61.04,
    latest_ms=450,
    played_dbfs=-26.0,
    echo_dbfs=-34.0,
    cancelled_dbfs=-63.0,
    noise_dbfs=-65.0,
    peak_dbfs=-20.0,
)
HEADSET = replace(
    GOOD, echo="headset", loudspeaker=Device("buds", is_headset=True), latency_ms=None
)
SERVER = replace(GOOD, echo="server", echo_dbfs=-60.0, cancelled_dbfs=-60.0)


def conclusion(told: Sounding) -> tuple[str, str]:
    found = only(judged(told), "audio.interruption")
    return found.level, found.message


@pytest.mark.parametrize(
    "told",
    [
        GOOD,
        replace(GOOD, latency_ms=None),
        replace(GOOD, latency_ms=450.0),
        replace(GOOD, echo_dbfs=-40.0, cancelled_dbfs=-50.0),
        SERVER,
    ],
)
def test_what_is_well_lets_you_interrupt(told: Sounding) -> None:
    assert set(levels(judged(told)).values()) <= {"ok", "skip"}
    assert conclusion(told) == ("ok", "you can interrupt over these loudspeakers")


def test_with_a_headset_there_is_nothing_to_do() -> None:
    heard = replace(HEADSET, latency_ms=40.0, echo_dbfs=-60.0)

    assert conclusion(HEADSET) == ("ok", "a headset: nothing to do, you can interrupt")
    assert conclusion(heard)[0] == "ok"


@pytest.mark.parametrize(
    ("told", "identity", "level", "words"),
    [
        (replace(GOOD, peak_dbfs=-96.0), "audio.hearing", "fail", "only zeros"),
        (
            replace(GOOD, microphone=Device("mic", is_muted=True)),
            "audio.hearing",
            "fail",
            "the microphone is muted",
        ),
        (
            replace(GOOD, loudspeaker=Device("speaker", is_muted=True)),
            "audio.hearing",
            "fail",
            "the loudspeaker is muted",
        ),
        (replace(GOOD, noise_dbfs=-35.0), "audio.noise", "warn", "-35 dBFS, which is much"),
        (replace(GOOD, latency_ms=612.0), "audio.latency", "fail", "612 ms; the most is 450 ms"),
        (replace(GOOD, echo_dbfs=-15.0), "audio.echo", "fail", "11 dB louder than a voice"),
        (replace(GOOD, peak_dbfs=0.0), "audio.echo", "fail", "cut off in the microphone"),
        (replace(GOOD, cancelled_dbfs=-40.0), "audio.cancelled", "fail", "6 dB less"),
        (replace(SERVER, echo_dbfs=-40.0), "audio.cancelled", "fail", "leaves -40 dBFS"),
        (
            replace(HEADSET, latency_ms=40.0),
            "audio.cancelled",
            "warn",
            "heard by the microphone all the same",
        ),
    ],
)
def test_what_is_not_well_is_told_with_a_remedy(
    told: Sounding, identity: str, level: str, words: str
) -> None:
    finding = only(judged(told), identity)

    assert finding.level == level
    assert words in finding.message
    assert finding.remedy
    assert conclusion(told) == ("warn", "you will not interrupt well over these devices")


@pytest.mark.parametrize(
    ("told", "words", "remedy"),
    [
        (
            replace(GOOD, echo="half_duplex", can_detect=False, reason="it is too late"),
            "it is too late",
            "headset",
        ),
        (
            replace(GOOD, echo="half_duplex", can_detect=False),
            "nothing is heard: so it is configured",
            'half_duplex = "auto"',
        ),
        (
            replace(GOOD, echo="kept", can_detect=False, cancelled_dbfs=None),
            "the assistant hears itself",
            "echo_cancellation = true",
        ),
        (replace(GOOD, can_detect=False), "by the server alone", "local = true"),
    ],
)
def test_where_speech_is_not_noticed_here_the_settings_are_named(
    told: Sounding, words: str, remedy: str
) -> None:
    finding = only(judged(told), "audio.interruption")

    assert finding.level == "warn"
    assert words in finding.message
    assert remedy in finding.remedy


def test_what_comes_too_late_is_not_judged_by_what_is_left_of_it() -> None:
    late = replace(GOOD, latency_ms=612.0, cancelled_dbfs=-30.0)

    assert levels(judged(late))["audio.cancelled"] == "skip"


def test_what_could_not_be_measured_is_told() -> None:
    assert levels(judged(Sounding(error="no microphone"))) == {"audio.devices": "fail"}


def test_the_figures_are_there_for_scripts() -> None:
    assert as_object(GOOD) == {
        "input": "mic",
        "output": "speaker",
        "echo": "cancelled",
        "latency_ms": 61.0,
        "played_dbfs": -26.0,
        "echo_dbfs": -34.0,
        "cancelled_dbfs": -63.0,
        "noise_dbfs": -65.0,
    }
    assert as_object(Sounding())["latency_ms"] is None
