"""What the figures of a chirp mean: whether one can interrupt over these loudspeakers; pure."""

from typing import Final

from voicectl.checks.finding import Finding, fail, ok, skip, warn
from voicectl.sounding import Sounding

SILENT_DBFS: Final = -90.0
"""Less than the noise of a microphone that is on."""
VOICE_DBFS: Final = -26.0
"""How loud a voice usually is in a microphone of one's own."""
LOUDEST_OVER_VOICE_DB: Final = 6.0
"""An echo that is louder than a voice by more than this hides it."""
CLIPS_DBFS: Final = -0.5
LEFT_DBFS: Final = -45.0
"""What is left of the echo may be so loud; louder, it is taken for a voice."""
LEAST_TAKEN_OUT_DB: Final = 12.0
NOISY_DBFS: Final = -42.0
"""Noise that is louder is taken for a voice, or hides one."""
OVER_NOISE_DB: Final = 6.0
"""What is not louder than the noise by this is no echo."""
CHOOSE: Final = "voicectl devices, then voicectl config edit"
HEADSET: Final = "use a headset, or a loudspeaker on a wire"
TURN_DOWN: Final = "turn the loudspeaker down, or move the microphone away from it"


def judged(told: Sounding) -> list[Finding]:
    """Return what a sounding means; the last finding says whether one can interrupt."""
    if told.error:
        return [fail("audio.devices", told.error, CHOOSE)]
    found = [
        ok("audio.devices", f"{told.microphone.name} and {told.loudspeaker.name}"),
        _hearing(told),
    ]
    if found[-1].level == "ok":
        found += [_noise(told), _latency(told), _loudness(told), _left(told)]
    return [
        *found,
        _interruption(told, is_well=all(each.level in {"ok", "skip"} for each in found)),
    ]


def _hearing(told: Sounding) -> Finding:
    name = told.microphone.name
    if told.microphone.is_muted:
        return fail("audio.hearing", "the microphone is muted", f"pactl set-source-mute {name} 0")
    if told.peak_dbfs <= SILENT_DBFS:
        remedy = f"turn it on, or choose another: {CHOOSE}"
        return fail("audio.hearing", "the microphone gives only zeros", remedy)
    if told.loudspeaker.is_muted:
        unmute = f"pactl set-sink-mute {told.loudspeaker.name} 0"
        return fail("audio.hearing", "the loudspeaker is muted", unmute)
    return ok("audio.hearing", "the microphone is on")


def _noise(told: Sounding) -> Finding:
    text = f"noise of the microphone: {told.noise_dbfs:.0f} dBFS"
    if told.noise_dbfs > NOISY_DBFS:
        remedy = "look for a fan or music in the room, or turn the microphone down"
        return warn("audio.noise", f"{text}, which is much", remedy)
    return ok("audio.noise", text)


def _latency(told: Sounding) -> Finding:
    if told.latency_ms is None:
        return skip("audio.latency", "no echo was heard")
    text = f"the echo comes after {told.latency_ms:.0f} ms"
    if told.latency_ms > told.latest_ms:
        return fail("audio.latency", f"{text}; the most is {told.latest_ms:.0f} ms", HEADSET)
    return ok("audio.latency", text)


def _loudness(told: Sounding) -> Finding:
    if told.latency_ms is None:
        return ok("audio.echo", "the microphone does not hear the loudspeaker; did you?")
    than_played_db = told.echo_dbfs - told.played_dbfs
    text = f"echo: {told.echo_dbfs:.0f} dBFS, {than_played_db:+.0f} dB against what is played"
    if told.peak_dbfs > CLIPS_DBFS:
        return fail("audio.echo", f"{text}; it is cut off in the microphone", TURN_DOWN)
    over_db = told.echo_dbfs - VOICE_DBFS
    if over_db > LOUDEST_OVER_VOICE_DB:
        return fail("audio.echo", f"{text}; {over_db:.0f} dB louder than a voice", TURN_DOWN)
    return ok("audio.echo", text)


def _left(told: Sounding) -> Finding:
    """Judge what reaches the ear: behind our canceller, or the sound server's."""
    if told.latency_ms is None:
        return skip("audio.cancelled", "there is nothing to take out")
    if told.latency_ms > told.latest_ms:
        return skip("audio.cancelled", "the echo comes too late to be taken out")
    if told.echo == "server":
        return _server(told)
    if told.echo == "headset":
        return _headset(told)
    if told.cancelled_dbfs is None:
        return skip("audio.cancelled", "there is no canceller")
    taken_db = told.echo_dbfs - told.cancelled_dbfs
    text = f"without the echo: {told.cancelled_dbfs:.0f} dBFS, {taken_db:.0f} dB less"
    if told.cancelled_dbfs > LEFT_DBFS and taken_db < LEAST_TAKEN_OUT_DB:
        return fail("audio.cancelled", f"{text}, which is too little", TURN_DOWN)
    return ok("audio.cancelled", text)


def _server(told: Sounding) -> Finding:
    text = f"the sound server leaves {told.echo_dbfs:.0f} dBFS of the echo"
    if told.echo_dbfs > max(LEFT_DBFS, told.noise_dbfs + OVER_NOISE_DB):
        return fail("audio.cancelled", text, "use the plain microphone; voiced cancels the echo")
    return ok("audio.cancelled", text)


def _headset(told: Sounding) -> Finding:
    if told.echo_dbfs > max(LEFT_DBFS, told.noise_dbfs + OVER_NOISE_DB):
        remedy = "turn it down, or choose the device that you hear: voicectl devices"
        return warn("audio.cancelled", "a headset is heard by the microphone all the same", remedy)
    return ok("audio.cancelled", "a headset: hardly anything comes back")


def _interruption(told: Sounding, *, is_well: bool) -> Finding:
    if not told.can_detect:
        return warn("audio.interruption", _deaf(told), _cure(told))
    if not is_well:
        remedy = "do what is said above, then voicectl doctor audio again"
        return warn("audio.interruption", "you will not interrupt well over these devices", remedy)
    if told.echo == "headset":
        return ok("audio.interruption", "a headset: nothing to do, you can interrupt")
    return ok("audio.interruption", "you can interrupt over these loudspeakers")


def _deaf(told: Sounding) -> str:
    if told.reason:
        return f"you cannot interrupt by voice as well as you might: {told.reason}"
    if told.echo in {"half_duplex", "kept"}:
        said = "nothing is heard" if told.echo == "half_duplex" else "the assistant hears itself"
        return f"while the assistant speaks, {said}: so it is configured"
    return "your speech is noticed by the server alone: so it is configured"


def _cure(told: Sounding) -> str:
    if told.reason:
        return HEADSET
    if told.echo == "half_duplex":
        return 'set [audio] echo_cancellation = true and half_duplex = "auto"'
    if told.echo == "kept":
        return "set [audio] echo_cancellation = true"
    return "set [interruption] local = true"


def as_object(told: Sounding) -> dict[str, float | str | None]:
    """Return the figures for JSON."""
    return {
        "input": told.microphone.name,
        "output": told.loudspeaker.name,
        "echo": told.echo,
        "latency_ms": None if told.latency_ms is None else round(told.latency_ms, 1),
        "played_dbfs": told.played_dbfs,
        "echo_dbfs": told.echo_dbfs,
        "cancelled_dbfs": told.cancelled_dbfs,
        "noise_dbfs": told.noise_dbfs,
    }
