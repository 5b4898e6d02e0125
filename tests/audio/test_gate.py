import numpy as np
import pytest

from voiced.audio.gate import LASTING_FRAMES, OPEN_FRAMES, WEAKER_DB, Gate

FRAMES = 240


def tone(dbfs: float) -> bytes:
    """Return 10 ms of a tone."""
    peak = 32767 * 10 ** (dbfs / 20)
    return (peak * np.sin(2 * np.pi * np.arange(FRAMES) / 24)).astype("<i2").tobytes()


def passed(gate: Gate, cancelled: list[bytes], *, sounds: bool = True) -> list[bool]:
    """Return which frames reached the server, beside an echo of -20 dBFS."""
    return [any(gate.process(tone(-20), frame, sounds=sounds)[1]) for frame in cancelled]


def test_what_is_much_weaker_than_the_echo_is_silence() -> None:
    assert passed(Gate(), [tone(-20 - WEAKER_DB - 3)] * 50) == [False] * 50


def test_a_scrap_is_silence_however_loud() -> None:
    scrap = [tone(-25)] * (LASTING_FRAMES - 1) + [tone(-70)] * 20

    assert passed(Gate(), scrap * 3) == [False] * len(scrap) * 3


def test_a_voice_passes_once_it_lasts_and_so_does_its_end() -> None:
    heard = passed(Gate(), [tone(-32)] * 20 + [tone(-60)] * 40)

    assert heard.index(True) == LASTING_FRAMES - 1
    assert not any(heard[20 + OPEN_FRAMES + LASTING_FRAMES :])
    assert all(heard[LASTING_FRAMES - 1 : 20 + OPEN_FRAMES - 2])


@pytest.mark.parametrize("dbfs", [-20.0, -70.0])
def test_everything_passes_while_the_loudspeaker_is_silent(dbfs: float) -> None:
    assert all(passed(Gate(), [tone(dbfs)] * 10, sounds=False))


def test_the_echo_is_as_loud_as_it_was_a_moment_ago() -> None:
    gate = Gate()
    passed(gate, [tone(-70)] * 5)

    # The room still rings while the microphone is quiet.
    rings = [gate.process(tone(-50), tone(-50), sounds=True) for _ in range(20)]

    assert not any(any(for_ear) or any(for_server) for for_ear, for_server in rings)


def test_the_ear_hears_what_is_loud_at_once() -> None:
    gate = Gate()
    frames = [tone(-70)] * 5 + [tone(-32)] + [tone(-70)] * 30
    heard = [any(gate.process(tone(-20), frame, sounds=True)[0]) for frame in frames]

    assert heard == [False] * 5 + [True] * OPEN_FRAMES + [False] * (31 - OPEN_FRAMES)
