"""The canceller against an echo made here: the true one, no stand-in."""

import sys

import numpy as np
import numpy.typing as npt
import pytest

from voiced.audio.echo import DELAY_S, FRAME_BYTES, EchoCanceller, Framer, make_canceller
from voiced.audio.pcm import RATE_HZ, level_dbfs, silence

Floats = npt.NDArray[np.float64]


def babble(seconds: float, seed: int = 1) -> Floats:
    """Return something like a voice: gliding harmonics in syllables, at -20 dBFS or so."""
    random = np.random.default_rng(seed)
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    steps = np.arange(0, seconds + 0.4, 0.2)
    glide = np.interp(times, steps, random.uniform(100, 220, steps.size))
    phase = 2 * np.pi * np.cumsum(glide) / RATE_HZ
    voice: Floats = sum((np.sin(k * phase) / k for k in range(1, 30)), np.zeros(times.size))
    syllables: Floats = np.clip(np.sin(2 * np.pi * 3 * times), 0, 1)
    return np.multiply(6000 * voice, syllables)


def pcm(samples: Floats) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


def late(samples: Floats, delay_ms: int, gain_db: float) -> Floats:
    shift = delay_ms * RATE_HZ // 1000
    return np.concatenate([np.zeros(shift), samples])[: samples.size] * 10 ** (gain_db / 20)


def cancelled(microphone: bytes, loudspeaker: bytes) -> bytes:
    canceller = EchoCanceller()
    near, far = Framer().cut(microphone), Framer().cut(loudspeaker)
    return b"".join(map(canceller.process, near, far))


def last_second(samples: bytes) -> bytes:
    return samples[-RATE_HZ * 2 :]


@pytest.mark.parametrize("delay_ms", [20, 300])
def test_an_echo_that_comes_later_is_gone_after_two_seconds(delay_ms: int) -> None:
    spoken = babble(3.0)
    echo = pcm(late(spoken, delay_ms, -12))

    out = cancelled(echo, pcm(spoken))
    assert level_dbfs(last_second(out)) < level_dbfs(last_second(echo)) - 25


def test_a_voice_that_is_not_the_loudspeakers_stays() -> None:
    voice = pcm(babble(2.0, seed=2))

    out = cancelled(voice, silence(2 * RATE_HZ))
    assert level_dbfs(last_second(out)) > level_dbfs(last_second(voice)) - 3


def test_what_comes_out_is_as_long_as_what_went_in_and_a_little_later() -> None:
    voice = babble(1.0, seed=3)
    out = cancelled(pcm(voice), silence(RATE_HZ))

    assert len(out) == 2 * RATE_HZ
    heard = np.frombuffer(out, "<i2").astype(np.float64)
    matched = np.correlate(heard, voice[: RATE_HZ // 2], "valid")
    assert abs(int(np.argmax(matched)) / RATE_HZ - DELAY_S) < 0.002


def test_without_its_package_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pywebrtc_audio", None)

    assert make_canceller() is None


def test_with_its_package_it_is_made() -> None:
    made = make_canceller()

    assert made is not None
    assert len(made.process(silence(240), silence(240))) == FRAME_BYTES


@pytest.mark.parametrize("length", [240, 479, 480, 961, 7])
def test_pieces_of_10_ms_lose_nothing_whatever_comes_in(length: int) -> None:
    framer, pieces, given = Framer(), [], b""
    for number in range(50):
        chunk = pcm(np.arange(float(length)) + number)
        given += chunk
        pieces += framer.cut(chunk)

    joined = b"".join(pieces)
    assert {len(piece) for piece in pieces} <= {FRAME_BYTES}
    assert joined == given[: len(joined)]
    assert framer.waiting * 2 == len(given) - len(joined) < FRAME_BYTES
