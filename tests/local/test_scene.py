import asyncio
import logging

import pytest

from tests.local.fakes import equipment
from voiced.local.items import Conversation, Message, TextPart
from voiced.local.scene import Scene
from voiced.local.session_config import new_session


async def test_a_conversation_that_grows_too_long_is_cut_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = new_session(session_id="sess", model="m", expires_at_s=0)
    small = Conversation("conv", max_items=1)
    async with asyncio.TaskGroup() as tasks:
        scene = Scene(equipment(), config, tasks, small)
    scene.conversation.add(Message("a", "user", "completed", [TextPart("secret words")]))

    with caplog.at_level(logging.DEBUG):
        scene.tidy()
        assert not caplog.records

        scene.conversation.add(Message("b", "user", "completed", [TextPart("more")]))
        scene.tidy()

    assert "1 oldest parts are dropped" in caplog.text
    assert "secret" not in caplog.text


async def test_each_session_has_a_conversation_of_its_own() -> None:
    config = new_session(session_id="sess", model="m", expires_at_s=0)
    async with asyncio.TaskGroup() as tasks:
        one, other = (Scene(equipment(), config, tasks) for _ in range(2))

    assert one.conversation.id != other.conversation.id
    assert one.outbox is not other.outbox
