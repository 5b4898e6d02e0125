import pytest

from voicectl.subscriber import READY, Subscriber, frame
from voicectl.zmtp import COMMAND, GREETING, MORE
from voiced.errors import WireError

THEIR_READY = frame(COMMAND, b"\x05READY\x0bSocket-Type\0\0\0\x04XPUB")


def test_it_says_what_it_wants_when_the_other_end_is_ready_and_not_before() -> None:
    peer = Subscriber(b"{", b"levels")

    assert peer.feed(GREETING[:40]) == ([], b"")
    assert peer.feed(GREETING[40:]) == ([], frame(COMMAND, READY))
    assert peer.feed(THEIR_READY) == ([], b"\x00\x02\x01{" + b"\x00\x07\x01levels")


def test_messages_are_whole_however_they_arrive() -> None:
    wire = GREETING + THEIR_READY + frame(0, b"one") + b"\x02" + (300).to_bytes(8, "big")
    wire += b"x" * 300 + frame(MORE, b"in ") + frame(0, b"parts") + frame(0, b"")
    peer = Subscriber(b"{")
    messages = [message for at in range(len(wire)) for message in peer.feed(wire[at : at + 1])[0]]

    assert messages == [b"one", b"x" * 300, b"in parts", b""]
    assert Subscriber(b"{").feed(wire)[0] == messages


def test_a_heartbeat_is_answered_and_an_unknown_command_passed_over() -> None:
    peer = Subscriber(b"{")
    peer.feed(GREETING)
    _, answer = peer.feed(frame(COMMAND, b"\x04NEWS") + frame(COMMAND, b"\x04PING\x00\x0acontext"))

    assert answer == frame(COMMAND, b"\x04PONGcontext")


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n".ljust(64),
        GREETING[:10] + b"\x02" + GREETING[11:],
        GREETING.replace(b"NULL", b"CURV"),
        GREETING + b"\x02" + b"\xff" * 8,
        GREETING + b"\x04\x00",
    ],
)
def test_whoever_speaks_something_else_is_found_out(data: bytes) -> None:
    with pytest.raises(WireError):
        Subscriber(b"{").feed(data)
