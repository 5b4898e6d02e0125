"""The picture of a conversation: both voices on one time axis, with what happened."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from tests.rig.recorder import Samples
from voiced.audio.pcm import Floats

plt.switch_backend("Agg")

RATE_HZ = 24_000
COLUMNS = 3000
"""Points along the time axis; each shows the loudest sample of its stretch."""


@dataclass(frozen=True)
class Mark:
    """Something that happened."""

    at_s: float
    """Seconds since the beginning of the picture."""
    label: str
    colour: str


def draw(path: Path, user: Samples, assistant: Samples, marks: list[Mark], title: str) -> None:
    """Draw the picture.

    Args:
        path: A PNG file.
        user: The microphone, from the beginning of the picture on.
        assistant: The loudspeaker, from the same moment on.
        marks: What happened.
        title: Stands above.
    """
    seconds = max(user.size, assistant.size) / RATE_HZ
    figure, axes = plt.subplots(2, 1, sharex=True, figsize=(14, 6), constrained_layout=True)
    for axis, samples, name, colour in (
        (axes[0], user, "you (microphone)", "tab:blue"),
        (axes[1], assistant, "assistant (loudspeaker)", "tab:green"),
    ):
        times, loudest = envelope(samples)
        axis.fill_between(times, -loudest, loudest, color=colour, linewidth=0)
        axis.set_ylabel(name)
        axis.set_ylim(-1, 1)
        axis.set_yticks([])
        axis.grid(axis="x", alpha=0.3)
    for number, mark in enumerate(marks):
        for axis in axes:
            axis.axvline(mark.at_s, color=mark.colour, linewidth=1, alpha=0.8)
        axes[0].annotate(
            mark.label,
            (mark.at_s, 1.0),
            xytext=(3, 4 + 12 * (number % 4)),
            textcoords="offset points",
            xycoords=("data", "axes fraction"),
            fontsize=8,
            color=mark.colour,
            annotation_clip=False,
        )
    axes[1].set_xlabel("seconds")
    axes[1].set_xlim(0, seconds)
    figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def envelope(samples: Samples) -> tuple[Floats, Floats]:
    """Return times and loudest samples, at most ``COLUMNS`` of each."""
    step = max(1, samples.size // COLUMNS)
    whole = samples[: samples.size // step * step].astype(float) / 32_768
    loudest = np.abs(whole).reshape(-1, step).max(axis=1) if whole.size else np.zeros(0)
    return np.arange(loudest.size) * step / RATE_HZ, loudest
