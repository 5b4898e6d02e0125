"""What people ask of the conversation: start, stop, mute, say and the like."""

import argparse
from typing import Final

from voicectl import quick
from voicectl.verbs.tree import Verbs
from voiced.control.messages import is_text

WISHES: Final = {
    "start": "begin a conversation",
    "stop": "end the conversation",
    "toggle": "begin a conversation, or end it",
    "interrupt": "silence the assistant; the floor is yours",
    "unmute": "open your microphone",
    "reload": "read the configuration again; a broken one changes nothing",
}


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    for name, summary in WISHES.items():
        verbs.verb(name, summary, wish, json=True, timeout=True)
    mute = verbs.verb("mute", "close your microphone", wish, json=True, timeout=True)
    mute.add_argument("wish", nargs="?", choices=("on", "off", "toggle"), default="on")
    say = verbs.verb("say", "type a turn instead of speaking it", wish, json=True, timeout=True)
    say.add_argument("text", nargs="+", type=text)
    ptt = verbs.verb("ptt", "hold to talk", wish, json=True, timeout=True)
    ptt.add_argument("edge", choices=("press", "release", "cancel"))


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
