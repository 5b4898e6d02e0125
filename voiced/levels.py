"""Tells how loud both directions are, ten times a second, while somebody listens to it."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from voiced.audio.meter import Meter

EVERY_S: Final = 0.1

Publish = Callable[[dict[str, Any]], None]


class Levels:
    """The two meters, and who reads them.  Used on the event loop.

    Attributes:
        microphone: Measures what is captured.
        loudspeaker: Measures what is played.
    """

    def __init__(self) -> None:
        self.microphone = Meter()
        self.loudspeaker = Meter()
        self._wanted = asyncio.Event()
        self._told: dict[str, Any] = {}

    def want(self, *, wanted: bool) -> None:
        """Begin to measure, or let it be."""
        for meter in (self.microphone, self.loudspeaker):
            meter.turn(on=wanted)
        self._told = {}
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    async def run(self, publish: Publish) -> None:
        """Publish the levels while they are wanted, until cancelled."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(EVERY_S)
            levels = self._read()
            # A level that stays what it is is none, or silence.
            if levels != self._told and self._wanted.is_set():
                publish(levels)
                self._told = levels

    def _read(self) -> dict[str, Any]:
        taken = {"microphone": self.microphone.take(), "loudspeaker": self.loudspeaker.take()}
        return {name: None if level is None else asdict(level) for name, level in taken.items()}
