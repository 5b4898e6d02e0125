"""The verbs for the provider's key: it is read from a prompt or from stdin, never shown.

The key is kept in a file of the user with mode 0600.  Where the service was installed by
voicectl, a drop-in has the service manager hand it over as a credential; the drop-in is
there only while the key is, because a service whose credential is missing does not start.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from typing import Final

from voicectl.outcome import DONE, FALSE, USAGE, complain
from voicectl.verbs.tree import Verbs

LONGEST_KEY: Final = 4096


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a key could come from, in the order in which they are asked."""

    file: str
    mode: int | None
    """Mode of the file; None where there is none."""
    is_credential: bool
    """The service manager hands the file to the service."""
    has_variable: bool

    @property
    def used(self) -> str | None:
        """Return the name of the source that counts."""
        if self.mode is not None:
            return "credential" if self.is_credential else "file"
        return "environment" if self.has_variable else None

    @property
    def is_private(self) -> bool:
        """Tell whether nobody else can read the file."""
        return self.mode is None or not self.mode & 0o077


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    group = verbs.group(
        "secret",
        "the key of the provider",
        examples=(
            "voicectl secret set             asks for it, and shows nothing",
            "pass openai | voicectl secret set",
            "voicectl secret status          where a key comes from",
        ),
    )
    group.verb("set", "store a key; it is asked for, or read from stdin", store)
    group.verb("status", "say where a key comes from, and nothing of the key", status, json=True)
    group.verb("rm", "remove the stored key", remove)


def store(_: argparse.Namespace) -> int:
    """Store the key that is typed, or read from stdin."""
    from voicectl import installation
    from voicectl.service_report import key_file

    key = _ask()
    if wrong := complaint(key):
        complain(wrong)
        return USAGE
    path = key_file(os.environ)
    installation.write(path, f"{key}\n", mode=0o600, directory_mode=0o700)
    print(f"stored in {path}")
    status, next_step = _hand_over(is_there=True)
    print(next_step, end="")
    return status


def remove(_: argparse.Namespace) -> int:
    """Remove the key; first what needs it."""
    from voicectl.service_report import key_file

    status, next_step = _hand_over(is_there=False)
    path = key_file(os.environ)
    try:
        path.unlink()
    except FileNotFoundError:
        print("no key is stored")
        return status
    print(f"removed {path}\n{next_step}", end="")
    return status


def status(arguments: argparse.Namespace) -> int:
    """Say where a key comes from; exit status 1 where none does."""
    found = sources()
    if arguments.json:
        print(json.dumps(as_json(found)))
    else:
        print("\n".join(as_text(found)))
    if not found.is_private:
        complain(f"{found.file} can be read by others", f"chmod 600 {found.file}")
        return FALSE
    return DONE if found.used else FALSE


def sources() -> Sources:
    """Look where a key could come from."""
    import stat

    from voicectl import installation
    from voicectl.service_report import key_file
    from voiced.service.credentials import VARIABLE

    path = key_file(os.environ)
    return Sources(
        str(path),
        stat.S_IMODE(path.stat().st_mode) if path.exists() else None,
        installation.drop_in(installation.SECRET, os.environ).exists(),
        bool(os.environ.get(VARIABLE, "").strip()),
    )


def as_json(found: Sources) -> dict[str, object]:
    """Return the sources for scripts."""
    mode = None if found.mode is None else f"{found.mode:04o}"
    return {
        "v": 1,
        "used": found.used,
        "credential": found.is_credential,
        "file": {"path": found.file, "mode": mode, "private": found.is_private},
        "environment": found.has_variable,
    }


def as_text(found: Sources) -> list[str]:
    """Return the sources for people, line by line."""
    kept = "none" if found.mode is None else f"{found.file}, mode {found.mode:04o}"
    handed = "yes" if found.is_credential else "no"
    variable = "set here; a service does not see it" if found.has_variable else "not set"
    return [
        f"key file:       {kept}",
        f"as credential:  {handed}",
        f"OPENAI_API_KEY: {variable}",
        f"used:           {found.used or 'nothing; store a key: voicectl secret set'}",
    ]


def complaint(key: str) -> str | None:
    """Return what is wrong with a key, if anything is."""
    if not key:
        return "there is no key"
    if len(key) > LONGEST_KEY:
        return f"the key is longer than {LONGEST_KEY} characters"
    if not key.isascii() or not key.isprintable() or " " in key:
        return "the key must be one word of ASCII characters"
    return None


def _ask() -> str:
    """Return what is typed at the prompt, or read from stdin."""
    import getpass

    if sys.stdin.isatty():
        try:
            return getpass.getpass("API key: ").strip()
        except EOFError:
            return ""
    return sys.stdin.read(LONGEST_KEY + 2).strip()


def _hand_over(*, is_there: bool) -> tuple[int, str]:
    """Have the service manager hand the key to the service, or not any more.

    Returns an exit status, and the line that says what comes next.
    """
    from voicectl import installation, systemctl
    from voicectl.service_report import key_file, unit_file
    from voicectl.unit_file import secret_drop_in
    from voiced import __version__

    drop_in = installation.drop_in(installation.SECRET, os.environ)
    unit = installation.read(unit_file(os.environ))
    if is_there and unit is not None and unit.generated_by is not None:
        installation.write(drop_in, secret_drop_in(str(key_file(os.environ)), __version__))
    elif not installation.remove_generated(drop_in):
        return DONE, ""
    try:
        systemctl.run("daemon-reload")
        is_running = systemctl.show("ActiveState").get("ActiveState") == "active"
    except systemctl.ManagerError as error:
        complain(str(error), "then: systemctl --user daemon-reload")
        return FALSE, ""
    return DONE, "next: voicectl service restart\n" if is_running else ""
