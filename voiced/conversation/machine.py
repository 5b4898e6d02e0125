"""The conversation: one place that decides.

Rules
1. ``handle`` is a function of the events and their times: no clock, no I/O, no log.
2. What the turns are doing is a fact; the state follows from the facts in
   ``_due_trigger`` and moves only by the table in ``transitions.py``.
3. A question to a shell is an effect, its answer an event.
4. Late events are normal: each handler first asks whether the event still means
   anything.
"""

from collections.abc import Callable
from typing import Final

from voiced.conversation import desktop, overlap, server, sound, talk, wishes
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.scene import DOWN, UP, Effects, Scene
from voiced.conversation.status import Status
from voiced.conversation.transitions import State, Trigger
from voiced.settings import Settings

SILENT_SERVER_S: Final = 30.0
"""A reply of which nothing comes for so long is no longer waited for."""
QUIET_BEFORE_RENEW_S: Final = 3.0
"""A session is not replaced so soon after somebody spoke: a turn may be on its way."""

OUTSIDE: Final = {
    State.IDLE: "idle",
    State.CONNECTING: "connecting",
    State.OFFLINE: "connecting",
    State.LISTENING: "listening",
    State.THINKING: "thinking",
    State.SPEAKING: "speaking",
    State.INTERRUPTED: "listening",
    State.FAILED: "error",
}
"""State -> the word that status bars and scripts see."""


