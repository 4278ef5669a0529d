"""docs/booking.md draws the states from the tables of moves themselves."""

from __future__ import annotations

import pytest

from booking.fair_models import Suspension
from booking.models import Appointment, Schedule
from booking.stop_models import ClinicStop
from booking.waiting_models import WaitingEntry
from config.settings import ROOT
from config.states import Stateful

DRAWN: tuple[type[Stateful], ...] = (Appointment, Schedule, WaitingEntry, ClinicStop, Suspension)


def diagram(thing: type[Stateful]) -> str:
    """The moves of a thing as a Mermaid diagram; a state that is never left ends it."""
    table, first = thing.MOVES, next(iter(thing.MOVES))
    lines = [f"    {state} --> {to}" for state, targets in table.items() for to in sorted(targets)]
    ends = sorted({str(to) for targets in table.values() for to in targets} - {str(state) for state in table})
    return "\n".join(["stateDiagram-v2", f"    [*] --> {first}", *lines, *(f"    {state} --> [*]" for state in ends)])


@pytest.mark.parametrize("thing", DRAWN)
def test_the_states_are_drawn_as_the_code_has_them(thing: type[Stateful]) -> None:
    page = (ROOT / "docs/booking.md").read_text("utf-8")
    drawn = diagram(thing)
    assert drawn in page, f"docs/booking.md needs:\n{drawn}"
