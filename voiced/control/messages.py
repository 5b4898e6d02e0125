"""What travels over the control socket; shared by the daemon and voicectl, pure.

A request is one JSON object::

    {"v": 1, "id": "7", "verb": "mute", "args": {"wish": "toggle"}, "t": 8123, "deadline_ms": 2000}

and so is its reply::

    {"v": 1, "id": "7", "ok": true, "result": {...}, "voiced": "0.1.0"}
    {"v": 1, "id": "7", "ok": false, "error": {"code", "message", "hint"}, "voiced": "0.1.0"}

``t`` is CLOCK_MONOTONIC in nanoseconds at the start of the asking process: the clock is
the machine's, so both sides can compare it.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

from voiced.control.protocol import (
    LEVELS,
    MAX_REQUEST_BYTES,
    STALE_AFTER_S,
    STALE_VERBS,
    VERBS,
    VERSION,
)
from voiced.errors import OtherVersionError, WireError

ASSISTANT: Final = "assistant"
"""The one role of a transcript; the other is "user"."""

MOST_COUNTED: Final = 2**63
"""What the kernel counts in nanoseconds stays below this."""


class SessionReport(TypedDict):
    """The session part of a status."""

    provider: str
    model: str
    started: float | None
    age_s: float | None
    turns: int
    reconnects: int


class AudioReport(TypedDict):
    """The sound part of a status."""

    input: str | None
    output: str | None
    underruns: int
    overruns: int
    starvations: int
    restarts: int
    unsent: int
    echo: str
    echo_reason: str
    local_detection: bool
    recorder_s: int
    """How much sound the flight recorder keeps; 0 while it is off."""


class InterruptionReport(TypedDict):
    """One interruption."""

    number: int
    source: str
    silent_ms: float | None
    heard_ms: int | None
    item_id: str | None
    confirmed: bool
    sound_to_duck_ms: float | None
    sound_to_cut_ms: float | None
    sound_to_silent_ms: float | None


class CostReport(TypedDict):
    """Money, in US dollars."""

    usd_today: float
    usd_session: float


class StatusReport(TypedDict):
    """What ``voicectl status --json`` prints."""

    v: int
    state: str
    muted: bool
    mic_open: bool
    online: bool
    ptt: bool
    paused: str | None
    voiced: str
    session: SessionReport
    audio: AudioReport
    last_interruption: InterruptionReport | None
    cost: CostReport
    error: str | None


class LineReport(TypedDict):
    """One line of ``voicectl transcript --json``."""

    t: float
    role: str
    item_id: str
    text: str
    final: bool
    cut: bool
    heard_ms: int | None


@dataclass(frozen=True, slots=True)
class Request:
    """Something asked of the daemon."""

    verb: str
    args: dict[str, str] = field(default_factory=dict)
    id: str = ""
    t: int | None = None
    """CLOCK_MONOTONIC in nanoseconds when the asking process started."""
    deadline_ms: int | None = None

    @property
    def at_s(self) -> float | None:
        """Return when the asking process started, in seconds of CLOCK_MONOTONIC."""
        return None if self.t is None else self.t / 1e9

    def encode(self) -> bytes:
        """Write the request as one JSON object."""
        fields: dict[str, Any] = {"v": VERSION, "id": self.id, "verb": self.verb}
        fields |= {"args": self.args, "t": self.t, "deadline_ms": self.deadline_ms}
        # Plain characters, not escapes: a long text stays as short as it is.
        return json.dumps(fields, ensure_ascii=False).encode()

    def is_stale(self, now_ns: int) -> bool:
        """Tell whether it asks for an open microphone too late to be meant."""
        opens = self.verb in STALE_VERBS or (
            self.verb == "ptt" and self.args.get("edge") == "press"
        )
        return opens and self.t is not None and now_ns - self.t > STALE_AFTER_S * 1e9


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not done."""

    code: str
    """A key of ``EXIT_CODES``."""
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The daemon's answer."""

    id: str
    voiced: str
    """The daemon's version."""
    result: dict[str, Any] | None = None
    error: Failure | None = None

    def encode(self) -> bytes:
        """Write the reply as one JSON object."""
        fields: dict[str, Any] = {"v": VERSION, "id": self.id, "ok": self.error is None}
        if self.error is None:
            fields["result"] = self.result or {}
        else:
            error = self.error
            fields["error"] = {"code": error.code, "message": error.message, "hint": error.hint}
        fields["voiced"] = self.voiced
        return json.dumps(fields).encode()


