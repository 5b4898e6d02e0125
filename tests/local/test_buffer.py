import pytest

from tests.local.fakes import Loudness, silence, tone
from voiced.local import buffer as module
from voiced.local.buffer import InputBuffer
from voiced.local.turns import TurnEnded, TurnRules, TurnStarted

MS = 24
RULES = TurnRules(prefix_padding_ms=100, silence_ms=200)


class Lingering(Loudness):
    """A detector that goes on hearing speech for a while, as Silero does."""

    def __init__(self) -> None:
        self.left = 0

    def speech(self, window: bytes) -> float:
        self.left = 5 if super().speech(window) else self.left - 1
        return 1.0 if self.left > 0 else 0.0


def buffer(rules: TurnRules | None = RULES) -> InputBuffer:
    made = InputBuffer(Loudness)
    made.detect(rules)
    return made


def feed(into: InputBuffer, pcm: bytes) -> list[TurnStarted | TurnEnded]:
    """Append in pieces of 20 ms."""
    changes = []
    for start in range(0, len(pcm), 960):
        changes += into.append(pcm[start : start + 960])
    return changes


def test_a_turn_is_found_and_taken_out_whole() -> None:
    pcm = silence(1000) + tone(500) + silence(400)
    made = buffer()

    started, ended = feed(made, pcm)

    assert isinstance(started, TurnStarted)
    assert isinstance(ended, TurnEnded)
    assert started.start_frame == pytest.approx(900 * MS, abs=40 * MS)
    assert ended.end_frame == pytest.approx(1700 * MS, abs=40 * MS)
    turn = made.take(ended.start_frame, ended.end_frame)
    assert turn == pcm[ended.start_frame * 2 : ended.end_frame * 2]


def test_positions_count_all_audio_ever_appended() -> None:
    made = buffer()
    pcm = tone(500) + silence(400)
    first = feed(made, pcm)
    made.take(first[1].start_frame, made.appended_frames)

    second = feed(made, pcm)

    assert second[0].start_frame == pytest.approx(800 * MS, abs=40 * MS)


def test_without_detection_nothing_is_looked_for() -> None:
    made = buffer(None)

    assert feed(made, tone(500)) == []
    assert not made.is_detecting
    assert not made.is_speaking


def test_a_detector_is_made_when_there_is_something_to_hear() -> None:
    made_detectors = []

    def make() -> Loudness:
        made_detectors.append(1)
        return Loudness()

    made = InputBuffer(make)
    made.detect(RULES)
    assert not made_detectors

    feed(made, tone(100))
    assert made_detectors == [1]


def test_a_commit_takes_everything_buffered() -> None:
    made = buffer(None)
    made.append(tone(300))

    assert made.frames == 300 * MS
    assert made.commit() == tone(300)
    assert made.frames == 0


def test_a_commit_during_a_detected_turn_takes_the_turn() -> None:
    made = buffer()
    feed(made, silence(1000) + tone(300))
    assert made.is_speaking

    committed = made.commit()

    assert len(committed) // 48 == pytest.approx(400, abs=40)
    assert not made.is_speaking


def test_clearing_drops_the_audio_and_the_turn() -> None:
    made = buffer()
    feed(made, tone(300))

    made.clear()

    assert made.frames == 0
    assert not made.is_speaking
    assert made.since(0) == b""
    assert feed(made, silence(500)) == []


def test_nothing_of_a_turn_that_was_taken_or_dropped_is_heard_in_what_follows() -> None:
    """A detector that remembers would go on hearing speech in the silence after it."""
    for let_go in (InputBuffer.commit, InputBuffer.clear):
        made = InputBuffer(Lingering)
        made.detect(RULES)
        feed(made, silence(500) + tone(333))
        let_go(made)

        assert feed(made, silence(1000)) == []


def test_a_closed_buffer_holds_nothing() -> None:
    made = buffer()
    feed(made, tone(300))

    made.close()

    assert made.since(0) == b""


def test_clearing_without_detection_is_fine() -> None:
    made = buffer(None)
    made.append(tone(100))
    made.clear()

    assert made.frames == 0


def test_audio_can_be_read_from_a_position_on() -> None:
    made = buffer(None)
    made.append(silence(100) + tone(100))

    assert made.since(100 * MS) == tone(100)
    assert made.since(0) == silence(100) + tone(100)


def test_rules_can_change_within_a_turn() -> None:
    made = buffer()
    feed(made, tone(300))

    made.detect(TurnRules(silence_ms=60))

    assert made.is_speaking
    (ended,) = feed(made, silence(150))
    assert isinstance(ended, TurnEnded)


def test_detection_that_is_switched_on_looks_at_what_comes() -> None:
    made = buffer(None)
    feed(made, tone(500))
    made.detect(RULES)

    (started,) = feed(made, tone(200))

    assert started.start_frame == pytest.approx(400 * MS, abs=10 * MS)


def test_detection_that_is_switched_off_ends_nothing() -> None:
    made = buffer()
    feed(made, tone(300))
    made.detect(None)

    assert feed(made, silence(500)) == []


def test_silence_before_speech_is_kept_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_KEPT_FRAMES", 500 * MS)
    made = buffer()

    feed(made, silence(2000))

    assert made.frames == 500 * MS
    assert made.dropped_frames == 0


def test_a_turn_that_is_too_long_loses_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_TURN_FRAMES", 500 * MS)
    made = buffer()

    started, ended = feed(made, tone(1000) + silence(300))

    assert made.dropped_frames > 0
    turn = made.take(started.start_frame, ended.start_frame + 1000 * MS)
    assert len(turn) // 48 <= 500
