from voiced.local import usage
from voiced.local.items import (
    FunctionCall,
    FunctionOutput,
    HeardPart,
    ImagePart,
    Item,
    Message,
    SpokenPart,
    TextPart,
)
from voiced.local.script import Word


def test_each_kind_of_input_is_counted_in_its_own_way() -> None:
    spoken = SpokenPart(audio_bytes=101 * 48, words=[Word("eight ch", 0, 100)])
    items: list[Item] = [
        Message("a", "user", "completed", [TextPart("x" * 9)]),
        Message("b", "user", "completed", [HeardPart(b"", 201), ImagePart("data:", "auto")]),
        Message("c", "assistant", "completed", [spoken]),
        FunctionCall("d", "completed", "name", "call_1", "args"),
        FunctionOutput("e", "completed", "call_1", "out"),
    ]

    counted = usage.count(items, instructions="four", output_text="12345", output_ms=51)

    assert counted.input_token_details.text_tokens == 1 + 3 + 2 + 2 + 1
    assert counted.input_token_details.audio_tokens == 3 + 3
    assert counted.output_token_details.text_tokens == 2
    assert counted.output_token_details.audio_tokens == 2
    assert counted.input_tokens == 15
    assert counted.output_tokens == 4
    assert counted.total_tokens == 19
    assert counted.input_token_details.cached_tokens == 0


def test_nothing_costs_nothing() -> None:
    assert usage.nothing().total_tokens == 0


def test_a_reply_is_counted_as_it_grows() -> None:
    assert usage.output_tokens("12345678", 120) == 2 + 3
