import base64
import tracemalloc

import numpy as np
import pytest

from tests.local.fakes import tone
from voiced.local.errors import ClientError
from voiced.local.formats import (
    MAX_AUDIO_BYTES,
    AudioFormat,
    Decoder,
    Encoder,
    decode_base64,
    to_ms,
)

G711: tuple[AudioFormat, ...] = ("audio/pcmu", "audio/pcma")


def test_a_length_is_told_in_whole_milliseconds() -> None:
    assert [to_ms(frames) for frames in (0, 23, 24, 48_000)] == [0, 0, 1, 2000]


def test_base64_becomes_bytes() -> None:
    assert decode_base64("AQI=", "audio/pcm") == b"\x01\x02"
    assert decode_base64("", "audio/pcm") == b""
    assert decode_base64("AQ==", "audio/pcmu") == b"\x01"


@pytest.mark.parametrize("text", ["AQI", "A?==", "AQ==", "AQI=\n", "é"])
def test_what_is_no_audio_is_refused_with_the_wanted_format(text: str) -> None:
    with pytest.raises(ClientError, match="mono PCM16 at 24kHz") as caught:
        decode_base64(text, "audio/pcm")

    assert (caught.value.code, caught.value.param) == ("invalid_value", "audio")


def test_too_much_audio_is_refused() -> None:
    text = base64.b64encode(bytes(MAX_AUDIO_BYTES + 2)).decode()

    with pytest.raises(ClientError, match="at most 15728640 bytes") as caught:
        decode_base64(text, "audio/pcm", param="item.content[0].audio")

    assert caught.value.param == "item.content[0].audio"


def test_pcm_goes_through_untouched() -> None:
    pcm = tone(20)

    assert Decoder("audio/pcm").decode(pcm) == pcm
    assert Encoder("audio/pcm").encode(pcm) == pcm


@pytest.mark.parametrize("audio_format", G711)
def test_telephone_audio_comes_back_much_as_it_went(audio_format: AudioFormat) -> None:
    pcm = tone(500, hz=440)

    coded = Encoder(audio_format).encode(pcm)
    back = np.frombuffer(Decoder(audio_format).decode(coded), dtype="<i2").astype(float)

    assert len(coded) == pytest.approx(500 * 8, abs=64)
    assert len(back) == 3 * len(coded)
    steady = back[2400:-2400]
    assert np.abs(steady).max() == pytest.approx(8000, rel=0.05)


def test_the_codes_stand_for_the_samples_of_the_standard() -> None:
    mu_law = Decoder("audio/pcmu").decode(bytes([0xFF]) * 800)
    a_law = Decoder("audio/pcma").decode(bytes([0xD5]) * 800)
    loud = np.frombuffer(Decoder("audio/pcmu").decode(bytes([0x80]) * 800), dtype="<i2")
    a_loud = np.frombuffer(Decoder("audio/pcma").decode(bytes([0xAA]) * 800), dtype="<i2")

    assert not any(mu_law)
    assert abs(int(np.frombuffer(a_law, dtype="<i2")[-1])) <= 9
    assert loud[-1] == pytest.approx(32124, rel=0.01)
    assert a_loud[-1] == pytest.approx(32256, rel=0.01)


def test_minutes_in_one_piece_take_no_more_memory_than_they_need() -> None:
    """A window of samples for each sample that comes out would be gigabytes."""
    tracemalloc.start()
    try:
        pcm = Decoder("audio/pcmu").decode(bytes(60_000 * 8))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(pcm) == 60_000 * 48
    assert peak < 60_000_000
