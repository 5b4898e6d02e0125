"""The user's side, through a real connection; loud is speech, and the words are known."""

import asyncio
import base64
import logging
from collections import Counter

import pytest

from tests.local.client import Client, part, session
from tests.local.fakes import Loudness, Notes, equipment, silence, tone
from voiced.local import buffer, hearing
from voiced.local.shapes import Json

TURN = silence(400) + tone(500) + silence(700)


async def heard_turn(client: Client) -> Json:
    """Speak a turn and return its item."""
    await client.say(TURN)
    await client.until("input_audio_buffer.committed")
    return part(await client.until("conversation.item.done"), "item")


async def test_a_spoken_turn_is_told_in_the_documented_order() -> None:
    async with session(equipment(ears=Notes("hello"))) as client:
        await client.say(TURN)
        await client.until("response.created")

    assert client.kinds() == [
        "session.created",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]


async def test_times_are_of_appended_audio_and_one_id_goes_through() -> None:
    async with session(equipment()) as client:
        await client.say(TURN)
        started = await client.until("input_audio_buffer.speech_started")
        stopped = await client.until("input_audio_buffer.speech_stopped")
        committed = await client.until("input_audio_buffer.committed")
        added = await client.until("conversation.item.added")

    assert started["audio_start_ms"] == pytest.approx(100, abs=40)
    assert stopped["audio_end_ms"] == pytest.approx(1400, abs=40)
    ids = {event["item_id"] for event in (started, stopped, committed)}
    assert ids == {part(added, "item")["id"]}
    assert part(added, "item") == {
        "id": committed["item_id"],
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }


async def test_the_next_turn_comes_after_the_reply() -> None:
    async with session(equipment()) as client:
        first = await heard_turn(client)
        done = part(await client.until("response.done"), "response", "output", 0)
        await client.say(TURN)
        committed = await client.until("input_audio_buffer.committed")

    assert committed["previous_item_id"] == done["id"] != first["id"]


async def test_the_words_are_told_when_they_are_asked_for() -> None:
    async with session(equipment(ears=Notes("hello there"))) as client:
        await client.configure(audio={"input": {"transcription": {"model": "any"}}})
        item = await heard_turn(client)
        delta = await client.until("conversation.item.input_audio_transcription.delta")
        completed = await client.until("conversation.item.input_audio_transcription.completed")

    assert delta["delta"] == completed["transcript"] == "hello there"
    assert delta["item_id"] == completed["item_id"] == item["id"]
    usage = part(completed, "usage")
    assert usage["type"] == "duration"
    assert usage["seconds"] == pytest.approx(1.33, abs=0.05)


async def test_words_that_are_unknown_are_told_to_be() -> None:
    kind = "conversation.item.input_audio_transcription"
    async with session(equipment(ears=Notes(None))) as client:
        await client.configure(audio={"input": {"transcription": {"model": "any"}}})
        item = await heard_turn(client)
        failed = await client.until(f"{kind}.failed")

    assert failed["item_id"] == item["id"]
    assert part(failed, "error")["code"] == "transcription_failed"
    assert not client.of_kind(f"{kind}.delta")
    assert not client.of_kind(f"{kind}.completed")


async def test_without_transcription_the_words_are_found_and_not_told() -> None:
    async with session(equipment(ears=Notes("hello there"))) as client:
        item = await heard_turn(client)
        await client.until("response.done")
        await client.send("conversation.item.retrieve", item_id=item["id"])
        retrieved = await client.until("conversation.item.retrieved")

    content = part(retrieved, "item", "content", 0)
    assert content["transcript"] == "hello there"
    assert len(base64.b64decode(str(content["audio"]))) // 48 == pytest.approx(1330, abs=40)
    assert not [kind for kind in client.kinds() if "transcription" in kind]


async def test_the_recogniser_hears_the_turn_with_its_padding_while_it_is_spoken() -> None:
    ears = Notes("hello")
    async with session(equipment(ears=ears)) as client:
        await client.say(silence(400) + tone(500))
        await client.until("input_audio_buffer.speech_started")
        await client.settled()
        begun = len(ears.listeners[0].pcm)
        await client.say(silence(700))
        await client.until("response.done")

    assert begun // 48 == pytest.approx(800, abs=60)
    assert len(ears.listeners) == 1
    assert len(ears.listeners[0].pcm) // 48 == pytest.approx(1320, abs=80)


async def test_without_turn_detection_the_client_says_when() -> None:
    ears = Notes("pushed to talk")
    async with session(equipment(ears=ears)) as client:
        await client.detect()
        await client.say(tone(300))
        await client.settled()
        await client.send("input_audio_buffer.commit")
        await client.until("input_audio_buffer.committed")
        item = part(await client.until("conversation.item.done"), "item")
        await client.settled()
        await client.send("conversation.item.retrieve", item_id=item["id"])
        retrieved = await client.until("conversation.item.retrieved")

    assert "response.created" not in client.kinds()
    assert "input_audio_buffer.speech_started" not in client.kinds()
    assert part(retrieved, "item", "content", 0)["transcript"] == "pushed to talk"
    assert ears.listeners[0].pcm == tone(300)


async def test_a_commit_of_too_little_is_refused_and_keeps_it() -> None:
    async with session(equipment()) as client:
        await client.detect()
        await client.say(tone(40))
        await client.send("input_audio_buffer.commit", event_id="c3")

        assert await client.error() == {
            "type": "invalid_request_error",
            "code": "input_audio_buffer_commit_empty",
            "message": "Error committing input audio buffer: buffer too small. Expected at least "
            "100ms of audio, but buffer only has 40.00ms of audio.",
            "param": None,
            "event_id": "c3",
        }
        await client.say(tone(60))
        await client.send("input_audio_buffer.commit")
        await client.until("input_audio_buffer.committed")


