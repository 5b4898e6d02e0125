"""Somebody speaks while the assistant does: who noticed it, and whether it is believed.

What this machine notices, and what the server notices alone, are two ways into the same
cut; ``doubt`` says what holds in between.  Speech counts on this machine only where the
server looks for turns: with a talk key the floor is taken by the key.
"""

from voiced.conversation import effects as fx
from voiced.conversation import sound_events as se
from voiced.conversation.doubt import Notice, Suspicion
from voiced.conversation.scene import Effects, Scene

# --- this machine ------------------------------------------------------------------------


def suspected(scene: Scene, sound_at_s: float, now: float) -> Effects:
    """Make the assistant quieter; one that is held is interrupted."""
    doubt = scene.doubt
    if doubt.hold is not None:
        doubt.hold.sound_at_s = sound_at_s
        return scene.interrupt("local", now)
    if doubt.suspicion is not None or not counts(scene):
        return []
    duck_db = scene.settings.interruption.duck_db
    is_ducked = duck_db > 0
    doubt.suspicion = Suspicion(now, sound_at_s, now if is_ducked else None)
    return [fx.DuckPlayback(-duck_db)] if is_ducked else []


def confirmed(scene: Scene, sound_at_s: float, now: float) -> Effects:
    """Cut; the server need not have noticed."""
    doubt = scene.doubt
    if doubt.hold is not None:
        return suspected(scene, sound_at_s, now)
    if not counts(scene):
        return []
    if doubt.suspicion is None:
        doubt.suspicion = Suspicion(now, sound_at_s, None)
    scene.active(now)
    return scene.interrupt("local", now)


def dismissed(scene: Scene, at_s: float) -> Effects:
    """Let the assistant be as loud as before, and disbelieve the server about this sound."""
    if scene.doubt.suspicion is not None:
        scene.doubt.vetoed_s = at_s
    return _unduck(scene)


def _unduck(scene: Scene) -> Effects:
    """End a suspicion: nothing of what the assistant says is lost (R10)."""
    suspicion, scene.doubt.suspicion = scene.doubt.suspicion, None
    if suspicion is None:
        return []
    level: Effects = [] if suspicion.ducked_s is None else [fx.DuckPlayback(0.0)]
    notice = Notice("local", None, suspicion.sound_at_s, suspicion.ducked_s)
    return [*level, scene.turns.give_back(notice)]


def counts(scene: Scene) -> bool:
    """Tell whether speech that this machine notices is taken for the user's."""
    audio = scene.input
    return (
        scene.settings.interruption.local
        and scene.hearing.can_detect
        and scene.link.finds_turns
        and scene.turns.is_sounding
        and audio.is_heard
        and not audio.is_held
    )


# --- the server --------------------------------------------------------------------------


def server_heard(scene: Scene, item_id: str, now: float) -> Effects:
    """Believe the server; where this machine has just heard no speech, hold and see."""
    doubt = scene.doubt
    doubt.item_id = item_id
    active = scene.turns.responses.active
    is_cancelling = scene.link.interrupts and active is not None
    if is_cancelling:
        doubt.cancelled = (scene.link.number, active)
    scene.input.speaking_since_s = now
    if doubt.hold is not None:
        # It may have been begun in a session that is over.
        doubt.is_disbelieved = True
        return []
    # What the server is cancelling cannot be given back whole.
    is_vetoed = (
        scene.settings.interruption.hold_ms > 0
        and not is_cancelling
        and doubt.suspicion is None
        and doubt.is_vetoed(now)
        and not scene.turns.is_cutting
        and counts(scene)
    )
    if is_vetoed:
        return [fx.HoldPlayback(doubt.begin_hold(now))]
    return scene.interrupt("server", now)


def words_came(scene: Scene, item_id: str, text: str, now: float) -> Effects:
    """Believe speech that has words in it; those of an earlier turn may come late."""
    is_of_this = scene.doubt.is_disbelieved and item_id == scene.doubt.item_id
    return scene.interrupt("server", now) if is_of_this and text else []


def turn_came(scene: Scene, now: float) -> Effects:
    """Believe speech that the server made a turn of: it is going to answer it."""
    return scene.interrupt("server", now) if scene.doubt.is_disbelieved else []


def reply_ended(scene: Scene, response_id: str, now: float) -> Effects:
    """Cut what is held and not whole: the server cancelled it, without having said so."""
    is_held = scene.doubt.hold is not None and scene.turns.ledger.holds(response_id)
    return scene.interrupt("server", now) if is_held else []


# --- the loudspeaker and the clock -------------------------------------------------------


def held(scene: Scene, event: se.PlaybackHeld) -> None:
    """Note when the loudspeaker was silent, also where a cut has come meanwhile."""
    hold = scene.doubt.hold
    if hold is not None and hold.number == event.hold:
        hold.silent_at_s = event.silent_at_s
    scene.turns.was_held(event)


def drained(scene: Scene, now: float) -> Effects:
    """End every doubt when the last sample was heard: there is nothing to interrupt."""
    if scene.turns.is_sounding:
        return []
    if scene.doubt.hold is None:
        return _unduck(scene)
    # It was silent before it was held, so the server is believed as it is in any silence.
    return [fx.ResumePlayback(), *scene.interrupt("server", now)]


def muted(scene: Scene, now: float) -> Effects:
    """End every doubt: the microphone says no more, and whoever mutes has heard enough."""
    return _unduck(scene) if scene.doubt.hold is None else scene.interrupt("control", now)


def due_s(scene: Scene) -> float | None:
    """Return when there has been enough doubt."""
    limits = scene.settings.interruption
    return scene.doubt.due_s(limits.confirm_within_ms / 1000, limits.hold_ms / 1000)


def expire(scene: Scene, enough_s: float) -> Effects:
    """Give the words back: nobody has said more.

    Args:
        scene: The conversation.
        enough_s: When there was enough doubt; the clock may be later.
    """
    hold, scene.doubt.hold = scene.doubt.hold, None
    if hold is None:
        return dismissed(scene, enough_s)
    notice = Notice("server", hold.since_s, hold=hold.number, silent_at_s=hold.silent_at_s)
    return [fx.ResumePlayback(), scene.turns.give_back(notice)]
