"""The flight recorder: what it holds, as a file of the user's."""

import argparse
import contextlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Final

from voicectl import client, exchange
from voicectl.outcome import DONE, CommandError, VersionError
from voicectl.verbs.tree import Verbs

SAVE: Final = (
    "voicectl recorder save                      the last seconds, as voiced-DATE-TIME.wav",
    "voicectl recorder save -o echo.wav",
    "voicectl recorder save -o echo.wav --force  even if it is there already",
)
ALL: Final = (
    "voicectl config edit                        [recorder] seconds = 60 switches it on",
    *SAVE[:2],
    "voicectl recorder clear                     forget what was heard",
)
PATIENCE_S: Final = 20.0
PREFIX: Final = "recording-"


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    group = verbs.group(
        "recorder", "save the last seconds of sound, if you let voiced keep them", examples=ALL
    )
    saved = group.verb(
        "save",
        "write microphone, microphone without echo, and loudspeaker to a WAV file",
        save,
        examples=SAVE,
        json=True,
    )
    saved.add_argument(
        "-o",
        "--output",
        type=sound_file,
        metavar="FILE.wav",
        help="where (default: here, named by the time)",
    )
    saved.add_argument("--force", action="store_true", help="replace a file that is there")
    for name, summary in (
        ("status", "how much sound is kept"),
        ("clear", "forget the sound that is kept"),
    ):
        group.verb(name, summary, tell, json=True, timeout=True)


def sound_file(text: str) -> Path:
    """Read the name of a sound file.

    Raises:
        argparse.ArgumentTypeError: It is that of something else.
    """
    path = Path(text)
    if path.suffix.lower() != ".wav":
        raise argparse.ArgumentTypeError(f"{text} must end with .wav")
    return path


def tell(arguments: argparse.Namespace) -> int:
    """Print how much is kept, after forgetting it if that was asked."""
    result = exchange.ask("recorder", {"wish": arguments.subverb}, arguments.timeout)
    if arguments.json:
        print(json.dumps(result))
        return DONE
    try:
        seconds, kept_s = result["seconds"], result["kept_s"]
    except KeyError as error:
        raise VersionError(f"the recorder of the daemon has no {error}") from error
    print(f"keeps {seconds} s, has {kept_s:.1f} s" if seconds else "off ([recorder] seconds = 0)")
    return DONE


def save(arguments: argparse.Namespace) -> int:
    """Have the sound written, and take it to where the user wants it."""
    path: Path = arguments.output or Path(time.strftime("voiced-%Y%m%d-%H%M%S.wav"))
    _look_at(path, is_forced=arguments.force)
    result = exchange.ask("recorder", {"wish": "save"}, PATIENCE_S)
    name = Path(str(result.get("file"))).name
    if not name.startswith(PREFIX):
        raise VersionError("the daemon did not say where the sound is")
    # Only from there, whatever the answer says.
    source = client.directory() / name
    try:
        take(source, path, is_forced=arguments.force)
    finally:
        source.unlink(missing_ok=True)
    if arguments.json:
        print(json.dumps(result | {"file": str(path.absolute())}))
    else:
        print(f"{path}: {result.get('seconds', 0):g} s, {', '.join(result.get('channels', ()))}")
    return DONE


def _look_at(path: Path, *, is_forced: bool) -> None:
    """Find out, before anything is asked for, whether it can go there.

    Raises:
        CommandError: It cannot.
    """
    if not path.parent.is_dir():
        raise CommandError(f"there is no directory {path.parent}")
    if path.exists() and not path.is_file():
        raise CommandError(f"{path} is no file", "name one that ends with .wav")
    if path.exists() and not is_forced:
        raise _there_already(path)
    if not os.access(path.parent, os.W_OK):
        raise CommandError(f"cannot write to {path.parent.absolute()}", "name another with -o")


def take(source: Path, path: Path, *, is_forced: bool) -> None:
    """Copy a file to where nobody else can read it: all of it, or nothing.

    Raises:
        CommandError: Something is there that must not be replaced.
        OSError: It cannot be done.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}") if is_forced else path
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise _there_already(part) from error
    with contextlib.ExitStack() as undo:
        undo.callback(part.unlink, missing_ok=True)
        with os.fdopen(descriptor, "wb") as file, source.open("rb") as sound:
            shutil.copyfileobj(sound, file)
        part.replace(path)
        undo.pop_all()


def _there_already(path: Path) -> CommandError:
    return CommandError(f"{path} is there already", "--force replaces it")