async def test_a_cleared_buffer_is_empty() -> None:
    ears = Notes("dropped", "kept")
    async with session(equipment(ears=ears)) as client:
        await client.detect()
        await client.say(tone(500))
        await client.send("input_audio_buffer.clear")
        await client.until("input_audio_buffer.cleared")
        await client.send("input_audio_buffer.commit")
        assert (await client.error())["code"] == "input_audio_buffer_commit_empty"

        await client.say(tone(200))
        await client.send("input_audio_buffer.commit")
        await client.until("input_audio_buffer.committed")

    assert ears.listeners[1].pcm == tone(200)


async def test_a_commit_during_a_detected_turn_ends_it() -> None:
    async with session(equipment()) as client:
        await client.say(silence(400) + tone(300))
        started = await client.until("input_audio_buffer.speech_started")
        await client.send("input_audio_buffer.commit")
        committed = await client.until("input_audio_buffer.committed")
        await client.say(silence(1000))
        await client.settled()

    assert committed["item_id"] == started["item_id"]
    assert "input_audio_buffer.speech_stopped" not in client.kinds()
    assert "response.created" not in client.kinds()


async def test_a_commit_before_speech_takes_what_is_there() -> None:
    ears = Notes("whispered")
    async with session(equipment(ears=ears)) as client:
        await client.say(silence(200))
        await client.send("input_audio_buffer.commit")
        await client.until("conversation.item.done")

    assert ears.listeners[0].pcm == silence(200)


async def test_switching_detection_off_forgets_the_running_turn() -> None:
    async with session(equipment()) as client:
        await client.say(tone(300))
        await client.until("input_audio_buffer.speech_started")
        await client.detect()
        await client.say(silence(1000))
        await client.settled()

    assert "input_audio_buffer.speech_stopped" not in client.kinds()


async def test_minutes_in_one_event_are_heard_turn_by_turn() -> None:
    ears = Notes("one", "two", "three")
    async with session(equipment(ears=ears)) as client:
        await client.detect(type="server_vad", create_response=False)
        await client.say(TURN * 3, piece_ms=10_000)
        for _ in range(3):
            await client.until("conversation.item.done")

    starts = client.of_kind("input_audio_buffer.speech_started")
    assert len(starts) == 3
    assert [len(listener.pcm) // 48 for listener in ears.listeners] == pytest.approx(
        [1320] * 3, abs=80
    )


async def test_other_sessions_go_on_while_one_sends_minutes() -> None:
    turns = 0
    heard_in_turn: Counter[int] = Counter()

    class Noting(Loudness):
        """Notes in which turn of the loop it heard each window."""

        def speech(self, window: bytes) -> float:
            heard_in_turn[turns] += 1
            return super().speech(window)

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with session(equipment(make_detector=Noting)) as client:
        turning = asyncio.create_task(take_turns(), name="turns")
        await client.say(silence(60_000), piece_ms=60_000)
        await client.settled()
        turning.cancel()

    assert heard_in_turn.total() == pytest.approx(60_000 / 32, abs=2)
    assert max(heard_in_turn.values()) <= 3


async def test_telephone_audio_is_heard_in_its_own_time() -> None:
    async with session(equipment()) as client:
        await client.configure(audio={"input": {"format": {"type": "audio/pcmu"}}})
        loud, quiet = bytes([0x00, 0x00, 0x80, 0x80]) * 1000, bytes([0xFF]) * 6400
        audio = base64.b64encode(quiet[:3200] + loud + quiet).decode()
        await client.send("input_audio_buffer.append", audio=audio)
        started = await client.until("input_audio_buffer.speech_started")
        stopped = await client.until("input_audio_buffer.speech_stopped")

    assert started["audio_start_ms"] == pytest.approx(100, abs=50)
    assert stopped["audio_end_ms"] == pytest.approx(1400, abs=50)


async def test_audio_of_an_item_the_client_made_is_understood() -> None:
    audio = base64.b64encode(tone(300)).decode()
    content = [{"type": "input_audio", "audio": audio}, {"type": "input_audio", "audio": audio}]
    async with session(equipment(ears=Notes("first half", "second half"))) as client:
        item = {"type": "message", "role": "user", "content": content}
        await client.send("conversation.item.create", item=item)
        added = part(await client.until("conversation.item.done"), "item")
        await client.reply()
        await client.send("conversation.item.retrieve", item_id=added["id"])
        retrieved = await client.until("conversation.item.retrieved")

    assert part(retrieved, "item", "content", 0)["transcript"] == "first half"
    assert part(retrieved, "item", "content", 1)["transcript"] == "second half"
    assert not [kind for kind in client.kinds() if "transcription" in kind]


async def test_a_turn_that_is_too_long_is_told_in_the_log_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(buffer, "LONGEST_TURN_FRAMES", 24_000)
    with caplog.at_level(logging.WARNING):
        async with session(equipment()) as client:
            await client.say(tone(3000))
            await client.settled()

    assert caplog.text.count("its beginning is dropped") == 1


async def test_words_that_never_come_are_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Deaf(Notes):
        def listen(self):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a stub
            note = super().listen()
            note.finish = lambda: None  # type: ignore[method-assign]  # it never ends
            return note

    monkeypatch.setattr(hearing, "WORDS_TIMEOUT_S", 0.01)
    async with session(equipment(ears=Deaf("late"))) as client:
        await client.say(TURN)
        done = part(await client.until("response.done"), "response")

    assert done["status"] == "completed"
