"""The states of a conversation and every way from one to another.

Rules
1. ``State`` changes here or nowhere: ``machine.py`` fires a ``Trigger`` and takes what
   the table says.
2. The table is total.  A trigger that changes nothing says ``STAY``.
3. A trigger leads to one state only.  Where the next state depends on a condition, the
   condition picks the trigger, so the diagram below is the whole truth.
4. Mute, push-to-talk and "the microphone is open" are not states: they are flags that
   any state can have.

The diagram in ARCHITECTURE.md is printed by ``to_mermaid`` and compared by a test.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class State(Enum):
    """What the conversation is doing."""

    IDLE = "idle"
    """No session is wanted."""
    CONNECTING = "connecting"
    """A session is being opened and configured."""
    OFFLINE = "offline"
    """The session was lost; the next attempt waits for its time."""
    LISTENING = "listening"
    """The session is up and the floor is the user's."""
    THINKING = "thinking"
    """The user's turn is over and nothing of the reply has arrived."""
    SPEAKING = "speaking"
    """A reply is being received or played; ends with the last sample played."""
    INTERRUPTED = "interrupted"
    """Playback was cut; the report of how much was heard is on its way."""
    FAILED = "failed"
    """The session cannot work until the user changes something."""


class Trigger(Enum):
    """What can move the conversation from one state to another."""

    START = "start"
    """The user wants a session."""
    STOP = "stop"
    """The user, idleness or the spending cap ends the session."""
    READY = "ready"
    """The session is configured."""
    LOST = "lost"
    """The session is gone and another attempt makes sense."""
    RETRY = "retry"
    """The time to try again has come."""
    RENEW = "renew"
    """The session is old and is replaced in a quiet moment."""
    FATAL = "fatal"
    """The provider refuses us for good: key, quota, model."""
    TURN_ENDED = "turn ended"
    """A reply is now expected."""
    AUDIO = "audio"
    """Samples of a living reply go to the loudspeaker."""
    CUT = "cut"
    """The reply is interrupted while it sounds."""
    SILENT = "silent"
    """The loudspeaker is silent and has said how much was heard."""
    REPLY_OVER = "reply over"
    """No reply is under way any more and every sample of it was played."""


class Stay(Enum):
    """The explicit "nothing happens" of the table."""

    STAY = "stay"


STAY: Final = Stay.STAY

_OFF = dict.fromkeys(Trigger, STAY)
_UP = _OFF | {Trigger.STOP: State.IDLE, Trigger.LOST: State.OFFLINE, Trigger.FATAL: State.FAILED}

TRANSITIONS: Final[Mapping[State, Mapping[Trigger, State | Stay]]] = {
    State.IDLE: _OFF | {Trigger.START: State.CONNECTING},
    State.CONNECTING: _UP | {Trigger.READY: State.LISTENING},
    State.OFFLINE: _OFF
    | {
        Trigger.START: State.CONNECTING,
        Trigger.RETRY: State.CONNECTING,
        Trigger.STOP: State.IDLE,
        Trigger.FATAL: State.FAILED,
    },
    State.LISTENING: _UP
    | {
        Trigger.RENEW: State.CONNECTING,
        Trigger.TURN_ENDED: State.THINKING,
        Trigger.AUDIO: State.SPEAKING,
    },
    State.THINKING: _UP
    | {
        Trigger.AUDIO: State.SPEAKING,
        Trigger.REPLY_OVER: State.LISTENING,
    },
    State.SPEAKING: _UP
    | {
        Trigger.CUT: State.INTERRUPTED,
        Trigger.REPLY_OVER: State.LISTENING,
    },
    State.INTERRUPTED: _UP
    | {
        Trigger.SILENT: State.LISTENING,
        Trigger.TURN_ENDED: State.THINKING,
        Trigger.AUDIO: State.SPEAKING,
    },
    State.FAILED: _OFF | {Trigger.START: State.CONNECTING, Trigger.STOP: State.IDLE},
}


def after(state: State, trigger: Trigger) -> State:
    """Return the state that follows."""
    following = TRANSITIONS[state][trigger]
    return state if following is STAY else following


def to_mermaid() -> str:
    """Draw the table as a Mermaid state diagram, one line for each pair of states."""
    lines = ["stateDiagram-v2", "    [*] --> idle"]
    for state, row in TRANSITIONS.items():
        ways: dict[State, list[str]] = {}
        for trigger, following in row.items():
            if following is not STAY:
                ways.setdefault(following, []).append(trigger.value)
        lines += [
            f"    {state.value} --> {following.value}: {', '.join(triggers)}"
            for following, triggers in ways.items()
        ]
    return "\n".join(lines) + "\n"
