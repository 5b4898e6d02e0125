"""A small world around a conversation: a lawful server, a loudspeaker, a judge.

Every move is something that can happen next.  The world carries out the effects, keeps
the truth of what was played, and breaks an assertion when the conversation does not keep
a rule.  Nothing waits for real time.
"""

import base64
from dataclasses import dataclass, field, replace

from tests.conversation.stage import SERVER_VAD, half
from tests.rig.rules import RuleBook
from voiced.conversation import Conversation, State, overlap
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.absence import LOCKED, SUSPENDED
from voiced.conversation.doubt import VETO_S
from voiced.conversation.responses import ALREADY_ACTIVE
from voiced.settings import Session, Settings

CHUNK_MS = 100
CHUNK = bytes(CHUNK_MS * 48)
MAX_ITEMS = 2
MAX_CHUNKS = 2
FIRST_SOUND_S = 0.1
"""A voice is suspected so long after its first sound."""
SETTINGS = Settings(session=Session(idle_hangup_s=0))
UNCOUNTED = ("core", "rules", "tally")
"""What does not make one state another."""
BETWEEN_EDGES_S = 1.0
"""Keys are not pressed again at once."""

MOVES = (
    "hear",
    "hush",
    "create",
    "answer",
    "item",
    "delta",
    "whole",
    "done",
    "late",
    "play",
    "drained",
    "tell",
    "report",
    "suspect",
    "sure",
    "dismiss",
    "enough",
    "interrupt",
    "say",
    "press",
    "release",
    "commit",
    "confirm",
    "stop",
    "start",
    "lock",
    "unlock",
    "sleep",
    "wake",
    "lose",
    "ready",
)

SENDS = (
    fx.DetectTurns,
    fx.ClearInput,
    fx.CommitInput,
    fx.SendText,
    fx.CreateResponse,
    fx.CancelResponse,
    fx.TruncateItem,
    fx.DeleteItem,
)
OPENS = (fx.OpenMicrophone, fx.OpenSession)


@dataclass
class Response:
    """A response on the server."""

    id: str
    items: list[str] = field(default_factory=list)
    chunks: int = 0
    """Of the newest item."""
    is_whole: bool = True
    """The newest item has all its audio."""
    is_cancelled: bool = False


@dataclass
class Track:
    """An item in the loudspeaker."""

    item_id: str
    pushed_ms: int = 0
    played_ms: int = 0
    is_finished: bool = False


@dataclass
class Voice:
    """What there is to hear over the assistant, in truth."""

    is_suspected: bool = False
    is_doubted: bool = False
    """What the server hears now did not cut."""
    is_held: bool = False
    held: set[str] = field(default_factory=set)
    """Responses of which something is held."""
    gain_db: float = 0.0
    vetoed_s: float = float("-inf")
    """When this machine last took a sound for no speech."""
    cut_plays: int = 0
    """So many ``Play`` effects there were at the last cut."""


@dataclass
class Tally:
    """Interruptions that began to be heard, and that were told."""

    begun: int = 0
    told: int = 0


