from tests.local.speech import say
from voiced.audio.ear import Ear, VoiceEvent
from voiced.audio.pcm import BYTES_PER_FRAME, RATE_HZ, silence
from voiced.audio.vad import make_detector
from voiced.conversation.sound_events import VoiceConfirmed, VoiceSuspected
from voiced.settings import Interruption

FRAMES = RATE_HZ // 100
REPLY = b"\x00\x10\x00\xf0" * (FRAMES // 2)


def hear(ear: Ear, pcm: bytes, start_s: float, loudspeaker: bytes = REPLY) -> list[VoiceEvent]:
    size = FRAMES * BYTES_PER_FRAME
    told: list[VoiceEvent] = []
    for index, start in enumerate(range(0, len(pcm) - size + 1, size)):
        told += ear.process(pcm[start : start + size], loudspeaker, start_s + (index + 1) * 0.01)
    return told


def test_speech_over_the_assistant_is_suspected_and_confirmed() -> None:
    ear = Ear(Interruption(), make_detector())

    assert hear(ear, silence(2 * RATE_HZ), 0.0) == []
    told = hear(ear, say("stop that please"), 2.0)

    assert [type(event) for event in told[:2]] == [VoiceSuspected, VoiceConfirmed]
