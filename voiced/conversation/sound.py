"""What the sound card reports."""

from collections.abc import Iterable
from typing import Final, assert_never

from voiced.conversation import effects as fx
from voiced.conversation import overlap
from voiced.conversation import sound_events as se
from voiced.conversation.scene import DOWN, Effects, Scene
from voiced.conversation.transitions import State

RETRY_S: Final = 2.0
"""A device that was lost is tried again after this long."""
NO_LOUDSPEAKER: Final = "no_loudspeaker"
"""The problem that nothing can be played."""


def handle(scene: Scene, event: se.SoundEvent, now: float) -> Effects:
    """Return what to do about a report."""
    match event:
        case se.MicrophoneFrames(pcm):
            return send(scene, scene.input.captured(pcm, now, is_deaf=is_deaf(scene, now)))
        case se.MicrophoneOpened():
            return microphone_opened(scene, now)
        case se.MicrophoneLost(reason):
            return microphone_lost(scene, reason, now)
        case se.SpeakerOpened():
            scene.problems.pop(NO_LOUDSPEAKER, None)
            return []
        case se.SpeakerLost(reason):
            if scene.state in DOWN:
                return []
            scene.timers.speaker_s = now + RETRY_S
            if NO_LOUDSPEAKER not in scene.problems:
                scene.hearing.silent_s = now
            return scene.complain(NO_LOUDSPEAKER, reason)
        case se.PlaybackDrained(plays):
            scene.active(now)
            scene.turns.drained(plays)
            scene.hearing.silent_s = now
            return overlap.drained(scene, now)
        case se.PlaybackCut():
            scene.hearing.silent_s = now
            return scene.turns.was_cut(event)
        case (
            se.PlaybackHeld()
            | se.VoiceSuspected()
            | se.VoiceConfirmed()
            | se.VoiceDismissed()
            | se.HearingChanged()
        ):
            return listen(scene, event, now)
        case _:
            assert_never(event)


def listen(
    scene: Scene,
    event: se.PlaybackHeld
    | se.VoiceSuspected
    | se.VoiceConfirmed
    | se.VoiceDismissed
    | se.HearingChanged,
    now: float,
) -> Effects:
    """Return what to do about what is heard while the assistant speaks."""
    match event:
        case se.PlaybackHeld():
            overlap.held(scene, event)
            return []
        case se.VoiceSuspected(sound_at_s):
            return overlap.suspected(scene, sound_at_s, now)
        case se.VoiceConfirmed(sound_at_s):
            return overlap.confirmed(scene, sound_at_s, now)
        case se.VoiceDismissed():
            return overlap.dismissed(scene, now)
        case se.HearingChanged():
            scene.hearing.changed(event)
            return []
        case _:
            assert_never(event)


def is_deaf(scene: Scene, now: float) -> bool:
    """Tell whether the microphone hears the assistant rather than the user."""
    if scene.input.is_held:
        # The press has silenced the assistant.
        return False
    # What no loudspeaker plays has no echo.
    has_loudspeaker = NO_LOUDSPEAKER not in scene.problems
    is_sounding = has_loudspeaker and (scene.turns.is_sounding or scene.turns.is_cutting)
    return scene.hearing.is_deaf(now, is_sounding=is_sounding)


def fill(scene: Scene, now: float) -> Effects:
    """Send the silence that is due (R11)."""
    return send(scene, scene.input.fill(now))


def send(scene: Scene, parts: Iterable[bytes]) -> Effects:
    """Send samples."""
    sends: Effects = [fx.SendAudio(part) for part in parts]
    # What is said into a held key comes after the clearing that the press waits with.
    return scene.turns.when_silent(sends) if scene.input.is_held else sends


def microphone_opened(scene: Scene, now: float) -> Effects:
    """Begin to listen, unless nobody wants to by now."""
    scene.problems.pop("no_microphone", None)
    answers = scene.answer_waiting()
    if scene.state in DOWN or scene.state is State.OFFLINE or not scene.input.is_heard:
        return [fx.CloseMicrophone(), *answers]
    scene.input.opened(now)
    return answers


def microphone_lost(scene: Scene, reason: str, now: float) -> Effects:
    """Say so and try again; silence takes the microphone's place meanwhile (R11)."""
    scene.input.closed()
    if scene.state in DOWN or not scene.input.is_heard:
        return []
    if scene.state is not State.OFFLINE:
        scene.timers.microphone_s = now + RETRY_S
    waiting = scene.answer_waiting("unavailable", reason)
    return [*waiting, *scene.complain("no_microphone", reason)]
