"""What the daemon says about itself, as the people outside see it."""

import time

from voiced import __version__
from voiced.audio.capture import MicrophoneFigures
from voiced.audio.playback import SpeakerFigures
from voiced.control.messages import CostReport, InterruptionReport, StatusReport
from voiced.control.protocol import VERSION
from voiced.conversation.status import Interruption, Status


def report(  # noqa: PLR0913 - one for each part that has something to say
    status: Status,
    now: float,
    speaker: SpeakerFigures,
    microphone: MicrophoneFigures,
    unsent: int,
    problem: str | None,
    *,
    recorder_s: int,
) -> StatusReport:
    """Put together what the conversation and the shells say about themselves."""
    age_s = None if status.started_at_s is None else now - status.started_at_s
    interruption = status.last_interruption
    return {
        "v": VERSION,
        "state": status.state,
        "muted": status.muted,
        "mic_open": status.mic_open,
        "online": status.online,
        "ptt": status.ptt,
        "paused": status.paused,
        "voiced": __version__,
        "session": {
            "provider": status.provider,
            "model": status.model,
            "started": None if age_s is None else round(time.time() - age_s, 3),
            "age_s": None if age_s is None else round(age_s, 1),
            "turns": status.turns,
            "reconnects": status.reconnects,
        },
        "audio": {
            "input": microphone.name,
            "output": speaker.name,
            "underruns": speaker.underruns,
            "overruns": microphone.overruns,
            "starvations": speaker.starvations,
            "restarts": speaker.restarts + microphone.restarts,
            "unsent": unsent,
            "echo": status.echo,
            "echo_reason": status.echo_reason,
            "local_detection": status.local_detection,
            "recorder_s": recorder_s,
        },
        "last_interruption": interruption_report(interruption) if interruption else None,
        "cost": cost_report(status.usd_today, status.usd_session),
        "error": status.error or problem,
    }


def cost_report(usd_today: float, usd_session: float) -> CostReport:
    """Return what was spent as the people outside see it."""
    return {"usd_today": round(usd_today, 6), "usd_session": round(usd_session, 6)}


def interruption_report(interruption: Interruption) -> InterruptionReport:
    """Return an interruption as the people outside see it."""
    return {
        "number": interruption.number,
        "source": interruption.source,
        "silent_ms": interruption.silent_ms,
        "heard_ms": interruption.heard_ms,
        "item_id": interruption.item_id,
        "confirmed": interruption.confirmed,
        "sound_to_duck_ms": interruption.sound_to_duck_ms,
        "sound_to_cut_ms": interruption.sound_to_cut_ms,
        "sound_to_silent_ms": interruption.sound_to_silent_ms,
    }


def interruption_line(interruption: Interruption) -> str:
    """Write an interruption for the log, in one line."""
    what = "interrupted" if interruption.confirmed else "gave back"
    silent_ms = interruption.sound_to_silent_ms
    if silent_ms is None:
        silent_ms = interruption.silent_ms
    figures = (
        ("quieter after", interruption.sound_to_duck_ms),
        ("silent after", silent_ms),
        ("heard", interruption.heard_ms),
    )
    said = ", ".join(f"{name} {ms:.0f} ms" for name, ms in figures if ms is not None)
    return f"{what} ({interruption.source}): {said or 'as loud as before'}"


def interruption_fields(interruption: Interruption) -> dict[str, str]:
    """Return the fields by which an interruption is found and added up in the journal."""
    report = interruption_report(interruption)
    return {
        f"VOICED_{name.upper()}": str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in report.items()
        if value is not None
    }
