"""What people ask for, through the control socket."""

from typing import assert_never

from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation.scene import DOWN, UP, Effects, Scene
from voiced.conversation.transitions import State, Trigger


def handle(scene: Scene, wish: ev.Wish, now: float) -> Effects:
    """Return what to do about a wish; every one of them is answered once."""
    match wish:
        case ev.Start(ask):
            return start(scene, ask, now)
        case ev.Stop(ask):
            return [*scene.end(now), fx.Answer(ask)]
        case ev.Toggle(ask):
            if scene.state in DOWN:
                return start(scene, ask, now)
            return [*scene.end(now), fx.Answer(ask)]
        case ev.Interrupt(ask):
            scene.active(now)
            return [*scene.interrupt("control", now), fx.Answer(ask)]
        case ev.Mute(wish=muted, ask=ask):
            return [*mute(scene, muted, now), fx.Answer(ask)]
        case ev.Say(text, ask):
            return say(scene, text, ask, now)
        case ev.TalkPress(ask):
            return talk_press(scene, ask, now)
        case ev.TalkRelease(ask):
            return [*talk_release(scene, now), fx.Answer(ask)]
        case ev.TalkCancel(ask):
            return [*talk_cancel(scene), fx.Answer(ask)]
        case _:
            assert_never(wish)


def start(scene: Scene, ask: int, now: float) -> Effects:
    """Begin a conversation, or try at once where a lost one waits for its time."""
    if scene.state is State.OFFLINE:
        scene.link.backoff.reset()
        scene.fire(Trigger.START)
        return [fx.Answer(ask), scene.open_session()]
    if scene.state not in DOWN:
        return [fx.Answer(ask)]
    if scene.purse.is_empty():
        return [fx.Answer(ask, "refused", *scene.cap_is_spent())]
    scene.problems.clear()
    scene.timers.started_s = now
    scene.active(now)
    scene.turn_count = scene.link.reconnects = 0
    scene.purse.usd_session = 0.0
    scene.link.backoff.reset()
    scene.fire(Trigger.START)
    scene.waiting.append(ask)
    effects: Effects = [fx.OpenSpeaker(), *scene.open_microphone()]
    if scene.input.is_muted:
        effects += scene.answer_waiting()
    return [*effects, scene.open_session()]


def mute(scene: Scene, wish: bool | None, now: float) -> Effects:
    """Close or open the microphone; zeros take its place (R11)."""
    muted = not scene.input.is_muted if wish is None else wish
    if muted == scene.input.is_muted:
        return []
    scene.input.is_muted = muted
    scene.active(now)
    if scene.state in DOWN:
        return []
    if not muted:
        return scene.open_microphone()
    scene.input.is_open = False
    scene.timers.microphone_s = None
    scene.problems.pop("no_microphone", None)
    return [fx.CloseMicrophone(), *scene.answer_waiting()]


def say(scene: Scene, text: str, ask: int, now: float) -> Effects:
    """Put a typed turn to the assistant; whoever types wants to be answered now."""
    if scene.state not in UP:
        return [scene.not_up(ask)]
    if scene.purse.is_empty():
        return [fx.Answer(ask, "refused", *scene.cap_is_spent())]
    scene.active(now)
    scene.turn_count += 1
    turn = fx.SendText(scene.new_id("text"), text)
    effects = scene.interrupt("control", now, afterwards=[turn])
    return [*effects, *scene.turns.ask(), fx.Answer(ask)]


def talk_press(scene: Scene, ask: int, now: float) -> Effects:
    """Give the floor to the user for as long as the key is held."""
    if scene.state not in UP:
        return [scene.not_up(ask)]
    if scene.link.detects_turns:
        hint = 'set [turns] detection = "manual" to hold a key while you talk'
        return [fx.Answer(ask, "refused", "the server decides when your turn is over", hint)]
    if scene.input.is_muted:
        return [fx.Answer(ask, "refused", "your microphone is muted", "voicectl unmute")]
    if scene.purse.is_empty():
        return [fx.Answer(ask, "refused", *scene.cap_is_spent())]
    if scene.input.is_held:
        return [fx.Answer(ask)]
    scene.active(now)
    scene.input.begin(now)
    scene.input.is_held = True
    clear = fx.ClearInput(scene.new_id("clear"))
    return [*scene.interrupt("control", now, afterwards=[clear]), fx.Answer(ask)]


def talk_release(scene: Scene, now: float) -> Effects:
    """Commit what was said, unless it is too short to be anything."""
    if not scene.input.is_held:
        return []
    if not scene.input.has_turn():
        return talk_cancel(scene)
    scene.active(now)
    scene.input.end()
    scene.turns.responses.expect()
    return scene.turns.when_silent([fx.CommitInput(scene.new_id("commit"))])


def talk_cancel(scene: Scene) -> Effects:
    """Throw away what was said."""
    if not scene.input.is_held:
        return []
    scene.input.end()
    return scene.turns.when_silent([fx.ClearInput(scene.new_id("clear"))])
