"""Whole event sequences, as servers send them, through the codec into the conversation.

The sequences are in ``tests/data/realtime_sample_sequences.json``: turns, interruptions,
races, errors and dialects.  The loudspeaker is played by its clock: it starts at the time
given below and plays at real time.
"""

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conversation.stage import MANUAL, Stage, listening, only, silent
from tests.rig.rules import RuleBook
from voiced.conversation import State
from voiced.conversation import effects as fx
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.errors import WireError
from voiced.realtime import server_messages as wire
from voiced.realtime.translate import Translator
from voiced.settings import Settings

FILE = Path(__file__).parents[1] / "data" / "realtime_sample_sequences.json"
SEQUENCES: dict[str, dict[str, Any]] = json.loads(FILE.read_text())["sequences"]
SILENCE = "@pcm_silence_ms:"
PLAYBACK_BEGINS_MS = {"two_message_items": 300}
"""When the loudspeaker begins; 1900 in the other sequences."""


class Replay:
    """One sequence on a stage, with a loudspeaker that keeps time."""

    def __init__(self, name: str, stage: Stage) -> None:
        self.frames: list[dict[str, Any]] = copy.deepcopy(SEQUENCES[name]["frames"])
        self.stage = stage
        self.rules = RuleBook()
        self.effects: list[fx.Effect] = []
        self.unreadable = 0
        self.begins_ms = PLAYBACK_BEGINS_MS.get(name, 1900)
        self._translator = Translator(Settings())
        self._pushed: dict[tuple[str, int], int] = {}
        self._start_s = stage.now

    def run(self, until_ms: float = float("inf"), since_ms: float = -1) -> None:
        """Let the server say what it says in a stretch of time."""
        for frame in self.frames:
            if since_ms < frame["at_ms"] <= until_ms and frame["dir"] == "s2c":
                self.stage.now = self._start_s + frame["at_ms"] / 1000
                self._hear(frame)

    def wish(self, wish: ev.Wish, at_ms: float) -> None:
        """Let the user want something."""
        self.stage.now = self._start_s + at_ms / 1000
        self._carry_out(self.stage.take(wish))

    def play_out(self) -> None:
        """Let the loudspeaker play to the end."""
        self._pushed.clear()
        self._carry_out(self.stage.drain())

    def _hear(self, frame: dict[str, Any]) -> None:
        if "raw_b64" in frame:
            text: str | bytes = base64.b64decode(frame["raw_b64"])
        else:
            text = frame.get("raw") or json.dumps(expanded(frame["ev"]))
        try:
            message = wire.decode(text)
        except WireError:
            self.unreadable += 1
            return
        if "ev" in frame:
            self.rules.server(expanded(frame["ev"]))
        event = None if message is None else self._translator.event(message)
        if event is not None:
            self._carry_out(self.stage.hear(event))

    def _carry_out(self, effects: list[fx.Effect]) -> None:
        self.effects += effects
        for effect in effects:
            match effect:
                case fx.Play(item_id, content_index, pcm):
                    key = (item_id, content_index)
                    self._pushed[key] = self._pushed.get(key, 0) + len(pcm) // 2
                case fx.CutPlayback(cut):
                    self._carry_out(self.stage.take(self._cut(cut)))
                case fx.TruncateItem(_, item_id, _, audio_end_ms):
                    kind = "conversation.item.truncate"
                    self.rules.client(
                        {"type": kind, "item_id": item_id, "audio_end_ms": audio_end_ms}
                    )
                case fx.DeleteItem(_, item_id):
                    self.rules.client({"type": "conversation.item.delete", "item_id": item_id})
                case fx.CancelResponse(_, response_id):
                    self.rules.client({"type": "response.cancel", "response_id": response_id})
                case _:
                    continue

    def _cut(self, cut: int) -> se.PlaybackCut:
        played = round((self.stage.now - self._start_s - self.begins_ms / 1000) * 24_000)
        heard = []
        for (item_id, content_index), frames in self._pushed.items():
            heard.append(se.Heard(item_id, content_index, max(0, min(frames, played))))
            played -= frames
        self._pushed.clear()
        return se.PlaybackCut(cut, tuple(heard), self.stage.now)


