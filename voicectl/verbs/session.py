"""What people ask of the conversation: start, stop, mute, say and the like."""

import argparse
from typing import Final

from voicectl import quick
from voicectl.verbs.tree import Verbs
from voiced.control.messages import is_text

MUTED: Final = ("on", "off", "toggle")
EDGES: Final = ("press", "release", "cancel")
WISHES: Final = {
    "start": (
        "begin a conversation",
        (
            "voicectl start",
            "voicectl start && voicectl wait --for listening",
        ),
    ),
    "stop": ("end the conversation", ("voicectl stop",)),
    "toggle": (
        "begin a conversation, or end it",
        (
            "voicectl toggle             bind this to a key",
            "voicectl toggle --json      what came of it, as JSON",
        ),
    ),
    "interrupt": (
        "silence the assistant; the floor is yours",
        ("voicectl interrupt",),
    ),
    "unmute": ("open your microphone", ("voicectl unmute",)),
    "reload": (
        "read the configuration again; a broken one changes nothing",
        ("voicectl reload",),
    ),
}
MUTE: Final = (
    "voicectl mute              close it",
    "voicectl mute toggle       close it, or open it; bind this to a key",
    "voicectl mute off          the same as voicectl unmute",
)
SAY: Final = (
    "voicectl say what time is it",
    'voicectl say "what\'s new?"   in quotes where the shell would take it amiss',
)
PTT: Final = (
    "voicectl ptt press         the key goes down: talk",
    "voicectl ptt release       the key goes up: let it answer",
    "voicectl ptt cancel        forget what was said since the press",
)


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    for name, (summary, examples) in WISHES.items():
        verbs.verb(name, summary, wish, examples=examples, json=True, timeout=True)
    mute = verbs.verb("mute", "close your microphone", wish, examples=MUTE, json=True, timeout=True)
    mute.add_argument(
        "wish",
        nargs="?",
        choices=MUTED,
        default="on",
        metavar="on|off|toggle",
        help="whether it is to be closed (default: on)",
    )
    say = verbs.verb(
        "say", "type a turn instead of speaking it", wish, examples=SAY, json=True, timeout=True
    )
    say.add_argument("text", nargs="+", type=text, metavar="TEXT", help="what you would say")
    ptt = verbs.verb("ptt", "hold to talk", wish, examples=PTT, json=True, timeout=True)
    ptt.add_argument(
        "edge", choices=EDGES, metavar="press|release|cancel", help="what the key does"
    )


def text(word: str) -> str:
    """Read a word of what is to be said.

    Raises:
        argparse.ArgumentTypeError: It cannot be sent.
    """
    if not is_text(word):
        raise argparse.ArgumentTypeError("the text is not UTF-8")
    if not word.strip():
        raise argparse.ArgumentTypeError("there is nothing to say")
    return word


def wish(arguments: argparse.Namespace) -> int:
    """Ask for something to be done."""
    return quick.wish(*request_of(arguments), arguments.timeout, is_json=arguments.json)


def request_of(arguments: argparse.Namespace) -> tuple[str, dict[str, str]]:
    """Return the verb of the control protocol and its arguments."""
    match arguments.verb:
        case "unmute":
            return "mute", {"wish": "off"}
        case "mute":
            return "mute", {"wish": arguments.wish}
        case "ptt":
            return "ptt", {"edge": arguments.edge}
        case "say":
            return "say", {"text": " ".join(arguments.text)}
        case verb:
            return verb, {}
