from hypothesis import given
from hypothesis import strategies as st

from voiced.local.script import LONGEST_SENTENCE, Sentences, Word, words_of


def split(*pieces: str) -> list[str]:
    sentences = Sentences()
    found = [sentence for piece in pieces for sentence in sentences.feed(piece)]
    return found + list(sentences.finish())


def test_a_sentence_is_handed_out_when_the_next_begins() -> None:
    sentences = Sentences()

    assert list(sentences.feed("One. Tw")) == ["One."]
    assert list(sentences.feed("o! Three")) == ["Two!"]
    assert list(sentences.finish()) == ["Three"]


def test_a_stop_at_the_end_of_a_piece_may_be_a_decimal_point() -> None:
    assert split("Pi is 3.", "14. Yes.") == ["Pi is 3.14.", "Yes."]


def test_quotes_belong_to_their_sentence() -> None:
    assert split('"Go." He went.') == ['"Go."', "He went."]
    assert split("He said \u201cgo.\u201d Then left…  Done") == [
        "He said \u201cgo.\u201d",
        "Then left…",
        "Done",
    ]


def test_a_new_line_ends_a_sentence() -> None:
    assert split("One\n\nTwo\n") == ["One", "Two"]


def test_blank_text_is_no_sentence() -> None:
    assert split("  ", "\n \n") == []


def test_a_text_without_end_is_cut_at_a_comma_then_a_blank_then_anywhere() -> None:
    with_comma = "a" * 100 + ", " + "b" * 200
    assert split(with_comma)[0] == "a" * 100 + ","
    with_semicolon = "a" * 100 + "; " + "b" * 200
    assert split(with_semicolon)[0] == "a" * 100 + ";"
    with_blank = "a" * 100 + " " + "b" * 200
    assert split(with_blank)[0] == "a" * 100
    assert split("a" * 300) == ["a" * LONGEST_SENTENCE, "a" * (300 - LONGEST_SENTENCE)]


def test_a_long_sentence_with_an_end_is_cut_too() -> None:
    first, second = split("a " * 130 + "b. ")

    assert len(first) <= LONGEST_SENTENCE
    assert second.endswith("b.")


@given(st.lists(st.text(alphabet="ab .,!?\n", max_size=200), max_size=20))
def test_nothing_that_was_written_is_lost(pieces: list[str]) -> None:
    found = split(*pieces)

    assert "".join("".join(found).split()) == "".join("".join(pieces).split())
    assert all(0 < len(sentence) <= LONGEST_SENTENCE for sentence in found)


def test_words_share_the_time_by_their_length() -> None:
    assert words_of("a bbb", start_ms=100, length_ms=600) == [
        Word("a", 100, 300),
        Word(" bbb", 300, 700),
    ]


def test_words_joined_are_the_sentence_again() -> None:
    words = words_of(" The tide,  twice a day.", start_ms=0, length_ms=1000)

    assert "".join(word.text for word in words) == " The tide,  twice a day."
    assert words[-1].end_ms == 1000


def test_no_words_need_no_time() -> None:
    assert words_of(" ", start_ms=0, length_ms=100) == []


def test_a_piece_without_end_is_cut_as_soon_as_a_short_one() -> None:
    """A search that went through all of it would take minutes."""
    sentences = Sentences()

    assert len("".join(sentences.feed("." * 60_000))) > 59_000
