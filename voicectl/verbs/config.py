"""The configuration file: where it is, what holds, whether it is right, and changing it."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Final

from voicectl.outcome import DONE, FALSE, NotRunningError, complain
from voicectl.verbs.tree import Verbs
from voiced.errors import ConfigError

RELOAD_WITHIN_S: Final = 5.0
STDIN: Final = "-"


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    group = verbs.group(
        "config",
        "the configuration file",
        examples=(
            "voicectl config edit              change it; what is wrong never gets in",
            "voicectl config check             tell what is wrong, with line and column",
            "voicectl config show --changed    what differs from the defaults",
            "voicectl config schema > voiced.schema.json",
        ),
    )
    group.verb(
        "path",
        "print where the file is",
        path,
        examples=("voicectl config path",),
    )
    shown = group.verb(
        "show",
        "print what holds, as a file that can be used",
        show,
        examples=(
            "voicectl config show",
            "voicectl config show --changed          what differs from the defaults",
            "voicectl config show --json | jq .settings.audio",
        ),
        json=True,
    )
    shown.add_argument("--changed", action="store_true", help="only what is not the default")
    checked = group.verb(
        "check",
        "tell whether a file can be used",
        check,
        examples=("voicectl config check", "voicectl config check ~/dotfiles/voiced.toml"),
    )
    checked.add_argument(
        "file", nargs="?", metavar="FILE", help="default: the file in use; - reads standard input"
    )
    group.verb(
        "edit",
        "change the file with your editor, check it, and reload the daemon",
        edit,
        examples=("voicectl config edit              with $VISUAL, or with $EDITOR",),
    )
    group.verb(
        "schema",
        "print the JSON Schema of the file, for editors",
        schema,
        examples=("voicectl config schema > ~/.config/voiced/voiced.schema.json",),
    )


def path(_: argparse.Namespace) -> int:
    """Print the file in use."""
    from voicectl.settings_file import in_use

    file = in_use()
    print(file)
    if not file.exists():
        complain("there is no such file, the defaults hold", "make one: voicectl config edit")
    return DONE


def show(arguments: argparse.Namespace) -> int:
    """Print what holds."""
    from voicectl import settings_file

    file = settings_file.in_use()
    try:
        settings = settings_file.load(file)
    except ConfigError as error:
        complain(str(error))
        return FALSE
    only_changed: bool = arguments.changed
    if arguments.json:
        shown = settings_file.as_object(settings, file, only_changed=only_changed)
        print(json.dumps(shown, indent=2))
    else:
        print(settings_file.as_toml(settings, file, only_changed=only_changed), end="")
    return DONE


def check(arguments: argparse.Namespace) -> int:
    """Tell whether a file can be used."""
    from voicectl import settings_file

    name: str | None = arguments.file
    try:
        if name == STDIN:
            settings_file.check(sys.stdin.buffer.read(), "standard input")
            print("standard input: good")
        elif name is not None:
            settings_file.load(Path(name), is_optional=False)
            print(f"{name}: good")
        else:
            settings_file.load(file := settings_file.in_use())
            there = "good" if file.exists() else "there is no such file, the defaults hold"
            print(f"{file}: {there}")
    except ConfigError as error:
        complain(str(error))
        return FALSE
    return DONE


def edit(_: argparse.Namespace) -> int:
    """Have the file edited, and the daemon read it."""
    from voicectl import edit as editing
    from voicectl.settings_file import in_use

    file = in_use()
    try:
        if not editing.edit(file, editing.editor(os.environ), _edit_again):
            print("nothing was changed")
            return DONE
    except editing.EditError as error:
        complain(str(error), error.hint)
        return FALSE
    print(f"{file} is saved")
    return _reload()


def schema(_: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    from voicectl.schema import schema as made

    print(json.dumps(made(), indent=2, ensure_ascii=False))
    return DONE


def _edit_again(complaint: str) -> bool:
    """Tell what is wrong, and ask whether to go on."""
    complain(complaint)
    if not sys.stdin.isatty():
        return False
    try:
        return input("Edit again? [Y/n] ").strip().casefold() not in ("n", "no")
    except EOFError:
        return False


def _reload() -> int:
    """Have a running daemon read the file."""
    from voicectl import client, render

    try:
        reply = client.ask("reload", {}, RELOAD_WITHIN_S)
    except NotRunningError:
        print("voiced is not running; it reads the file when it starts")
        return DONE
    if reply.error is not None:
        return client.refused(reply.error)
    print(render.done(reply.result or {}) or "reloaded")
    return DONE
