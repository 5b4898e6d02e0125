"""The few marks of roff that a manual page needs (man(7)), pure."""

from collections.abc import Iterable, Mapping

TITLE = '.TH {name} {section} "" "voiced {version}" "voiced"'


def text(words: str) -> str:
    """Return words that mean nothing to roff."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    escaped = (
        escaped.replace('"', "\\(dq")
        .replace("`", "\\(ga")
        .replace("^", "\\(ha")
        .replace("~", "\\(ti")
    )
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in escaped.split("\n"))


def bold(words: str) -> str:
    """Return words as they are typed."""
    return f"\\fB{text(words)}\\fR"


def title(name: str, section: int, version: str) -> str:
    """Return the first line of a page."""
    return TITLE.format(name=name.upper(), section=section, version=text(version))


def heading(words: str) -> str:
    """Return a heading."""
    return f".SH {text(words)}"


def subheading(words: str) -> str:
    """Return a heading below a heading; what has marks of its own is left as it is."""
    return f'.SS "{words}"'


def paragraph(words: str) -> str:
    """Return a paragraph."""
    return f".PP\n{text(words)}"


def terms(explained: Mapping[str, str]) -> str:
    """Return words and what they mean; the words are typed."""
    return "\n".join(f".TP\n{bold(term)}\n{text(why)}" for term, why in explained.items())


def example(lines: Iterable[str]) -> str:
    """Return lines as they are typed."""
    shown = "\n".join(text(line) for line in lines)
    return f".PP\n.RS 4\n.EX\n{shown}\n.EE\n.RE"
