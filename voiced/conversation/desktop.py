"""What the desktop reports: the user leaves, the user is back."""

from typing import assert_never

from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation.absence import IGNORE, PAUSE, SENTENCES, SUSPENDED, policy
from voiced.conversation.scene import DOWN, Effects, Scene


def handle(scene: Scene, event: ev.DesktopEvent, now: float) -> Effects:
    """Return what to do about a report."""
    match event:
        case ev.Away(reason, is_sure):
            effects = leave(scene, reason, now, is_sure=is_sure)
            return [*effects, fx.AllowSleep()] if reason == SUSPENDED else effects
        case ev.Back(reason):
            return scene.start(ev.NOBODY, now) if scene.absence.end(reason) else []
        case _:
            assert_never(event)


def leave(scene: Scene, reason: str, now: float, *, is_sure: bool) -> Effects:
    """Close the microphone and hang up, and remember whether to go on afterwards."""
    answer = policy(scene.settings.desktop, reason)
    if answer == IGNORE:
        return []
    absence = scene.absence
    scene.key.end(now)
    absence.begin(reason, is_sure=is_sure)
    waits = absence.is_waiting or scene.state not in DOWN
    effects = [] if scene.state in DOWN else scene.end(now, SENTENCES[reason])
    absence.is_waiting = waits and answer == PAUSE
    return effects
