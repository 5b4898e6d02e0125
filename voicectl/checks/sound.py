"""Whether there is a sound server, which devices are used, and what the microphone hears."""

from importlib.util import find_spec
from math import log10
from typing import Final

from voicectl.checks.finding import Finding, fail, ok, skip, warn
from voicectl.sound import Device, Level, Side, SoundError, Survey, survey
from voiced.settings import Audio

LISTEN_S: Final = 0.5
WITHIN_S: Final = 10.0
CLIPS: Final = 0.001
"""A share of samples at full scale that is heard as distortion."""
QUIETEST: Final = 0.0005
"""A peak below this, -66 dB, is less than the noise of a microphone that is on."""
DUMMY: Final = "auto_null"
"""What a sound server has instead of a device it has not found."""
START_A_SERVER: Final = "systemctl --user start pipewire-pulse, or: pulseaudio --start"
NO_WHEEL: Final = "pywebrtc-audio is not installed"
HEARS_ITSELF: Final = "over loudspeakers the assistant hears itself"
DEAF: Final = "while the assistant speaks, nothing is heard"
CURE: Final = "use a headset, or the sound server's module-echo-cancel as microphone"
TURN_ON: Final = "set [audio] echo_cancellation = true, or use a headset"
CHOOSE: Final = "voicectl devices, then voicectl config edit"


def check(audio: Audio | None, *, stays_closed: str) -> list[Finding]:
    """Look at the sound.

    Args:
        audio: The settings; None where they cannot be read.
        stays_closed: Why the microphone must not be opened; empty where it may.
    """
    listen_s = 0.0 if stays_closed or audio is None else LISTEN_S
    try:
        found = survey(audio or Audio(), listen_s=listen_s, within_s=WITHIN_S)
    except SoundError as error:
        return [
            fail("sound.server", str(error), "systemctl --user restart pipewire pipewire-pulse")
        ]
    if audio is None:
        return [_server(found), skip("sound.input", "the configuration cannot be read")]
    return judged(found, audio, stays_closed=stays_closed)


def judged(found: Survey, audio: Audio, *, stays_closed: str) -> list[Finding]:
    """Return what a survey means."""
    server = _server(found)
    if found.is_empty:
        return [server]
    return [
        server,
        _input(found.input),
        _output(found.output),
        _echo(found, audio),
        _level(found, stays_closed),
    ]


def _server(found: Survey) -> Finding:
    if found.is_empty:
        return fail("sound.server", "no sound server and no sound device", START_A_SERVER)
    if found.server is None:
        told = "no sound server; the hardware is opened past it, for voiced alone"
        return warn("sound.server", told, START_A_SERVER)
    if not found.has_door:
        told = f"{found.server} runs, but ALSA has no way to it"
        return fail("sound.server", told, "apt install libasound2-plugins, or: pipewire-alsa")
    return ok("sound.server", found.server)


def _input(side: Side) -> Finding:
    if side.error:
        return fail("sound.input", side.error, CHOOSE)
    device = used(side)
    if _is_dummy(device):
        told = "the sound server has found no microphone"
        return warn("sound.input", told, "plug one in, or turn it on in the mixer: pavucontrol")
    if device.is_monitor:
        told = f"{device.name} hears what is played, and no microphone"
        return warn("sound.input", told, f"choose another: {CHOOSE}")
    return ok("sound.input", _called(device))


def _output(side: Side) -> Finding:
    if side.error:
        return fail("sound.output", side.error, CHOOSE)
    device = used(side)
    if _is_dummy(device):
        told = f"{_called(device)} is no loudspeaker: the sound server has found none"
        return warn("sound.output", told, "plug one in, or choose another: voicectl devices")
    if device.is_muted:
        told = f"{_called(device)} is muted in the mixer"
        return warn("sound.output", told, f"pactl set-sink-mute {device.name} 0, or turn it up")
    return ok("sound.output", _called(device))


def _echo(found: Survey, audio: Audio) -> Finding:
    """Say what keeps the assistant from hearing itself."""
    microphone, loudspeaker = used(found.input), used(found.output)
    if audio.half_duplex == "always":
        return warn("sound.echo", f"{DEAF}, as you asked", 'set [audio] half_duplex = "auto"')
    if loudspeaker.is_headset:
        return ok("sound.echo", f"no echo over {_called(loudspeaker)}")
    if microphone.is_canceller:
        return ok("sound.echo", f"the sound server takes the echo out of {microphone.name}")
    if audio.echo_cancellation and find_spec("pywebrtc_audio") is not None:
        return ok("sound.echo", "voiced takes the echo out; how well: voicectl doctor audio")
    why = NO_WHEEL if audio.echo_cancellation else "[audio] echo_cancellation = false"
    told = HEARS_ITSELF if audio.half_duplex == "never" else DEAF
    return warn("sound.echo", f"{told}: {why}", CURE if audio.echo_cancellation else TURN_ON)


def _level(found: Survey, stays_closed: str) -> Finding:
    device, level = used(found.input), found.level
    if stays_closed:
        return skip("sound.level", stays_closed)
    if level is None or _is_dummy(device):
        return skip("sound.level", "there is no microphone")
    if level.error:
        return fail("sound.level", f"{_called(device)}: {level.error}", CHOOSE)
    if level.peak < QUIETEST:
        return _silent(device, level)
    if level.clipped > CLIPS:
        told = f"the microphone is too loud: {level.clipped:.1%} of its samples are cut off"
        return warn("sound.level", told, "turn it down: pavucontrol, or alsamixer")
    peak_db = 20 * log10(level.peak)
    return ok("sound.level", f"the microphone hears something; loudest sample: {peak_db:.0f} dB")


def _silent(device: Device, level: Level) -> Finding:
    unmute = f"pactl set-source-mute {device.name} 0, and turn it up"
    if device.is_muted:
        return warn("sound.level", f"{_called(device)} is muted in the mixer", unmute)
    what = "nearly nothing" if level.peak else "only zeros"
    told = f"the microphone gives {what}: muted in the mixer, or by a switch on it?"
    return warn("sound.level", told, unmute)


def used(side: Side) -> Device:
    """Return the device that voiced takes."""
    return next((each for each in side.devices if each.name == side.used), Device(side.used))


def _called(device: Device) -> str:
    return f"{device.description} ({device.name})" if device.description else device.name


def _is_dummy(device: Device) -> bool:
    return device.name.startswith(DUMMY)
