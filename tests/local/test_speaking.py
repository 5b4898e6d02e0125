"""The assistant's side, through a real connection; the brain says what is written."""

import asyncio
import base64
import re

import pytest

from tests.local.client import Client, part, reply_order, session
from tests.local.fakes import Failing, Notes, Script, Thinking, Tones, equipment, silence, tone
from voiced.local import speaking
from voiced.local.brain import Line
from voiced.local.shapes import Json

TURN = silence(400) + tone(500) + silence(700)


def audio_ms(client: Client) -> int:
    """Return how much the server has sent."""
    deltas = client.of_kind("response.output_audio.delta")
    return sum(len(base64.b64decode(str(event["delta"]))) for event in deltas) // 48


async def thinking(client: Client, **response: object) -> tuple[str, str]:
    """Start a reply that has begun to speak; return the ids of response and item."""
    await client.send("response.create", response=response)
    created = await client.until("response.created")
    added = await client.until("response.content_part.added")
    return str(part(created, "response")["id"]), str(added["item_id"])


async def test_a_spoken_reply_tells_its_events_in_the_documented_order() -> None:
    async with session(equipment(brain=Script(["One two. ", "Three."]))) as client:
        done = await client.reply()

    (letters,) = reply_order(client.events).values()
    assert re.fullmatch(r"COAP(ta+)+BTQIJD", letters)
    assert done["status"] == "completed"
    assert done["status_details"] is None
    assert part(done, "output", 0)["content"] == [
        {"type": "output_audio", "transcript": "One two. Three."}
    ]


async def test_a_written_reply_tells_its_events_and_needs_no_voice() -> None:
    voice = Tones()
    async with session(equipment(voice=voice, brain=Script(["One. ", "Two."]))) as client:
        await client.configure(output_modalities=["text"])
        done = await client.reply()

    (letters,) = reply_order(client.events).values()
    assert letters == "COAPxxXQIJD"
    assert part(done, "output", 0)["content"] == [{"type": "output_text", "text": "One. Two."}]
    assert done["output_modalities"] == ["text"]
    assert voice.asked == []


async def test_the_brain_is_given_the_conversation_and_the_instructions() -> None:
    brain = Script(["Yes."])
    async with session(equipment(brain=brain, ears=Notes("and spoken"))) as client:
        await client.configure(instructions="Be a clock.")
        await client.write("Written")
        await client.say(TURN)
        await client.until("response.done")

    assert brain.given == [
        ([Line("user", "Written"), Line("user", "and spoken", 1356)], "Be a clock.")
    ]


async def test_a_reply_answers_the_conversation_as_it_was_when_it_was_asked_for() -> None:
    brain, ears = Script(["Yes."]), Notes("first", "second")
    ears.can_tell.clear()
    async with session(equipment(brain=brain, ears=ears)) as client:
        await client.detect(type="server_vad", interrupt_response=False)
        await client.say(TURN)
        await client.until("response.created")
        await client.say(TURN)
        await client.until("conversation.item.done")
        await client.error()
        ears.can_tell.set()
        await client.until("response.done")

    assert [line.text for line in brain.given[0][0]] == ["first"]


async def test_usage_counts_the_whole_conversation_each_time() -> None:
    async with session(equipment(brain=Script(["x" * 40], ["y" * 40]))) as client:
        await client.configure(instructions="")
        await client.write("z" * 40)
        first = part(await client.reply(), "usage")
        second = part(await client.reply(), "usage")

    assert part(first, "input_token_details")["text_tokens"] == 10
    assert part(first, "output_token_details") == {"text_tokens": 10, "audio_tokens": 8}
    assert first["total_tokens"] == 28
    assert part(second, "input_token_details")["text_tokens"] == 20
    assert part(second, "input_token_details")["audio_tokens"] == 8


async def test_a_response_can_differ_from_the_session() -> None:
    voice, brain = Tones(), Script(["A sentence."], ["Again."])
    async with session(equipment(voice=voice, brain=brain)) as client:
        done = await client.reply(
            instructions="Whisper.",
            audio={"output": {"voice": "ash", "format": {"type": "audio/pcmu"}}},
            max_output_tokens=500,
            metadata={"topic": "tides"},
        )
        again = await client.reply()

    assert brain.given[0][1] == "Whisper."
    assert voice.asked[0] == ("A sentence.", "ash", 1.0)
    assert done["metadata"] == {"topic": "tides"}
    assert done["max_output_tokens"] == 500
    assert done["audio"] == {"output": {"format": {"type": "audio/pcmu"}, "voice": "ash"}}
    assert again["metadata"] is None
    assert voice.asked[1][1] == "marin"


async def test_the_metadata_is_there_from_the_beginning() -> None:
    async with session(equipment()) as client:
        await client.reply(metadata={"k": "v"})

    (created,) = client.of_kind("response.created")
    response = part(created, "response")
    assert response["metadata"] == {"k": "v"}
    assert response["status"] == "in_progress"
    assert response["usage"] is None


