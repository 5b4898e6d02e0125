"""The whole command line of voicectl, from the verbs to the exit status."""

import sys
from collections.abc import Sequence
from textwrap import fill
from typing import Final

from voicectl import outcome
from voicectl.arguments import Parser
from voicectl.outcome import complain
from voicectl.verbs import (
    completion,
    config,
    desktop,
    devices,
    doctor,
    figures,
    logs,
    recorder,
    secret,
    service,
    session,
    state,
    views,
)
from voicectl.verbs.tree import Verbs
from voiced import __version__
from voiced.errors import ConfigError

MODULES: Final = (
    session,
    state,
    views,
    figures,
    recorder,
    service,
    secret,
    config,
    devices,
    doctor,
    logs,
    desktop,
    completion,
)
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

STATUSES: Final = {
    outcome.DONE: "done, or already so",
    outcome.FALSE: "refused, or not so",
    outcome.USAGE: "wrong arguments",
    outcome.NOT_RUNNING: "voiced is not running",
    outcome.NO_ANSWER: "no answer in time, or too late to be meant",
    outcome.OTHER_VERSION: "voiced is of another version",
    outcome.CANNOT_SERVE: "voiced cannot serve (no key, no microphone, offline)",
    outcome.INTERRUPTED: "interrupted",
}
"""Exit status -> what it means."""


def parser() -> Parser:
    """Return the parser of the command line."""
    made = Parser(
        prog="voicectl",
        description="Steer the voiced daemon.",
        epilog=fill("exit status: " + "; ".join(f"{n} {why}" for n, why in STATUSES.items())),
        examples=EXAMPLES,
    )
    made.add_argument("--version", action="version", version=f"voicectl {__version__}")
    verbs = Verbs(made.take_verbs("verb"))
    for module in MODULES:
        module.add(verbs)
    return made


def run(command_line: Sequence[str]) -> int:
    """Do what the command line says and return the exit status."""
    verb = command_line[0] if command_line else ""
    return outcome.conclude(verb, lambda: _parse_and_run(command_line))


def _parse_and_run(command_line: Sequence[str]) -> int:
    whole = parser()
    if not command_line:
        whole.print_help(sys.stderr)
        return outcome.USAGE
    arguments = whole.parse(command_line)
    # For the verb that completes all of them.
    arguments.whole = whole
    try:
        status: int = arguments.run(arguments)
    except ConfigError as error:
        complain(str(error))
        return outcome.NOT_RUNNING
    return status
