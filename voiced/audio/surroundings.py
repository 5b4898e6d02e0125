"""Keeps the verdict about the echo up to date while people plug things in and out.

Rules
1. The sound server is asked on a worker thread, never on the event loop.
2. Every verdict is judged anew from everything that is known; one that differs is told to
   the microphone's front end, and by it to the conversation.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from voiced.audio.devices import InUse, in_use
from voiced.audio.front_end import FrontEnd
from voiced.audio.hearing import LATEST_ECHO_MS, Facts, judge
from voiced.conversation.sound_events import HearingChanged
from voiced.settings import Settings

LOOK_EVERY_S: Final = 1.0
"""How often the sound server is asked; it costs a millisecond."""
LOOKS: Final = 4
"""It is as late as the lowest of so many looks: a machine that stalls is no late device."""
CALM_MS: Final = LATEST_ECHO_MS - 50
"""A loudspeaker that was too late must be so early before it is not: no going to and fro."""
REAL_SERVER: Final = "module-echo-cancel"
"""PulseAudio's own canceller hears only what is played through its own loudspeaker."""


class Surroundings:
    """The devices, as far as they matter to the echo.  Used on the event loop.

    Args:
        front_end: Is told every verdict.
        settings: What is wanted.
        latency_ms: Tells how late the loudspeaker is; None while it has not played.
    """

    def __init__(
        self, front_end: FrontEnd, settings: Settings, latency_ms: Callable[[], int | None]
    ) -> None:
        self.front_end = front_end
        self._settings = settings
        self._latency_ms = latency_ms
        self._facts = Facts(has_canceller=front_end.has_canceller)
        self._lately_ms: deque[int] = deque(maxlen=LOOKS)
        self._late_ms: int | None = None
        """How late the loudspeaker was when it was found to be too late."""
        self._loudspeaker: str | None = None
        self._verdict: HearingChanged | None = None
        self._looked_s = float("-inf")

    def configure(self, settings: Settings) -> None:
        """Take new settings; the verdict may be another one at once."""
        self._settings = settings
        self.front_end.configure(settings.interruption)
        self.judge()

    def is_due(self, now_s: float) -> bool:
        """Tell whether it is time to look again; the answer is yes once."""
        if now_s - self._looked_s < LOOK_EVERY_S:
            return False
        self._looked_s = now_s
        return True

    def look(self) -> InUse:
        """Ask the sound server what is in use; waits, so on a worker thread."""
        audio = self._settings.audio
        return in_use(audio.input, audio.output)

    def seen(self, found: InUse) -> None:
        """Take what is in use."""
        loudspeaker = found.loudspeaker.name if found.loudspeaker else None
        if loudspeaker != self._loudspeaker:
            if self._loudspeaker is not None:
                # The echo has another way now, which the canceller has to learn.
                self.front_end.forget()
            self._loudspeaker, self._late_ms = loudspeaker, None
            self._lately_ms.clear()
        self._facts = facts_of(found, has_canceller=self.front_end.has_canceller)
        self.judge()

    def judge(self) -> None:
        """Judge anew: the loudspeaker may be late, or the canceller in trouble."""
        self._note_latency()
        facts = replace(self._facts, trouble=self.front_end.trouble, latency_ms=self._late_ms)
        wanted = self._settings
        verdict = judge(wanted.audio, facts, is_local=wanted.interruption.local)
        if verdict != self._verdict:
            self._verdict = verdict
            self.front_end.decide(verdict)

    def _note_latency(self) -> None:
        now_ms = self._latency_ms()
        if now_ms is None:
            return
        self._lately_ms.append(now_ms)
        latency_ms = min(self._lately_ms)
        if latency_ms < CALM_MS:
            self._late_ms = None
        elif latency_ms > LATEST_ECHO_MS and len(self._lately_ms) == LOOKS:
            self._late_ms = self._late_ms or latency_ms


def facts_of(found: InUse, *, has_canceller: bool) -> Facts:
    """Return what the devices in use mean to the echo."""
    microphone, loudspeaker = found.microphone, found.loudspeaker
    is_cancelling = microphone is not None and microphone.is_canceller
    bypasses = ""
    if microphone is not None and loudspeaker is not None:
        knows = loudspeaker.is_canceller or REAL_SERVER not in microphone.driver
        bypasses = "" if knows else loudspeaker.name
    return Facts(
        has_canceller,
        is_headset=loudspeaker is not None and loudspeaker.is_headset,
        is_server_cancelling=is_cancelling,
        bypasses=bypasses,
    )
