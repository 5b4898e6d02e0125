from voiced.audio.pcm import silence
from voiced.audio.trace import Trace


def test_a_stretch_of_time_is_found_again_in_order() -> None:
    trace = Trace()
    for at_s in (1.0, 2.0, 3.0):
        trace.note(at_s, silence(240), silence(240), silence(240), is_voice=False, probability=None)

    assert [frame.at_s for frame in trace.between(1.5, 3.0)] == [2.0, 3.0]
