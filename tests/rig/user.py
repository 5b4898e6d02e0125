"""A person who speaks into the virtual microphone."""

import asyncio
import shutil
import subprocess
from pathlib import Path

from tests.rig.soundcard import SoundCard, SoundCardError

VOICE = "slt"
"""flite's female voice; pocketsphinx understands it best."""


async def speak(card: SoundCard, wav: Path, *, sink: str | None = None) -> None:
    """Speak a WAV file and return when the last word is out."""
    process = await asyncio.create_subprocess_exec(
        "paplay",
        f"--device={sink or card.mic}",
        "--latency-msec=40",
        str(wav),
        env=card.environment(),
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    if process.returncode != 0:
        raise SoundCardError(f"paplay {wav}: {complaint.decode().strip()}")


def say_to_file(text: str, path: Path, *, voice: str = VOICE) -> Path:
    """Have a sentence spoken into a WAV file by flite."""
    if shutil.which("flite") is None:
        raise SoundCardError("not installed: flite")
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True, timeout=30)
    return path
