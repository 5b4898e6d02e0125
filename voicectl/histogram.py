"""The figures of the day as people read them; pure."""

from collections.abc import Mapping
from typing import Any, Final

BAR: Final = 40
"""Columns of the longest bar."""
EIGHTHS: Final = " ▏▎▍▌▋▊▉"
FULL: Final = "█"
HEADLINES: Final = {
    "silent_ms": "told to be silent → silent",
    "sound_to_silent_ms": "your first sound → silent",
}
SOURCES: Final = {
    "local": "noticed here",
    "server": "noticed by the server",
    "control": "by voicectl",
}


def stats(report: Mapping[str, Any], since: str) -> str:
    """Return the figures as lines of text.

    Args:
        report: What the daemon answered.
        since: The time of the day from which is counted.
    """
    counts = report["interruptions"]
    lines = [f"since {since}: {interruptions(counts)}"]
    for source, outcome in counts["by_source"].items():
        total = outcome["confirmed"] + outcome["given_back"]
        if total:
            name = SOURCES.get(source, source)
            lines.append(
                f"  {name + ':':23}{total:>4}  ({outcome['confirmed']} confirmed,"
                f" {outcome['given_back']} given back)"
            )
    lines.append(f"  {'made quieter:':23}{counts['ducks']:>4}")
    for key, headline in HEADLINES.items():
        if report[key]["count"]:
            lines += ["", *spread(headline, report[key])]
    return "\n".join(lines)


def interruptions(counts: Mapping[str, Any]) -> str:
    """Return how many there were, and what became of them."""
    if not counts["total"]:
        return "no interruptions"
    total = f"{counts['total']} interruption{'' if counts['total'] == 1 else 's'}"
    return f"{total}, {counts['confirmed']} confirmed and {counts['given_back']} given back"


def spread(headline: str, report: Mapping[str, Any]) -> list[str]:
    """Return a histogram, from the first bin that holds something to the last."""
    lines = [
        f"{headline}: median {report['median']:g} ms, 95 % within {report['p95']:g} ms,"
        f" at most {report['max']:g} ms"
    ]
    filled = [number for number, each in enumerate(report["bins"]) if each["count"]]
    bins = report["bins"][filled[0] : filled[-1] + 1]
    most = max(each["count"] for each in bins)
    for each in bins:
        end = "     " if each["to_ms"] is None else f" to {each['to_ms']:g}"
        label = f"{each['from_ms']:g}{end}".strip() + " ms"
        label = f"from {label}" if each["to_ms"] is None else label
        lines.append(f"  {label:>15} {each['count']:>5}  {bar(each['count'] / most)}".rstrip())
    return lines


def bar(share: float) -> str:
    """Return a bar; what is more than nothing is never drawn as nothing."""
    eighths = round(share * BAR * len(EIGHTHS))
    if share > 0:
        eighths = max(1, eighths)
    whole, rest = divmod(eighths, len(EIGHTHS))
    return (FULL * whole + EIGHTHS[rest]).rstrip()
