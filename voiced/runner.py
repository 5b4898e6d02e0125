"""The loop: event -> conversation -> effects -> acts.  The only hand that acts.

Rules
1. ``perform`` never waits: shells keep their own outboxes.
2. The clock is read here and given to the conversation; deadlines are its own.
3. The story is logged at DEBUG, one line each: ``<`` an event, ``>`` an effect,
   ``=`` a state.  Audio, words and keys are never logged.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, assert_never

from voiced.audio.capture import MicrophoneFigures
from voiced.audio.playback import SpeakerFigures
from voiced.control.messages import Failure, StatusReport
from voiced.conversation import Conversation
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.status import Interruption, Status
from voiced.realtime import client_messages as out
from voiced.report import (
    cost_report,
    interruption_fields,
    interruption_line,
    interruption_report,
    report,
)

logger = logging.getLogger(__name__)

CHECK_EVERY_S: Final = 0.25
QUIET_EVENTS: Final = (se.MicrophoneFrames,)
QUIET_EFFECTS: Final = (fx.SendAudio, fx.Play)


class Speaker(Protocol):
    """The loudspeaker, as the runner uses it."""

    def open(self) -> None: ...  # noqa: D102 - see audio.playback.Speaker, here and below
    def close(self) -> None: ...  # noqa: D102
    def play(self, item_id: str, content_index: int, pcm: bytes) -> None: ...  # noqa: D102
    def finish(self, item_id: str, content_index: int) -> None: ...  # noqa: D102
    def cut(self, number: int) -> None: ...  # noqa: D102
    def duck(self, gain_db: float) -> None: ...  # noqa: D102
    def hold(self, number: int) -> None: ...  # noqa: D102
    def resume(self) -> None: ...  # noqa: D102
    def check(self) -> None: ...  # noqa: D102
    def figures(self) -> SpeakerFigures: ...  # noqa: D102


class Microphone(Protocol):
    """The microphone, as the runner uses it."""

    def open(self) -> None: ...  # noqa: D102 - see audio.capture.Microphone, here and below
    def close(self) -> None: ...  # noqa: D102
    def call_when_done(self, call: Callable[[], None]) -> None: ...  # noqa: D102
    def check(self) -> None: ...  # noqa: D102
    def figures(self) -> MicrophoneFigures: ...  # noqa: D102


class Provider(Protocol):
    """The Realtime server, as the runner uses it."""

    @property
    def dropped(self) -> int: ...  # noqa: D102 - see realtime.client.RealtimeClient, here and below
    def open(self, number: int) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102
    def send(self, message: out.ClientMessage) -> None: ...  # noqa: D102
    def detect_turns(self, event_id: str, *, wanted: bool) -> None: ...  # noqa: D102


class Desktop(Protocol):
    """The desktop, as the runner uses it."""

    def allow_sleep(self) -> None: ...  # noqa: D102 - see desktop.shell.Desktop, here and below
    def pause_players(self) -> None: ...  # noqa: D102
    def resume_players(self) -> None: ...  # noqa: D102


class Public(Protocol):
    """The people outside, as the runner reaches them."""

    def answer(  # noqa: D102 - see control.server.ControlServer, here and below
        self, ask: int, result: dict[str, Any] | None, failure: Failure | None
    ) -> None: ...
    def publish(self, event: str, fields: dict[str, Any]) -> None: ...  # noqa: D102


class Words(Protocol):
    """What was said, as the runner reports it."""

    @property
    def problem(self) -> str | None: ...  # noqa: D102 - see words.Words, here and below
    def said(self, role: str, item_id: str, text: str, *, is_final: bool) -> None: ...  # noqa: D102
    def cut(  # noqa: D102
        self, item_id: str | None, heard_ms: int, unheard: tuple[str, ...]
    ) -> None: ...
    def session_over(self) -> None: ...  # noqa: D102


class Interruptions(Protocol):
    """What was around the interruptions, as the runner tells it."""

    @property
    def recorder_s(self) -> int: ...  # noqa: D102 - see interruptions.Interruptions, here and below
    def happened(self, event: ev.Event) -> None: ...  # noqa: D102
    def ducked(self, gain_db: float) -> None: ...  # noqa: D102
    def silenced(self, *, is_held: bool) -> None: ...  # noqa: D102
    def resumed(self) -> None: ...  # noqa: D102
    def told(self, interruption: Interruption) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Shells:
    """Everything the runner acts upon."""

    speaker: Speaker
    microphone: Microphone
    provider: Provider
    desktop: Desktop
    public: Public
    words: Words
    interruptions: Interruptions
    tell_manager: Callable[[str], None]
    """Gives the service manager one line about the state."""


class Runner:
    """Feeds the conversation and carries out what it asks for.

    Args:
        conversation: Decides.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._inbox: deque[ev.Event] = deque()
        self._filled = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._shells: Shells | None = None
        self._told_audio: tuple[int, ...] = ()
        self._turns = 0
        self._session = 0

    def connect(self, shells: Shells) -> None:
        """Take the shells; they were built with our ``emit``."""
        self._shells = shells

    def emit(self, event: ev.Event) -> None:
        """Take an event; on the event loop only, and never waits."""
        self._inbox.append(event)
        self._filled.set()

    async def run(self) -> None:
        """Carry the conversation until cancelled."""
        while True:
            await self._wait()
            self.turn()

    def turn(self) -> None:
        """Handle what has arrived, and then what is due: what came may have settled it."""
        for _ in range(len(self._inbox)):
            event = self._inbox.popleft()
            if not isinstance(event, QUIET_EVENTS) and logger.isEnabledFor(logging.DEBUG):
                logger.debug("< %s", _outline(event))
            self._connected().interruptions.happened(event)
            self._perform_all(self._conversation.handle(event, self._loop.time()))
        self._perform_all(self._conversation.tick(self._loop.time()))
        self._turns += 1

    def pulse(self) -> int:
        """Return a number that is another one after each turn, and ask for a turn."""
        self._filled.set()
        return self._turns

    async def watch(self) -> None:
        """Look after the sound card until cancelled."""
        day = time.localtime().tm_yday
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            shells = self._connected()
            shells.speaker.check()
            shells.microphone.check()
            self._tell_audio()
            today = time.localtime().tm_yday
            if today != day:
                day = today
                self.emit(ev.NewDay())

    def status(self) -> StatusReport:
        """Return the status as the people outside see it."""
        shells = self._connected()
        return report(
            self._conversation.status(),
            self._loop.time(),
            shells.speaker.figures(),
            shells.microphone.figures(),
            shells.provider.dropped,
            shells.words.problem,
            recorder_s=shells.interruptions.recorder_s,
        )

    def perform(self, effect: fx.Effect) -> None:  # noqa: C901, PLR0912, PLR0915 - one case for each effect
        """Carry out one effect.  Never waits: shells keep their own outboxes."""
        shells = self._connected()
        provider, speaker = shells.provider, shells.speaker
        match effect:
            case fx.SendAudio(pcm):
                provider.send(out.Append(pcm))
            case fx.Play(item_id, content_index, pcm):
                speaker.play(item_id, content_index, pcm)
            case fx.FinishPlay(item_id, content_index):
                speaker.finish(item_id, content_index)
            case fx.CutPlayback(cut):
                shells.interruptions.silenced(is_held=False)
                speaker.cut(cut)
            case fx.DuckPlayback(gain_db):
                shells.interruptions.ducked(gain_db)
                speaker.duck(gain_db)
            case fx.HoldPlayback(hold):
                shells.interruptions.silenced(is_held=True)
                speaker.hold(hold)
            case fx.ResumePlayback():
                shells.interruptions.resumed()
                speaker.resume()
            case fx.OpenMicrophone():
                shells.microphone.open()
            case fx.CloseMicrophone():
                shells.microphone.close()
            case fx.OpenSpeaker():
                speaker.open()
            case fx.CloseSpeaker():
                speaker.close()
            case fx.OpenSession(session):
                self._session = session
                provider.open(session)
            case fx.CloseSession():
                provider.close()
                shells.words.session_over()
            case fx.DetectTurns(event_id, wanted):
                provider.detect_turns(event_id, wanted=wanted)
            case fx.ClearInput(event_id):
                provider.send(out.Clear(event_id))
            case fx.CommitInput(event_id):
                provider.send(out.Commit(event_id))
            case fx.SendText(event_id, text):
                provider.send(out.CreateItem(event_id, out.UserMessage([out.TextPart(text)])))
            case fx.CreateResponse(event_id):
                provider.send(out.CreateResponse(event_id, out.marked(event_id)))
            case fx.CancelResponse(event_id, response_id):
                provider.send(out.Cancel(event_id, response_id))
            case fx.TruncateItem(event_id, item_id, content_index, audio_end_ms):
                provider.send(out.Truncate(event_id, item_id, content_index, audio_end_ms))
            case fx.DeleteItem(event_id, item_id):
                provider.send(out.Delete(event_id, item_id))
            case fx.AllowSleep():
                shells.microphone.call_when_done(shells.desktop.allow_sleep)
            case fx.PausePlayers():
                shells.desktop.pause_players()
            case fx.ResumePlayers():
                shells.desktop.resume_players()
            case fx.Answer():
                self._answer(effect)
            case fx.TellState(status):
                self._tell_state(status)
            case fx.TellInterruption(interruption, unheard):
                self._tell_interruption(interruption)
                shells.interruptions.told(interruption)
                if interruption.confirmed:
                    shells.words.cut(interruption.item_id, interruption.heard_ms or 0, unheard)
            case fx.TellTranscript(role, item_id, text, is_final):
                shells.words.said(role, item_id, text, is_final=is_final)
            case fx.TellSession(what, message, retry_in_s):
                self._tell_session(what, message, retry_in_s)
            case fx.TellCost(usd_today, usd_session):
                shells.public.publish("cost", {**cost_report(usd_today, usd_session)})
            case fx.TellError(code, message):
                logger.error("%s", message, extra=self._about("error") | {"VOICED_CODE": code})
                shells.public.publish("error", {"code": code, "message": message})
            case _:
                assert_never(effect)

    def tell_state(self) -> None:
        """Publish the present state, for somebody who just began to listen."""
        self._connected().public.publish("state", {**self.status()})

    # --- helpers -----------------------------------------------------------------------

    async def _wait(self) -> None:
        """Wait for an event or the conversation's deadline, whichever comes first."""
        if self._inbox:
            return
        self._filled.clear()
        deadline_s = self._conversation.deadline
        try:
            async with asyncio.timeout_at(deadline_s):
                await self._filled.wait()
        except TimeoutError:
            return

    def _perform_all(self, effects: list[fx.Effect]) -> None:
        for effect in effects:
            if not isinstance(effect, QUIET_EFFECTS) and logger.isEnabledFor(logging.DEBUG):
                logger.debug("> %s", _outline(effect))
            self.perform(effect)

    def _answer(self, answer: fx.Answer) -> None:
        if answer.ask == ev.NOBODY:
            return
        if answer.code is None:
            result = {"state": self._conversation.status().state}
            self._connected().public.answer(answer.ask, result, None)
        else:
            failure = Failure(answer.code, answer.message, answer.hint)
            self._connected().public.answer(answer.ask, None, failure)

    def _tell_state(self, status: Status) -> None:
        logger.debug("= %s", status.state, extra=self._about("state"))
        self._connected().tell_manager(_one_line(status))
        self.tell_state()

    def _tell_session(self, what: str, message: str, retry_in_s: float | None) -> None:
        fields = {"what": what, "message": message, "retry_in_s": retry_in_s}
        about = self._about(what)
        if what == "lost":
            retry_s = retry_in_s or 0.0
            logger.warning(
                "session lost: %s; next attempt in %.1f s", message, retry_s, extra=about
            )
        else:
            logger.info("session %s%s%s", what, ": " if message else "", message, extra=about)
        self._connected().public.publish("session", fields)

    def _tell_interruption(self, interruption: Interruption) -> None:
        about = self._about("interruption") | interruption_fields(interruption)
        logger.info("%s", interruption_line(interruption), extra=about)
        self._connected().public.publish("interruption", {**interruption_report(interruption)})

    def _tell_audio(self) -> None:
        """Publish the sound card's figures when one of them has changed."""
        audio = self.status()["audio"]
        # Whether speech is noticed comes and goes, and how much is recorded is no trouble.
        counts = tuple(
            value for name, value in audio.items() if type(value) is int and name != "recorder_s"
        )
        if counts != self._told_audio and any(counts):
            self._connected().public.publish("audio", {**audio})
        self._told_audio = counts

    def _about(self, event: str) -> dict[str, str]:
        """Return the fields by which a message is found in the journal."""
        return {
            "VOICED_EVENT": event,
            "VOICED_STATE": self._conversation.status().state,
            "VOICED_SESSION": str(self._session),
        }

    def _connected(self) -> Shells:
        assert self._shells is not None, "connect() comes first"  # noqa: S101 - a bug of ours
        return self._shells


def _one_line(status: Status) -> str:
    flags = ", muted" if status.muted and status.state != "muted" else ""
    flags += f", paused: {status.paused}" if status.paused else ""
    return f"{status.state}{flags}{': ' + status.error if status.error else ''}"


SPOKEN: Final = frozenset({"text", "pcm", "message", "hint"})
"""Fields that are never logged: audio, and words somebody said or may have said."""


def _outline(thing: object) -> str:
    """Return an event or effect in one line, without what was said."""
    if isinstance(thing, ev.Received):
        return f"#{thing.session} {_outline(thing.event)}"
    fields = getattr(thing, "__dataclass_fields__", {})
    shown = [f"{name}={getattr(thing, name)!r}" for name in fields if name not in SPOKEN]
    return f"{type(thing).__name__}({', '.join(shown)})"
