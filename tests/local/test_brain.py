from voiced.local.brain import Line, lines_of
from voiced.local.items import (
    FunctionCall,
    FunctionOutput,
    HeardPart,
    ImagePart,
    Message,
    SpokenPart,
    TextPart,
)
from voiced.local.script import Word


def test_a_conversation_becomes_lines_without_its_function_calls() -> None:
    spoken = SpokenPart(words=[Word("It", 0, 1), Word(" is", 1, 2)])

    lines = lines_of(
        [
            Message("a", "system", "completed", [TextPart("Be brief.")]),
            Message("b", "user", "completed", [TextPart("Is it?"), HeardPart(b"", 500, "well")]),
            FunctionCall("c", "completed", "f", "call_1", "{}"),
            FunctionOutput("d", "completed", "call_1", "42"),
            Message("e", "assistant", "completed", [spoken]),
        ]
    )

    assert lines == [
        Line("system", "Be brief."),
        Line("user", "Is it? well", 500),
        Line("assistant", "It is"),
    ]


def test_words_that_are_not_known_are_told_as_such() -> None:
    unknown = Message("a", "user", "completed", [HeardPart(b"", 1200)])
    none = Message("b", "user", "completed", [HeardPart(b"", 700, "")])

    assert lines_of([unknown, none]) == [Line("user", None, 1200), Line("user", "", 700)]


def test_a_picture_says_nothing() -> None:
    picture = Message("a", "user", "completed", [ImagePart("data:", "auto"), TextPart("Look!")])

    assert lines_of([picture]) == [Line("user", "Look!")]
