"""One session, through a real connection; the errors are the service's own."""

import asyncio
import base64
import gc
import json
import logging
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from tests.local.client import Client, part, session
from tests.local.fakes import Loudness, Notes, Script, Thinking, equipment, silence, tone
from tests.rig.clock import in_no_time
from voiced.local.brain import Line
from voiced.local.scene import Equipment, Scene
from voiced.local.session import Desk
from voiced.local.session_config import SessionConfig, new_session
from voiced.local.shapes import Json


async def test_the_session_begins_with_its_settings() -> None:
    async with session(equipment(), query="model=gpt-realtime-2.1") as client:
        (created,) = client.events

    shown = part(created, "session")
    assert str(shown["id"]).startswith("sess_")
    assert shown["object"] == "realtime.session"
    assert shown["type"] == "realtime"
    assert shown["model"] == "gpt-realtime-2.1"
    assert isinstance(shown["expires_at"], int)


async def test_an_update_is_answered_with_the_whole_session() -> None:
    async with session(equipment()) as client:
        before = part(client.events[0], "session")
        after = await client.configure(
            instructions="Be brief.", tools=[{"type": "function", "name": "f"}]
        )

    assert after == {
        **before,
        "instructions": "Be brief.",
        "tools": [{"type": "function", "name": "f"}],
    }


async def test_the_voice_is_fixed_once_the_assistant_has_spoken() -> None:
    patch = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
    async with session(equipment()) as client:
        await client.configure(audio={"output": {"voice": "ash"}})
        await client.reply()
        await client.send("session.update", session=patch, event_id="c10")
        error = await client.error()
        unchanged = await client.configure(audio={"output": {"voice": "ash"}})

    assert error == {
        "type": "invalid_request_error",
        "code": "cannot_update_voice",
        "message": "Cannot update a conversation's voice if assistant audio is present.",
        "param": None,
        "event_id": "c10",
    }
    assert part(unchanged, "audio", "output")["voice"] == "ash"


ITEM = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
SPOKEN_ITEM = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_audio", "audio": "AAAA", "transcript": "hi"}],
}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"type": "session.update", "session": {"instructions": "x"}},
            ("missing_required_parameter", "session.type", "'session.type'"),
        ),
        (
            {"type": "session.update", "session": {"type": "realtime", "modalities": ["text"]}},
            ("unknown_parameter", "session.modalities", "Unknown parameter: 'session.modalities'."),
        ),
        (
            {"type": "input_audio_buffer.append", "audio": "not base64!"},
            (
                "invalid_value",
                "audio",
                "Invalid 'audio'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but "
                "got an invalid value.",
            ),
        ),
        (
            {"type": "input_audio_buffer.commit"},
            ("input_audio_buffer_commit_empty", None, "buffer only has 0.00ms of audio."),
        ),
        (
            {"type": "conversation.item.delete", "item_id": "item_X"},
            (
                "item_delete_invalid_item_id",
                "item_id",
                "Error deleting item: the item with id 'item_X' does not exist.",
            ),
        ),
        (
            {"type": "conversation.item.retrieve", "item_id": "item_X"},
            ("item_retrieve_invalid_item_id", "item_id", "Error retrieving item"),
        ),
        (
            {
                "type": "conversation.item.truncate",
                "item_id": "item_X",
                "content_index": 0,
                "audio_end_ms": 0,
            },
            (
                "item_truncate_invalid_item_id",
                "item_id",
                "Error truncating item: the item with id 'item_X' does not exist.",
            ),
        ),
        (
            {
                "type": "conversation.item.truncate",
                "item_id": "mine",
                "content_index": 0,
                "audio_end_ms": 0,
            },
            (
                "unsupported_content_type",
                None,
                "Only model output audio messages can be truncated",
            ),
        ),
        (
            {
                "type": "conversation.item.truncate",
                "item_id": "mine",
                "content_index": 0,
                "audio_end_ms": -20,
            },
            ("integer_below_min_value", "audio_end_ms", "integer below minimum value"),
        ),
        (
            {"type": "conversation.item.create", "item": {**ITEM, "id": "mine"}},
            ("item_create_duplicate_item_id", "item.id", "'mine' already exists"),
        ),
        (
            {"type": "conversation.item.create", "item": ITEM, "previous_item_id": "item_X"},
            ("item_create_invalid_previous_item_id", "previous_item_id", "'item_X'"),
        ),
        (
            {"type": "conversation.item.create", "item": SPOKEN_ITEM},
            ("missing_required_parameter", "item.content[0].text", "item.content[0].text"),
        ),
        (
            {"type": "response.cancel"},
            (
                "response_cancel_not_active",
                None,
                "Cancellation failed: no active response found",
            ),
        ),
        (
            {"type": "output_audio_buffer.clear"},
            ("invalid_value", "type", "only for WebRTC and SIP"),
        ),
        ({"type": "session.begin"}, ("invalid_value", "type", "Invalid value: 'session.begin'")),
    ],
)
async def test_a_refused_event_is_told_with_code_place_and_its_id(
    event: Json, expected: tuple[str, str | None, str]
) -> None:
    async with session(equipment()) as client:
        await client.send("conversation.item.create", item={**ITEM, "id": "mine"})
        await client.until("conversation.item.done")
        await client.socket.send(json.dumps({**event, "event_id": "c1"}))
        error = await client.error()
        await client.settled()

    code, param, message = expected
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "c1")
    assert message in str(error["message"])
    assert error["type"] == "invalid_request_error"
    assert client.kinds()[3:] == ["error", "error"]


