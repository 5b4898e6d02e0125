"""A conversation on a stage: events go in by hand, effects are kept."""

from typing import TypeVar

from voiced.conversation import Conversation, State
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.settings import Session, Settings

Kind = TypeVar("Kind", bound=fx.Effect)

SERVER_VAD = ev.SessionReady("gpt-realtime", detects_turns=True, interrupts=True, replies=True)
MANUAL = ev.SessionReady("gpt-realtime", detects_turns=False, interrupts=False, replies=False)
FORGETFUL = ev.SessionReady("other", detects_turns=True, interrupts=False, replies=True)
"""A server that hears the user and leaves the cancelling to us."""

SECOND = bytes(48_000)
"""One second of samples."""


def half() -> float:
    """Return the middle of all chances."""
    return 0.5


class Stage:
    """A conversation, the time, and every effect so far."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.core = Conversation(settings or Settings(session=Session(idle_hangup_s=0)), half)
        self.now = 100.0
        self.effects: list[fx.Effect] = []

    @property
    def state(self) -> State:
        """Return where the conversation is."""
        return self.core.state

    @property
    def session(self) -> int:
        """Return the number of the newest session."""
        return self.core.scene.link.number

    def take(self, event: ev.Event) -> list[fx.Effect]:
        """Hand over an event and return its effects."""
        effects = self.core.handle(event, self.now)
        self.effects += effects
        return effects

    def hear(self, event: ev.ServerEvent, session: int | None = None) -> list[fx.Effect]:
        """Let the server say something."""
        return self.take(ev.Received(self.session if session is None else session, event))

    def wait(self, seconds: float) -> list[fx.Effect]:
        """Let time pass and return what became due at its end."""
        self.now += seconds
        effects = self.core.tick(self.now)
        self.effects += effects
        return effects

    def reply(self, response_id: str = "resp_1", item_id: str = "item_1", seconds: int = 1) -> None:
        """Let a reply begin and some of it arrive."""
        self.hear(ev.ResponseCreated(response_id))
        self.hear(ev.ItemAdded(response_id, item_id, is_message=True))
        for _ in range(seconds):
            self.hear(ev.AudioDelta(response_id, item_id, 0, SECOND))

    def finish(self, response_id: str = "resp_1", item_id: str = "item_1") -> None:
        """Let the server end a reply."""
        self.hear(ev.AudioDone(response_id, item_id, 0))
        self.hear(ev.ResponseDone(response_id, "completed"))

    def drain(self) -> list[fx.Effect]:
        """Let the loudspeaker play everything it has."""
        return self.take(se.PlaybackDrained(self.core.scene.turns.plays))

    def silence(self, *heard: se.Heard, after_s: float = 0.004) -> list[fx.Effect]:
        """Let the loudspeaker answer the newest cut."""
        cut = self.core.scene.turns.cut_count
        return self.take(se.PlaybackCut(cut, heard, self.now + after_s))

    def hold(self, after_s: float = 0.004) -> list[fx.Effect]:
        """Let the loudspeaker answer the newest hold."""
        number = self.core.scene.doubt.hold_count
        return self.take(se.PlaybackHeld(number, self.now + after_s))


def connecting(settings: Settings | None = None) -> Stage:
    """Return a conversation that has just been started."""
    stage = Stage(settings)
    stage.take(ev.Start())
    return stage


def listening(facts: ev.SessionReady = SERVER_VAD, settings: Settings | None = None) -> Stage:
    """Return a conversation in which the user has the floor."""
    stage = connecting(settings)
    stage.take(se.MicrophoneOpened())
    stage.take(se.SpeakerOpened())
    stage.hear(facts)
    return stage


def speaking(facts: ev.SessionReady = SERVER_VAD) -> Stage:
    """Return a conversation in which two seconds of a reply have arrived."""
    stage = listening(facts)
    stage.hear(ev.TurnCommitted("user_1"))
    stage.reply(seconds=2)
    return stage


def only(kind: type[Kind], effects: list[fx.Effect]) -> list[Kind]:
    """Return the effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def silent(effects: list[fx.Effect]) -> list[fx.Effect]:
    """Return the effects but those that only tell people something."""
    told = (fx.TellState, fx.TellSession, fx.TellInterruption, fx.TellTranscript, fx.TellCost)
    return [effect for effect in effects if not isinstance(effect, told)]
