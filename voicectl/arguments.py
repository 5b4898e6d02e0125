"""A parser whose help begins with examples, and whose complaints are one line.

Rules
1. ``-h`` may stand anywhere, also in front of the verb, and behind something wrong.
2. What is mistyped is told with what it looks like.
3. Nothing is guessed: options have their whole name.
"""

import argparse
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NoReturn

from voicectl.outcome import USAGE, complain

if TYPE_CHECKING:
    Adder = argparse._SubParsersAction["Parser"]  # noqa: SLF001 - it has no public name

HELP: Final = ("-h", "--help")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Gives words room, and lists verbs without a headline that says VERB."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def _format_action(self, action: argparse.Action) -> str:
        # Neither has a public name.
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            return "".join(map(super()._format_action, action._get_subactions()))  # noqa: SLF001
        return super()._format_action(action)


class Parser(argparse.ArgumentParser):
    """The parser of the program, of a group of verbs, or of one verb.

    Args:
        examples: Whole command lines; the help begins with them.
        options: What ``argparse`` takes.

    Attributes:
        verbs: The verbs below, by their names; empty for a verb.
    """

    def __init__(self, *, examples: Sequence[str] = (), **options: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**options, allow_abbrev=False, formatter_class=Formatter)
        self._examples = tuple(examples)
        self.verbs: Mapping[str, Parser] = {}

    @property
    def examples(self) -> tuple[str, ...]:
        """Return whole command lines; where none are written, the shortest that works."""
        if self._examples:
            return self._examples
        if self.verbs:
            return tuple(verb.examples[0] for verb in self.verbs.values())
        return (self._shortest(),)

    @property
    def options(self) -> list[str]:
        """Return the names of the options."""
        return [name for action in self._actions for name in action.option_strings]

    def take_verbs(self, dest: str) -> "Adder":
        """Make this the parser of a group of verbs, and return where they are added.

        Args:
            dest: Where the name of the chosen one is kept.
        """
        made: Adder = self.add_subparsers(title="verbs", dest=dest, metavar="VERB", required=True)
        self.verbs = made.choices
        return made

    def help_asked_for(self, words: Sequence[str]) -> "Parser | None":
        """Return the parser whose help is asked for; None when none is, or it is not known."""
        before = words[: words.index("--")] if "--" in words else words
        if not any(word in HELP for word in before):
            return None
        about = self
        for word in before:
            if word.startswith("-") or not about.verbs:
                continue
            if word not in about.verbs:
                return None
            about = about.verbs[word]
        return about

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Read a command line; a wrong one ends the program.

        Raises:
            SystemExit: It is wrong, or only its help was asked for.
        """
        about = self.help_asked_for(words)
        if about is not None:
            about.print_help()
            raise SystemExit(0)
        arguments, unknown = self.parse_known_args(words)
        if unknown:
            self._asked(words).refuse(unknown[0])
        return arguments

    def refuse(self, word: str) -> NoReturn:
        """Tell that a word cannot stand where it stands, and end the program."""
        if word in self.options:
            self.error(f"`{word}` goes behind `{self.prog}`")
        self.error(_unlike(f"`{word}` is not understood", word, self.options))

    def format_help(self) -> str:
        """Return the help, the examples first."""
        shown = "\n".join(f"  {line}" for line in self.examples)
        return f"examples:\n{shown}\n\n{super().format_help()}"

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong, and end the program."""
        about = self.prog.partition(" ")[2]
        said = message.replace("the following arguments are required", "missing")
        hint = "" if said.endswith("?") else f"{self.prog} -h shows how"
        complain(f"{about}: {said}" if about else said, hint)
        raise SystemExit(USAGE)

    def _check_value(self, action: argparse.Action, value: Any) -> None:  # noqa: ANN401 - as argparse has it
        if action.choices is None or value in action.choices:
            return
        words = [str(choice) for choice in action.choices]
        if action.choices is self.verbs:
            self.error(_unlike(f"no verb `{value}`", value, words))
        name = f"{action.option_strings[0]}: " if action.option_strings else ""
        self.error(_unlike(f"{name}`{value}` is none of {', '.join(words)}", value, words))

    def _asked(self, words: Sequence[str]) -> "Parser":
        """Return the parser of the verb in a command line."""
        about = self
        for word in words:
            about = about.verbs.get(word, about)
        return about

    def _shortest(self) -> str:
        needed = [
            str(next(iter(action.choices))) if action.choices else str(action.metavar)
            for action in self._get_positional_actions()
            if action.required
        ]
        return " ".join([self.prog, *needed])


def _unlike(message: str, word: str, known: Collection[str]) -> str:
    """Add to a message what a word may have meant."""
    close = get_close_matches(word, known, 1)
    return f"{message}, did you mean `{close[0]}`?" if close else message
