import asyncio
import contextlib
import logging
import os
import signal
from pathlib import Path

import pytest

from tests.local.checkpoint import Checkpoint, checkpoint
from tests.local.fakes import silence
from tests.local.speech import say, word_errors
from voiced.local import ears as module
from voiced.local.ears import SphinxEars, Turn

SENTENCES = (
    "hello there my friend",
    "i would like to hear some music",
)


def heard(ears: SphinxEars, pcm: bytes) -> Turn:
    """Return a finished turn."""
    turn = ears.listen()
    for start in range(0, len(pcm), 1920):
        turn.hear(pcm[start : start + 1920])
    turn.finish()
    return turn


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Put another program in the recogniser's place."""
    (folder / "recogniser.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "__file__", str(folder / "ears.py"))


ANSWERS_LENGTH = """
import json, struct, sys
header = struct.Struct("<cI")
name = None
while head := sys.stdin.buffer.read(header.size):
    kind, length = header.unpack(head)
    data = sys.stdin.buffer.read(length)
    if kind == b"S":
        if name is not None:
            sys.exit("one turn begins inside another")
        name, size = data.decode(), 0
    elif kind == b"X":
        name = None
    elif kind == b"A":
        size += length
    elif kind == b"E":
        print(json.dumps({"name": name, "words": f"{size} bytes"}), flush=True)
        name = None
"""


@pytest.fixture
def counting_ears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SphinxEars:
    """Give ears whose workers tell how many bytes they heard."""
    program(tmp_path, monkeypatch, ANSWERS_LENGTH)
    return SphinxEars(max_workers=2)


async def test_spoken_sentences_are_understood_but_for_a_word_in_ten() -> None:
    errors = 0
    async with SphinxEars(max_workers=1) as ears:
        for sentence in SENTENCES:
            pcm = silence(300) + say(sentence) + silence(500)
            errors += word_errors(sentence, await heard(ears, pcm).words() or "")

    assert errors <= sum(len(sentence.split()) for sentence in SENTENCES) / 10


async def test_silence_has_no_words() -> None:
    async with SphinxEars(max_workers=1) as ears:
        assert await heard(ears, silence(500)).words() == ""


async def test_a_worker_is_used_again(counting_ears: SphinxEars) -> None:
    async with counting_ears as ears:
        for _ in range(3):
            assert str(await heard(ears, silence(1000)).words()).endswith(" bytes")
        assert len(ears._all) == 1


async def test_audio_comes_at_sixteen_kilohertz_and_whole(counting_ears: SphinxEars) -> None:
    async with counting_ears as ears:
        words = await heard(ears, silence(1000)).words()

    assert words is not None
    assert int(words.split()[0]) == pytest.approx(32_000, abs=200)


async def test_turns_at_the_same_time_have_workers_of_their_own(counting_ears: SphinxEars) -> None:
    async with counting_ears as ears:
        lengths = await asyncio.gather(
            *(heard(ears, silence(100 * n)).words() for n in range(1, 5))
        )
        assert len(ears._all) == 2

    sizes = [int(str(length).split()[0]) for length in lengths]
    assert sizes == sorted(sizes)


async def test_a_turn_without_audio_needs_no_worker(counting_ears: SphinxEars) -> None:
    async with counting_ears as ears:
        turn = ears.listen()
        turn.finish()
        assert await turn.words() == ""
        assert not ears._all


async def test_audio_may_come_when_the_recogniser_is_already_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with checkpoint(tmp_path) as point, SphinxEars(max_workers=1) as ears:
        told = ANSWERS_LENGTH.replace("size += length", "size += length; checkpoint()")
        program(tmp_path, monkeypatch, point.code + told)
        turn = ears.listen()
        words = asyncio.create_task(turn.words(), name="words")
        for _ in range(2):
            await asyncio.sleep(0)
            turn.hear(silence(100))
            await point.reached()
        turn.finish()
        await point.reached()

        assert int(str(await words).split()[0]) == pytest.approx(6_400, abs=200)


async def test_an_answer_to_a_dropped_turn_is_not_taken_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with checkpoint(tmp_path) as point, SphinxEars(max_workers=1) as ears:
        slow = ANSWERS_LENGTH.replace("print(json", "name == '1' and checkpoint(); print(json")
        program(tmp_path, monkeypatch, point.code + slow)
        held = await drop(heard(ears, silence(100)), point)
        words = asyncio.create_task(heard(ears, silence(1000)).words(), name="words")
        held.close()

        assert int(str(await words).split()[0]) == pytest.approx(32_000, abs=200)


async def test_only_the_beginning_of_an_endless_turn_is_heard(
    counting_ears: SphinxEars, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_TURN_MS", 200)
    async with counting_ears as ears:
        words = await heard(ears, silence(5000)).words()

    assert words is not None
    assert int(words.split()[0]) < 20_000


async def test_a_long_turn_is_heard_in_segments(
    counting_ears: SphinxEars, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEGMENT_BYTES", 48_000)
    async with counting_ears as ears:
        words = await heard(ears, silence(3000)).words()

    assert words is not None
    assert words.count("bytes") == 3


async def test_a_turn_that_pauses_gives_its_worker_back(
    counting_ears: SphinxEars, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    async with counting_ears as ears, asyncio.TaskGroup() as tasks:
        turns = [ears.listen() for _ in range(3)]
        words = [tasks.create_task(turn.words()) for turn in turns]
        for turn in turns:
            turn.hear(silence(100))

        last = await heard(ears, silence(100)).words()

        assert last is not None
        for turn in turns:
            turn.hear(silence(100))
            turn.finish()
        for task in words:
            assert str(await task).endswith("bytes")


async def drop(turn: Turn, point: Checkpoint) -> asyncio.StreamWriter:
    """Drop a turn when its worker is at the checkpoint, and hold the worker there."""
    words = asyncio.create_task(turn.words(), name="words")
    held = await point.held()
    words.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await words
    return held


async def test_a_turn_that_is_dropped_leaves_its_worker_fit_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with checkpoint(tmp_path) as point, SphinxEars(max_workers=1) as ears:
        program(tmp_path, monkeypatch, f"{point.code}\ncheckpoint()\n{ANSWERS_LENGTH}")
        turn = ears.listen()
        turn.hear(silence(500))
        held = await drop(turn, point)
        held.close()

        assert str(await heard(ears, silence(1000)).words()).endswith("bytes")
        assert len(ears._all) == 1


async def test_without_pocketsphinx_the_words_are_unknown_and_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    program(tmp_path, monkeypatch, "raise SystemExit(3)")
    async with SphinxEars(max_workers=1) as ears:
        with caplog.at_level(logging.WARNING):
            told = [await heard(ears, silence(1000)).words() for _ in range(3)]

    assert told == [None, None, None]
    assert caplog.text.count("pip install 'voiced[local]'") == 1


async def test_a_worker_that_dies_is_replaced(
    counting_ears: SphinxEars, caplog: pytest.LogCaptureFixture
) -> None:
    async with counting_ears as ears:
        await heard(ears, silence(100)).words()
        (worker,) = ears._all
        os.kill(worker._process.pid, signal.SIGKILL)
        await worker._process.wait()

        assert await heard(ears, silence(100)).words() is None
        assert str(await heard(ears, silence(100)).words()).endswith("bytes")

    assert "ended with status -9" in caplog.text


async def test_a_worker_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_S", 0.01)
    async with checkpoint(tmp_path) as point:
        program(tmp_path, monkeypatch, f"{point.code}\ncheckpoint()")
        async with SphinxEars(max_workers=1) as ears:
            held = await drop(heard(ears, silence(100)), point)
            (worker,) = ears._all
        held.close()

    assert worker._process.returncode == -signal.SIGKILL
