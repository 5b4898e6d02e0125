"""``./dev demo``: a spoken conversation with an interruption, from the first word to the last.

A user's voice asks the built-in server for a story, interrupts it, and asks something
else.  Where the machine has sound one hears both; where it has none, a virtual sound card
stands in.  The timeline is printed as it happens; picture and sounds are left in out/demo.
"""

import argparse
import asyncio
import contextlib
import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.demo.picture import Mark, draw
from tests.rig.borrowed import BorrowedSoundCard, has_sound
from tests.rig.daemon import ROOT, Daemon
from tests.rig.recorder import Recorder, Samples, write_wav
from tests.rig.soundcard import SoundCard, SoundCardError, VirtualSoundCard
from tests.rig.user import say_to_file, speak

QUESTION = "tell me a long story about the sea"
INTERRUPTION = "what did I say before"
LISTENS_S = 4.0
"""The user listens to the story for so long before he interrupts."""
LOUD = 600
"""Samples above this are speech; the voices are synthetic and the rest is silence."""
RATE_HZ = 24_000


class Story:
    """What happens, as it happens."""

    def __init__(self) -> None:
        self.began_s = time.monotonic()
        self.marks: list[Mark] = []
        self.notices: list[dict[str, Any]] = []
        self.changed = asyncio.Event()

    def tell(self, text: str, at_s: float | None = None) -> None:
        """Print one line of the timeline."""
        seconds = (time.monotonic() if at_s is None else at_s) - self.began_s
        print(f"{seconds:7.2f} s  {text}", flush=True)

    def mark(self, label: str, colour: str, at_s: float | None = None) -> None:
        """Put a line into the picture."""
        self.marks.append(
            Mark((time.monotonic() if at_s is None else at_s) - self.began_s, label, colour)
        )

    async def follow(self, daemon: Daemon) -> None:
        """Read what the daemon publishes until cancelled."""
        process = await asyncio.create_subprocess_exec(
            *daemon.ctl_command("events"),
            env=daemon.environment,
            cwd=daemon.directory,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        state = ""
        try:
            async for line in process.stdout:
                notice = json.loads(line)
                self.notices.append(notice)
                if notice["event"] == "state" and notice["state"] != state:
                    state = notice["state"]
                    self.tell(f"[{state}]")
                self._words(notice)
                self._interruption(notice, daemon)
                self.changed.set()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def until(self, event: str, after: int, **fields: object) -> int:
        """Wait for a notice and return how many there were by then."""
        wanted = {"event": event, **fields}
        async with asyncio.timeout(60):
            while True:
                for number, notice in enumerate(self.notices[after:], after + 1):
                    if wanted.items() <= notice.items():
                        return number
                self.changed.clear()
                await self.changed.wait()

    def _words(self, notice: dict[str, Any]) -> None:
        if notice["event"] == "transcript" and notice["final"]:
            who = "you" if notice["role"] == "user" else "assistant"
            text = notice["text"]
            self.tell(f'{who}: "{text if len(text) < 90 else text[:87] + "..."}"')

    def _interruption(self, notice: dict[str, Any], daemon: Daemon) -> None:
        if notice["event"] == "interruption":
            if not notice["confirmed"]:
                self.tell(f"a doubt, by {notice['source']}: nobody spoke, nothing was lost")
                return
            # What was sent is in the log; the notice only tells what was heard.
            sent = re.findall(r"> TruncateItem\(.*audio_end_ms=(\d+)", daemon.log)
            self.tell(
                f"INTERRUPTED by {notice['source']}: silent after {notice['silent_ms']:g} ms,"
                f" heard {notice['heard_ms']} ms, truncated at {sent[-1] if sent else 'no'} ms"
            )
            who = "voiced" if notice["source"] == "local" else notice["source"]
            self.mark(f"{who} hears you; silent {notice['silent_ms']:g} ms later", "tab:red")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    made.add_argument("--virtual", action="store_true", help="use the virtual card in any case")
    made.add_argument("--out", type=Path, default=ROOT / "out" / "demo", metavar="FOLDER")
    return made


async def play(card: SoundCard, out: Path) -> None:
    """Hold the conversation and leave its traces."""
    question = say_to_file(QUESTION, card.base / "question.wav")
    interruption = say_to_file(INTERRUPTION, card.base / "interruption.wav")
    config = (
        '[provider]\nkind = "local"\n[log]\nlevel = "debug"\n'
        f'[audio]\ninput = "{card.mic}.monitor"\noutput = "{card.speaker}"\n'
    )
    with (
        Daemon(card.environment(), config) as daemon,
        Recorder(card) as loudspeaker,
        Recorder(card, source=f"{card.mic}.monitor") as microphone,
    ):
        story = Story()
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(story.follow(daemon))
            try:
                await converse(card, daemon, story, question, interruption)
            except (TimeoutError, SoundCardError):
                print(daemon.log, file=sys.stderr)
                raise
            finally:
                following.cancel()
        finish(story, loudspeaker, microphone, out)


async def converse(
    card: SoundCard, daemon: Daemon, story: Story, question: Path, interruption: Path
) -> None:
    """Ask, listen, interrupt, listen."""
    await asyncio.to_thread(daemon.ctl, "start")
    seen = await story.until("state", 0, state="listening")
    story.tell(f'you begin to say: "{QUESTION}"')
    story.mark("you ask", "tab:blue")
    await speak(card, question)
    seen = await story.until("state", seen, state="speaking")
    story.mark("assistant answers", "tab:green")
    await asyncio.sleep(LISTENS_S)
    story.tell(f'you begin to say: "{INTERRUPTION}"')
    story.mark("you interrupt", "tab:blue")
    await speak(card, interruption)
    seen = await story.until("interruption", seen, confirmed=True)
    seen = await story.until("state", seen, state="speaking")
    story.mark("assistant answers", "tab:green")
    await story.until("state", seen, state="listening")
    await asyncio.sleep(0.3)
    await asyncio.to_thread(daemon.ctl, "stop")


def finish(story: Story, loudspeaker: Recorder, microphone: Recorder, out: Path) -> None:
    """Compare the recordings and write everything down."""
    assistant = from_beginning(loudspeaker, story.began_s)
    user = from_beginning(microphone, story.began_s)
    notice = next(n for n in story.notices if n["event"] == "interruption" and n["confirmed"])
    # A recording begins with silence; what counts is the first sound.
    marks = [
        replace(mark, at_s=speech_begins(user, mark.at_s)) if mark.label.startswith("you") else mark
        for mark in story.marks
    ]
    spoke_s = next(mark.at_s for mark in marks if mark.label == "you interrupt")
    silent_s = silence_begins(assistant, spoke_s)
    print(
        f"\nIn the recordings: you began to speak over the assistant at {spoke_s:.2f} s,"
        f" the loudspeaker fell silent at {silent_s:.2f} s:"
        f" {1000 * (silent_s - spoke_s):.0f} ms later.\n"
        f"Of that, {notice['silent_ms']:g} ms are the loudspeaker's; the rest is the time it"
        " takes to be sure that you speak."
    )
    write_wav(out / "user.wav", user, RATE_HZ)
    write_wav(out / "assistant.wav", assistant, RATE_HZ)
    (out / "events.jsonl").write_text("".join(json.dumps(n) + "\n" for n in story.notices))
    title = (
        f"voiced: interrupted after {notice['heard_ms'] / 1000:.2f} s of the answer,"
        f" silent {notice['silent_ms']:g} ms after it was noticed"
    )
    draw(out / "timeline.png", user, assistant, marks, title)
    print(f"Left in {out}: timeline.png user.wav assistant.wav events.jsonl")


def from_beginning(recorder: Recorder, began_s: float) -> Samples:
    """Return a recording from the beginning of the story on."""
    return recorder.samples()[max(0, recorder.index_at(began_s)) :]


def speech_begins(samples: Samples, after_s: float) -> float:
    """Return when speech begins after a time, in seconds."""
    start = int(after_s * RATE_HZ)
    loud = np.nonzero(np.abs(samples[start:].astype(int)) > LOUD)[0]
    return (start + int(loud[0])) / RATE_HZ


def silence_begins(samples: Samples, after_s: float) -> float:
    """Return when the sound that goes on at a time ends in 0.4 s of silence, in seconds."""
    start = int(after_s * RATE_HZ)
    loud = np.nonzero(samples[start:])[0]
    pauses = np.nonzero(np.diff(loud) > 0.4 * RATE_HZ)[0]
    last = loud[pauses[0]] if pauses.size else loud[-1]
    return (start + int(last)) / RATE_HZ


def main() -> int:
    """Run the demo."""
    arguments = parser().parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        if arguments.virtual or not has_sound():
            print("No sound here: a virtual sound card stands in.", flush=True)
            with VirtualSoundCard() as card:
                asyncio.run(play(card, arguments.out))
        else:
            print("You should hear both voices.", flush=True)
            with BorrowedSoundCard() as borrowed:
                asyncio.run(play(borrowed, arguments.out))
    except SoundCardError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
