from dataclasses import replace

from tests.local.fakes import tone
from voiced.local import events as ev
from voiced.local import usage
from voiced.local.items import Conversation
from voiced.local.response import Manner, Response
from voiced.local.script import words_of

SPEAK = Manner("", "audio", "marin", 1.0, "audio/pcm", None, {"k": "v"})
WRITE = replace(SPEAK, modality="text", max_output_tokens=50)
COMPLETED = ev.StatusDetails(type="completed")
CANCELLED = ev.StatusDetails(type="cancelled", reason="turn_detected")


def kinds(events: list[ev.Event]) -> list[str]:
    return [str(event.__struct_config__.tag) for event in events]


def spoken(conversation: Conversation | None) -> tuple[Response, list[ev.Event]]:
    """Return a response that has said two words, and its events so far."""
    response = Response.new(SPEAK, conversation)
    events = [response.created(), *response.begin()]
    words = words_of("one two", start_ms=0, length_ms=200)
    return response, [*events, *response.say(words, tone(200), tone(200))]


def test_a_spoken_response_tells_its_events_in_order() -> None:
    response, events = spoken(Conversation("conv"))

    events += response.finish(COMPLETED, usage.nothing())

    assert kinds(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]


def test_a_written_response_tells_its_events_in_order() -> None:
    response = Response.new(WRITE, Conversation("conv"))

    events = [response.created(), *response.begin(), *response.write("Yes")]
    events += response.write(".") + response.finish(COMPLETED, usage.nothing())

    assert kinds(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    done = events[-1]
    assert isinstance(done, ev.ResponseDone)
    assert done.response.output[0]["content"] == [{"type": "output_text", "text": "Yes."}]
    assert done.response.max_output_tokens == 50


def test_outside_the_conversation_no_item_is_told() -> None:
    response, events = spoken(None)

    events += response.finish(COMPLETED, usage.nothing())

    assert not [kind for kind in kinds(events) if kind.startswith("conversation.")]
    created, done = events[0], events[-1]
    assert isinstance(created, ev.ResponseCreated)
    assert isinstance(done, ev.ResponseDone)
    assert created.response.conversation_id is done.response.conversation_id is None


def test_a_new_item_has_no_content_and_a_place() -> None:
    conversation = Conversation("conv")
    first, _ = spoken(conversation)
    response = Response.new(SPEAK, conversation)

    item_added, added, part = response.begin()

    assert isinstance(item_added, ev.OutputItemAdded)
    assert isinstance(added, ev.ItemAdded)
    assert isinstance(part, ev.ContentPartAdded)
    assert item_added.item["content"] == []
    assert item_added.item["status"] == "in_progress"
    assert added.previous_item_id == first.item.id
    assert part.part == {"type": "audio", "transcript": ""}


def test_an_interrupted_item_is_incomplete_and_its_end_is_told_all_the_same() -> None:
    response, _ = spoken(Conversation("conv"))

    closing = response.finish(CANCELLED, usage.nothing())

    done, item_done = closing[-1], closing[-2]
    assert isinstance(done, ev.ResponseDone)
    assert isinstance(item_done, ev.OutputItemDone)
    assert item_done.item["status"] == "incomplete"
    assert item_done.item["content"] == [{"type": "output_audio", "transcript": "one two"}]
    assert done.response.status == "cancelled"
    assert done.response.status_details == CANCELLED
    assert done.response.metadata == {"k": "v"}


def test_a_response_that_said_nothing_has_nothing_to_close() -> None:
    response = Response.new(SPEAK, Conversation("conv"))

    (done,) = response.finish(CANCELLED, usage.nothing())

    assert isinstance(done, ev.ResponseDone)
    assert done.response.output == []


def test_a_completed_response_has_no_details() -> None:
    response, _ = spoken(Conversation("conv"))

    done = response.finish(COMPLETED, usage.nothing())[-1]

    assert isinstance(done, ev.ResponseDone)
    assert (done.response.status, done.response.status_details) == ("completed", None)


def test_the_closing_events_tell_what_was_said_not_what_was_heard() -> None:
    conversation = Conversation("conv")
    response, _ = spoken(conversation)
    conversation.truncate(response.item.id, 0, 100)

    closing = response.finish(CANCELLED, usage.nothing())

    assert isinstance(closing[1], ev.TranscriptDone)
    assert closing[1].transcript == "one two"
    assert response.spoken.transcript == "one"


def test_what_comes_after_a_truncation_is_sent_and_not_kept() -> None:
    conversation = Conversation("conv")
    response, _ = spoken(conversation)
    conversation.truncate(response.item.id, 0, 100)

    said = response.say(words_of(" more", start_ms=200, length_ms=100), tone(100), tone(100))

    assert len(said) == 2
    assert response.audio_ms == 300
    assert (response.spoken.audio_ms, response.spoken.transcript) == (100, "one")


def test_an_item_deleted_meanwhile_is_not_told_as_done() -> None:
    conversation = Conversation("conv")
    response, _ = spoken(conversation)
    conversation.delete(response.item.id)

    closing = kinds(response.finish(CANCELLED, usage.nothing()))

    assert "conversation.item.done" not in closing
    assert "response.output_item.done" in closing


def test_words_without_sound_and_sound_without_words_are_told_apart() -> None:
    response = Response.new(SPEAK, None)
    response.begin()

    assert kinds(response.say([], tone(10), tone(10))) == ["response.output_audio.delta"]
    words = words_of("hm", start_ms=0, length_ms=10)
    assert kinds(response.say(words, b"", b"")) == ["response.output_audio_transcript.delta"]
    assert response.say([], b"", b"") == []


def test_tokens_grow_with_words_and_sound() -> None:
    response, _ = spoken(None)

    assert response.tokens == 2 + 4


def test_the_audio_format_is_shown_as_its_client_set_it() -> None:
    phone = Response.new(replace(SPEAK, audio_format="audio/pcmu"), None).created()
    pcm = Response.new(SPEAK, None).created()

    assert isinstance(phone, ev.ResponseCreated)
    assert isinstance(pcm, ev.ResponseCreated)
    assert phone.response.audio == {"output": {"format": {"type": "audio/pcmu"}, "voice": "marin"}}
    assert pcm.response.audio == {
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin"}
    }
