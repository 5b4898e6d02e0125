"""The shortcuts for KDE Plasma, in the part of Plasma that takes the keys."""

import os
import select
from pathlib import Path

import pytest

from tests.rig import windows
from tests.rig.soundcard import VirtualSoundCard
from tests.windows.stage import needed
from voicectl import snippets

AGAIN_MS = 300
SHIFT, PAUSE = 50, 127

pytestmark = [pytest.mark.repository, pytest.mark.long]


def test_plasma_runs_what_the_file_says(card: VirtualSoundCard) -> None:
    needed(*windows.PLASMA_TOOLS)
    program, said = card.base / "voicectl", card.base / "said"
    os.mkfifo(said)
    program.write_text(f'#!/bin/sh\necho "$@" > {said}\n')
    program.chmod(0o755)
    place = card.base / ".local" / "share" / "kglobalaccel" / "voiced-hotkeys.desktop"
    place.parent.mkdir(parents=True)
    place.write_text(snippets.hotkeys("kde", snippets.bindings("kde"), Path(program)))
    with said.open("r+b", buffering=0) as end, windows.plasma(card.environment()) as screen:
        while not select.select([end], [], [], AGAIN_MS / 1000)[0]:
            screen.press(PAUSE)
            screen.release(PAUSE)
        heard = end.read(100)
        screen.press(SHIFT)
        screen.press(PAUSE)
        screen.release(PAUSE)
        screen.release(SHIFT)
        while b"mute" not in heard:
            heard += end.read(100)

    assert set(heard.splitlines()) == {b"toggle", b"mute toggle"}
