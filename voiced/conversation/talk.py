"""Hold to talk: the floor is the user's for as long as the key is down.

Rules
1. A press silences the assistant and begins a turn; a release commits it and asks for the
   answer; a cancel throws it away.
2. While the key is down the server does not look for the end of the turn.  Where it does so
   otherwise, it is told to stop for the time being.
3. A hold is a lease: a second press, the time limit, ``stop``, ``mute``, a lost session and
   the user's absence end it too.
4. A muted microphone is open for the time of the hold.  What an open one heard just before
   the press belongs to the turn: people begin to speak before their finger is down.
5. A press begins the conversation where there is none.  What is said before the session is
   ready goes to the server when it is, or is thrown away and that is told.
"""

from typing import Final, assert_never

from voiced.conversation import effects as fx
from voiced.conversation.key import Edge
from voiced.conversation.scene import UP, Effects, Scene

EARLY_S: Final = 10.0
"""Words are kept for so long while there is no session yet; later they are stale."""


def press(scene: Scene, at_s: float, ask: int, now: float) -> Effects:
    """Begin a turn, unless the edge is late, or a repetition, or stands for a release."""
    match scene.key.press(at_s, is_held=scene.input.is_held):
        case Edge.NOTHING:
            return [fx.Answer(ask)]
        case Edge.UP:
            scene.key.end(at_s)
            return [*finish(scene, now), fx.Answer(ask)]
        case Edge.DOWN:
            return begin(scene, at_s, ask, now)
        case edge:
            assert_never(edge)


def begin(scene: Scene, at_s: float, ask: int, now: float) -> Effects:
    """Give the floor to the user."""
    if (refusal := scene.refusal(ask)) is not None:
        return [refusal]
    scene.active(now)
    recent = scene.input.take_recent(at_s)
    scene.input.hold(now)
    if scene.state not in UP:
        scene.input.early += recent
        # What a lost session left may still sound.
        return [*scene.interrupt("control", now), *scene.start(ask, now)]
    # What the user has begun to say while the server listened belongs to the turn.
    was_speaking, scene.input.speaking_since_s = scene.input.is_user_speaking, None
    sends = take_over(scene)
    if not was_speaking:
        # What was said just before the press is cleared with the rest, and sent again.
        sends.append(fx.ClearInput(scene.new_id("clear")))
        sends += [fx.SendAudio(part) for part in recent]
    if scene.input.origin_s is None:
        scene.input.begin(now)
    effects = scene.interrupt("control", now, afterwards=sends)
    return [*effects, *scene.open_microphone(), fx.Answer(ask)]


def release(scene: Scene, at_s: float, now: float) -> Effects:
    """Commit what was said, unless it is too short to be anything."""
    scene.key.release(at_s)
    return finish(scene, now)


def finish(scene: Scene, now: float) -> Effects:
    """End the hold as a release does."""
    if not scene.input.is_held:
        return []
    if not scene.input.has_turn():
        return drop(scene)
    scene.active(now)
    if not scene.link.is_ready:
        scene.input.wait()
        return close_if_muted(scene)
    return [*commit(scene), *close_if_muted(scene)]


def cancel(scene: Scene, at_s: float) -> Effects:
    """Throw away what was said."""
    scene.key.end(at_s)
    return drop(scene) if scene.input.is_holding else []


def session_ready(scene: Scene, now: float) -> Effects:
    """Send what was said before the session was ready; commit it if that was all."""
    if not scene.input.is_holding:
        return []
    if scene.input.origin_s is None:
        scene.input.begin(now)
    early: Effects = [fx.SendAudio(part) for part in scene.input.take_early()]
    sends = [*take_over(scene), *early]
    return sends if scene.input.is_held else [*sends, *commit(scene)]


def ends_s(scene: Scene) -> float | None:
    """Return when the lease of the hold ends."""
    if not scene.input.is_holding:
        return None
    limit_s = scene.settings.turns.hold_max_s if scene.link.is_ready else EARLY_S
    return scene.input.held_since_s + limit_s


def expire(scene: Scene, now: float) -> Effects:
    """End a hold that has lasted too long: the key is stuck, or its release was lost."""
    if not scene.link.is_ready:
        return [*drop(scene), *not_sent()]
    limit_s = scene.settings.turns.hold_max_s
    message = f"the talk key was down for {limit_s:g} s: the turn was ended"
    scene.key.end(now)
    return [*finish(scene, now), fx.TellError("held_too_long", message)]


def lose(scene: Scene) -> Effects:
    """Tell that a hold ends with its session."""
    return not_sent() if scene.input.is_holding else []


def not_sent() -> Effects:
    """Tell that words were thrown away."""
    return [fx.TellError("not_sent", "what you said was not sent: there is no connection")]


def take_over(scene: Scene) -> Effects:
    """Have the server leave the end of the turn to the key."""
    return detect(scene, wanted=False) if scene.link.finds_turns else []


def give_back(scene: Scene) -> Effects:
    """Have the server look for turns again, where it did before; else let the flow end."""
    scene.input.let_go()
    if scene.link.finds_turns:
        return detect(scene, wanted=True)
    scene.input.end()
    return []


def detect(scene: Scene, *, wanted: bool) -> Effects:
    """Tell the server whether to look for turns; what it confirms before is out of date."""
    scene.link.unanswered += 1
    return [fx.DetectTurns(scene.new_id("detection"), wanted=wanted)]


def commit(scene: Scene) -> Effects:
    """Make a turn of what was said, and wait for the server to take it."""
    scene.turns.responses.is_committed = True
    scene.turns.commits += 1
    commit = fx.CommitInput(scene.new_id("commit"))
    return scene.turns.when_silent([commit, *give_back(scene)])


def drop(scene: Scene) -> Effects:
    """Throw away what was said, and close a microphone that was open for it."""
    if not scene.link.is_ready:
        scene.input.let_go()
        return close_if_muted(scene)
    clear = fx.ClearInput(scene.new_id("clear"))
    return [*scene.turns.when_silent([clear, *give_back(scene)]), *close_if_muted(scene)]


def close_if_muted(scene: Scene) -> Effects:
    """Close the microphone again that the user had muted."""
    return scene.close_microphone() if scene.input.is_muted else []
