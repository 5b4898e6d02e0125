"""The ``voicectl`` command: what ends it, whatever it did."""

import os
import sys

from voicectl import cli, outcome
from voiced.errors import ConfigError


def main() -> int:
    """Run the command and return its exit status."""
    try:
        status = cli.run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        return outcome.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone.
        _forget_stdout()
        return outcome.DONE
    except OSError as error:
        _forget_stdout()
        outcome.complain(f"cannot write: {error.strerror}")
        return outcome.FALSE
    except ConfigError as error:
        outcome.complain(str(error))
        return outcome.NOT_RUNNING
    return status


def _forget_stdout() -> None:
    """Write to nowhere: Python would complain once more when it closes stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    sys.exit(main())
