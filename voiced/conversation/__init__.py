"""The conversation: events in, effects out, no I/O and no clock."""

from voiced.conversation.machine import Conversation as Conversation
from voiced.conversation.transitions import State as State
