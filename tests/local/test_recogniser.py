import io
import json
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from voiced.local import recogniser
from voiced.local.recogniser import HEADER, NOT_INSTALLED, main, serve


@dataclass
class Words:
    hypstr: str


@dataclass
class Letters:
    """A decoder that takes the bytes of a turn for its words."""

    heard: str = ""
    turns: int = 0
    is_listening: bool = False
    log: list[str] = field(default_factory=list)

    def start_utt(self) -> None:
        assert not self.is_listening
        self.is_listening, self.heard = True, ""

    def process_raw(self, pcm: bytes, no_search: bool, full_utt: bool) -> int:
        assert self.is_listening
        assert not no_search
        assert not full_utt
        self.heard += pcm.decode()
        return 0

    def end_utt(self) -> None:
        assert self.is_listening
        self.is_listening = False
        self.turns += 1

    def hyp(self) -> Words | None:
        return Words(self.heard) if self.heard else None


def frames(*parts: tuple[bytes, bytes]) -> io.BytesIO:
    return io.BytesIO(b"".join(HEADER.pack(kind, len(data)) + data for kind, data in parts))


def served(*parts: tuple[bytes, bytes]) -> tuple[list[object], Letters]:
    decoder, answers = Letters(), io.BytesIO()
    serve(decoder, frames(*parts), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()], decoder


def test_a_turn_is_answered_with_its_name_and_words() -> None:
    answers, _ = served((b"S", b"7"), (b"A", b"hello "), (b"A", b"there"), (b"E", b""))

    assert answers == [{"name": "7", "words": "hello there"}]


def test_a_turn_without_words_is_answered_too() -> None:
    answers, _ = served((b"S", b"1"), (b"E", b""))

    assert answers == [{"name": "1", "words": ""}]


def test_a_dropped_turn_is_ended_and_not_answered() -> None:
    answers, decoder = served(
        (b"S", b"1"), (b"A", b"x"), (b"X", b""), (b"S", b"2"), (b"A", b"y"), (b"E", b"")
    )

    assert answers == [{"name": "2", "words": "y"}]
    assert decoder.turns == 2


def test_what_belongs_to_no_turn_is_ignored() -> None:
    answers, decoder = served((b"A", b"x"), (b"X", b""), (b"E", b""))

    assert (answers, decoder.turns) == ([], 0)


def test_a_broken_frame_ends_it() -> None:
    decoder = Letters()

    serve(decoder, io.BytesIO(b"S\x01"), io.BytesIO())

    assert not decoder.is_listening


def test_without_pocketsphinx_the_status_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    monkeypatch.setattr("voiced.local.recogniser.signal.signal", lambda *_: None)

    assert main() == NOT_INSTALLED


def test_as_a_program_it_ends_with_its_input() -> None:
    done = subprocess.run(
        [sys.executable, "-P", str(recogniser.__file__)],
        input=HEADER.pack(b"S", 1) + b"1" + HEADER.pack(b"E", 0),
        capture_output=True,
        timeout=20,
        check=True,
    )

    assert json.loads(done.stdout) == {"name": "1", "words": ""}
