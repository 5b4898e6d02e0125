"""The facts of a conversation, and the moves that more than one event can cause."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from voiced.conversation import effects as fx
from voiced.conversation.absence import Absence
from voiced.conversation.doubt import Doubt
from voiced.conversation.events import NOBODY
from voiced.conversation.hearing import Hearing
from voiced.conversation.input import Input
from voiced.conversation.key import Key
from voiced.conversation.link import Link
from voiced.conversation.money import Purse
from voiced.conversation.transitions import State, Trigger, after
from voiced.conversation.turns import Turns
from voiced.settings import Settings

Effects = list[fx.Effect]

UP: Final = (State.LISTENING, State.THINKING, State.SPEAKING, State.INTERRUPTED)
"""The states in which a session is ready."""
DOWN: Final = (State.IDLE, State.FAILED)
"""The states in which no session is wanted."""


@dataclass(slots=True)
class Timers:
    """What waits for its time, on the clock of ``now``."""

    started_s: float | None = None
    """When the running conversation began."""
    active_s: float = 0.0
    """When somebody last spoke or acted."""
    owed_s: float | None = None
    """When the server began to owe us something, or last gave some of it."""
    microphone_s: float | None = None
    """When to try the lost microphone again."""
    speaker_s: float | None = None
    """When to try the lost loudspeaker again."""
    ask_s: float | None = None
    """When to repeat a refused request for a reply."""


@dataclass(slots=True)
class Scene:
    """Everything a conversation knows.

    Args:
        settings: The configuration; only what concerns the conversation is read.
        random: Returns a number in [0, 1).
    """

    settings: Settings
    random: Callable[[], float]
    state: State = State.IDLE
    input: Input = field(default_factory=Input)
    key: Key = field(default_factory=Key)
    link: Link = field(init=False)
    turns: Turns = field(init=False)
    doubt: Doubt = field(default_factory=Doubt)
    hearing: Hearing = field(default_factory=Hearing)
    purse: Purse = field(init=False)
    absence: Absence = field(default_factory=Absence)
    timers: Timers = field(default_factory=Timers)
    problems: dict[str, str] = field(default_factory=dict)
    """Code -> the sentence a person needs, for as long as it is true."""
    waiting: list[int] = field(default_factory=list)
    """Requests to start that wait for the microphone."""
    provider: str = ""
    """Kind of the provider in use; settings that came later count from the next session on."""
    players_pause: bool = False
    """Other players were asked to pause."""
    turn_count: int = 0
    id_count: int = 0

    def __post_init__(self) -> None:
        self.link = Link(self.random)
        self.turns = Turns(self.new_id)
        self.purse = Purse()
        self.configure(self.settings)

    def configure(self, settings: Settings) -> None:
        """Take new settings."""
        before, self.settings = self.settings, settings
        if self.input.is_holding and before.turns.detection != settings.turns.detection:
            # The server confirms it when the key is up.
            self.link.finds_turns = settings.turns.detection != "manual"
        self.absence.configure(settings.desktop)
        if self.state in DOWN:
            self.provider = settings.provider.kind
        self.link.max_age_s = settings.session.max_age_s
        self.input.preroll_s = settings.turns.hold_preroll_ms / 1000
        self.purse.usd_per_day = settings.limits.usd_per_day

    def new_id(self, kind: str) -> str:
        """Return a fresh id for an event we send; ``kind_of`` finds the kind again."""
        self.id_count += 1
        return f"{kind}_{self.id_count}"

    def fire(self, trigger: Trigger) -> None:
        """Move by the table."""
        self.state = after(self.state, trigger)

    # --- questions ---------------------------------------------------------------------

    def is_quiet(self) -> bool:
        """Tell whether neither side speaks."""
        return (
            self.state is State.LISTENING
            and not self.input.is_user_speaking
            and not self.input.is_held
        )

    def has_floor(self) -> bool:
        """Tell whether the user speaks, as far as that is believed."""
        is_speaking = self.input.is_user_speaking and not self.doubt.is_disbelieved
        return is_speaking or self.input.is_held

    def is_paid(self) -> bool:
        """Tell whether somebody bills us for the replies."""
        return self.provider != "local"

    def not_up(self, ask: int) -> fx.Answer:
        """Say why something that needs a session cannot be done."""
        if self.state in DOWN:
            return fx.Answer(ask, "refused", "no conversation is running", "voicectl start")
        return fx.Answer(ask, "unavailable", "not connected yet", "voicectl wait --for listening")

    def cap_is_spent(self) -> tuple[str, str]:
        """Return what to say when the day's money is gone, and the remedy."""
        cap = f"the daily cap of {self.purse.usd_per_day:g} USD is spent"
        return cap, "raise [limits] usd_per_day, or wait until tomorrow"

    def refusal(self, ask: int) -> fx.Answer | None:
        """Say why nobody can begin to talk now, where that is so."""
        if self.purse.is_empty():
            return fx.Answer(ask, "refused", *self.cap_is_spent())
        if (reason := self.absence.yields()) is not None:
            return fx.Answer(ask, "refused", reason, "it can begin when you are back")
        return None

    # --- moves -------------------------------------------------------------------------

    def active(self, now: float) -> None:
        """Note that somebody spoke or acted."""
        self.timers.active_s = now

    def complain(self, code: str, message: str) -> Effects:
        """Tell people, once, about a problem that stays until it is mended."""
        is_known = self.problems.get(code) == message
        self.problems[code] = message
        return [] if is_known else [fx.TellError(code, message)]

    def interrupt(self, source: str, now: float, *, afterwards: Effects | None = None) -> Effects:
        """Cut what sounds and kill what is under way; nothing to cut is fine.

        Args:
            source: Who noticed: ``server``, ``local`` or ``control``.
            now: The time.
            afterwards: What is to be sent when the loudspeaker is silent.
        """
        turns, doubt = self.turns, self.doubt
        was_ducked = doubt.is_ducked
        notice = doubt.settle(source, now)
        is_busy = turns.responses.is_pending() or turns.responses.is_overdue
        if not (turns.is_sounding or turns.is_cutting or is_busy):
            return afterwards or []
        effects = turns.interrupt(
            notice,
            server_cancels=doubt.cancelled == (self.link.number, turns.responses.active),
            server_replies=self.link.replies,
            afterwards=afterwards,
        )
        # What comes next is as loud as ever.
        return [*effects, fx.DuckPlayback(0.0)] if was_ducked else effects

    def open_session(self) -> fx.OpenSession:
        """Make the next attempt to have a session."""
        self.provider = self.settings.provider.kind
        return fx.OpenSession(self.link.attempt())

    def open_microphone(self) -> Effects:
        """Start capturing, unless it is muted or open."""
        self.timers.microphone_s = None
        return [fx.OpenMicrophone()] if self.input.is_heard and not self.input.is_open else []

    def close_microphone(self) -> Effects:
        """Stop capturing: the user does not want to be heard."""
        self.input.closed()
        self.timers.microphone_s = None
        self.problems.pop("no_microphone", None)
        return [fx.CloseMicrophone(), *self.answer_waiting()]

    def answer_waiting(self, code: str | None = None, message: str = "") -> Effects:
        """Answer the requests that waited for the microphone."""
        waiting, self.waiting = self.waiting, []
        return [fx.Answer(ask, code, message) for ask in waiting]

    def start(self, ask: int, now: float) -> Effects:
        """Begin a conversation, or try at once where a lost one waits for its time."""
        if self.state is State.OFFLINE:
            self.link.backoff.reset()
            self.fire(Trigger.START)
            held = self.open_microphone() if self.input.is_held else []
            return [fx.Answer(ask), *held, self.open_session()]
        if self.state not in DOWN:
            return [fx.Answer(ask), *(self.open_microphone() if self.input.is_held else [])]
        if (refusal := self.refusal(ask)) is not None:
            # What begins by itself can wait for the user.
            self.absence.is_waiting |= ask == NOBODY and bool(self.absence.reasons)
            return [refusal]
        self.problems.clear()
        self.absence.is_waiting = False
        self.timers.started_s = now
        self.active(now)
        self.turn_count = self.link.reconnects = 0
        self.purse.usd_session = 0.0
        self.link.backoff.reset()
        self.fire(Trigger.START)
        self.waiting.append(ask)
        opening = self.open_microphone()
        answers = [] if opening else self.answer_waiting()
        return [fx.OpenSpeaker(), *opening, *answers, self.open_session()]

    def end(self, now: float, message: str = "") -> Effects:
        """End the conversation as the user wants it: nothing is tried again."""
        self.absence.is_waiting = False
        if self.state in DOWN:
            self.problems.clear()
            self.fire(Trigger.STOP)
            return []
        effects = self.hang_up(now)
        self.problems.clear()
        self.fire(Trigger.STOP)
        return [*effects, *self.answer_waiting(), fx.TellSession("ended", message)]

    def give_up(self, code: str, message: str, now: float) -> Effects:
        """End the conversation because it cannot work."""
        effects = self.hang_up(now)
        self.problems.clear()
        self.fire(Trigger.FATAL)
        effects += self.answer_waiting("unavailable", message)
        return [*effects, *self.complain(code, message)]

    def hang_up(self, now: float) -> Effects:
        """Silence first, then let go of the session and the sound."""
        effects = self.interrupt("control", now)
        self.turns.session_over()
        self.input.end()
        self.input.closed()
        self.link.close()
        self.timers = Timers(active_s=now)
        return [*effects, fx.CloseSession(), fx.CloseMicrophone(), fx.CloseSpeaker()]


def kind_of(event_id: str | None) -> str:
    """Return the kind of an event we sent, from its id."""
    return (event_id or "").rpartition("_")[0]
