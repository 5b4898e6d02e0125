"""What the parts of one session share."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from voiced.audio.vad import Detector
from voiced.local.brain import Brain
from voiced.local.ears import Ears
from voiced.local.events import new_id
from voiced.local.items import Conversation
from voiced.local.outbox import Outbox
from voiced.local.session_config import SessionConfig
from voiced.local.voice import Voice

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a server is made of; its sessions share it."""

    make_detector: Callable[[], Detector]
    ears: Ears
    voice: Voice
    brain: Brain
    pace: float = 4.0
    """How many times faster than real time audio is sent; 0 is as fast as possible."""


@dataclass(slots=True)
class Scene:
    """One session."""

    equipment: Equipment
    config: SessionConfig
    tasks: asyncio.TaskGroup
    """Owns everything the session has running."""
    conversation: Conversation = field(default_factory=lambda: Conversation(new_id("conv")))
    outbox: Outbox = field(default_factory=Outbox)

    def tidy(self) -> None:
        """Keep the conversation within its limits."""
        if dropped := self.conversation.trim():
            logger.warning("the conversation is too long: %s oldest parts are dropped", dropped)
