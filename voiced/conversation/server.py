"""What the Realtime server says."""

from typing import Final, assert_never

from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import overlap, talk
from voiced.conversation.failures import REMEDIES, explain, fatal_code
from voiced.conversation.money import price_of
from voiced.conversation.scene import Effects, Scene, kind_of
from voiced.conversation.transitions import Trigger

SESSION_EXPIRED: Final = "session_expired"
ASK_AGAIN_S: Final = 2.0
"""A refused request for a reply is repeated after this long, if nothing else happens."""

LOST_RACES: Final = frozenset(
    {
        "response_cancel_not_active",
        "input_audio_buffer_commit_empty",
        "item_truncate_invalid_item_id",
        "item_delete_invalid_item_id",
        "unsupported_content_type",
    }
)
NO_REASON: Final = "the server gave no reason"
SETTINGS: Final = "configure"
"""Kind of the events that change the settings of a session."""
DETECTION: Final = "detection"
"""Kind of those that say who finds the user's turns."""
NOTHING_TO_COMMIT: Final = "input_audio_buffer_commit_empty"
NOTHING_TO_CANCEL: Final = "response_cancel_not_active"
"""Errors that say two events crossed on the wire; nobody needs to hear of them."""


def handle(scene: Scene, event: ev.ServerEvent, now: float) -> Effects:
    """Return what to do about an event of the session in use."""
    match event:
        case ev.SessionReady() | ev.SessionChanged() | ev.SessionLost() | ev.ServerError():
            return _on_session(scene, event, now)
        case ev.SpeechStarted() | ev.SpeechStopped() | ev.TurnCommitted() | ev.UserTranscript():
            return _on_user(scene, event, now)
        case _:
            return _on_reply(scene, event, now)


# --- the session -------------------------------------------------------------------------


def _on_session(
    scene: Scene,
    event: ev.SessionReady | ev.SessionChanged | ev.SessionLost | ev.ServerError,
    now: float,
) -> Effects:
    match event:
        case ev.SessionReady():
            return session_ready(scene, event, now)
        case ev.SessionChanged(facts):
            return session_changed(scene, facts, now)
        case ev.SessionLost():
            return session_lost(scene, event, now)
        case ev.ServerError():
            return server_error(scene, event, now)
        case _:
            assert_never(event)


def session_ready(scene: Scene, facts: ev.SessionReady, now: float) -> Effects:
    """Begin to listen."""
    scene.fire(Trigger.READY)
    scene.link.ready(facts, now)
    scene.turns.session = scene.link.number
    scene.problems.pop("offline", None)
    if facts.detects_turns:
        scene.input.begin(now)
    effects: Effects = [fx.TellSession("ready", facts.model)]
    if scene.purse.usd_per_day > 0 and scene.is_paid() and price_of(facts.model) is None:
        message = f"[limits] usd_per_day cannot be kept: no price is known for {facts.model}"
        effects.append(fx.TellError("no_price", message))
    if scene.link.reconnects and scene.timers.microphone_s is None:
        effects += scene.open_microphone()
    return [*effects, *talk.session_ready(scene, now)]


def session_changed(scene: Scene, facts: ev.SessionReady, now: float) -> Effects:
    """Go by the settings that are in force now."""
    scene.link.changed(facts)
    scene.link.unanswered = max(0, scene.link.unanswered - 1)
    if scene.link.unanswered or scene.input.is_holding:
        # It holds for the time of a hold, or no longer.
        return []
    scene.link.finds_turns = facts.detects_turns
    is_flowing = scene.input.origin_s is not None
    if facts.detects_turns and not is_flowing:
        scene.input.begin(now)
    elif not facts.detects_turns:
        scene.input.end()
    return []


def session_lost(scene: Scene, lost: ev.SessionLost, now: float) -> Effects:
    """Give up where trying again makes no sense, else wait and try again."""
    code = fatal_code(lost)
    if code is not None:
        return scene.give_up(code, explain(code, lost.message), now)
    scene.fire(Trigger.LOST)
    scene.doubt.session_over()
    finished = [*scene.turns.session_over(), *talk.lose(scene)]
    scene.input.end()
    scene.input.closed()
    scene.timers.microphone_s = scene.timers.ask_s = None
    delay_s = scene.link.lost(now)
    scene.problems["offline"] = lost.message
    # Somebody may still wait to hear whether there is a microphone.
    closing: Effects = [] if scene.waiting else [fx.CloseMicrophone()]
    told = fx.TellSession("lost", lost.message, round(delay_s, 2))
    return [*finished, fx.CloseSession(), *closing, told]


def server_error(scene: Scene, event: ev.ServerError, now: float) -> Effects:
    """Treat an error as an event: it does not end the session (R9)."""
    kind = kind_of(event.event_id)
    responses = scene.turns.responses
    if event.code == SESSION_EXPIRED:
        return session_lost(scene, ev.SessionLost(event.message), now)
    if event.code in REMEDIES and kind != SETTINGS:
        return scene.give_up(event.code, explain(event.code, event.message), now)
    if responses.refused(event.event_id, event.code):
        if responses.is_wanted:
            scene.timers.ask_s = now + ASK_AGAIN_S
        return []
    if (kind == "commit" or event.code == NOTHING_TO_COMMIT) and scene.turns.commits:
        scene.turns.commits -= 1
        responses.is_committed = False
    if kind == "cancel" or event.code == NOTHING_TO_CANCEL:
        return scene.turns.cancel_refused()
    if kind == DETECTION:
        scene.link.unanswered = max(0, scene.link.unanswered - 1)
    if kind in ("truncate", "delete", "clear") or event.code in LOST_RACES:
        return []
    return [fx.TellError(event.code or "server_error", event.message or NO_REASON)]


