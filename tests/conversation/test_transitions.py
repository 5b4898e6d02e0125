from pathlib import Path

import pytest

from voiced.conversation.transitions import STAY, TRANSITIONS, State, Trigger, after, to_mermaid

ARCHITECTURE = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"


def test_every_state_says_what_every_trigger_does() -> None:
    assert set(TRANSITIONS) == set(State)
    for row in TRANSITIONS.values():
        assert set(row) == set(Trigger)


def test_a_trigger_never_leads_back_to_its_own_state() -> None:
    for state, row in TRANSITIONS.items():
        assert state not in row.values()


def test_every_state_can_be_reached_and_left() -> None:
    reached = {State.IDLE} | {
        to for row in TRANSITIONS.values() for to in row.values() if to is not STAY
    }

    assert reached == set(State)
    for row in TRANSITIONS.values():
        assert any(to is not STAY for to in row.values())


def test_stop_ends_every_state_but_idle_in_idle() -> None:
    for state in State:
        assert after(state, Trigger.STOP) is State.IDLE


def test_a_trigger_without_meaning_leaves_the_state() -> None:
    assert after(State.IDLE, Trigger.AUDIO) is State.IDLE


@pytest.mark.repository
def test_the_diagram_in_the_architecture_page_is_the_table() -> None:
    assert f"```mermaid\n{to_mermaid()}```" in ARCHITECTURE.read_text()