class World:
    """The conversation and its surroundings.

    Args:
        facts: What the server confirms.
        hears: Voices over the assistant are noticed on this machine.
    """

    def __init__(self, facts: ev.SessionReady = SERVER_VAD, *, hears: bool = False) -> None:
        self.core = Conversation(SETTINGS, half)
        self.facts = facts
        self.now = 0.0
        self.rules = RuleBook(interrupts=facts.interrupts)
        self.response_of: dict[str, str] = {}
        self.dead: set[str] = set()
        self.heard_ms: dict[str, int] = {}
        self.active: Response | None = None
        self.over: Response | None = None
        self.requests: list[str] = []
        self.dead_requests: set[str] = set()
        self.is_owed = False
        """The server is going to answer the user's turn."""
        self.is_owed_late = False
        """The server may still answer a turn that was interrupted."""
        self.is_user_speaking = False
        self.detects = facts.detects_turns
        """The server looks for the user's turns."""
        self.confirms: list[ev.SessionChanged] = []
        """Settings the server is going to confirm."""
        self.away: list[str] = []
        """Why the user is away, in truth."""
        self.commits = 0
        self.tracks: list[Track] = []
        self.plays = 0
        self.is_reported = True
        self.drains: list[se.PlaybackDrained] = []
        """Said by the loudspeaker's thread, and on their way."""
        self.reports: list[se.PlaybackCut | se.PlaybackHeld] = []
        self.hears = hears
        self.voice = Voice()
        self.tally = Tally()
        self.counts = {"response": 0, "item": 0, "user": 0}
        hearing = se.HearingChanged("cancelled", can_detect=hears)
        for event in (hearing, ev.Start(), se.MicrophoneOpened(), se.SpeakerOpened()):
            self.give(event)
        self.move("ready")

    # --- moves ---------------------------------------------------------------------------

    def possible(self) -> list[str]:
        """Return the moves that can be made now."""
        return [name for name in MOVES if getattr(self, f"can_{name}")()]

    def key(self) -> str:
        """Return what tells this state from others."""
        scene = self.core.scene
        mine = {name: value for name, value in vars(self).items() if name not in UNCOUNTED}
        turns = scene.turns
        facts = (
            scene.state,
            scene.input,
            scene.link.facts,
            scene.link.finds_turns,
            turns.responses,
            turns.ledger.pieces,
        )
        return repr((mine, facts, turns.cuts, turns.unheard, scene.absence, scene.doubt))

    def move(self, name: str) -> None:
        """Make a move."""
        getattr(self, f"do_{name}")()

    def is_up(self) -> bool:
        return self.core.scene.link.is_ready

    def can_hear(self) -> bool:
        return self.is_up() and self.detects and not self.is_user_speaking

    def do_hear(self) -> None:
        # The server says things in order: that it listens, then what it hears.
        while self.commits:
            self.do_commit()
        while self.confirms:
            self.do_confirm()
        self.is_user_speaking = True
        self.counts["user"] += 1
        self.rules.server({"type": "input_audio_buffer.speech_started"})
        if self.facts.interrupts and self.active is not None:
            self.active.is_cancelled = True
        is_whole = self.active is None or not self.facts.interrupts
        is_alone = not (self.voice.gain_db or self.is_cutting())
        is_vetoed = self.now - self.voice.vetoed_s <= VETO_S
        may_doubt = self.can_notice() and is_alone and is_whole and is_vetoed
        self.say(ev.SpeechStarted("user"))
        self.voice.is_doubted = self.voice.is_held
        assert self.voice.is_doubted == may_doubt, "only what was vetoed holds"
        if not self.voice.is_doubted:
            self.everything_dies()

    def can_hush(self) -> bool:
        return self.is_up() and self.is_user_speaking

    def do_hush(self) -> None:
        self.is_user_speaking = False
        if self.voice.is_doubted:
            self.everything_dies()
        self.say(ev.SpeechStopped("user"))
        self.say(ev.TurnCommitted("user"))
        # The answer to a turn that crossed with the key comes too late.
        self.is_owed_late = self.core.scene.input.is_held
        self.is_owed = not self.is_owed_late

    def can_create(self) -> bool:
        return self.is_up() and self.active is None and (self.is_owed or self.is_owed_late)

    def do_create(self) -> None:
        is_dead = self.is_owed_late or (self.is_user_speaking and not self.voice.is_doubted)
        self.is_owed = self.is_owed_late = False
        self.begin(None, is_dead=is_dead)

    def can_answer(self) -> bool:
        return self.is_up() and bool(self.requests)

    def do_answer(self) -> None:
        marker = self.requests.pop(0)
        if self.active is not None:
            self.rules.creates_pending = 0
            self.say(ev.ServerError(ALREADY_ACTIVE, "busy", marker))
        else:
            self.begin(marker, is_dead=marker in self.dead_requests)

    def begin(self, marker: str | None, *, is_dead: bool) -> None:
        self.counts["response"] += 1
        self.active = Response(f"resp_{self.counts['response']}")
        if is_dead:
            self.dead.add(self.active.id)
        self.rules.server({"type": "response.created", "response": {"id": self.active.id}})
        self.say(ev.ResponseCreated(self.active.id, marker))

    def can_item(self) -> bool:
        active = self.active
        return active is not None and active.is_whole and len(active.items) < MAX_ITEMS

    def do_item(self) -> None:
        assert self.active is not None
        self.counts["item"] += 1
        item_id = f"item_{self.counts['item']}"
        self.active.items.append(item_id)
        self.active.chunks, self.active.is_whole = 0, False
        self.response_of[item_id] = self.active.id
        self.rules.server({"type": "response.output_item.added", "item": {"id": item_id}})
        self.say(ev.ItemAdded(self.active.id, item_id, is_message=True))

    def can_delta(self) -> bool:
        active = self.active
        return active is not None and not active.is_whole and active.chunks < MAX_CHUNKS

    def do_delta(self) -> None:
        assert self.active is not None
        self.active.chunks += 1
        self.send_audio(self.active)

    def send_audio(self, response: Response) -> None:
        item_id = response.items[-1]
        delta = base64.b64encode(CHUNK).decode()
        kind = "response.output_audio.delta"
        self.rules.server({"type": kind, "item_id": item_id, "delta": delta})
        is_living = response is self.active and response.id not in self.dead
        before = self.plays
        self.say(ev.AudioDelta(response.id, item_id, 0, CHUNK))
        assert (self.plays > before) == is_living, "a living reply is played, and no other (R5)"

    def can_whole(self) -> bool:
        return self.active is not None and not self.active.is_whole

    def do_whole(self) -> None:
        assert self.active is not None
        self.active.is_whole = True
        self.say(ev.AudioDone(self.active.id, self.active.items[-1], 0))

    def can_done(self) -> bool:
        return self.active is not None and (self.active.is_cancelled or self.active.is_whole)

    def do_done(self) -> None:
        assert self.active is not None
        self.over, self.active = self.active, None
        self.rules.server({"type": "response.done", "response": {"id": self.over.id}})
        self.say(
            ev.ResponseDone(self.over.id, "cancelled" if self.over.is_cancelled else "completed")
        )

    def can_late(self) -> bool:
        over = self.over
        return over is not None and over.is_cancelled and bool(over.items) and self.is_up()

    def do_late(self) -> None:
        assert self.over is not None
        self.send_audio(self.over)

    def can_play(self) -> bool:
        return not self.voice.is_held and any(t.played_ms < t.pushed_ms for t in self.tracks)

    def do_play(self) -> None:
        track = next(track for track in self.tracks if track.played_ms < track.pushed_ms)
        track.played_ms += CHUNK_MS // 2

    def can_drained(self) -> bool:
        is_empty = all(t.is_finished and t.played_ms == t.pushed_ms for t in self.tracks)
        return not self.is_reported and bool(self.tracks) and is_empty and not self.voice.is_held

    def do_drained(self) -> None:
        self.is_reported = True
        for track in self.tracks:
            self.heard_ms[track.item_id] = track.played_ms
        self.tracks.clear()
        self.drains.append(se.PlaybackDrained(self.plays))

    def can_tell(self) -> bool:
        return bool(self.drains)

    def do_tell(self) -> None:
        self.give(self.drains.pop(0))

    def can_report(self) -> bool:
        return bool(self.reports)

    def do_report(self) -> None:
        self.give(self.reports.pop(0))

    def can_notice(self) -> bool:
        """Tell whether a voice that this machine hears counts."""
        scene = self.core.scene
        counts = scene.link.finds_turns and not scene.input.is_held
        return self.hears and self.is_sounding() and counts

    def is_sounding(self) -> bool:
        """Tell whether there are samples that nobody was told the end of."""
        return bool(self.tracks) or any(d.plays > self.voice.cut_plays for d in self.drains)

    def can_suspect(self) -> bool:
        return self.can_notice() and not self.voice.is_suspected

    def do_suspect(self) -> None:
        self.voice.is_suspected = True
        was_held = self.voice.is_held
        self.give(se.VoiceSuspected(self.now - FIRST_SOUND_S))
        assert self.is_cutting() if was_held else self.voice.gain_db, "a voice leaves its mark"

    def can_sure(self) -> bool:
        return self.can_notice()

    def do_sure(self) -> None:
        self.give(se.VoiceConfirmed(self.now - FIRST_SOUND_S))
        assert self.is_cutting(), "a voice that is sure cuts"
        self.voice.is_suspected = False

    def can_dismiss(self) -> bool:
        return self.voice.is_suspected

    def veto(self, at_s: float) -> None:
        if self.voice.gain_db:
            self.voice.vetoed_s = at_s

    def do_dismiss(self) -> None:
        self.veto(self.now)
        self.give(se.VoiceDismissed())
        self.voice.is_suspected = False
        assert not self.voice.gain_db, "ducked while nothing is suspected"

    def can_enough(self) -> bool:
        return overlap.due_s(self.core.scene) is not None

    def do_enough(self) -> None:
        due_s = overlap.due_s(self.core.scene)
        assert due_s is not None
        self.now = max(self.now, due_s)
        self.veto(due_s)
        self.carry_out(self.core.tick(self.now))
        assert not self.can_enough(), "doubt ends in its time"

    def can_interrupt(self) -> bool:
        return True

    def do_interrupt(self) -> None:
        self.everything_dies()
        self.give(ev.Interrupt())

    def can_say(self) -> bool:
        return self.is_up() and len(self.requests) < 2

    def do_say(self) -> None:
        self.everything_dies()
        self.give(ev.Say("hello"))

    def can_press(self) -> bool:
        is_free = not self.core.scene.input.is_holding
        return is_free and (self.is_up() or self.core.state in (State.IDLE, State.CONNECTING))

    def do_press(self) -> None:
        self.everything_dies()
        self.now += BETWEEN_EDGES_S
        was_up = self.is_up()
        self.give(ev.TalkPress())
        assert not self.tracks, "a press silences"
        if not was_up:
            self.give(se.MicrophoneOpened())

    def can_release(self) -> bool:
        return self.core.scene.input.is_held

    def do_release(self) -> None:
        for _ in range(5):
            self.give(se.MicrophoneFrames(bytes(1920)))
        self.give(ev.TalkRelease())

    def can_confirm(self) -> bool:
        return self.is_up() and bool(self.confirms)

    def do_confirm(self) -> None:
        self.say(self.confirms.pop(0))

    def can_commit(self) -> bool:
        return self.is_up() and self.commits > 0

    def do_commit(self) -> None:
        self.commits -= 1
        # The server says things in order.
        while self.confirms and not self.confirms[0].facts.detects_turns:
            self.do_confirm()
        self.rules.server({"type": "input_audio_buffer.committed"})
        self.say(ev.TurnCommitted("user"))

    def can_lose(self) -> bool:
        return self.is_up()

    def do_lose(self) -> None:
        self.say(ev.SessionLost("gone"))
        self.forget_session()
        self.now += 60.0
        self.carry_out(self.core.tick(self.now))

    def can_stop(self) -> bool:
        return self.is_up()

    def do_stop(self) -> None:
        self.everything_dies()
        self.now += BETWEEN_EDGES_S
        self.give(ev.Stop())
        self.forget_session()

    def can_start(self) -> bool:
        return self.core.state is State.IDLE

    def do_start(self) -> None:
        self.give(ev.Start())
        self.give(se.MicrophoneOpened())

    def can_lock(self) -> bool:
        return not self.away

    def do_lock(self) -> None:
        self.leave(LOCKED)

    def can_sleep(self) -> bool:
        # A machine is locked before it sleeps; alone, sleep is like a lock.
        return self.away == [LOCKED]

    def do_sleep(self) -> None:
        self.leave(SUSPENDED)

    def can_unlock(self) -> bool:
        return LOCKED in self.away

    def do_unlock(self) -> None:
        self.come_back(LOCKED)

    def can_wake(self) -> bool:
        return SUSPENDED in self.away

    def do_wake(self) -> None:
        self.come_back(SUSPENDED)

    def leave(self, reason: str) -> None:
        if self.is_up():
            self.everything_dies()
        self.away.append(reason)
        self.give(ev.Away(reason))
        self.forget_session()

    def come_back(self, reason: str) -> None:
        self.away.remove(reason)
        self.give(ev.Back(reason))
        if self.core.state is State.CONNECTING:
            self.give(se.MicrophoneOpened())

    def forget_session(self) -> None:
        """Let the server forget; the rules go on with an empty one."""
        self.active = self.over = None
        self.requests.clear()
        self.commits = 0
        self.confirms.clear()
        self.detects = self.facts.detects_turns
        self.is_owed = self.is_owed_late = self.is_user_speaking = self.voice.is_doubted = False
        self.rules.active = None
        self.rules.creates_pending = self.rules.buffered_bytes = 0

    def can_ready(self) -> bool:
        # The loudspeaker answers within milliseconds, a server does not.
        return self.core.state is State.CONNECTING and not self.reports

    def do_ready(self) -> None:
        self.say(self.facts)

    def everything_dies(self) -> None:
        """Note what an interruption kills, in truth."""
        self.voice.is_doubted = False
        if self.is_up():
            self.dead.update(self.response_of.values())
            if self.active is not None:
                self.dead.add(self.active.id)
            self.dead_requests.update(self.requests)
            self.is_owed_late = self.is_owed_late or self.is_owed
            self.is_owed = False

    # --- carrying out ----------------------------------------------------------------------

    def say(self, event: ev.ServerEvent) -> None:
        self.give(ev.Received(self.core.scene.link.number, event))

    def give(self, event: ev.Event) -> None:
        self.carry_out(self.core.handle(event, self.now))

    def carry_out(self, effects: list[fx.Effect]) -> None:
        """Carry out effects and look for breaches."""
        if any(isinstance(effect, fx.CutPlayback) for effect in effects):
            self.everything_dies()
        for effect in effects:
            is_early = isinstance(effect, SENDS) and self.is_cutting()
            assert not is_early, "sent before the silence (R1)"
            assert not (isinstance(effect, OPENS) and self.away), "open while the user is away"
            self.perform(effect)
        assert not self.rules.violations, self.rules.violations
        self.count(effects)
        self.check_state()

    def count(self, effects: list[fx.Effect]) -> None:
        """See to it that every interruption is told once, and in turn."""
        told = [effect for effect in effects if isinstance(effect, fx.TellInterruption)]
        for each in told:
            self.tally.told += 1
            assert each.interruption.number == self.tally.told, "counted in turn"
        if fx.ResumePlayback() in effects and not told:
            # The last sample had been played before the hold.
            self.tally.begun -= 1

    def is_cutting(self) -> bool:
        """Tell whether the report of a cut is on its way."""
        return any(isinstance(report, se.PlaybackCut) for report in self.reports)

    def perform(self, effect: fx.Effect) -> None:
        match effect:
            case fx.DuckPlayback() | fx.HoldPlayback() | fx.ResumePlayback():
                self.doubt(effect)
            case fx.Play(item_id, _, pcm):
                assert self.response_of[item_id] not in self.dead, "a dead response sounds (R5)"
                self.track(item_id).pushed_ms += len(pcm) // 48
                self.plays += 1
                self.is_reported = False
            case fx.FinishPlay(item_id, _):
                for track in self.tracks:
                    track.is_finished |= track.item_id == item_id
            case fx.CutPlayback(cut):
                self.cut(cut)
            case fx.CreateResponse(event_id):
                self.rules.client({"type": "response.create"})
                self.requests.append(event_id)
            case fx.CancelResponse(_, response_id):
                assert response_id not in self.voice.held, "cancelled while it is held"
                self.cancel(response_id)
            case fx.SendAudio(pcm):
                audio = base64.b64encode(pcm).decode()
                self.rules.client({"type": "input_audio_buffer.append", "audio": audio})
            case fx.DetectTurns() | fx.ClearInput() | fx.CommitInput():
                self.take_turn(effect)
            case fx.TruncateItem(_, item_id, _, audio_end_ms):
                assert self.response_of[item_id] not in self.voice.held, (
                    "truncated while it is held"
                )
                kind = "conversation.item.truncate"
                self.rules.client({"type": kind, "item_id": item_id, "audio_end_ms": audio_end_ms})
                assert audio_end_ms == self.heard_ms[item_id], "not what was heard (R3)"
            case fx.DeleteItem(_, item_id):
                assert self.response_of[item_id] not in self.voice.held, "deleted while it is held"
                self.rules.client({"type": "conversation.item.delete", "item_id": item_id})
                assert self.heard_ms.get(item_id, 0) == 0, "deleted what was heard (R4)"
            case _:
                return

    def take_turn(self, effect: fx.DetectTurns | fx.ClearInput | fx.CommitInput) -> None:
        match effect:
            case fx.DetectTurns(_, wanted):
                self.detect(wanted=wanted)
            case fx.ClearInput():
                self.rules.client({"type": "input_audio_buffer.clear"})
            case fx.CommitInput():
                self.rules.client({"type": "input_audio_buffer.commit"})
                self.commits += 1

    def detect(self, *, wanted: bool) -> None:
        self.detects = wanted and self.facts.detects_turns
        self.is_user_speaking &= self.detects
        self.rules.interrupts = self.detects and self.facts.interrupts
        facts = replace(
            self.facts,
            detects_turns=self.detects,
            interrupts=self.detects and self.facts.interrupts,
            replies=self.detects and self.facts.replies,
        )
        self.confirms.append(ev.SessionChanged(facts))

    def track(self, item_id: str) -> Track:
        for track in self.tracks:
            if track.item_id == item_id:
                return track
        self.tracks.append(Track(item_id))
        return self.tracks[-1]

    def doubt(self, effect: fx.DuckPlayback | fx.HoldPlayback | fx.ResumePlayback) -> None:
        match effect:
            case fx.DuckPlayback(gain_db):
                self.tally.begun += gain_db < 0
                self.voice.gain_db = gain_db
            case fx.HoldPlayback(number):
                assert not self.voice.is_held, "held twice"
                self.tally.begun += 1
                self.voice.is_held = True
                self.voice.held = {self.response_of[track.item_id] for track in self.tracks}
                self.reports.append(se.PlaybackHeld(number, self.now))
            case fx.ResumePlayback():
                assert self.voice.is_held, "nothing is held"
                self.voice.is_held = False
                self.voice.held = set()

    def cut(self, number: int) -> None:
        self.voice.cut_plays = self.plays
        self.tally.begun += not (self.voice.is_held or self.voice.gain_db)
        self.voice.is_held = False
        self.voice.held = set()
        heard = []
        for track in self.tracks:
            self.heard_ms[track.item_id] = track.played_ms
            heard.append(se.Heard(track.item_id, 0, track.played_ms * 24))
        self.tracks.clear()
        self.is_reported = True
        self.reports.append(se.PlaybackCut(number, tuple(heard), self.now))

    def cancel(self, response_id: str) -> None:
        self.rules.client({"type": "response.cancel", "response_id": response_id})
        if self.active is not None and self.active.id == response_id:
            self.active.is_cancelled = True
        else:
            self.say(ev.ServerError("response_cancel_not_active", "none", None))

    # --- looking ---------------------------------------------------------------------------

    def check_state(self) -> None:
        """Compare the state with the truth."""
        state = self.core.state
        assert not self.away or state is State.IDLE, (state, self.away)
        if self.is_up():
            assert (state is State.SPEAKING) >= bool(self.tracks), (state, self.tracks)
        if self.voice.gain_db:
            assert self.voice.is_suspected, "ducked while nothing is suspected"
            assert self.is_sounding(), "ducked while nothing sounds"

    def settle(self) -> None:
        """Let everything under way come to its end; then the user must have the floor."""
        for _ in range(60):
            open_moves = [name for name in SETTLING if getattr(self, f"can_{name}")()]
            if not open_moves:
                break
            self.move(open_moves[0])
        assert self.core.state is State.LISTENING, self.core.state
        assert not self.core.scene.turns.responses.is_busy()
        assert not self.core.scene.turns.is_cutting
        assert not self.tracks, "not played to its end"
        assert (self.voice.is_held, self.voice.gain_db) == (False, 0.0), "not given back"
        assert self.tally.begun == self.tally.told, "every interruption is told once"


SETTLING = (
    "wake",
    "unlock",
    "start",
    "report",
    "ready",
    "enough",
    "play",
    "drained",
    "tell",
    "hush",
    "release",
    "commit",
    "confirm",
    "answer",
    "create",
    "whole",
    "done",
)
"""Moves that bring things to an end, in the order of preference."""
