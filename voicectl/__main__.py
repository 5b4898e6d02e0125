"""The ``voicectl`` command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from voicectl import commands
from voiced import __version__
from voiced.control.messages import is_text
from voiced.errors import ConfigError

EXAMPLES: Final = """\
examples:
  voicectl toggle                 begin a conversation, or end it
  voicectl interrupt              silence the assistant
  voicectl mute toggle            close your microphone, or open it
  voicectl say "what time is it"  type instead of speaking
  voicectl status --json          one JSON object
  voicectl events                 one JSON object for every change
  voicectl is speaking && echo yes

exit status: 0 done, or already so; 1 refused, or not so; 2 wrong arguments;
3 voiced is not running; 4 no answer in time; 5 other version; 6 voiced cannot serve
(no key, no microphone, offline); 130 interrupted
"""

LONGEST_WAIT_S: Final = 86_400.0 * 365
WISHES: Final = {
    "start": "begin a conversation",
    "stop": "end the conversation",
    "toggle": "begin a conversation, or end it",
    "interrupt": "silence the assistant; the floor is yours",
    "unmute": "open your microphone",
    "reload": "read the configuration again; a broken one changes nothing",
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="S", help="seconds to wait for an answer"
    )
    made = argparse.ArgumentParser(
        prog="voicectl",
        description="Steer the voiced daemon.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"voicectl {__version__}")
    verbs = made.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, help_text in WISHES.items():
        verbs.add_parser(verb, parents=[common], help=help_text, description=help_text)
    mute = verbs.add_parser("mute", parents=[common], help="close your microphone")
    mute.add_argument("wish", nargs="?", choices=("on", "off", "toggle"), default="on")
    say = verbs.add_parser("say", parents=[common], help="type a turn instead of speaking it")
    say.add_argument("text", nargs="+")
    ptt = verbs.add_parser("ptt", parents=[common], help="hold to talk, with manual turns")
    ptt.add_argument("edge", choices=("press", "release", "cancel"))
    verbs.add_parser("status", parents=[common], help="what voiced is doing")
    verbs.add_parser("version", parents=[common], help="both versions")
    verbs.add_parser("events", help="print every change as one JSON object a line")
    claim = verbs.add_parser("is", parents=[common], help="ask by the exit status")
    claim.add_argument("claim", choices=commands.CLAIMS)
    wait = verbs.add_parser("wait", help="wait until something is so")
    wait.add_argument("--for", dest="goal", choices=commands.GOALS, default="running")
    wait.add_argument("--timeout", type=seconds, metavar="S", help="seconds; none waits for ever")
    return made


def seconds(text: str) -> float:
    """Read a time to wait.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= LONGEST_WAIT_S:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return value


def arguments_of(command_line: Sequence[str]) -> argparse.Namespace:
    """Read the command line; wrong arguments end the process with status 2."""
    made = parser()
    arguments = made.parse_args(command_line)
    arguments.args = {}
    if arguments.verb == "unmute":
        arguments.verb, arguments.args = "mute", {"wish": "off"}
    elif arguments.verb == "mute":
        arguments.args = {"wish": arguments.wish}
    elif arguments.verb == "ptt":
        arguments.args = {"edge": arguments.edge}
    elif arguments.verb == "say":
        arguments.args = {"text": " ".join(arguments.text)}
        if not arguments.args["text"].strip():
            made.error("say: there is nothing to say")
        if not is_text(arguments.args["text"]):
            made.error("say: the text is not UTF-8")
    return arguments


def main() -> int:
    """Run the command and return its exit status."""
    try:
        status = commands.run(arguments_of(sys.argv[1:]))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return commands.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone.
        _forget_stdout()
        return commands.DONE
    except OSError as error:
        _forget_stdout()
        print(f"voicectl: cannot write: {error.strerror}", file=sys.stderr)
        return commands.FALSE
    except ConfigError as error:
        print(f"voicectl: {error}", file=sys.stderr)
        return commands.NOT_RUNNING
    return status


def _forget_stdout() -> None:
    """Write to nowhere: Python would complain once more when it closes stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    sys.exit(main())
