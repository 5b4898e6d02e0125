"""Completion for shells, made from the same parser as the help."""

import argparse
from typing import Final

from voicectl.outcome import DONE
from voicectl.verbs.tree import Verbs

SHELLS: Final = ("bash", "zsh", "fish")
EXAMPLES: Final = (
    "voicectl completion bash > ~/.local/share/bash-completion/completions/voicectl",
    "voicectl completion zsh > ~/.zfunc/_voicectl     a directory of $fpath",
    "voicectl completion fish > ~/.config/fish/completions/voicectl.fish",
)


def add(verbs: Verbs) -> None:
    """Add the verb."""
    made = verbs.verb(
        "completion", "print what completes voicectl in a shell", run, examples=EXAMPLES
    )
    made.add_argument("shell", choices=SHELLS, metavar="|".join(SHELLS), help="the shell you use")


def run(arguments: argparse.Namespace) -> int:
    """Print the completion."""
    import shtab

    print(shtab.complete(arguments.whole, shell=arguments.shell))
    return DONE
