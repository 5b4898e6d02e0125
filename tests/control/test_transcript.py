import pytest

from voiced.control.messages import LineReport, cut_mark, line_text
from voiced.control.transcript import LONGEST_LINE, MOST_CHARACTERS, MOST_LINES, Line, Transcript


class Talk(Transcript):
    """A transcript, and who says something at which second."""

    now_s = 0.0

    def user(self, item_id: str, text: str, *, final: bool = True) -> list[Line]:
        self.now_s += 1
        return self.said("user", item_id, text, self.now_s, is_final=final)

    def reply(self, item_id: str, text: str, *, final: bool = True) -> list[Line]:
        self.now_s += 1
        return self.said("assistant", item_id, text, self.now_s, is_final=final)

    def texts(self) -> list[str]:
        return [line.text for line in self]


def test_words_become_a_line_and_their_end_corrects_them() -> None:
    talk = Talk()
    assert talk.user("u", "wat time", final=False) == []
    assert talk.user("u", " is it", final=False) == []
    assert talk.texts() == ["wat time is it"]
    (line,) = talk.user("u", "What time is it?")

    assert line.report() == {
        "t": 1.0,
        "role": "user",
        "item_id": "u",
        "text": "What time is it?",
        "final": True,
        "cut": False,
        "heard_ms": None,
    }


def test_an_item_of_several_parts_is_one_line() -> None:
    talk = Talk()
    talk.reply("a", "One.")
    talk.reply("a", "Tw", final=False)
    assert talk.texts() == ["One. Tw"]
    (line,) = talk.reply("a", "Two.")

    assert line.text == "One. Two."


def test_a_turn_that_is_written_down_late_stands_before_its_reply() -> None:
    talk = Talk()
    talk.user("u", "", final=False)
    assert talk.texts() == []
    talk.reply("a", "Ten o'clock.")
    talk.user("u", "What time is it?")

    assert talk.texts() == ["What time is it?", "Ten o'clock."]


def test_a_turn_of_no_words_is_no_line() -> None:
    talk = Talk()

    assert talk.user("u", "") == []
    assert talk.texts() == []


def test_what_was_cut_off_is_marked_and_what_came_after_it_was_not_heard() -> None:
    talk = Talk()
    talk.reply("a", "Once upon a time")
    talk.reply("b", "there was", final=False)
    talk.user("u", "stop")
    marked = talk.cut("a", 1234)

    assert [(line.item_id, line.heard_ms) for line in marked] == [("a", 1234), ("b", 0)]
    assert all(line.is_final and line.is_cut for line in marked)
    assert talk.reply("b", "there was a king") == []
    assert talk.texts() == ["Once upon a time", "there was", "stop"]


def test_a_cut_of_something_unknown_marks_nothing() -> None:
    talk = Talk()
    talk.reply("a", "Hello")

    assert talk.cut(None, 0) == talk.cut("x", 5) == []
    assert not next(iter(talk)).is_cut


def test_a_reply_of_which_nothing_was_heard_is_marked_and_the_one_before_is_not() -> None:
    talk = Talk()
    talk.reply("a", "Hello")
    talk.reply("b", "there was")
    marked = talk.cut(None, 0, ("b",))

    assert [(line.item_id, line.heard_ms) for line in marked] == [("b", 0)]


def test_a_reply_that_broke_off_is_closed_by_the_next_one() -> None:
    talk = Talk()
    talk.reply("a", "Once", final=False)
    (broken,) = talk.reply("b", "Twice", final=False)

    assert (broken.text, broken.is_cut, broken.heard_ms) == ("Once", True, None)


def test_what_is_under_way_ends_with_the_session() -> None:
    talk = Talk()
    talk.user("u", "", final=False)
    talk.reply("a", "Once", final=False)

    assert [line.text for line in talk.session_over()] == ["Once"]
    assert talk.session_over() == []


def test_memory_is_bounded() -> None:
    talk = Talk()
    for number in range(MOST_LINES + 1):
        talk.user(f"u{number}", f"word {number}")
    assert talk.texts()[0] == "word 1"
    talk.reply("a", "x" * LONGEST_LINE * 2)
    talk.reply("b", "x" * LONGEST_LINE * 2, final=False)
    assert [len(text) for text in talk.texts()[-2:]] == [LONGEST_LINE] * 2
    for number in range(10):
        talk.reply(f"a{number}", "x" * LONGEST_LINE)
    assert sum(map(len, talk.texts())) <= MOST_CHARACTERS


def line(**changes: object) -> LineReport:
    made = {"t": 1.0, "role": "user", "item_id": "u", "text": "hello", "final": True}
    made |= {"cut": False, "heard_ms": None} | changes
    return made  # type: ignore[return-value]  # changes are its fields


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (line(text="two\nlines "), "you: two lines"),
        (line(text="\x1b]0;title\x07 \x9b1m\ud800 می\u200cشود"), "you: ]0;title 1m? می\u200cشود"),
        (line(role="assistant"), "assistant: hello"),
        (line(role="assistant", cut=True), "assistant: hello …"),
        (line(role="assistant", cut=True, heard_ms=0), "assistant: hello … (not heard)"),
        (line(cut=True, heard_ms=1234), "you: hello … (interrupted, 1.2 s heard)"),
    ],
)
def test_people_read_a_line_in_one_line(report: LineReport, text: str) -> None:
    assert line_text(report) == text
    assert text.endswith(cut_mark(report))
