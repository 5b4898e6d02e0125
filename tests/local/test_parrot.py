import pytest

from voiced.local.brain import Line
from voiced.local.parrot import (
    GREETING,
    INTRODUCTION,
    NOTHING_SAID,
    STILL_THERE,
    Parrot,
    answer,
)
from voiced.local.stories import STORIES


def said(*lines: Line) -> str:
    return " ".join(answer(lines))


def user(text: str | None, heard_ms: int = 0) -> Line:
    return Line("user", text, heard_ms)


def test_it_greets_who_has_said_nothing() -> None:
    assert said() == said(Line("system", "Be brief.")) == GREETING


def test_its_first_answer_says_that_it_is_a_parrot() -> None:
    assert said(user("hello there")) == f"{INTRODUCTION} You said: hello there."


def test_after_that_it_only_says_what_was_said() -> None:
    first = Line("assistant", "I am a parrot.")

    assert said(user("hello"), first, user("How are you?")) == "You said: How are you?"


def test_a_lecture_is_not_given_back_whole() -> None:
    echo = said(user("word " * 500))

    assert len(echo) < 400
    assert echo.endswith("and so on.")


@pytest.mark.parametrize(
    "words",
    [
        "tell me about the sea",
        "Tell me a story, please",
        "tell me is starring in town to see",
        "explain how that works",
        "just talk",
        "say something long",
    ],
)
def test_who_asks_for_something_long_gets_a_story(words: str) -> None:
    assert said(user(words)) == " ".join(STORIES[0])


def test_the_next_story_is_another_one() -> None:
    first, second = user("tell me about the sea"), user("tell me more")

    assert said(first, Line("assistant", "Well."), second) == " ".join(STORIES[1])


@pytest.mark.parametrize(
    "question",
    [
        "what did I say",
        "what did i say before",
        "but did i say before",
        "Do you remember anything?",
        "tell me what I said",
    ],
)
def test_it_tells_what_was_said_before(question: str) -> None:
    lines = [user("the kettle is blue"), Line("assistant", "Yes."), user("and warm")]

    assert said(*lines, user(question)) == (
        "Before, you said: the kettle is blue. Then you said: and warm."
    )


def test_it_tells_only_the_newest_of_many_turns() -> None:
    lines = [user(f"number {number}") for number in range(20)]

    told = said(*lines, user("what did I say"))

    assert "number 11." not in told
    assert told.startswith("Before, you said: number 12.")


def test_it_knows_when_nothing_was_said_before() -> None:
    assert said(user("what did I say")) == NOTHING_SAID
    assert said(user(None, 500), user("", 500), user("what did I say")) == NOTHING_SAID


@pytest.mark.parametrize(
    "question", ["what did you say", "what were you saying", "how far did you get"]
)
def test_it_tells_its_own_last_words_as_far_as_they_were_heard(question: str) -> None:
    lines = [user("tell me"), Line("assistant", "Twice a day the sea")]

    assert said(*lines, user(question)) == "The last I said was: Twice a day the sea."


def test_words_that_nobody_heard_were_not_said() -> None:
    assert "not said anything" in said(Line("assistant", ""), user("what did you say"))
    assert "not said anything" in said(user("what did you say"))


def test_without_ears_it_says_for_how_long_it_heard_somebody() -> None:
    told = said(user(None, 3200))

    assert "for about 3 seconds" in told
    assert "could not make out words" in told
    assert "extra local" in told
    assert "one second" in said(user(None, 200))


def test_sound_without_words_is_told_as_such() -> None:
    assert said(user("", 2100)) == "I heard about 2 seconds of sound, but no words in it."


def test_it_asks_after_a_user_who_is_silent() -> None:
    assert said(user("hello"), Line("assistant", "Yes."), user("", 0)) == STILL_THERE


async def test_as_a_brain_it_yields_its_answer_in_pieces() -> None:
    pieces = [piece async for piece in Parrot().reply([user("tell me a story")], "ignored")]

    assert len(pieces) == len(STORIES[0])
    assert "".join(pieces) == " ".join(STORIES[0])


def test_a_book_is_answered_as_soon_as_a_sentence() -> None:
    """A search that went through all of it would take minutes."""
    assert said(user("did you " * 60_000)).startswith("I am a parrot")
