"""docs/prescriptions.md draws an order's states from the table of moves, and names every movement of the stock."""

from __future__ import annotations

from config.settings import ROOT
from prescriptions.orders.models import MedicineOrder
from prescriptions.stock.models import MoveKind
from tests.booking.test_documented import diagram

PAGE = (ROOT / "docs/prescriptions.md").read_text("utf-8")


def test_the_states_are_drawn_as_the_code_has_them() -> None:
    drawn = diagram(MedicineOrder)
    assert drawn in PAGE, f"docs/prescriptions.md needs:\n{drawn}"


def test_every_movement_is_explained() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")]
    named = {kind.strip() for row in rows for kind in row.split(",")}
    assert {kind.value for kind in MoveKind} <= named
