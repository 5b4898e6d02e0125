import asyncio

import pytest

from tests.audio.fakes import DEFAULT, PULSE, USB
from tests.audio.probe import ANSWERS_WITHIN_S, Reports
from tests.rig.soundcard import VirtualSoundCard
from voiced.audio.capture import Microphone
from voiced.audio.devices import (
    Choice,
    InUse,
    ServerDevice,
    choose,
    in_use,
    server_devices,
    sound_server,
)
from voiced.audio.portaudio import Listed, PortAudio
from voiced.conversation.sound_events import MicrophoneFrames
from voiced.errors import DeviceError
from voiced.settings import Audio

LISTED = [PULSE, DEFAULT, USB]
SERVERS = [
    ServerDevice("alsa_input.pci-0000.analog-stereo", "Built-in Audio Analog Stereo"),
    ServerDevice("alsa_input.usb-Jabra-00.mono", "Jabra Evolve"),
]
NO_SERVER: list[ServerDevice] = []


def test_the_default_is_left_to_portaudio() -> None:
    assert choose("default", LISTED, SERVERS, is_input=True) == Choice("default")


@pytest.mark.parametrize("wanted", ["Jabra", "jabra evolve", "usb-JABRA"])
def test_a_device_of_the_sound_server_is_found_by_a_part_of_its_names(wanted: str) -> None:
    choice = choose(wanted, LISTED, SERVERS, is_input=True)

    assert choice.index == PULSE.index
    assert choice.environment["PULSE_SOURCE"] == "alsa_input.usb-Jabra-00.mono"
    assert wanted.casefold() in choice.name.casefold()


def test_the_monitor_of_a_loudspeaker_is_only_meant_by_who_says_so() -> None:
    monitor = ServerDevice(
        "alsa_output.usb-Jabra-00.monitor", "Monitor of Jabra Evolve", is_monitor=True
    )

    choice = choose("Jabra", LISTED, [monitor, *SERVERS], is_input=True)
    said = choose("monitor of Jabra", LISTED, [monitor, *SERVERS], is_input=True)

    assert choice.name == "Jabra Evolve"
    assert said.name == "Monitor of Jabra Evolve"
    with pytest.raises(DeviceError, match="Monitor of Jabra Evolve"):
        choose("Jabra", LISTED, [monitor], is_input=True)


def test_a_loudspeaker_is_routed_by_another_variable() -> None:
    choice = choose("Jabra", LISTED, SERVERS, is_input=False)

    assert set(choice.environment) == {"PULSE_SINK", "PIPEWIRE_NODE"}


def test_without_a_sound_server_the_device_itself_is_opened() -> None:
    assert choose("usb", LISTED, NO_SERVER, is_input=True) == Choice(USB.name, USB.index)


def test_without_a_door_to_it_the_sound_server_is_of_no_use() -> None:
    with pytest.raises(DeviceError, match="Jabra"):
        choose("Jabra", [USB], SERVERS, is_input=True)


def test_a_device_without_inputs_is_no_microphone() -> None:
    with pytest.raises(DeviceError, match='no microphone named "HDMI"'):
        choose("HDMI", [Listed(3, "HDMI 0", 0, 8, 48_000), *LISTED], NO_SERVER, is_input=True)


def test_a_name_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(DeviceError) as caught:
        choose("Jabbra", LISTED, SERVERS, is_input=True)

    assert str(caught.value) == (
        '[audio] input: no microphone named "Jabbra"; there is:'
        ' "Built-in Audio Analog Stereo", "alsa_input.pci-0000.analog-stereo",'
        ' "Jabra Evolve", "alsa_input.usb-Jabra-00.mono",'
        ' "pulse", "default", "USB Audio: - (hw:1,0)"'
    )


def test_no_device_at_all_is_told() -> None:
    with pytest.raises(DeviceError, match="there is no loudspeaker at all"):
        choose("default", [], NO_SERVER, is_input=False)
    with pytest.raises(DeviceError, match="there is: nothing"):
        choose("x", [], NO_SERVER, is_input=False)


