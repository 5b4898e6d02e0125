"""Two interruptions as a daemon would tell them: one that stood, one given back."""

import base64
from typing import Any

import numpy as np

START_MS, END_MS = -1500.0, 1700.0


def answer(*, confirmed: bool = True, sound: bool = False, frames: bool = True) -> dict[str, Any]:
    """Return what the daemon answers to ``timeline``."""
    end_ms = END_MS if confirmed else 2800.0
    made = _frames(end_ms, confirmed=confirmed) if frames else _frames(START_MS, confirmed=True)
    return {
        "v": 1,
        "t": 1_764_079_402.5,
        "interruption": _figures(confirmed=confirmed),
        "start_ms": START_MS,
        "end_ms": end_ms,
        "speech_probability": 0.5,
        "marks": _marks(confirmed=confirmed),
        "frames": made,
        "sound": _sound(made) if sound else None,
    }


def _figures(*, confirmed: bool) -> dict[str, Any]:
    return {
        "number": 7 if confirmed else 8,
        "source": "local" if confirmed else "server",
        "silent_ms": 4.3,
        "heard_ms": 2140 if confirmed else None,
        "item_id": "item_1",
        "confirmed": confirmed,
        "sound_to_duck_ms": 62.0,
        "sound_to_cut_ms": 168.0,
        "sound_to_silent_ms": 172.3,
    }


def _marks(*, confirmed: bool) -> list[dict[str, Any]]:
    told: list[tuple[float, str, float | None]] = [
        (0.0, "first_sound", None),
        (61.4, "suspected", None),
        (62.0, "ducked", -14.0),
    ]
    if confirmed:
        told += [(167.2, "confirmed", None), (168.0, "cut", None), (172.3, "silent", None)]
        told.append((310.0, "server_heard", None))
    else:
        told += [(166.0, "server_heard", None), (168.0, "held", None), (172.3, "silent", None)]
        told += [(420.0, "dismissed", None), (1168.0, "resumed", None), (1168.5, "restored", 0.0)]
        told.append((1169.0, "given_back", None))
    return [{"at_ms": at_ms, "name": name, "gain_db": gain} for at_ms, name, gain in told]


def _frames(end_ms: float, *, confirmed: bool) -> dict[str, Any]:
    at_ms = np.arange(START_MS + 10, end_ms, 10)
    random = np.random.default_rng(7)
    wobble = 6 * np.sin(at_ms / 70) + 4 * np.sin(at_ms / 23) + random.normal(0, 1.5, at_ms.size)
    until = 1500 if confirmed else 230
    speaks = (at_ms > 0) & (at_ms < until)
    loud = np.full(at_ms.size, -18.0) + wobble
    loud[at_ms > 62] -= 14
    loud[(at_ms > 172) & (at_ms < (9999 if confirmed else 1168))] = -96
    if not confirmed:
        loud[at_ms > 1168] += 14
    floor = random.normal(-62, 1.0, at_ms.size)
    echo = np.maximum(floor, loud - 9)
    user = np.where(speaks, -26 + 5 * np.sin(at_ms / 90) + random.normal(0, 2, at_ms.size), -96)
    rest = np.maximum(np.maximum(floor - 4, loud - 38), user)
    sure = np.clip((at_ms - 40) / 150, 0, 0.97 if confirmed else 0.36) * speaks
    listens = (at_ms > 30) & (at_ms < (320 if confirmed else 700))
    return {
        "at_ms": at_ms.round(1).tolist(),
        "microphone_dbfs": np.maximum(echo, user).round(1).tolist(),
        "cancelled_dbfs": rest.round(1).tolist(),
        "loudspeaker_dbfs": loud.round(1).tolist(),
        "voice": (speaks & (at_ms > 20)).astype(int).tolist(),
        "probability": [
            round(float(it), 3) if is_on else None for it, is_on in zip(sure, listens, strict=True)
        ],
    }


def _sound(frames: dict[str, Any]) -> dict[str, Any]:
    random = np.random.default_rng(9)

    def row(name: str) -> str:
        levels = np.repeat(10 ** (np.array(frames[f"{name}_dbfs"]) / 20), 10)
        peaks = np.minimum(1.0, levels * random.uniform(0.5, 3.0, levels.size))
        return base64.b64encode((peaks * 32_767).astype("<i2").tobytes()).decode()

    rows = ("microphone", "cancelled", "loudspeaker")
    return {"rate_hz": 1000, "start_ms": START_MS} | {name: row(name) for name in rows}
