import pytest

from tests.local.fakes import tone
from voiced.local.errors import ClientError
from voiced.local.items import (
    Conversation,
    FunctionCall,
    FunctionOutput,
    HeardPart,
    ImagePart,
    Item,
    Message,
    SpokenPart,
    TextPart,
)
from voiced.local.script import words_of


def text(item_id: str, words: str = "hello") -> Message:
    return Message(item_id, "user", "completed", [TextPart(words)])


def heard(item_id: str, audio_ms: int = 1000) -> Message:
    return Message(item_id, "user", "completed", [HeardPart(tone(audio_ms), audio_ms, "yes")])


def spoken(item_id: str, words: str = "one two three four", audio_ms: int = 1900) -> Message:
    part = SpokenPart()
    part.add(tone(audio_ms))
    part.words += words_of(words, start_ms=0, length_ms=audio_ms)
    return Message(item_id, "assistant", "completed", [part])


def conversation(*items: Item, max_bytes: int = 10**6, max_items: int = 100) -> Conversation:
    return Conversation("conv_1", list(items), max_bytes, max_items)


def ids(of: Conversation) -> list[str]:
    return [item.id for item in of.items]


def test_items_are_added_at_the_end_or_where_asked() -> None:
    made = conversation()

    assert made.last_id() is None
    assert made.add(text("a")) is None
    assert made.add(text("b")) == "a"
    assert made.add(text("c"), "a") == "a"
    assert made.add(text("d"), "root") is None
    assert ids(made) == ["d", "a", "c", "b"]
    assert made.last_id() == "b"


def test_an_id_is_taken_once() -> None:
    with pytest.raises(ClientError) as caught:
        conversation(text("a")).add(text("a"))

    assert (caught.value.code, caught.value.param) == ("item_create_duplicate_item_id", "item.id")


def test_an_id_that_another_item_was_promised_is_taken() -> None:
    with pytest.raises(ClientError, match="already exists"):
        conversation().add(text("a"), promised_id="a")


def test_a_place_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ClientError) as caught:
        conversation(text("a")).add(text("b"), "x")

    assert caught.value.param == "previous_item_id"


def test_a_deleted_item_is_gone() -> None:
    made = conversation(text("a"), text("b"))

    made.delete("a")

    assert ids(made) == ["b"]
    with pytest.raises(ClientError) as caught:
        made.delete("a")
    assert (caught.value.code, caught.value.param) == ("item_delete_invalid_item_id", "item_id")


def test_truncation_keeps_the_audio_and_the_words_that_were_heard() -> None:
    made = conversation(spoken("a"))

    made.truncate("a", 0, 900)

    part = made.items[0]
    assert isinstance(part, Message)
    cut = part.parts[0]
    assert isinstance(cut, SpokenPart)
    assert len(cut.pcm) == 900 * 48
    assert cut.audio_ms == 900
    assert cut.transcript == "one two"


def test_truncation_at_nothing_leaves_no_words() -> None:
    item = spoken("a")
    made = conversation(item)

    made.truncate("a", 0, 0)

    assert isinstance(item.parts[0], SpokenPart)
    assert (item.parts[0].transcript, item.parts[0].pcm) == ("", b"")


def test_a_truncated_part_takes_no_more_audio() -> None:
    item = spoken("a")
    conversation(item).truncate("a", 0, 900)
    part = item.parts[0]
    assert isinstance(part, SpokenPart)

    part.add(tone(500))

    assert part.audio_ms == 900


@pytest.mark.parametrize(
    ("item_id", "index", "audio_end_ms", "code", "message"),
    [
        (
            "spoken",
            0,
            1901,
            "invalid_value",
            "Audio content of 1900ms is already shorter than 1901ms",
        ),
        (
            "x",
            0,
            0,
            "item_truncate_invalid_item_id",
            "Error truncating item: the item with id 'x' does not exist.",
        ),
        (
            "text",
            0,
            0,
            "unsupported_content_type",
            "Only model output audio messages can be truncated",
        ),
        ("heard", 0, 0, "unsupported_content_type", "Only model output"),
        ("spoken", 1, 0, "unsupported_content_type", "Only model output"),
        ("call", 0, 0, "unsupported_content_type", "Only model output"),
        ("empty", 0, 0, "unsupported_content_type", "Only model output"),
    ],
)
def test_what_cannot_be_truncated_is_refused(
    item_id: str, index: int, audio_end_ms: int, code: str, message: str
) -> None:
    empty = Message("empty", "assistant", "in_progress", [SpokenPart()])
    call = FunctionCall("call", "completed", "f", "call_1", "{}")
    made = conversation(spoken("spoken"), text("text"), heard("heard"), call, empty)

    with pytest.raises(ClientError, match=message) as caught:
        made.truncate(item_id, index, audio_end_ms)

    assert caught.value.code == code


def test_it_is_known_whether_the_assistant_has_spoken() -> None:
    assert not conversation(text("a"), heard("b")).holds_assistant_audio()
    assert conversation(text("a"), spoken("b")).holds_assistant_audio()


def test_a_small_conversation_is_left_alone() -> None:
    made = conversation(text("a"), heard("b"), spoken("c"))

    assert made.trim() == 0
    assert len(made.items) == 3


def test_the_oldest_audio_goes_first_and_its_words_stay() -> None:
    first, second = heard("a"), spoken("b")
    image = Message("i", "user", "completed", [ImagePart("data:image/png;base64,", "auto")])
    made = conversation(text("t"), image, first, second, max_bytes=100_000)

    assert made.trim() == 1

    assert isinstance(first.parts[0], HeardPart)
    assert isinstance(second.parts[0], SpokenPart)
    assert (first.parts[0].pcm, first.parts[0].transcript) == (b"", "yes")
    assert first.parts[0].audio_ms == 1000
    assert second.parts[0].pcm


def test_spoken_audio_goes_too_and_can_still_be_truncated() -> None:
    item = spoken("a")
    made = conversation(item, max_bytes=10)

    assert made.trim() == 1
    made.truncate("a", 0, 900)

    assert isinstance(item.parts[0], SpokenPart)
    assert item.parts[0].transcript == "one two"


def test_where_there_is_no_audio_the_oldest_items_go() -> None:
    output = FunctionOutput("o", "completed", "call_1", "x" * 400)
    call = FunctionCall("f", "completed", "f", "call_1", "x" * 400)
    made = conversation(text("a", "x" * 400), call, output, max_bytes=500)

    assert made.trim() == 2
    assert ids(made) == ["o"]


def test_the_newest_item_stays_whatever_its_size() -> None:
    made = conversation(text("a", "x" * 400), max_bytes=10)

    assert made.trim() == 0
    assert ids(made) == ["a"]


def test_there_are_only_so_many_items() -> None:
    made = conversation(text("a"), text("b"), text("c"), max_items=2)

    assert made.trim() == 1
    assert ids(made) == ["b", "c"]


def test_the_length_of_what_is_said_is_right_though_its_sound_had_to_go() -> None:
    part = SpokenPart()
    part.add(bytes(48 * 300))
    part.forget_sound()
    part.add(bytes(48 * 200))
    assert (part.audio_ms, bytes(part.pcm)) == (500, b"")

    part.cut(400)
    part.add(bytes(48 * 100))

    assert part.audio_ms == 400
