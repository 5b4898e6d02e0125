"""What the verbs of keys and bars do: wishes, status, is.

A key press runs through this module, so it imports next to nothing.
"""

from voicectl import exchange, render, tinyjson
from voicectl.claims import holds
from voicectl.outcome import DONE, FALSE, NotRunningError, VersionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def wish(
    verb: str,
    args: dict[str, str],
    timeout_s: float = exchange.TIMEOUT_S,
    *,
    is_json: bool = False,
) -> int:
    """Have something done, and say what came of it.

    Raises:
        CommandError: It was not done.
    """
    result = exchange.ask(verb, args, timeout_s)
    if is_json:
        _print_json(result)
        return DONE
    if shown := render.done(result):
        print(shown)
    return DONE


def status(timeout_s: float = exchange.TIMEOUT_S, *, is_json: bool = False) -> int:
    """Print the status.

    Raises:
        CommandError: There is none.
    """
    try:
        report = exchange.ask("status", {}, timeout_s)
    except NotRunningError:
        if is_json:
            _print_json({"v": 1, "state": "stopped"})
        raise
    if is_json:
        _print_json(report)
        return DONE
    try:
        print(render.status(report))
    except KeyError as error:
        raise VersionError(f"the status of the daemon has no {error}") from error
    return DONE


def claim(what: str, timeout_s: float = exchange.TIMEOUT_S) -> int:
    """Say by the exit status whether something is so.

    Raises:
        CommandError: Nobody can tell.
    """
    try:
        return DONE if holds(what, exchange.ask("status", {}, timeout_s)) else FALSE
    except NotRunningError:
        if what == "running":
            return FALSE
        raise


def _print_json(value: "dict[str, Any]") -> None:
    print(tinyjson.dumps(value))