async def test_a_reply_cannot_be_truncated_where_it_has_no_sound() -> None:
    async with session(equipment(brain=Script(["x" * 370]))) as client:
        done = await client.reply()
        item_id = part(done, "output", 0)["id"]
        fields = {"item_id": item_id, "content_index": 0, "audio_end_ms": 3760}
        await client.send("conversation.item.truncate", event_id="c4", **fields)
        error = await client.error()
        await client.send("conversation.item.truncate", **{**fields, "audio_end_ms": 3700})
        await client.until("conversation.item.truncated")

    assert error["code"] == "invalid_value"
    assert error["message"] == "Audio content of 3700ms is already shorter than 3760ms"


@pytest.mark.parametrize(
    "message",
    [b"\x00\x01", b'{"type": "response.create"}', "", "{", "[]", "0", '"x"', "{}", '{"type": {}}'],
)
async def test_garbage_gets_one_error_and_the_session_goes_on(message: str | bytes) -> None:
    async with session(equipment()) as client:
        await client.socket.send(message)
        await client.error()
        await client.settled()

    assert client.kinds() == ["session.created", "error", "error"]


async def test_a_frame_too_big_for_an_event_gets_an_error_and_the_session_goes_on() -> None:
    async with session(equipment()) as client:
        await client.send("input_audio_buffer.append", audio="A" * (24 * 1024 * 1024))
        error = await client.error()
        await client.settled()

    assert (error["code"], error["param"]) == ("invalid_value", "audio")


async def test_a_frame_beyond_all_measure_closes_only_its_session() -> None:
    async def send_and_wait(client: Client) -> None:
        await client.socket.send(["x" * 1024 * 1024] * 65)
        await client.next()

    async with session(equipment()) as client:
        with pytest.raises(ConnectionClosedError) as caught:
            await send_and_wait(client)

    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009


async def test_items_go_where_they_are_put() -> None:
    async with session(equipment()) as client:
        first = await client.write("one")
        second = await client.write("two")
        between = await client.write("between", previous_item_id=first)
        at_front = await client.write("front", previous_item_id="root")

    places = [event["previous_item_id"] for event in client.of_kind("conversation.item.added")]
    assert places == [None, first, first, None]
    assert len({first, second, between, at_front}) == 4


async def test_function_items_are_kept_and_shown() -> None:
    call = {"type": "function_call", "name": "f", "call_id": "call_1", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "42"}
    async with session(equipment()) as client:
        for item in (call, output):
            await client.send("conversation.item.create", item=item)
            done = part(await client.until("conversation.item.done"), "item")
            assert {key: done[key] for key in item} == item
        reply = await client.reply()

    assert reply["status"] == "completed"


async def test_a_deleted_item_is_gone() -> None:
    brain = Script(["Yes."])
    async with session(equipment(brain=brain)) as client:
        item_id = await client.write("forget this")
        await client.send("conversation.item.delete", item_id=item_id)
        deleted = await client.until("conversation.item.deleted")
        await client.reply()

    assert deleted["item_id"] == item_id
    assert brain.given[0][0] == []


async def test_a_reply_that_is_deleted_while_it_is_given_still_ends() -> None:
    async with session(equipment(brain=Thinking("Well. "))) as client:
        await client.send("response.create")
        added = await client.until("conversation.item.added")
        await client.send("conversation.item.delete", item_id=part(added, "item")["id"])
        await client.until("conversation.item.deleted")
        await client.send("response.cancel")
        done = part(await client.until("response.done"), "response")
        client.events.clear()  # an item that is gone has no conversation.item.done

    assert done["status"] == "cancelled"


async def test_a_retrieved_item_has_its_audio() -> None:
    async with session(equipment(brain=Script(["hello"]))) as client:
        done = await client.reply()
        item_id = part(done, "output", 0)["id"]
        await client.send("conversation.item.retrieve", item_id=item_id)
        retrieved = await client.until("conversation.item.retrieved")

    content = part(retrieved, "item", "content", 0)
    sent = [
        base64.b64decode(str(event["delta"]))
        for event in client.of_kind("response.output_audio.delta")
    ]
    assert base64.b64decode(str(content["audio"])) == b"".join(sent)
    assert content["transcript"] == "hello"


async def test_events_are_handled_in_the_order_they_are_sent() -> None:
    async with session(equipment()) as client:
        for number in range(50):
            await client.send("conversation.item.delete", item_id="x", event_id=f"e{number}")
        errors = [(await client.error())["event_id"] for _ in range(50)]

    assert errors == [f"e{number}" for number in range(50)]


