"""The manual pages, made of what the programs themselves print."""

import argparse
from collections.abc import Iterator, Mapping, Sequence

from tests.manual import roff
from voicectl import cli
from voicectl.arguments import Parser
from voiced import __main__ as daemon
from voiced import __version__, settings
from voiced.option import Option, to_toml

CONFIG = "~/.config/voiced/config.toml"
FILES = {
    CONFIG: "the configuration, see voiced.toml(5)",
    "$XDG_RUNTIME_DIR/voiced/control.sock": "takes requests",
    "$XDG_RUNTIME_DIR/voiced/events.sock": "tells what happens",
}
COMMON_TO = 5
"""So many verbs make an option one that is explained only once."""
KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def pages() -> dict[str, str]:
    """Return every page by the name of its file."""
    return {"voicectl.1": voicectl(), "voiced.1": voiced(), "voiced.toml.5": voiced_toml()}


def voicectl() -> str:
    """Return the page of voicectl."""
    whole = cli.parser()
    verbs = list(_leaves(whole))
    common = _common(verbs)
    parts = [
        *_head(whole, "steer the voiced daemon"),
        roff.heading("EXAMPLES"),
        roff.example(whole.examples),
        roff.heading("DESCRIPTION"),
        roff.paragraph(
            "voicectl asks the running daemon of this user to do something, or tells what it"
            " does.  It prints what came of it.  What a failure means is told by the exit status;"
            " when no terminal is there to show the reason, as with a key, a notification of the"
            " desktop shows it."
        ),
        roff.heading("OPTIONS"),
        roff.terms(_options(whole)),
        roff.paragraph("Most verbs take:"),
        roff.terms(common),
        roff.heading("VERBS"),
        *(part for verb in verbs for part in _verb(verb, common)),
        roff.heading("EXIT STATUS"),
        roff.terms({str(number): why for number, why in cli.STATUSES.items()}),
        *_foot("voiced(1), voiced.toml(5)"),
    ]
    return "\n".join(parts) + "\n"


def voiced() -> str:
    """Return the page of voiced."""
    parser = daemon.parser()
    parts = [
        *_head(parser, "hold a spoken conversation that you can interrupt"),
        roff.heading("DESCRIPTION"),
        roff.paragraph(
            "voiced runs in the foreground, one for each user.  It keeps the microphone, the"
            " loudspeaker and the conversation with a Realtime model, and is steered by"
            " voicectl(1).  It stops on SIGTERM and SIGINT."
        ),
        roff.heading("OPTIONS"),
        roff.terms(_options(parser)),
        roff.heading("EXIT STATUS"),
        roff.terms({str(number): why for number, why in daemon.STATUSES.items()}),
        *_foot("voicectl(1), voiced.toml(5)"),
    ]
    return "\n".join(parts) + "\n"


def voiced_toml() -> str:
    """Return the page of the configuration file."""
    parts = [
        roff.title("voiced.toml", 5, __version__),
        roff.heading("NAME"),
        f"{roff.text('voiced.toml')} \\- configuration of voiced",
        roff.heading("SYNOPSIS"),
        roff.bold(CONFIG),
        roff.heading("DESCRIPTION"),
        roff.paragraph(
            "A TOML file.  Every option has a default, and so may be left out, like the whole"
            " file.  What is not known or out of range is an error that names the line."
        ),
    ]
    for table, kind in settings.TABLES.items():
        parts += [roff.heading(f"[{table}]"), roff.paragraph(kind.__doc__ or "")]
        parts += [_option(option) for option in settings.options() if option.table == table]
    parts += [
        roff.heading("SEE ALSO"),
        roff.text("voiced(1), voicectl(1)"),
    ]
    return "\n".join(parts) + "\n"


def _head(parser: argparse.ArgumentParser, summary: str) -> list[str]:
    usage = " ".join(parser.format_usage().split()).removeprefix(f"usage: {parser.prog} ")
    return [
        roff.title(parser.prog, 1, __version__),
        roff.heading("NAME"),
        f"{parser.prog} \\- {roff.text(summary)}",
        roff.heading("SYNOPSIS"),
        f"{roff.bold(parser.prog)} {roff.text(usage)}",
    ]


def _foot(also: str) -> list[str]:
    return [
        roff.heading("FILES"),
        roff.terms(FILES),
        roff.heading("SEE ALSO"),
        roff.text(also),
    ]


def _verb(parser: Parser, common: Mapping[str, str]) -> Iterator[str]:
    usage = " ".join(parser.format_usage().split()).removeprefix(f"usage: {parser.prog} [-h]")
    yield roff.subheading(f"{roff.bold(parser.prog.partition(' ')[2])}{roff.text(usage)}")
    yield roff.paragraph(_sentence(parser.description or ""))
    yield roff.example(parser.examples)
    explained = _arguments(parser) | _options(parser)
    if own := {term: why for term, why in explained.items() if common.get(term) != why}:
        yield roff.terms(own)


def _common(parsers: Sequence[Parser]) -> dict[str, str]:
    """Return the options that many verbs have; they are explained once."""
    explained = [item for parser in parsers for item in _options(parser).items()]
    return {term: why for term, why in explained if explained.count((term, why)) >= COMMON_TO}


def _leaves(parser: Parser) -> Iterator[Parser]:
    for verb in parser.verbs.values():
        if verb.verbs:
            yield from _leaves(verb)
        else:
            yield verb


def _arguments(parser: argparse.ArgumentParser) -> dict[str, str]:
    return {
        str(action.metavar or action.dest): _explained(action)
        for action in parser._get_positional_actions()
        if not isinstance(action, argparse._SubParsersAction)
    }


def _options(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Return the options; that of the help is the same everywhere and told once."""
    return {
        ", ".join(action.option_strings) + _value(action): _explained(action)
        for action in parser._get_optional_actions()
        if "-h" not in action.option_strings or " " not in parser.prog
    }


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    return f" {action.metavar or '|'.join(map(str, action.choices or [action.dest.upper()]))}"


def _explained(action: argparse.Action) -> str:
    return _sentence(action.help or "")


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words and words[-1] not in ".?" else words


def _option(option: Option) -> str:
    default = f"Default: {to_toml(option.default)}"
    about = f"{option.rule.why}{settings._limits(option.rule)}"
    kind = KINDS[option.kind]
    return f".TP\n{roff.bold(option.key)} ({kind})\n{roff.text(about)}\n.br\n{roff.text(default)}"