async def test_a_reply_too_long_is_incomplete() -> None:
    async with session(equipment(brain=Script(["Many many words. "] * 40))) as client:
        done = await client.reply(max_output_tokens=30)

    assert done["status"] == "incomplete"
    assert done["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert part(done, "output", 0)["status"] == "incomplete"


async def test_speech_cancels_the_reply_that_is_being_generated() -> None:
    brain = Thinking("The tide turns twice a day. ")
    async with session(equipment(brain=brain)) as client:
        response_id, item_id = await thinking(client)
        await client.say(tone(200))
        await client.until("input_audio_buffer.speech_started")
        done = part(await client.until("response.done"), "response")
        await brain.is_stopped.wait()
        await client.settled()

    assert done["id"] == response_id
    assert done["status"] == "cancelled"
    assert done["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert part(done, "output", 0)["status"] == "incomplete"
    at = client.kinds().index("input_audio_buffer.speech_started")
    assert client.kinds()[at + 1 : at + 8] == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert "conversation.item.truncated" not in client.kinds()
    assert item_id == part(done, "output", 0)["id"]


async def test_speech_cancels_a_reply_that_has_not_begun() -> None:
    brain = Thinking()
    async with session(equipment(brain=brain)) as client:
        await client.send("response.create")
        await client.until("response.created")
        await brain.is_thinking.wait()
        await client.say(tone(200))
        done = part(await client.until("response.done"), "response")

    assert done["status"] == "cancelled"
    assert done["output"] == []


async def test_speech_after_the_reply_was_generated_cancels_nothing() -> None:
    async with session(equipment()) as client:
        await client.reply()
        await client.say(tone(200))
        await client.until("input_audio_buffer.speech_started")
        await client.settled()

    assert client.kinds()[-2:] == ["input_audio_buffer.speech_started", "error"]


async def test_without_interrupt_response_the_reply_goes_on() -> None:
    async with session(equipment(brain=Thinking("Well. "))) as client:
        await client.detect(type="server_vad", interrupt_response=False)
        response_id, _ = await thinking(client)
        await client.say(TURN)
        await client.until("conversation.item.done")
        error = await client.error()
        await client.send("response.cancel", response_id=response_id)
        done = part(await client.until("response.done"), "response")

    assert error["code"] == "conversation_already_has_active_response"
    assert error["event_id"] is None
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}


async def test_without_create_response_a_turn_makes_no_reply() -> None:
    async with session(equipment()) as client:
        await client.detect(type="server_vad", create_response=False)
        await client.say(TURN)
        await client.until("conversation.item.done")
        await client.settled()

    assert "response.created" not in client.kinds()


@pytest.mark.parametrize("is_named", [True, False])
async def test_the_client_cancels_by_id_or_without(is_named: bool) -> None:
    async with session(equipment(brain=Thinking("Well. "))) as client:
        response_id, _ = await thinking(client)
        named = {"response_id": response_id} if is_named else {}
        await client.send("response.cancel", **named)
        done = part(await client.until("response.done"), "response")

    assert done["id"] == response_id
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}


async def test_nothing_of_a_cancelled_reply_comes_after_its_end() -> None:
    brain = Script(["A sentence that goes on for quite a while, really. "] * 20)
    async with session(equipment(brain=brain, pace=1.0)) as client:
        response_id, _ = await thinking(client)
        await client.send("response.cancel", response_id=response_id)
        await client.until("response.done")
        await client.until("rate_limits.updated")
        count = len(client.events)
        await client.settled()

    assert client.kinds()[count:] == ["error"]


@pytest.mark.parametrize("fields", [{}, {"response_id": "resp_x"}])
async def test_what_is_not_running_cannot_be_cancelled(fields: Json) -> None:
    async with session(equipment()) as client:
        await client.reply()
        await client.send("response.cancel", event_id="c1", **fields)
        error = await client.error()

    assert error == {
        "type": "invalid_request_error",
        "code": "response_cancel_not_active",
        "message": "Cancellation failed: no active response found",
        "param": None,
        "event_id": "c1",
    }


async def test_a_second_reply_is_refused_while_one_is_generated() -> None:
    async with session(equipment(brain=Thinking("Well. "))) as client:
        response_id, _ = await thinking(client)
        await client.send("response.create", event_id="c2")
        error = await client.error()
        await client.settled()

    assert error["code"] == "conversation_already_has_active_response"
    assert error["message"] == (
        f"Conversation already has an active response in progress: {response_id}. Wait until the "
        "response is finished before creating a new one."
    )
    assert error["event_id"] == "c2"
    assert client.kinds().count("response.created") == 1


async def test_a_response_outside_the_conversation_runs_beside_and_leaves_no_trace() -> None:
    brain = Thinking("Well. ")
    async with session(equipment(brain=brain)) as client:
        main, _ = await thinking(client)
        aside, item = await thinking(
            client, conversation="none", metadata={"for": "me"}, output_modalities=["text"]
        )
        await client.say(tone(200))
        interrupted = part(await client.until("response.done"), "response")
        await client.settled()
        await client.send("response.cancel", response_id=aside)
        cancelled = part(await client.until("response.done"), "response")
        await client.send("conversation.item.retrieve", item_id=item)
        error = await client.error()

    assert interrupted["id"] == main
    assert cancelled["id"] == aside
    assert cancelled["conversation_id"] is None
    assert str(interrupted["conversation_id"]).startswith("conv_")
    assert error["code"] == "item_retrieve_invalid_item_id"


