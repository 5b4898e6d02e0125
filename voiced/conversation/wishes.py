"""What people ask for, through the control socket."""

from typing import assert_never

from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import overlap, talk
from voiced.conversation.scene import DOWN, UP, Effects, Scene


def handle(scene: Scene, wish: ev.Wish, now: float) -> Effects:
    """Return what to do about a wish; every one of them is answered once."""
    match wish:
        case ev.Start(ask):
            return scene.start(ask, now)
        case ev.Stop(ask, at_s):
            scene.key.end(_moment(at_s, now))
            return [*scene.end(now), fx.Answer(ask)]
        case ev.Toggle(ask):
            if scene.state in DOWN:
                return scene.start(ask, now)
            scene.key.end(now)
            return [*scene.end(now), fx.Answer(ask)]
        case ev.Interrupt(ask):
            scene.active(now)
            return [*scene.interrupt("control", now), fx.Answer(ask)]
        case ev.Mute(wish=muted, ask=ask):
            return [*mute(scene, muted, now), fx.Answer(ask)]
        case ev.Say(text, ask):
            return say(scene, text, ask, now)
        case ev.TalkPress(ask, at_s):
            return talk.press(scene, _moment(at_s, now), ask, now)
        case ev.TalkRelease(ask, at_s):
            return [*talk.release(scene, _moment(at_s, now), now), fx.Answer(ask)]
        case ev.TalkCancel(ask, at_s):
            return [*talk.cancel(scene, _moment(at_s, now)), fx.Answer(ask)]
        case _:
            assert_never(wish)


def mute(scene: Scene, wish: bool | None, now: float) -> Effects:
    """Close or open the microphone; zeros take its place (R11)."""
    # A held key opens a muted microphone, and whoever toggles then wants it closed.
    muted = scene.input.is_heard if wish is None else wish
    was_muted, scene.input.is_muted = scene.input.is_muted, muted
    if muted and scene.input.is_holding:
        # Whoever mutes while he talks takes back what he said.
        scene.key.end(now)
        scene.active(now)
        return talk.drop(scene)
    if muted == was_muted:
        return []
    scene.active(now)
    if scene.state in DOWN:
        return []
    if not muted:
        return scene.open_microphone()
    return [*overlap.muted(scene, now), *scene.close_microphone()]


def say(scene: Scene, text: str, ask: int, now: float) -> Effects:
    """Put a typed turn to the assistant; whoever types wants to be answered now."""
    if scene.state not in UP:
        return [scene.not_up(ask)]
    if scene.purse.is_empty():
        return [fx.Answer(ask, "refused", *scene.cap_is_spent())]
    scene.active(now)
    scene.turn_count += 1
    turn = fx.SendText(scene.new_id("text"), text)
    told = fx.TellTranscript("user", turn.event_id, text, is_final=True)
    effects = scene.interrupt("control", now, afterwards=[turn, told])
    return [*effects, *scene.turns.ask(), fx.Answer(ask)]


def _moment(at_s: float | None, now: float) -> float:
    """Return when something was asked for; no clock runs ahead of ours."""
    return now if at_s is None else min(at_s, now)