async def test_a_session_ends_when_its_time_is_up() -> None:
    async with session(equipment(), max_session_s=0.1) as client:
        error = await client.error()
        with pytest.raises(ConnectionClosedOK) as caught:
            await client.next()

    assert error["code"] == "session_expired"
    message = "Your session hit the maximum duration of 0.00166667 minutes."
    assert error["message"] == message
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1001, message)


async def test_a_session_that_ends_stops_what_it_was_saying() -> None:
    brain = Thinking("Well. ")
    async with session(equipment(brain=brain)) as client:
        await client.send("response.create")
        await client.until("response.output_item.added")
        await client.socket.close()

        await brain.is_stopped.wait()


async def test_a_session_that_is_over_lets_go_of_its_detector_at_once() -> None:
    made: list[weakref.ref[Loudness]] = []

    def make_detector() -> Loudness:
        detector = Loudness()
        made.append(weakref.ref(detector))
        return detector

    gc.disable()
    try:
        async with session(equipment(make_detector=make_detector)) as client:
            await client.say(silence(400) + tone(300))
            await client.settled()
        assert [detector() for detector in made] == [None]
    finally:
        gc.enable()


async def test_sessions_know_nothing_of_each_other() -> None:
    brain = Script(["To one."], ["To the other."])
    made = equipment(brain=brain)
    async with session(made) as one, session(made) as other:
        await one.write("mine")
        await one.reply()
        await other.reply()

    assert [lines for lines, _ in brain.given] == [[Line("user", "mine")], []]


async def test_nothing_that_is_said_gets_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    brain = Script(["a secret answer"])
    with caplog.at_level(logging.DEBUG):
        async with session(equipment(brain=brain, ears=Notes("a secret question"))) as client:
            await client.configure(instructions="a secret rule")
            await client.write("a secret line")
            await client.say(silence(400) + tone(500) + silence(700))
            await client.until("response.done")
            await client.send("session.update", session={"type": "a secret type"})
            await client.error()

    ours = [record for record in caplog.records if record.name.startswith("voiced")]
    assert ours
    assert not [record for record in ours if "secret" in record.getMessage()]


class InsideClient(Client):
    """Talks to a desk without a connection, for what no client may set."""

    def __init__(self, desk: Desk, said: asyncio.Queue[bytes]) -> None:
        self.events = []
        self.desk = desk
        self.said = said

    async def send(self, kind: str, **fields: object) -> None:
        """Put an event on the desk."""
        await self.desk.take(json.dumps({"type": kind, **fields}))

    async def next(self) -> Json:
        """Return the next event."""
        async with asyncio.timeout(5):
            event: Json = json.loads(await self.said.get())
        self.events.append(event)
        return event


@asynccontextmanager
async def inside(made: Equipment, *, idle_timeout_ms: int) -> AsyncIterator[InsideClient]:
    """Give a session with an idle time that is shorter than allowed."""
    shown = new_session(session_id="sess", model="m", expires_at_s=0).shown
    part(shown, "audio", "input", "turn_detection")["idle_timeout_ms"] = idle_timeout_ms
    said: asyncio.Queue[bytes] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        scene = Scene(made, SessionConfig(shown), tasks)
        pump = tasks.create_task(scene.outbox.pump(said.put))
        desk = Desk(scene)
        yield InsideClient(desk, said)
        desk.stop_clock()
        pump.cancel()


@in_no_time
async def test_a_user_who_is_silent_for_too_long_is_asked() -> None:
    brain = Script(["Yes."], ["Still there?"])
    async with inside(equipment(brain=brain), idle_timeout_ms=100) as client:
        await client.say(silence(2000))
        await client.reply()
        count = len(client.events)
        await client.until("response.created")
        kinds = client.kinds()[count:]
        await client.until("response.done")

    assert kinds == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    (timeout,) = client.of_kind("input_audio_buffer.timeout_triggered")
    assert (timeout["audio_start_ms"], timeout["audio_end_ms"]) == (1900, 2000)
    assert brain.given[1][0][-1] == Line("user", "", 0)


@in_no_time
async def test_the_idle_time_counts_from_the_end_of_what_is_played() -> None:
    loop = asyncio.get_running_loop()
    async with inside(equipment(brain=Script(["x" * 30])), idle_timeout_ms=50) as client:
        began_s = loop.time()
        await client.reply()
        await client.until("input_audio_buffer.timeout_triggered")
        took_s = loop.time() - began_s
        await client.until("response.done")

    assert took_s == pytest.approx(0.35)


@in_no_time
async def test_a_user_who_speaks_is_not_asked() -> None:
    async with inside(equipment(), idle_timeout_ms=300) as client:
        await client.reply()
        await client.say(tone(400))
        await client.until("input_audio_buffer.speech_started")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await client.said.get()
        await client.send("input_audio_buffer.clear")


@in_no_time
async def test_an_idle_time_that_was_taken_back_is_none() -> None:
    async with inside(equipment(), idle_timeout_ms=300) as client:
        await client.reply()
        await client.detect()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await client.said.get()