class Conversation:
    """Takes events, returns effects.

    Args:
        settings: The configuration; only what concerns the conversation is read.
        random: Returns a number in [0, 1); used to spread reconnects.
    """

    def __init__(self, settings: Settings, random: Callable[[], float]) -> None:
        self.scene = Scene(settings, random)

    @property
    def state(self) -> State:
        """Return where the conversation is."""
        return self.scene.state

    def handle(self, event: ev.Event, now: float) -> Effects:
        """Return what to do about an event.

        Args:
            event: What happened.
            now: Seconds on a monotonic clock; never goes back.
        """
        before = self._appearance()
        match event:
            case ev.Received(session, inner):
                is_current = session == self.scene.link.number
                effects = server.handle(self.scene, inner, now) if is_current else []
            case ev.NewDay():
                self.scene.purse.usd_today = 0.0
                self.scene.problems.pop("daily_cap", None)
                effects = [fx.TellCost(0.0, self.scene.purse.usd_session)]
            case (
                se.MicrophoneOpened()
                | se.MicrophoneLost()
                | se.MicrophoneFrames()
                | se.SpeakerLost()
                | se.SpeakerOpened()
                | se.PlaybackDrained()
                | se.PlaybackCut()
                | se.PlaybackHeld()
                | se.VoiceSuspected()
                | se.VoiceConfirmed()
                | se.VoiceDismissed()
                | se.HearingChanged()
            ):
                effects = sound.handle(self.scene, event, now)
            case ev.Away() | ev.Back():
                effects = desktop.handle(self.scene, event, now)
            case _:
                effects = wishes.handle(self.scene, event, now)
        return self._round_off(effects, before, now)

    def tick(self, now: float) -> Effects:
        """Return what is due by the clock alone."""
        due_s = self.deadline
        if due_s is None or now < due_s:
            return []
        before = self._appearance()
        scene, timers = self.scene, self.scene.timers
        effects = sound.fill(scene, now)
        if _is_due(scene.input.speech_ends_s(), now):
            scene.input.speaking_since_s = None
        if _is_due(scene.link.retry_s, now):
            scene.fire(Trigger.RETRY)
            effects.append(scene.open_session())
        if _is_due(timers.microphone_s, now):
            effects += scene.open_microphone()
        if _is_due(timers.speaker_s, now):
            timers.speaker_s = None
            effects.append(fx.OpenSpeaker())
        if _is_due(timers.ask_s, now):
            timers.ask_s = None
            effects += scene.turns.ask_if_wanted()
        if _is_due(talk.ends_s(scene), now):
            effects += talk.expire(scene, now)
        enough_s = overlap.due_s(scene)
        if enough_s is not None and now >= enough_s:
            effects += overlap.expire(scene, enough_s)
        effects += self._lose_patience(now)
        return self._round_off(effects, before, now)

    @property
    def deadline(self) -> float | None:
        """Return when ``tick`` has something to do next."""
        timers = self.scene.timers
        times = (
            self.scene.link.retry_s,
            timers.microphone_s,
            timers.speaker_s,
            timers.ask_s,
            self.scene.input.due_s(),
            self.scene.input.speech_ends_s(),
            talk.ends_s(self.scene),
            overlap.due_s(self.scene),
            self._idle_s(),
            self._renew_s(),
            self._patience_s(),
        )
        return min((time for time in times if time is not None), default=None)

    def status(self) -> Status:
        """Return a snapshot for the people outside."""
        scene = self.scene
        return Status(
            state=self._outside(),
            muted=scene.input.is_muted,
            mic_open=scene.input.is_open,
            online=scene.link.is_ready,
            ptt=scene.input.is_held,
            paused=scene.absence.paused,
            provider=scene.provider,
            model=scene.link.facts.model if scene.link.facts else scene.settings.provider.model,
            started_at_s=scene.timers.started_s,
            turns=scene.turn_count,
            reconnects=scene.link.reconnects,
            echo=scene.hearing.echo,
            echo_reason=scene.hearing.reason,
            local_detection=scene.settings.interruption.local and scene.hearing.can_detect,
            last_interruption=scene.turns.last_interruption,
            usd_today=scene.purse.usd_today,
            usd_session=scene.purse.usd_session,
            error="; ".join(dict.fromkeys(scene.problems.values())) or None,
        )

    def configure(self, settings: Settings) -> None:
        """Take new settings; those of the session apply from the next one on."""
        self.scene.configure(settings)

    def _lose_patience(self, now: float) -> Effects:
        scene = self.scene
        if _is_due(self._patience_s(), now):
            was_pending, finished = scene.turns.lose_patience()
            if not was_pending:
                return finished
            message = f"the server owes a reply and said nothing for {SILENT_SERVER_S:g} s"
            return [*finished, fx.TellError("reply_missing", message)]
        if _is_due(self._idle_s(), now):
            limit_s = scene.settings.session.idle_hangup_s
            return scene.end(now, f"nobody spoke for {limit_s:g} s")
        if _is_due(self._renew_s(), now):
            scene.fire(Trigger.RENEW)
            scene.input.end()
            scene.doubt.session_over()
            finished = scene.turns.session_over()
            return [*finished, fx.CloseSession(), scene.open_session()]
        return []

    def _idle_s(self) -> float | None:
        limit_s = self.scene.settings.session.idle_hangup_s
        # What no loudspeaker plays keeps nobody busy.
        is_unheard = self.state is State.SPEAKING and sound.NO_LOUDSPEAKER in self.scene.problems
        if limit_s <= 0 or not (self.scene.is_quiet() or is_unheard):
            return None
        return self.scene.timers.active_s + limit_s

    def _renew_s(self) -> float | None:
        old_s = self.scene.link.renew_s()
        if old_s is None or not self.scene.is_quiet():
            return None
        return max(old_s, self.scene.timers.active_s + QUIET_BEFORE_RENEW_S)

    def _patience_s(self) -> float | None:
        owed_s = self.scene.timers.owed_s
        if owed_s is None or self.state not in UP or self.scene.input.is_user_speaking:
            return None
        return owed_s + SILENT_SERVER_S

    def _round_off(self, effects: Effects, before: object, now: float) -> Effects:
        """Let the state follow the facts, and tell the people outside."""
        scene = self.scene
        if not scene.turns.is_owed:
            scene.timers.owed_s = None
        elif scene.timers.owed_s is None:
            scene.timers.owed_s = now
        while (trigger := self._due_trigger()) is not None:
            scene.fire(trigger)
        if scene.purse.is_empty() and scene.is_quiet():
            message, _ = scene.cap_is_spent()
            effects = [*effects, *scene.end(now, message), *scene.complain("daily_cap", message)]
        effects = [*effects, *self._players()]
        if self._appearance() != before:
            effects = [*effects, fx.TellState(self.status())]
        return effects

    def _players(self) -> Effects:
        """Have other players pause while a conversation runs, where the settings say so."""
        scene = self.scene
        if scene.players_pause and self.state in DOWN:
            scene.players_pause = False
            return [fx.ResumePlayers()]
        if scene.settings.desktop.pause_players and not scene.players_pause and self.state in UP:
            scene.players_pause = True
            return [fx.PausePlayers()]
        return []

    def _due_trigger(self) -> Trigger | None:
        """Return the trigger that the facts about the turns call for."""
        turns = self.scene.turns
        match self.state:
            case State.LISTENING | State.THINKING | State.INTERRUPTED if turns.is_sounding:
                return Trigger.AUDIO
            case State.LISTENING | State.INTERRUPTED if turns.responses.is_pending():
                return Trigger.TURN_ENDED
            case State.INTERRUPTED if not turns.is_cutting:
                return Trigger.SILENT
            case State.THINKING if not turns.responses.is_pending():
                return Trigger.REPLY_OVER
            case State.SPEAKING if turns.is_sounding:
                return None
            case State.SPEAKING if turns.is_cutting:
                return Trigger.CUT
            case State.SPEAKING if not turns.responses.is_living():
                return Trigger.REPLY_OVER
            case _:
                return None

    def _outside(self) -> str:
        if self.state is State.LISTENING and not self.scene.input.is_heard:
            return "muted"
        return OUTSIDE[self.state]

    def _appearance(self) -> tuple[object, ...]:
        """Return what ``TellState`` is about."""
        audio = self.scene.input
        flags = (audio.is_muted, audio.is_open, audio.is_held, self.scene.link.is_ready)
        problems = tuple(self.scene.problems.values())
        # Detection comes and goes with every hole in the sound, and nobody wants to know.
        echo = (self.scene.hearing.echo, self.scene.hearing.reason)
        return (self._outside(), flags, self.scene.absence.paused, problems, echo)


def _is_due(time_s: float | None, now: float) -> bool:
    return time_s is not None and now >= time_s
