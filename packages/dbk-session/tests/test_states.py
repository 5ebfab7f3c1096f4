"""The life of a session and of a command never leaves its table."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbk_session._diagram import page
from dbk_session._states import COMMAND, COMMAND_END, COMMAND_START, SESSION, SESSION_END, SESSION_START, Machine
from dbk_session.errors import ProtocolError
from hypothesis import given
from hypothesis import strategies as st

TABLES = [(SESSION, SESSION_START, SESSION_END), (COMMAND, COMMAND_START, COMMAND_END)]
DIAGRAM = Path(__file__).resolve().parents[3] / "docs/design/session-states.md"


def states_of(table):
    return {state for state, _ in table} | set(table.values())


@pytest.mark.parametrize(("table", "start", "ends"), TABLES)
@given(data=st.data())
def test_no_sequence_of_happenings_leads_out_of_the_table(table, start, ends, data):
    machine = Machine(table, start)
    happenings = sorted({happening for _, happening in table})

    for happening in data.draw(st.lists(st.sampled_from(happenings), max_size=40)):
        before = machine.state
        could = machine.can(happening)
        try:
            machine.on(happening)
        except ProtocolError:
            assert not could
            assert machine.state == before
        else:
            assert could
            assert machine.state == table[before, happening]
        assert machine.state in states_of(table)


@pytest.mark.parametrize(("table", "start", "ends"), TABLES)
def test_every_state_is_reached_from_the_start_and_leads_to_an_end(table, start, ends):
    def closure(seeds, edges):
        known = set(seeds)
        while new := {to for source, to in edges if source in known} - known:
            known |= new
        return known

    edges = {(state, following) for (state, _), following in table.items()}

    assert closure({start}, edges) == states_of(table)
    assert closure(ends, {(to, source) for source, to in edges}) == states_of(table)


def test_a_finished_command_stays_finished():
    assert not [key for key in COMMAND if key[0] in COMMAND_END]


def test_a_session_can_be_closed_from_every_state():
    assert states_of(SESSION) == {state for state, happening in SESSION if happening == "close"}


@pytest.mark.skipif(not DIAGRAM.parent.is_dir(), reason="the documentation is not beside the package")
def test_the_diagram_in_the_documentation_is_drawn_from_the_tables():
    assert DIAGRAM.read_text(encoding="utf-8") == page()
