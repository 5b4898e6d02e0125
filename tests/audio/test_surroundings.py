"""The verdict about the echo, while devices come and go."""

from dataclasses import replace

import pytest

from tests.audio.hearing_rig import FrontEndRig, negated
from tests.audio.probe import noise
from voiced.audio.devices import InUse, ServerDevice
from voiced.conversation.sound_events import HearingChanged, MicrophoneFrames
from voiced.settings import Audio, Interruption, Settings

PLAIN = ServerDevice("alsa_output.pci", "Built-in Audio", form="internal")
HEADSET = ServerDevice("bluez_output.1", "Buds", form="headset headset-output")
ECHO_SOURCE = ServerDevice("mic.echo-cancel", "Microphone", driver="module-echo-cancel.c")
ECHO_SINK = ServerDevice("speaker.echo-cancel", "Loudspeaker", driver="module-echo-cancel.c")
MICROPHONE = ServerDevice("alsa_input.pci", "Built-in Audio")


def verdict(rig: FrontEndRig) -> HearingChanged:
    """Return what the front end says of itself when the next sound comes."""
    rig.front_end.opened()
    told = rig.front_end.process(noise(10), 100.0)[0]
    assert isinstance(told, HearingChanged)
    return told


def later(rig: FrontEndRig, *latencies_ms: int) -> None:
    """Let the loudspeaker be so late, one look after the other."""
    for rig.latency_ms in latencies_ms:
        rig.surroundings.judge()


@pytest.mark.parametrize(
    ("found", "echo"),
    [
        (InUse(), "cancelled"),
        (InUse(MICROPHONE, PLAIN), "cancelled"),
        (InUse(MICROPHONE, HEADSET), "headset"),
        (InUse(ECHO_SOURCE, ECHO_SINK), "server"),
        (InUse(ECHO_SOURCE, None), "server"),
        (InUse(MICROPHONE, ECHO_SINK), "cancelled"),
    ],
)
def test_the_devices_decide(found: InUse, echo: str) -> None:
    rig = FrontEndRig()
    rig.surroundings.seen(found)

    assert verdict(rig) == HearingChanged(echo, can_detect=True)


def test_a_loudspeaker_that_the_servers_canceller_does_not_know_is_told() -> None:
    rig = FrontEndRig()
    rig.surroundings.seen(InUse(ECHO_SOURCE, PLAIN))

    assert "alsa_output.pci" in verdict(rig).reason


def test_another_servers_canceller_may_hear_every_loudspeaker() -> None:
    rig = FrontEndRig()
    rig.surroundings.seen(InUse(replace(ECHO_SOURCE, driver="PipeWire"), PLAIN))

    assert verdict(rig) == HearingChanged("server", can_detect=True)


def test_a_loudspeaker_that_is_too_late_is_told_once() -> None:
    rig = FrontEndRig()
    rig.surroundings.seen(InUse(MICROPHONE, PLAIN))
    later(rig, 612, 2000, 640, 5000)
    first = verdict(rig)
    later(rig, 430, 460, 470, 480)

    assert verdict(rig).echo == "half_duplex"
    assert "612 ms late" in verdict(rig).reason
    # What does not differ is told to nobody.
    assert verdict(rig) == first

    later(rig, 200)
    assert verdict(rig).echo == "cancelled"


def test_a_machine_that_stalls_is_no_late_loudspeaker() -> None:
    rig = FrontEndRig()
    later(rig, 900, 900, 900, 30, 900, 900, 900)

    assert verdict(rig).echo == "cancelled"


def test_another_loudspeaker_is_not_late_before_it_has_played() -> None:
    rig = FrontEndRig()
    rig.surroundings.seen(InUse(MICROPHONE, PLAIN))
    later(rig, 612, 612, 612, 612)
    assert verdict(rig).echo == "half_duplex"

    rig.latency_ms = None
    rig.surroundings.seen(InUse(MICROPHONE, ECHO_SINK))

    assert verdict(rig).echo == "cancelled"


def test_another_loudspeaker_has_to_be_learned_anew() -> None:
    rig = FrontEndRig()
    rig.surroundings.seen(InUse(MICROPHONE, PLAIN))
    rig.reference.sounds = True
    for number in range(300):
        rig.front_end.process(noise(10), number / 100)
    before = rig.front_end.process(noise(10), 3.0)
    rig.surroundings.seen(InUse(MICROPHONE, ECHO_SINK))
    after = rig.front_end.process(noise(10), 3.01)

    assert before == [MicrophoneFrames(negated(noise(10)))]
    assert after[0] == HearingChanged("cancelled", can_detect=False, is_learning=True)


def test_a_canceller_that_failed_is_told() -> None:
    rig = FrontEndRig()
    rig.surroundings.seen(InUse(MICROPHONE, PLAIN))
    rig.negator.fails = True
    rig.front_end.process(noise(10), 1.0)
    rig.surroundings.judge()

    assert "failed (out of order)" in verdict(rig).reason


def test_new_settings_count_at_once() -> None:
    rig = FrontEndRig()
    rig.surroundings.judge()
    changed = Interruption(min_speech_ms=7)
    rig.surroundings.configure(Settings(audio=Audio(half_duplex="always"), interruption=changed))

    assert verdict(rig) == HearingChanged("half_duplex", can_detect=False)
    assert rig.ear.settings == changed


def test_it_is_time_to_look_once_a_second() -> None:
    surroundings = FrontEndRig().surroundings

    assert [surroundings.is_due(now_s) for now_s in (5.0, 5.5, 6.1, 6.2)] == [
        True,
        False,
        True,
        False,
    ]
