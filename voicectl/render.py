"""Replies as text for people, pure.

A key press runs through this module, so it imports nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def status(report: "dict[str, Any]") -> str:
    """Return a status as a few lines."""
    flags = [name for name in ("muted", "ptt") if report[name] and report["state"] != name]
    if report.get("paused"):
        flags.append(f"paused: {report['paused']}")
    lines = [" ".join([report["state"], *(f"({flag})" for flag in flags)])]
    if report["error"]:
        lines.append(f"problem:      {report['error']}")
    session, audio, cost = report["session"], report["audio"], report["cost"]
    provider = f"{session['provider']}, {session['model']}"
    lines.append(f"provider:     {provider}{'' if report['online'] else ' (not connected)'}")
    if session["age_s"] is not None:
        lines.append(f"conversation: {duration(session['age_s'])}, {session['turns']} turns")
    lines.append(f"microphone:   {audio['input'] or 'closed'}")
    lines.append(f"loudspeaker:  {audio['output'] or 'closed'}")
    if said := trouble(audio):
        lines.append(f"sound:        {said}")
    if said := echo(audio):
        lines.append(f"echo:         {said}")
    last = report["last_interruption"]
    if last:
        number = f" (number {last['number']})" if last.get("number") else ""
        lines.append(f"interrupted:  by {last['source']}, {outcome_of(last, _heard_ms)}{number}")
    if cost["usd_today"]:
        lines.append(
            f"cost:         {cost['usd_today']:.4f} USD today,"
            f" {cost['usd_session']:.4f} USD this conversation"
        )
    return "\n".join(lines)


def done(result: "dict[str, Any]") -> str:
    """Return the answer to a wish as one line; empty when there is nothing to say."""
    if result.get("next_start"):
        tables = ", ".join(f"[{name}]" for name in result["next_start"])
        return f"reloaded; {tables} take effect with the next conversation"
    return str(result.get("state", ""))


def trouble(audio: "dict[str, Any]") -> str:
    """Return what went wrong with the sound, counted; empty when nothing did."""
    names = ("underruns", "overruns", "starvations", "restarts", "unsent")
    return ", ".join(f"{audio[name]} {name}" for name in names if audio[name])


def echo(audio: "dict[str, Any]") -> str:
    """Return what is not as people expect while the assistant speaks; empty when all is."""
    if audio.get("echo_reason"):
        return str(audio["echo_reason"])
    is_deaf = audio.get("echo") == "half_duplex"
    return "nothing is heard while the assistant speaks" if is_deaf else ""


def outcome_of(interruption: "dict[str, Any]", heard: "Callable[[int], str] | None" = None) -> str:
    """Return what came of an interruption; not every one silences, or stands."""
    silent_ms, heard_ms = interruption["silent_ms"], interruption.get("heard_ms")
    parts = [] if silent_ms is None else [f"silent after {silent_ms:g} ms"]
    since_ms = interruption.get("sound_to_silent_ms")
    if since_ms is not None:
        parts.append(f"{since_ms:.0f} ms after your first sound")
    if not interruption.get("confirmed", True):
        parts.append("went on")
    elif heard is not None and heard_ms is not None:
        parts.append(heard(heard_ms))
    return ", ".join(parts)


def _heard_ms(heard_ms: int) -> str:
    return f"{heard_ms} ms heard"


def duration(seconds: float) -> str:
    """Return a time as people read a clock."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
