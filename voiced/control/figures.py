"""The figures of interruptions as they travel over the control socket; pure."""

from typing import TypedDict

from voiced.control.messages import InterruptionReport


class BinReport(TypedDict):
    """How often a figure was at least ``from_ms`` and less than ``to_ms``."""

    from_ms: float
    to_ms: float | None
    """None has no end."""
    count: int


class SpreadReport(TypedDict):
    """How a figure was spread over the day; None where there was none."""

    count: int
    median: float | None
    p95: float | None
    max: float | None
    bins: list[BinReport]


class OutcomeReport(TypedDict):
    """How often the interruptions of one source stood, and how often they did not."""

    confirmed: int
    given_back: int


class CountReport(TypedDict):
    """How often the user interrupted today."""

    total: int
    confirmed: int
    given_back: int
    ducks: int
    """How often the assistant was made quieter."""
    by_source: dict[str, OutcomeReport]


class StatsReport(TypedDict):
    """What ``voicectl stats --json`` prints."""

    v: int
    since: float
    """Unix time from which is counted: midnight, or the start of the daemon."""
    interruptions: CountReport
    silent_ms: SpreadReport
    sound_to_silent_ms: SpreadReport


class MarkReport(TypedDict):
    """Something that happened; times are ms from the user's first sound."""

    at_ms: float
    name: str
    """``first_sound`` or, where that is not known, ``noticed``; ``suspected confirmed dismissed
    server_heard ducked restored cut held silent resumed given_back``."""
    gain_db: float | None
    """For ``ducked`` and ``restored``: how loud the assistant is from now on."""


class FramesReport(TypedDict):
    """The levels, a column each, for 10 ms that end at ``at_ms``; silence is -96."""

    at_ms: list[float]
    microphone_dbfs: list[float]
    cancelled_dbfs: list[float]
    loudspeaker_dbfs: list[float]
    voice: list[int]
    """1 where the first stage takes it for a voice."""
    probability: list[float | None]
    """How sure the second stage was; None where it did not listen."""


class SoundReport(TypedDict):
    """The loudest samples of what the flight recorder had, a column each.

    A column is base64 of 16 bit numbers, little-endian, of which 32767 is full scale.
    """

    rate_hz: int
    start_ms: float
    microphone: str
    cancelled: str
    loudspeaker: str


class TimelineReport(TypedDict):
    """What ``voicectl timeline --json`` prints."""

    v: int
    t: float
    """Unix time of the user's first sound, or when it was noticed."""
    interruption: InterruptionReport
    start_ms: float
    end_ms: float
    speech_probability: float
    """What the second stage must reach."""
    marks: list[MarkReport]
    frames: FramesReport
    sound: SoundReport | None
