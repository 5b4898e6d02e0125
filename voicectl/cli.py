"""The whole command line of voicectl, from the verbs to the exit status."""

import argparse
from collections.abc import Sequence
from typing import Final

from voicectl import outcome
from voicectl.outcome import complain
from voicectl.verbs import session, state, views
from voicectl.verbs.tree import Verbs, described
from voiced import __version__
from voiced.control.protocol import MAX_REQUEST_BYTES

MODULES: Final = (session, state, views)
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
    """Do what the command line says and return the exit status.

    Wrong arguments end the process with status 2.
    """
    arguments = parser().parse_args(command_line)
    try:
        status: int = arguments.run(arguments)
    except outcome.NotRunningError:
        complain("voiced is not running", "start it: systemctl --user start voiced, or: voiced")
        return outcome.NOT_RUNNING
    except outcome.TooLongError:
        complain(f"too long: at most {MAX_REQUEST_BYTES} bytes are taken")
        return outcome.USAGE
    except outcome.NoAnswerError:
        complain("voiced did not answer in time", "see its log: journalctl --user -u voiced")
        return outcome.NO_ANSWER
    except outcome.VersionError as error:
        complain(str(error), "restart the daemon: systemctl --user restart voiced")
        return outcome.OTHER_VERSION
    return status