async def test_a_response_can_have_a_context_of_its_own() -> None:
    brain = Script(["Yes."])
    async with session(equipment(brain=brain, ears=Notes("spoken"))) as client:
        written = await client.write("In the conversation")
        await client.reply(
            conversation="none",
            input=[
                {"type": "item_reference", "id": written},
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "Aside"}],
                },
                {
                    "type": "message",
                    "role": "user",
                    "content": [
                        {"type": "input_audio", "audio": base64.b64encode(tone(300)).decode()}
                    ],
                },
            ],
        )

    assert brain.given[0][0] == [
        Line("user", "In the conversation"),
        Line("user", "Aside"),
        Line("user", "spoken", 300),
    ]


async def test_an_empty_context_is_no_context() -> None:
    brain = Script(["Yes."])
    async with session(equipment(brain=brain)) as client:
        await client.write("In the conversation")
        await client.reply(input=[])

    assert brain.given[0][0] == []


@pytest.mark.parametrize(
    ("entry", "param"),
    [
        ({"type": "item_reference", "id": "x"}, "response.input[0].id"),
        ({"type": "item_reference"}, "response.input[0].id"),
        ({"type": "message", "role": "user"}, "response.input[0].content"),
    ],
)
async def test_a_context_that_makes_no_sense_starts_nothing(entry: Json, param: str) -> None:
    async with session(equipment()) as client:
        await client.send("response.create", response={"input": [entry]})
        error = await client.error()
        done = await client.reply()

    assert error["param"] == param
    assert done["status"] == "completed"
    assert client.kinds().count("response.created") == 1


async def test_only_so_many_responses_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "MOST_ASIDE", 1)
    async with session(equipment(brain=Thinking("Well. "))) as client:
        await thinking(client)
        await thinking(client, conversation="none")
        await client.send("response.create", response={"conversation": "none"})
        error = await client.error()

    assert error["code"] == "rate_limit_exceeded"


async def test_responses_aside_do_not_keep_the_conversation_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speaking, "MOST_ASIDE", 1)
    async with session(equipment(brain=Thinking("Well. "))) as client:
        await thinking(client, conversation="none")
        await thinking(client)

    assert client.kinds().count("response.created") == 2


async def test_a_brain_that_fails_fails_its_response_and_not_the_session() -> None:
    async with session(equipment(brain=Failing())) as client:
        done = await client.reply()
        again = await client.reply()

    assert done["status"] == again["status"] == "failed"
    assert done["status_details"] == {
        "type": "failed",
        "error": {
            "type": "server_error",
            "code": "brain_failed",
            "message": "The rest has slipped my mind.",
        },
    }


async def test_without_a_voice_written_replies_still_come() -> None:
    async with session(equipment(voice=Failing())) as client:
        spoken = await client.reply()
        written = await client.reply(output_modalities=["text"])

    assert spoken["status"] == "failed"
    assert part(spoken, "status_details", "error")["code"] == "voice_failed"
    assert written["status"] == "completed"


async def test_a_truncated_reply_is_what_the_brain_sees_next() -> None:
    brain = Script(["one two three four"], ["Yes."])
    async with session(equipment(brain=brain)) as client:
        done = await client.reply()
        item_id = part(done, "output", 0)["id"]
        await client.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=90
        )
        await client.until("conversation.item.truncated")
        await client.reply()

    assert brain.given[1][0] == [Line("assistant", "one two")]


async def test_a_reply_can_be_truncated_while_it_is_generated() -> None:
    async with session(equipment(brain=Thinking("one two three four five. "))) as client:
        response_id, item_id = await thinking(client)
        await client.until("response.output_audio.delta")
        await client.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=100
        )
        truncated = await client.until("conversation.item.truncated")
        await client.send("response.cancel", response_id=response_id)
        await client.until("response.done")
        await client.send("conversation.item.retrieve", item_id=item_id)
        retrieved = await client.until("conversation.item.retrieved")

    assert (truncated["item_id"], truncated["audio_end_ms"]) == (item_id, 100)
    content = part(retrieved, "item", "content", 0)
    assert len(base64.b64decode(str(content["audio"]))) == 100 * 48
    assert content["transcript"] == "one two"


async def test_sound_leaves_at_a_multiple_of_real_time() -> None:
    text = "A sentence that takes a while. " * 50
    async with session(equipment(brain=Script([text]), pace=50.0)) as client:
        await client.send("response.create")
        await client.until("response.output_audio.delta")
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await client.until("response.done")
        took_s = loop.time() - began_s

    # Never sooner than the pace allows; on a busy machine later, but not at real time.
    sounds_s = (audio_ms(client) - 200) / 1000
    assert 0.7 * sounds_s / 50 < took_s < 0.7 * sounds_s