# --- the user, as the server hears him ---------------------------------------------------


def _on_user(
    scene: Scene,
    event: ev.SpeechStarted | ev.SpeechStopped | ev.TurnCommitted | ev.UserTranscript,
    now: float,
) -> Effects:
    scene.active(now)
    match event:
        case ev.SpeechStarted() if scene.input.is_held or scene.turns.commits:
            # It crossed with the key, and nobody will say when the speech stopped.
            if scene.link.interrupts:
                scene.turns.responses.server_cancels()
            return []
        case ev.SpeechStarted(item_id):
            return overlap.server_heard(scene, item_id, now)
        case ev.SpeechStopped():
            scene.input.speaking_since_s = None
            return scene.turns.cancel_what_is_in_the_way()
        case ev.TurnCommitted(item_id):
            # What was said is written down later; it keeps its place before the reply.
            place = fx.TellTranscript("user", item_id, "", is_final=False)
            return [place, *turn_committed(scene, now)]
        case ev.UserTranscript(item_id, text, is_final):
            told = fx.TellTranscript("user", item_id, text, is_final)
            return [told, *overlap.words_came(scene, item_id, text, now)]
        case _:
            assert_never(event)


def turn_committed(scene: Scene, now: float) -> Effects:
    """Wait for the server's reply, or ask for one where it does not answer by itself."""
    scene.turn_count += 1
    scene.input.speaking_since_s = None
    responses = scene.turns.responses
    effects = [*overlap.turn_came(scene, now), *scene.turns.cancel_what_is_in_the_way()]
    if scene.turns.commits:
        scene.turns.commits -= 1
        if responses.is_committed:
            responses.is_committed = False
            effects += scene.turns.ask()
    elif scene.input.is_held:
        # The server's own turn crossed with the key: its answer comes too late.
        responses.is_doomed = scene.link.replies
    elif scene.link.replies:
        responses.expect()
    elif scene.link.detects_turns:
        effects += scene.turns.ask()
    return effects


# --- replies -----------------------------------------------------------------------------


def _on_reply(
    scene: Scene,
    event: ev.ReplyTranscript
    | ev.ResponseCreated
    | ev.ItemAdded
    | ev.AudioDelta
    | ev.AudioDone
    | ev.ResponseDone,
    now: float,
) -> Effects:
    scene.active(now)
    scene.timers.owed_s = now
    turns = scene.turns
    match event:
        case ev.ReplyTranscript(response_id, item_id, text, is_final):
            if turns.responses.is_dead(response_id):
                return []
            return [fx.TellTranscript("assistant", item_id, text, is_final)]
        case ev.ResponseCreated():
            return response_created(scene, event)
        case ev.ItemAdded():
            return turns.item_added(event)
        case ev.AudioDelta():
            return turns.delta(event)
        case ev.AudioDone():
            return turns.audio_done(event)
        case ev.ResponseDone():
            return response_done(scene, event, now)
        case _:
            assert_never(event)


def response_created(scene: Scene, event: ev.ResponseCreated) -> Effects:
    """Take a new response, or see to it that a dead one ends."""
    is_speaking = scene.input.is_user_speaking
    is_ours = event.marker is not None
    scene.turns.created(event, user_is_speaking=scene.has_floor())
    if is_speaking and scene.link.interrupts and not is_ours:
        # The server hears the user too and may be cancelling it already (R7); what is
        # left of it is cancelled when the user's turn ends.  What we asked for begins after
        # the server heard the user: nobody cancels that but us.
        return []
    return scene.turns.cancel_what_is_in_the_way()


def response_done(scene: Scene, event: ev.ResponseDone, now: float) -> Effects:
    """Note the end of a response on the server, what it cost, and why it failed."""
    is_dead = scene.turns.responses.is_dead(event.response_id)
    model = scene.link.facts.model if scene.link.facts else ""
    effects: Effects = []
    if scene.is_paid() and scene.purse.spend(event.usage, model):
        effects.append(fx.TellCost(scene.purse.usd_today, scene.purse.usd_session))
    if event.status == "cancelled" and not is_dead:
        effects += overlap.reply_ended(scene, event.response_id, now)
    effects += scene.turns.done(event.response_id)
    if is_dead:
        return effects
    if event.status == "cancelled":
        # What was received sounds on; what the server had under way when it stopped does not.
        scene.turns.responses.bury(event.response_id)
    if event.reason == "content_filter":
        effects += scene.interrupt("server", now)
    if event.status == "failed":
        code = event.error_code or "response_failed"
        message = event.message or NO_REASON
        if code in REMEDIES:
            return [*effects, *scene.give_up(code, explain(code, message), now)]
        effects.append(fx.TellError(code, message))
    return effects
