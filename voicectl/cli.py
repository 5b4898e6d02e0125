"""The whole command line of voicectl, from the verbs to the exit status."""

import argparse
from collections.abc import Sequence
from typing import Final

from voicectl import outcome
from voicectl.outcome import complain
from voicectl.verbs import config, devices, doctor, session, state
from voicectl.verbs.tree import Verbs, described
from voiced import __version__
from voiced.errors import ConfigError

MODULES: Final = (session, state, config, devices, doctor)
"""The modules of ``voicectl.verbs``, in the order of the help."""

EXAMPLES: Final = (
    "voicectl toggle                 begin a conversation, or end it",
    "voicectl interrupt              silence the assistant",
    "voicectl mute toggle            close your microphone, or open it",
    'voicectl say "what time is it"  type instead of speaking',
    "voicectl status --json          one JSON object",
    "voicectl events                 one JSON object for every change",
    "voicectl is speaking && echo yes",
)

STATUSES: Final = """\
exit status: 0 done, or already so; 1 refused, or not so; 2 wrong arguments;
3 voiced is not running; 4 no answer in time; 5 other version; 6 voiced cannot serve
(no key, no microphone, offline); 130 interrupted
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="voicectl",
        description=described("Steer the voiced daemon.", EXAMPLES),
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"voicectl {__version__}")
    verbs = Verbs("voicectl", made.add_subparsers(dest="verb", metavar="VERB", required=True))
    for module in MODULES:
        module.add(verbs)
    return made


def run(command_line: Sequence[str]) -> int:
    """Do what the command line says and return the exit status."""
    verb = command_line[0] if command_line else ""
    return outcome.conclude(verb, lambda: _parse_and_run(command_line))


def _parse_and_run(command_line: Sequence[str]) -> int:
    arguments = parser().parse_args(command_line)
    try:
        status: int = arguments.run(arguments)
    except ConfigError as error:
        complain(str(error))
        return outcome.NOT_RUNNING
    return status
