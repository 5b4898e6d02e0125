"""The samples of the protocol and this server agree on what an event looks like."""

import json
from pathlib import Path
from typing import Final

import pytest

from tests.local.client import ORDER, Client, check, part, reply_order, session
from tests.local.fakes import Failing, Notes, Script, Thinking, equipment, silence, tone
from voiced.local.shapes import Json

SAMPLES: Final = Path(__file__).parents[1] / "data" / "realtime_sample_sequences.json"
TURN: Final = silence(400) + tone(500) + silence(700)

OURS_ALONE: Final = {
    "conversation.item.input_audio_transcription.completed": {"logprobs"},
    "conversation.item.input_audio_transcription.delta": {"logprobs"},
}
"""Fields of the official types that the samples leave out."""


def samples() -> dict[str, list[Json]]:
    """Return the sample server events of the documented service, by type."""
    sequences = json.loads(SAMPLES.read_text(encoding="utf-8"))["sequences"]
    found: dict[str, list[Json]] = {}
    for sequence in sequences.values():
        for frame in sequence["frames"]:
            if sequence["validate"] and frame["dir"] == "s2c":
                found.setdefault(frame["ev"]["type"], []).append(frame["ev"])
    return found


async def talk(client: Client) -> None:
    """Go through everything that can be said in a session."""
    await client.configure(audio={"input": {"transcription": {"model": "any"}}})
    await client.say(TURN)
    done = part(await client.until("response.done"), "response")
    item_id = part(done, "output", 0)["id"]
    await client.send(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=50
    )
    await client.until("conversation.item.truncated")
    await client.reply(output_modalities=["text"], metadata={"k": "v"})
    await client.reply(conversation="none", input=[])
    await client.send("conversation.item.retrieve", item_id=item_id)
    await client.until("conversation.item.retrieved")
    await client.send("conversation.item.delete", item_id=item_id)
    await client.until("conversation.item.deleted")
    await client.detect()
    await client.say(tone(200))
    await client.send("input_audio_buffer.clear")
    await client.until("input_audio_buffer.cleared")
    await client.write("written")
    for item in (
        {"type": "function_call", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "42"},
    ):
        await client.send("conversation.item.create", item=item)
        await client.until("conversation.item.done")
    await client.settled()


@pytest.fixture
async def events() -> list[Json]:
    """Give everything a talkative server has said."""
    brain = Script(["Some words. ", "More."], ["Written."], ["Aside."])
    async with session(equipment(brain=brain, ears=Notes("hello"))) as client:
        await talk(client)
    async with session(equipment(brain=Failing())) as failing:
        await failing.reply()
    async with session(equipment(brain=Thinking("Well. "))) as interrupted:
        await interrupted.send("response.create")
        await interrupted.until("response.output_audio.delta")
        await interrupted.say(TURN)
        await interrupted.until("response.done")
    return client.events + failing.events + interrupted.events


@pytest.mark.repository
async def test_every_event_has_the_fields_of_the_samples_and_no_others(
    events: list[Json],
) -> None:
    known = samples()
    seen = {str(event["type"]) for event in events}
    for event in events:
        kind = str(event["type"])
        if kind not in known:
            continue
        expected = set().union(*(sample.keys() for sample in known[kind]))
        assert set(event) - OURS_ALONE.get(kind, set()) == expected, kind
        for inner in {"response", "session"} & event.keys():
            assert part(event, inner).keys() == part(known[kind][0], inner).keys(), kind

    spoken_by_service = {
        kind for kind in known if not kind.startswith(("mcp", "response.mcp", "response.function"))
    }
    assert spoken_by_service - seen <= {
        "input_audio_buffer.timeout_triggered",  # tested where its clock is short
        "input_audio_buffer.dtmf_event_received",  # telephones only
    }


async def test_every_reply_keeps_the_documented_order(events: list[Json]) -> None:
    finished = [letters for letters in reply_order(events).values() if letters.endswith("D")]

    assert len(finished) >= 5
    assert all(ORDER.fullmatch(letters) for letters in finished)


async def test_every_event_id_is_there_once(events: list[Json]) -> None:
    ids = [event["event_id"] for event in events]

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.audio.delta", "event_id": "e", "delta": "AA"},
        {"type": "input_audio_buffer.speech_started", "event_id": "e", "item_id": "i"},
        {"type": "input_audio_buffer.cleared", "event_id": "e", "extra": 1},
        {"type": "conversation.item.deleted", "event_id": "e"},
    ],
)
def test_the_check_itself_finds_what_is_wrong(event: Json) -> None:
    with pytest.raises((AssertionError, ValueError)):
        check(event)


def test_the_check_accepts_the_samples() -> None:
    for event in samples()["input_audio_buffer.committed"]:
        check(event)