def test_the_devices_of_a_sound_server_are_listed(sound: VirtualSoundCard) -> None:
    assert [device.name for device in server_devices(is_input=False)] == ["speaker", "mic"]
    assert [(device.name, device.is_monitor) for device in server_devices(is_input=True)] == [
        ("speaker.monitor", True),
        ("mic.monitor", True),
    ]


def test_the_sound_server_says_what_is_the_default_and_what_is_muted(
    sound: VirtualSoundCard,
) -> None:
    sound.pactl("set-source-mute", "speaker.monitor", "1")
    sound.pactl("set-sink-volume", "mic", "0%")
    server = sound_server()

    assert server is not None
    assert server.name == "pulseaudio"
    assert [(each.name, each.is_default, each.is_muted) for each in server.microphones] == [
        ("speaker.monitor", False, True),
        ("mic.monitor", True, False),
    ]
    assert [(each.name, each.is_default, each.is_muted) for each in server.loudspeakers] == [
        ("speaker", True, False),
        ("mic", False, True),
    ]


def test_without_a_sound_server_there_is_no_list(sound: VirtualSoundCard) -> None:
    sound.stop()

    assert server_devices(is_input=True) == []
    assert sound_server() is None
    assert in_use("default", "default") == InUse()


@pytest.mark.parametrize(
    ("description", "form", "is_headset"),
    [
        ("Jabra Evolve", "headset analog-output", True),
        ("Built-in Audio", "internal analog-output-headphones", True),
        ("Built-in Audio", "internal analog-output-speaker", False),
        ("Buds Headset", "", True),
        ("Buds Headset", "headset [Out] Speaker", False),
        ("Monitor 27 inch", "hdmi-output-0", False),
    ],
)
def test_a_headset_is_known_by_its_form_its_port_or_its_name(
    description: str, form: str, *, is_headset: bool
) -> None:
    assert ServerDevice("sink", description, form=form).is_headset is is_headset


def test_an_echo_cancelling_microphone_is_known_and_its_loudspeakers_monitor_is_none(
    sound: VirtualSoundCard,
) -> None:
    sound.pactl(
        "load-module", "module-echo-cancel", "source_master=mic.monitor", "sink_master=speaker"
    )
    server = sound_server()

    assert server is not None
    assert [each.name for each in server.microphones if each.is_canceller] == [
        "mic.monitor.echo-cancel"
    ]
    assert [each.name for each in server.loudspeakers if each.is_canceller] == [
        "speaker.echo-cancel"
    ]


def test_the_default_is_what_the_sound_server_says(sound: VirtualSoundCard) -> None:
    found = in_use("default", "mic")

    assert found.microphone is not None
    assert found.loudspeaker is not None
    assert (found.microphone.name, found.loudspeaker.name) == ("mic.monitor", "mic")
    assert in_use("default", "HDMI").loudspeaker is None


async def test_a_stream_that_was_moved_is_found_where_it_is(sound: VirtualSoundCard) -> None:
    reports = Reports()
    microphone = Microphone(PortAudio(), Audio(), reports)
    microphone.open()
    await reports.until(MicrophoneFrames)
    listed = await asyncio.to_thread(sound.pactl, "list", "short", "source-outputs")
    before = await asyncio.to_thread(in_use, "default", "default")
    stream = listed.split()[0]
    await asyncio.to_thread(sound.pactl, "move-source-output", stream, "speaker.monitor")
    after = await asyncio.to_thread(in_use, "default", "default")
    microphone.end()
    await asyncio.to_thread(microphone.join, ANSWERS_WITHIN_S)

    assert before.microphone is not None
    assert after.microphone is not None
    assert (before.microphone.name, after.microphone.name) == ("mic.monitor", "speaker.monitor")
