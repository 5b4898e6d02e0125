import asyncio
import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from voiced import interruptions as module
from voiced.audio.recorder import Recorder
from voiced.audio.trace import Trace
from voiced.conversation import events as ev
from voiced.conversation import sound_events as se
from voiced.conversation.status import Interruption
from voiced.errors import ConfigError
from voiced.interruptions import KEPT, Interruptions, runs

LOUD = np.full(240, 16_384, "<i2").tobytes()
QUIET = bytes(480)


class Desk:
    """Interruptions of which the time after has passed at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, recorder_s: int = 0) -> None:
        monkeypatch.setattr(module, "AFTER_S", 0.0)
        self.recorder = Recorder(recorder_s)
        self.trace = Trace(self.recorder)
        self.kept = Interruptions(self.trace, self.recorder, 0.5)
        self.now_s = asyncio.get_running_loop().time()

    def sound(self, at_s: float, *, probability: float | None = None) -> None:
        """Let 10 ms pass."""
        is_voice = probability is not None
        self.trace.note(at_s, LOUD, QUIET, LOUD, is_voice=is_voice, probability=probability)

    def told(self, number: int = 1, *, confirmed: bool = True, **more: float | None) -> None:
        """Let an interruption be over."""
        told = Interruption("local", 4.0, 900, "i", confirmed, number, self.now_s - 1.0)
        fields: dict[str, Any] = {"sound_to_cut_ms": 160.0} | more
        self.kept.told(replace(told, **fields))

    async def timeline(self, number: int | None = None) -> dict[str, Any]:
        return await self.kept.timeline({} if number is None else {"number": str(number)})


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def names(report: dict[str, Any]) -> list[str]:
    return [mark["name"] for mark in report["marks"]]


async def test_what_was_around_an_interruption_is_kept_as_levels(desk: Desk) -> None:
    for at_s in (-9.0, -1.1, -0.9):
        desk.sound(desk.now_s + at_s, probability=0.75 if at_s > -1 else None)
    desk.told()
    report = await desk.timeline()

    assert report["frames"] == {
        "at_ms": [-100.0, 100.0],
        "microphone_dbfs": [-6.0, -6.0],
        "cancelled_dbfs": [-96.0, -96.0],
        "loudspeaker_dbfs": [-6.0, -6.0],
        "voice": [0, 1],
        "probability": [None, 0.75],
    }
    assert (report["start_ms"], report["speech_probability"]) == (-1500.0, 0.5)
    assert report["interruption"]["number"] == 1
    assert report["sound"] is None


async def test_what_happened_is_marked_in_the_order_of_its_times(desk: Desk) -> None:
    desk.kept.happened(se.VoiceSuspected(desk.now_s - 1.0))
    desk.kept.ducked(-14.0)
    desk.kept.happened(ev.Received(1, ev.SpeechStarted("u")))
    desk.kept.happened(se.VoiceConfirmed(desk.now_s - 1.0))
    desk.kept.silenced(is_held=False)
    desk.kept.happened(se.MicrophoneFrames(b""))
    desk.kept.happened(se.PlaybackCut(1, (), desk.now_s - 0.5))
    desk.told()
    report = await desk.timeline()

    assert names(report) == [
        "first_sound",
        "silent",
        "suspected",
        "ducked",
        "server_heard",
        "confirmed",
        "cut",
    ]
    assert report["marks"][0] == {"at_ms": 0.0, "name": "first_sound", "gain_db": None}
    assert report["marks"][1]["at_ms"] == 500.0
    assert report["marks"][3]["gain_db"] == -14.0


async def test_words_that_were_given_back_are_marked_so(desk: Desk) -> None:
    desk.kept.silenced(is_held=True)
    desk.kept.happened(se.PlaybackHeld(1, desk.now_s))
    desk.kept.happened(se.VoiceDismissed())
    desk.kept.resumed()
    desk.kept.ducked(0.0)
    desk.told(confirmed=False)

    found = set(names(await desk.timeline()))
    assert found >= {"held", "silent", "dismissed", "resumed", "restored", "given_back"}


async def test_what_was_cut_is_not_told_to_be_as_loud_as_before(desk: Desk) -> None:
    desk.kept.silenced(is_held=False)
    desk.kept.ducked(0.0)
    desk.kept.ducked(-14.0)
    desk.kept.ducked(0.0)
    desk.told()

    assert names(await desk.timeline()) == ["first_sound", "cut", "ducked", "restored"]


async def test_without_a_first_sound_it_begins_when_it_was_noticed(desk: Desk) -> None:
    desk.told(at_s=0.0, sound_to_cut_ms=None)

    assert names(await desk.timeline()) == ["noticed"]


async def test_what_tells_when_it_was_noticed_is_marked_alone(desk: Desk) -> None:
    desk.kept.silenced(is_held=False)
    desk.told(at_s=desk.kept._marks[0].at_s, sound_to_cut_ms=None)
    report = await desk.timeline()

    assert [(mark["name"], mark["at_ms"]) for mark in report["marks"]] == [("cut", 0.0)]


async def test_what_is_not_over_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AFTER_S", 0.2)
    desk.told()
    asked = asyncio.create_task(desk.timeline())
    await asyncio.sleep(0)
    assert not asked.done()
    desk.sound(asyncio.get_running_loop().time())

    assert len((await asked)["frames"]["at_ms"]) == 1


async def test_the_loudest_samples_are_kept_while_the_recorder_is_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(monkeypatch, recorder_s=5)
    desk.sound(desk.now_s - 1.0)
    desk.sound(desk.now_s - 0.99)
    desk.told()
    sound = (await desk.timeline())["sound"]

    assert (sound["rate_hz"], sound["start_ms"]) == (1000, -10.0)
    assert np.frombuffer(base64.b64decode(sound["loudspeaker"]), "<i2").tolist() == [16_384] * 20
    assert not any(base64.b64decode(sound["cancelled"]))
    assert desk.kept.recorder_s == 5


async def test_the_last_ones_are_kept_and_each_is_found_by_its_number(desk: Desk) -> None:
    for number in range(1, KEPT + 3):
        desk.told(number)

    assert (await desk.timeline(4))["interruption"]["number"] == 4
    assert (await desk.timeline())["interruption"]["number"] == KEPT + 2
    with pytest.raises(ConfigError, match="there is no interruption 2; there is: 3 to 52"):
        await desk.timeline(2)


async def test_where_nobody_interrupted_that_is_said(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="nobody has interrupted yet"):
        await desk.timeline()


async def test_the_figures_are_those_of_the_day(desk: Desk) -> None:
    desk.kept.ducked(-14.0)
    desk.kept.ducked(0.0)
    desk.told()
    before = desk.kept.stats()["interruptions"]
    desk.kept.happened(ev.NewDay())
    after = desk.kept.stats()["interruptions"]

    assert (before["total"], before["ducks"]) == (1, 1)
    assert (after["total"], after["ducks"]) == (0, 0)
    assert await desk.timeline(1)


def test_numbers_are_told_as_people_write_them() -> None:
    assert runs([7, 1, 3, 2, 9, 10]) == "1 to 3, 7, 9 to 10"


@pytest.mark.parametrize("is_off", [True, False])
async def test_sound_that_the_recorder_forgets_is_forgotten_here(
    monkeypatch: pytest.MonkeyPatch, *, is_off: bool
) -> None:
    desk = Desk(monkeypatch, recorder_s=5)
    desk.sound(desk.now_s - 0.5)
    desk.told()
    assert (await desk.timeline())["sound"] is not None

    desk.recorder.resize(3)
    assert (await desk.timeline())["sound"] is not None
    if is_off:
        desk.recorder.resize(0)
    else:
        desk.recorder.clear()

    report = await desk.timeline()
    assert report["sound"] is None
    assert report["frames"]["at_ms"] == [500.0]
