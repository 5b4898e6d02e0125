import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from tests.local.fakes import Failing, Script, Thinking, Tones, equipment
from tests.rig.clock import in_no_time
from voiced.local import events as ev
from voiced.local.brain import Line
from voiced.local.reply import PIECE_MS, Pacer, Reply
from voiced.local.response import Manner, Response
from voiced.local.scene import Equipment

SPEAK = Manner("Be brief.", "audio", "marin", 1.25, "audio/pcm", None, None)
WRITE = replace(SPEAK, modality="text")


@dataclass
class Stage:
    """A stage without an audience."""

    told: list[ev.Event] = field(default_factory=list)
    rooms: int = 0

    def tell(self, events: Iterable[ev.Event]) -> None:
        self.told += events

    async def room(self) -> None:
        self.rooms += 1

    async def lines(self) -> Sequence[Line]:
        return [Line("user", "Hi")]

    def transcript(self) -> str:
        return "".join(event.delta for event in self.told if isinstance(event, ev.TranscriptDelta))

    def pieces(self) -> list[int]:
        """Return the milliseconds of each piece of sound."""
        return [len(event.delta) // 48 for event in self.told if isinstance(event, ev.AudioDelta)]


async def given(
    made: Equipment, manner: Manner = SPEAK
) -> tuple[ev.StatusDetails, Stage, Response]:
    stage, response = Stage(), Response.new(manner, None)
    return await Reply(response, made, stage).give(), stage, response


async def test_sentences_are_spoken_one_by_one_as_the_brain_finishes_them() -> None:
    voice = Tones()
    brain = Script(["One", " two. Thr", "ee four."])

    details, stage, response = await given(equipment(voice=voice, brain=brain))

    assert details.type == "completed"
    assert voice.asked == [("One two.", "marin", 1.25), ("Three four.", "marin", 1.25)]
    assert stage.transcript() == response.text == "One two. Three four."
    assert brain.given == [([Line("user", "Hi")], "Be brief.")]


async def test_sound_comes_in_pieces_and_all_of_it_comes() -> None:
    text = "This is one sentence of some length, to be cut into pieces."

    _, stage, response = await given(equipment(brain=Script([text])))

    pieces = stage.pieces()
    assert all(PIECE_MS // 2 <= piece <= PIECE_MS * 1.5 for piece in pieces)
    assert sum(pieces) == pytest.approx(len(text) * 10, abs=10)
    assert response.audio_ms == pytest.approx(sum(pieces), abs=len(pieces))


async def test_words_go_out_before_their_sound_and_not_long_before() -> None:
    text = "Words go out a little before their sound, so that one can read along."

    _, stage, _ = await given(equipment(brain=Script([text])))

    sounded_ms, shown = 0, ""
    for event in stage.told:
        match event:
            case ev.TranscriptDelta():
                shown += event.delta
            case ev.AudioDelta():
                sounded_ms += len(event.delta) // 48
                assert len(shown) >= min(len(text), sounded_ms / 10) - 1
                assert len(shown) <= sounded_ms / 10 + 30
            case _:
                pass


async def test_a_written_reply_comes_as_the_brain_writes_it() -> None:
    voice = Tones()

    details, stage, response = await given(
        equipment(voice=voice, brain=Script(["On", "e. Tw", "o."])), WRITE
    )

    deltas = [event.delta for event in stage.told if isinstance(event, ev.TextDelta)]
    assert details.type == "completed"
    assert deltas == ["On", "e. Tw", "o."]
    assert response.written.text == "One. Two."
    assert voice.asked == []


async def test_a_brain_that_says_nothing_makes_no_item() -> None:
    for manner in (SPEAK, WRITE):
        details, stage, response = await given(equipment(brain=Script([])), manner)

        assert details.type == "completed"
        assert not response.is_begun
        assert stage.told == []


async def test_a_brain_that_fails_ends_the_reply_with_what_was_said() -> None:
    details, stage, response = await given(equipment(brain=Failing()))

    assert details.type == "failed"
    assert details.error == ev.StatusError(
        code="brain_failed", message="The rest has slipped my mind."
    )
    assert stage.transcript() == response.text == "This much I know."


async def test_a_voice_that_fails_ends_a_spoken_reply_and_no_written_one() -> None:
    spoken, _, _ = await given(equipment(voice=Failing()))
    written, _, _ = await given(equipment(voice=Failing()), WRITE)

    assert spoken.error is not None
    assert spoken.error.code == "voice_failed"
    assert written.type == "completed"


@pytest.mark.parametrize("manner", [SPEAK, WRITE])
async def test_a_reply_ends_at_its_limit_of_tokens(manner: Manner) -> None:
    limited = replace(manner, max_output_tokens=20)
    sentence = "Many words and many more. "

    details, _, response = await given(equipment(brain=Script([sentence] * 50)), limited)

    assert details == ev.StatusDetails(type="incomplete", reason="max_output_tokens")
    assert 20 <= response.tokens < 35


async def test_a_limit_that_is_reached_between_sentences_stops_there() -> None:
    limited = replace(SPEAK, max_output_tokens=4)
    voice = Tones()

    await given(equipment(voice=voice, brain=Script(["A b c. ", "D e f. G h i. ", "J"])), limited)
    once = len(voice.asked)
    voice.asked.clear()
    await given(equipment(voice=voice, brain=Script(["A b c. D e f. G h i."])), limited)

    assert once == len(voice.asked) == 1


async def test_sound_can_be_had_in_the_telephones_format() -> None:
    _, stage, response = await given(
        equipment(brain=Script(["A sentence."])), replace(SPEAK, audio_format="audio/pcmu")
    )

    size = sum(len(event.delta) for event in stage.told if isinstance(event, ev.AudioDelta))
    assert size == pytest.approx(response.audio_ms * 8, abs=16)


async def test_a_text_without_sound_is_told_all_the_same() -> None:
    class Silent(Tones):
        async def speak(self, text: str, voice: str, speed: float):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a stub
            sound = await super().speak("", voice, speed)
            return replace(sound, pcm=b"")

    details, stage, _ = await given(equipment(voice=Silent(), brain=Script(["…"])))

    assert details.type == "completed"
    assert stage.transcript() == "…"
    assert stage.pieces() == []


async def test_the_client_is_waited_for_before_each_piece() -> None:
    _, stage, _ = await given(equipment(brain=Script(["A sentence for several pieces of sound."])))

    assert stage.rooms == len(stage.pieces())


async def test_a_reply_that_is_stopped_stops_its_brain() -> None:
    brain = Thinking("Well. ")
    reply = Reply(Response.new(WRITE, None), equipment(brain=brain), Stage())
    task = asyncio.create_task(reply.give(), name="reply")
    await brain.is_thinking.wait()

    task.cancel()

    await brain.is_stopped.wait()


@in_no_time
async def test_the_pace_is_kept_against_the_clock() -> None:
    loop = asyncio.get_running_loop()
    pacer = Pacer(10.0)
    times_s = []

    for sent_ms in range(0, 600, 100):
        await pacer.wait(sent_ms)
        times_s.append(loop.time())
        await asyncio.sleep(0.004)  # work that must not add up

    assert times_s == pytest.approx([0.0, 0.01, 0.02, 0.03, 0.04, 0.05])


@in_no_time
async def test_what_is_late_is_not_held_back() -> None:
    loop = asyncio.get_running_loop()
    pacer = Pacer(1.0, started_s=loop.time() - 60.0)

    await pacer.wait(50_000)
    late_s = loop.time()
    await pacer.wait(61_000)

    assert late_s == 0.0
    assert loop.time() == pytest.approx(1.0)


@in_no_time
async def test_without_a_pace_nothing_waits() -> None:
    pacer = Pacer(0.0)

    for sent_ms in range(0, 100_000, 1000):
        await pacer.wait(sent_ms)

    assert asyncio.get_running_loop().time() == 0.0


@in_no_time
async def test_it_is_known_when_a_reply_will_have_been_heard() -> None:
    reply = Reply(Response.new(SPEAK, None), equipment(brain=Script(["Ten chars."])), Stage())
    assert reply.silent_at_s == 0.0
    await asyncio.sleep(5.0)

    await reply.give()

    assert reply.silent_at_s == pytest.approx(5.1)
