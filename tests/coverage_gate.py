"""Reads the coverage of the last run and refuses what is not covered enough.

Pure modules: every line and every branch.  Everything together: 90 %.
"""

import json
import subprocess
import sys
from pathlib import Path

PURE = (
    "voiced/conversation/",
    "voiced/settings.py",
    "voiced/option.py",
    "voiced/config.py",
    "voiced/places.py",
    "voiced/errors.py",
    "voiced/tally.py",
    "voiced/audio/pcm.py",
    "voiced/audio/buffer.py",
    "voiced/audio/gain.py",
    "voiced/audio/gate.py",
    "voiced/audio/hearing.py",
    "voiced/audio/meter.py",
    "voiced/audio/playhead.py",
    "voiced/audio/recorder.py",
    "voiced/audio/reference.py",
    "voiced/audio/trace.py",
    "voiced/realtime/server_messages.py",
    "voiced/realtime/client_messages.py",
    "voiced/realtime/translate.py",
    "voiced/realtime/dialects.py",
    "voiced/control/figures.py",
    "voiced/control/messages.py",
    "voiced/control/transcript.py",
    "voiced/desktop/presence.py",
    "voicectl/bars.py",
    "voicectl/checks/finding.py",
    "voicectl/checks/loudspeaker.py",
    "voicectl/checks/unit.py",
    "voicectl/claims.py",
    "voicectl/histogram.py",
    "voicectl/picture.py",
    "voicectl/keys.py",
    "voicectl/render.py",
    "voicectl/schema.py",
    "voicectl/screen.py",
    "voicectl/service_facts.py",
    "voicectl/subscriber.py",
    "voicectl/timeline.py",
    "voicectl/timeline_text.py",
    "voicectl/unit_file.py",
    "voicectl/view.py",
)
OVERALL = 90.0


def main() -> int:
    """Return 0 when enough is covered."""
    root = Path(__file__).resolve().parents[1]
    report = subprocess.run(
        [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    data = json.loads(report.stdout)
    lacking = [
        f"{name}: {entry['summary']['percent_covered']:.1f} %,"
        f" lines {entry['missing_lines']}, branches {entry['missing_branches']}"
        for name, entry in data["files"].items()
        if name.startswith(PURE) and entry["summary"]["percent_covered"] < 100
    ]
    overall = data["totals"]["percent_covered"]
    if overall < OVERALL:
        lacking.append(f"everything: {overall:.1f} %, at least {OVERALL} % is asked for")
    if lacking:
        sys.stderr.write("not covered enough:\n" + "\n".join(lacking) + "\n")
        return 1
    sys.stdout.write(f"coverage: {overall:.1f} % of everything, 100 % of the pure modules\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