def decode_request(data: bytes) -> Request:
    """Read a request.

    Raises:
        WireError: It is not one; the text says why, for whoever sent it.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise WireError(f"a request of {len(data)} bytes is too long")
    fields = _object(data)
    if fields.get("v") != VERSION:
        raise OtherVersionError(f'"v" must be {VERSION}, not {fields.get("v")!r}')
    verb, args = fields.get("verb"), fields.get("args") or {}
    if not isinstance(verb, str) or verb not in VERBS:
        raise WireError(f"no verb {verb!r}; there is: {', '.join(sorted(VERBS))}")
    if not isinstance(args, dict) or not all(is_text(value) for value in args.values()):
        raise WireError('"args" must be an object of texts in UTF-8')
    identity = fields.get("id", "")
    started, deadline_ms = fields.get("t"), fields.get("deadline_ms")
    if not isinstance(identity, str | int) or not _is_count(started) or not _is_count(deadline_ms):
        raise WireError('"id" must be a text, "t" and "deadline_ms" whole numbers')
    return Request(verb, args, str(identity), started, deadline_ms)


def decode_reply(data: bytes) -> Reply:
    """Read a reply.

    Raises:
        WireError: It is not one.
    """
    fields = _object(data)
    _check_version(fields)
    return reply_of(fields)


def reply_of(fields: dict[str, Any]) -> Reply:
    """Give the fields of a reply their names.

    Raises:
        WireError: It is neither a result nor an error.
    """
    identity, version = str(fields.get("id", "")), str(fields.get("voiced", ""))
    if fields.get("ok") is True:
        result = fields.get("result")
        return Reply(identity, version, result if isinstance(result, dict) else {})
    error = fields.get("error")
    if not isinstance(error, dict):
        raise WireError("a reply that is neither a result nor an error")
    code, message, hint = (str(error.get(name) or "") for name in ("code", "message", "hint"))
    return Reply(identity, version, error=Failure(code, message, hint))


def encode_notice(event: str, unix_s: float, fields: dict[str, Any]) -> bytes:
    """Write one line of ``voicectl events``."""
    return json.dumps({"v": VERSION, "t": round(unix_s, 3), "event": event} | fields).encode()


def decode_notice(data: bytes) -> dict[str, Any]:
    """Read one line of ``voicectl events``.

    Raises:
        WireError: It is not one.
    """
    fields = _object(data)
    _check_version(fields)
    if not isinstance(fields.get("event"), str):
        raise WireError("a notice without an event")
    return fields


def encode_levels(levels: dict[str, Any]) -> bytes:
    """Write how loud it is."""
    return LEVELS + json.dumps(levels).encode()


def decode_levels(data: bytes) -> dict[str, Any]:
    """Read how loud it is.

    Raises:
        WireError: That is not what it says.
    """
    return _object(data.removeprefix(LEVELS))


def line_text(report: LineReport) -> str:
    """Write a line of the transcript for people, in one line whatever was said."""
    who = "assistant" if report["role"] == ASSISTANT else "you"
    return f"{who}: {one_line(report['text'])}{cut_mark(report)}"


def cut_mark(report: LineReport) -> str:
    """Return what marks a line that was not said to its end; empty for one that was."""
    if not report["cut"]:
        return ""
    heard_ms = report["heard_ms"]
    if heard_ms is None:
        return " …"
    return f" … (interrupted, {heard_ms / 1000:.1f} s heard)" if heard_ms else " … (not heard)"


def one_line(text: str) -> str:
    """Return a text from outside as one line that is safe to print."""
    whole = text.encode("utf-8", "replace").decode()
    return " ".join(whole.translate(_CONTROLS).split())


_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029), " ")
"""What moves the cursor or begins a command of the terminal."""


def is_text(value: object) -> bool:
    """Tell whether a value is a text that can be passed on; half a surrogate cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(data: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise WireError("not a JSON object")
    return fields


def _check_version(fields: dict[str, Any]) -> None:
    version = fields.get("v")
    if version != VERSION:
        raise OtherVersionError(f"the daemon speaks version {version!r} of the control protocol")


def _is_count(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_COUNTED
