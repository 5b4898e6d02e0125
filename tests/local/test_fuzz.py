"""Whatever a client sends, it gets one error at most and the session goes on."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local.client import session
from tests.local.fakes import equipment
from voiced.local.requests import EVENTS
from voiced.local.shapes import Json

NAMES = (
    "type id session audio input output turn_detection item item_id role content text response "
    "response_id conversation audio_end_ms content_index previous_item_id event_id format "
    "threshold tools call_id"
)
FIELDS = st.sampled_from(NAMES.split()) | st.text(max_size=6)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["auto", "none", "root", "user", "message", "realtime", "AAAA"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)
EVENT = st.builds(
    lambda fields, kind: {**fields, "type": kind},
    st.dictionaries(FIELDS, JSON, max_size=5),
    st.sampled_from(list(EVENTS)),
)


@given(
    st.lists(st.text(max_size=40) | st.binary(max_size=40), max_size=5),
    st.lists(EVENT, max_size=8),
)
@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
async def test_no_frame_ends_the_session(garbage: list[str | bytes], events: list[Json]) -> None:
    async with session(equipment()) as client:
        for frame in garbage:
            await client.socket.send(frame)
            await client.until("error")
        for event in events:
            await client.socket.send(json.dumps(event))
        await client.settled()

    told = [event for event in client.events if event["type"] == "error"]
    assert len(garbage) <= len(told) <= len(garbage) + len(events) + 1