def expanded(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Put samples in the place of their description."""
    if isinstance(value, dict):
        return {key: expanded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [expanded(inner) for inner in value]
    if isinstance(value, str) and value.startswith(SILENCE):
        return base64.b64encode(bytes(int(value.removeprefix(SILENCE)) * 48)).decode()
    return value


def replay(name: str) -> Replay:
    """Replay a sequence to its end."""
    run = Replay(name, listening())
    run.run()
    return run


@pytest.mark.parametrize("name", sorted(SEQUENCES))
def test_no_sequence_breaks_a_rule_or_the_conversation(name: str) -> None:
    run = replay(name)

    assert run.rules.violations == []
    assert run.stage.state in State


def test_a_whole_turn_is_heard_and_told() -> None:
    run = replay("normal_turn")
    assert run.stage.state is State.SPEAKING
    run.play_out()

    assert run.stage.state is State.LISTENING
    assert sum(len(play.pcm) for play in only(fx.Play, run.effects)) == 9 * 250 * 48
    assert [told.text for told in only(fx.TellTranscript, run.effects) if told.is_final] == [
        "Tell me about tides.",
        "The tide turns twice a day on most coasts.",
    ]


def test_an_interruption_while_generating_cuts_drops_and_truncates_once() -> None:
    run = replay("barge_in_while_generating")

    assert only(fx.TruncateItem, run.effects) == [fx.TruncateItem("truncate_1", "item_A1", 0, 200)]
    assert only(fx.CancelResponse, run.effects) == []
    cut_at = run.effects.index(fx.CutPlayback(1))
    assert only(fx.Play, run.effects[cut_at:]) == []
    assert run.stage.state is State.THINKING
    answer = run.stage.hear(ev.AudioDelta("resp_2", "item_A2", 0, bytes(480)))
    assert only(fx.Play, answer) == [fx.Play("item_A2", 0, bytes(480))]


def test_an_interruption_after_the_response_stops_and_truncates() -> None:
    run = replay("barge_in_after_done")

    assert only(fx.CutPlayback, run.effects) == [fx.CutPlayback(1)]
    assert only(fx.TruncateItem, run.effects) == [fx.TruncateItem("truncate_1", "item_A1", 0, 1000)]
    assert only(fx.CancelResponse, run.effects) == []


def test_an_interruption_before_the_first_sample_truncates_nothing() -> None:
    run = replay("barge_in_before_first_audio")

    assert only(fx.TruncateItem, run.effects) == []
    assert only(fx.Play, run.effects) == []
    assert run.stage.state is State.LISTENING


def test_the_end_of_a_response_nobody_announced_is_tolerated() -> None:
    run = replay("barge_in_before_created")

    assert silent(run.effects) == []
    assert run.stage.state is State.LISTENING


def test_a_cough_is_answered_and_costs_the_reply() -> None:
    run = replay("false_start")

    assert [cut.audio_end_ms for cut in only(fx.TruncateItem, run.effects)] == [100]
    assert only(fx.CancelResponse, run.effects) == []


def test_the_stop_key_cancels_by_id_and_truncates() -> None:
    run = Replay("client_cancel", listening())
    run.run(until_ms=2099)
    run.wish(ev.Interrupt(), at_ms=2100)
    run.run(since_ms=2100)

    assert only(fx.CancelResponse, run.effects) == [fx.CancelResponse("cancel_1", "resp_1")]
    assert only(fx.TruncateItem, run.effects) == [fx.TruncateItem("truncate_2", "item_A1", 0, 200)]
    assert only(fx.TellError, run.effects) == []


def test_a_cancel_that_crosses_the_end_is_nobodys_business() -> None:
    run = replay("cancel_race")

    assert silent(run.effects) == []


def test_the_second_item_of_a_reply_is_cut_by_its_own_clock() -> None:
    run = replay("two_message_items")

    assert only(fx.TruncateItem, run.effects) == [fx.TruncateItem("truncate_1", "item_A2", 0, 100)]
    assert only(fx.DeleteItem, run.effects) == []


def test_a_held_turn_is_committed_and_answered() -> None:
    run = Replay("push_to_talk", listening(MANUAL))
    run.wish(ev.TalkPress(), at_ms=20)
    for _ in range(10):
        run.stage.take(se.MicrophoneFrames(bytes(960)))
    run.wish(ev.TalkRelease(), at_ms=239)
    run.run(since_ms=240)

    kinds = [type(effect) for effect in silent(run.effects)]
    assert kinds[:4] == [fx.ClearInput, fx.Answer, fx.CommitInput, fx.Answer]
    assert fx.CreateResponse in kinds


def test_only_the_errors_that_need_the_user_end_the_conversation() -> None:
    run = Replay("error_gallery", listening())
    fatal = {"session_expired", "invalid_api_key", "beta_api_shape_disabled"}
    for frame in run.frames:
        stage = listening()
        one = Replay("error_gallery", stage)
        one.frames = [frame]
        one.run()
        expected = frame["ev"]["error"]["code"] not in fatal

        assert (stage.state is State.LISTENING) is expected, frame


def test_a_failed_response_is_told_and_quota_ends_the_conversation() -> None:
    limited, broke = replay("failed_response_rate_limit"), replay("failed_response_quota")

    assert [told.code for told in only(fx.TellError, limited.effects)] == ["rate_limit_exceeded"]
    assert limited.stage.state is State.LISTENING
    assert broke.stage.state is State.FAILED


def test_what_arrived_of_an_incomplete_reply_is_played_unless_the_filter_stopped_it() -> None:
    tokens, filtered = replay("incomplete_max_tokens"), replay("incomplete_content_filter")

    assert tokens.stage.state is State.SPEAKING
    assert only(fx.CutPlayback, filtered.effects) == [fx.CutPlayback(1)]


def test_the_server_speaks_on_its_own_after_an_idle_time() -> None:
    assert replay("idle_timeout").stage.state is State.THINKING


def test_the_names_of_the_beta_are_understood() -> None:
    run = replay("dialect_beta")

    assert [play.item_id for play in only(fx.Play, run.effects)] == ["item_A1"]
    assert only(fx.FinishPlay, run.effects) == [fx.FinishPlay("item_A1", 0)]


def test_a_server_that_cannot_truncate_is_left_in_peace() -> None:
    run = Replay("dialect_speaches", listening())
    run.stage.reply("resp_1", "item_A1")
    run.stage.hear(ev.SpeechStarted("user"))
    (truncate,) = only(fx.TruncateItem, run.stage.silence(se.Heard("item_A1", 0, 4800)))
    run.frames[1]["ev"]["error"]["event_id"] = truncate.event_id

    run.run()

    assert only(fx.Play, run.effects) == []
    assert only(fx.TellError, run.effects) == []
    assert run.stage.state is State.LISTENING


def test_nonsense_is_dropped_and_counted() -> None:
    run = replay("robustness")

    assert run.unreadable == 4
    assert run.stage.state is State.LISTENING
