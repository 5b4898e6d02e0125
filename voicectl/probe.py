"""The child of ``sound.survey``: ``python -m voicectl.probe``, a task in, a survey out.

It goes the way the daemon goes: the same lists, the same choice, the same microphone.
"""

import asyncio
import sys
from typing import Final

import msgspec
import numpy as np

from voicectl.sound import Device, Level, Side, Survey, Task
from voiced.audio.capture import Microphone
from voiced.audio.devices import (
    DEFAULT,
    SERVER_DEVICES,
    ServerDevice,
    SoundServer,
    choose,
    sound_server,
)
from voiced.audio.pcm import FULL_SCALE, ms_to_frames
from voiced.audio.portaudio import Listed, PortAudio
from voiced.conversation.sound_events import MicrophoneFrames, MicrophoneLost, SoundEvent
from voiced.errors import DeviceError
from voiced.settings import Audio

DELIVERS_WITHIN_S: Final = 4.0
CLOSES_WITHIN_S: Final = 0.5
NEARLY_FULL: Final = FULL_SCALE - 32


def main() -> int:
    """Do the task and return the exit status."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    found = look(task.audio)
    if task.listen_s and not found.input.error:
        level = asyncio.run(listen(task.audio, task.listen_s))
        found = msgspec.structs.replace(found, level=level)
    sys.stdout.buffer.write(msgspec.json.encode(found))
    return 0


def look(audio: Audio) -> Survey:
    """Find out which devices there are, and which are meant."""
    library = PortAudio()
    listed = library.devices()
    library.close()
    server = sound_server()
    return Survey(
        server=server.name if server else None,
        has_door=any(device.name in SERVER_DEVICES for device in listed),
        input=_side(audio.input, listed, server, is_input=True),
        output=_side(audio.output, listed, server, is_input=False),
    )


async def listen(audio: Audio, listen_s: float) -> Level:
    """Hear the microphone for a moment."""
    events: asyncio.Queue[SoundEvent] = asyncio.Queue()
    microphone = Microphone(PortAudio(), audio, events.put_nowait)
    microphone.open()
    heard = bytearray()
    wanted = ms_to_frames(listen_s * 1000) * 2
    try:
        async with asyncio.timeout(listen_s + DELIVERS_WITHIN_S):
            while len(heard) < wanted:
                match await events.get():
                    case MicrophoneFrames(pcm=pcm):
                        heard += pcm
                    case MicrophoneLost(reason=reason):
                        return Level(error=reason)
                    case _:
                        continue
    except TimeoutError:
        return Level(error=f"it delivered nothing for {DELIVERS_WITHIN_S:g} s")
    finally:
        microphone.end()
        await asyncio.to_thread(microphone.join, CLOSES_WITHIN_S)
    return measured(bytes(heard))


def measured(pcm: bytes) -> Level:
    """Return how loud some samples are."""
    samples = np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.int32))
    return Level(
        peak=float(samples.max()) / FULL_SCALE, clipped=float(np.mean(samples >= NEARLY_FULL))
    )


def _side(wanted: str, listed: list[Listed], server: SoundServer | None, *, is_input: bool) -> Side:
    servers: list[ServerDevice] = []
    if server is not None:
        servers = server.microphones if is_input else server.loudspeakers
    usable = [each for each in listed if (each.inputs if is_input else each.outputs)]
    if server is None:
        # These lead to a sound server, and there is none.
        usable = [each for each in usable if each.name not in SERVER_DEVICES]
    hardware = [each.name for each in usable if each.name not in SERVER_DEVICES]
    used, error = "", ""
    try:
        choice = choose(wanted, usable, servers, is_input=is_input)
        route = choice.environment.get("PULSE_SOURCE" if is_input else "PULSE_SINK")
        used = route or (_default(servers) if wanted == DEFAULT else "") or choice.name
    except DeviceError as refusal:
        error = str(refusal)
    return Side([device_of(each) for each in servers], hardware, used, error)


def _default(servers: list[ServerDevice]) -> str:
    return next((each.name for each in servers if each.is_default), "")


def device_of(listed: ServerDevice) -> Device:
    """Return what voicectl says of a device."""
    return Device(
        listed.name,
        listed.description,
        is_monitor=listed.is_monitor,
        is_default=listed.is_default,
        is_muted=listed.is_muted,
        form=listed.form,
        is_headset=listed.is_headset,
        is_canceller=listed.is_canceller,
    )


if __name__ == "__main__":
    sys.exit(main())
