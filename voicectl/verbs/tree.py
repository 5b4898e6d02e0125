"""How a module adds its verbs to the command line.

A module of ``voicectl.verbs`` has ``add(verbs)``.  What a verb needs beyond the standard
library is imported in the function that runs it, so that help and completion stay quick.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from voicectl.arguments import Parser

if TYPE_CHECKING:
    from voicectl.arguments import Adder

Run = Callable[[argparse.Namespace], int]
"""Does what the command line says and returns the exit status."""

LONGEST_WAIT_S: Final = 86_400.0 * 365


class Verbs:
    """The verbs of the program, or of one group such as ``service``.

    Args:
        parsers: Where argparse keeps them.
    """

    def __init__(self, parsers: "Adder") -> None:
        self._parsers = parsers

    def verb(
        self,
        name: str,
        summary: str,
        run: Run,
        *,
        examples: Sequence[str] = (),
        json: bool = False,
        timeout: bool = False,
    ) -> Parser:
        """Add a verb and return its parser, for its arguments.

        Args:
            name: The word.
            summary: What it does, in one line without a full stop.
            run: Does it.
            examples: Whole command lines; the help begins with them.
            json: It takes ``--json``.
            timeout: It takes ``--timeout``.
        """
        made = self._parser(name, summary, examples)
        if json:
            made.add_argument("--json", action="store_true", help="print JSON")
        if timeout:
            made.add_argument(
                "--timeout",
                type=seconds,
                default=5.0,
                metavar="S",
                help="seconds to wait for an answer (default: 5)",
            )
        made.set_defaults(run=run)
        return made

    def group(self, name: str, summary: str, *, examples: Sequence[str] = ()) -> "Verbs":
        """Add a word that has verbs of its own."""
        made = self._parser(name, summary, examples)
        return Verbs(made.take_verbs("subverb"))

    def _parser(self, name: str, summary: str, examples: Sequence[str]) -> Parser:
        return self._parsers.add_parser(name, help=summary, description=summary, examples=examples)


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
