"""JSON without the json module, which loads the regular expressions.

The scanner and the encoder are those in C that the json module uses.  Where a Python has
none or other ones, the json module does it: the result is the same, only later.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Grammar:
    """What the scanner in C wants to know; what ``json.loads`` tells it too."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float


def loads(text: str) -> "Any":  # noqa: ANN401 - whatever is written there
    """Read a JSON text.

    Raises:
        ValueError: It is none.
    """
    try:
        from _json import make_scanner

        grammar: Any = Grammar
        scan = make_scanner(grammar)
    except (ImportError, TypeError, AttributeError):
        import json

        return json.loads(text)
    text = text.strip(" \t\n\r")
    try:
        value, end = scan(text, 0)
    except (StopIteration, RecursionError) as error:
        raise ValueError("not JSON") from error
    if end != len(text):
        raise ValueError("more than one JSON text")
    return value


def dumps(value: object, *, is_ascii: bool = True) -> str:
    """Write a value as ``json.dumps`` does, as ASCII or with plain characters."""
    try:
        from _json import encode_basestring, encode_basestring_ascii, make_encoder

        text = encode_basestring_ascii if is_ascii else encode_basestring
        encode = make_encoder(None, _refuse, text, None, ": ", ", ", False, False, True)
        return "".join(encode(value, 0))
    except (ImportError, TypeError):
        import json

        return json.dumps(value, ensure_ascii=is_ascii)


def _refuse(value: object) -> None:
    raise TypeError(f"{type(value).__name__} is no part of JSON")
