"""``flask roster`` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.roster_models import Roster, RosterException
from tests.commands.test_commands import run
from tests.product import Hospital

HEADING = "Staff number,Weekday,Period,Starts,Ends,Numbers,Fee (yuan),Valid from\n"


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_export_and_import(app: Flask, session: Session, hospital: Hospital, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"rosters.{ending}"
    assert run(app, "roster", "export", "templates", str(file)) == (0, f"28 rows in {file}\n")
    again = run(app, "roster", "import", "templates", str(file))
    assert again == (0, "0 new, 0 changed, 0 ended; 28 so already\n")
    code, said = run(app, "roster", "export", "templates", str(tmp_path / "rosters.pdf"))
    assert (code, "must end in .csv or .xlsx" in said) == (1, True)


def test_look_first(app: Flask, session: Session, hospital: Hospital, tmp_path: Path) -> None:
    file = tmp_path / "rosters.csv"
    file.write_text(HEADING + "D001,Mon,Morning,08:00,12:00,20,50,2030-01-07\n", "utf-8")
    looked = run(app, "roster", "import", "templates", str(file), "--look")
    assert looked == (0, "would be 1 new, 0 changed, 1 ended; 0 so already\n")
    assert session.scalar(select(func.count()).select_from(Roster)) == 28
    assert run(app, "roster", "import", "templates", str(file)) == (0, "1 new, 0 changed, 1 ended; 0 so already\n")
    assert session.scalar(select(func.count()).select_from(Roster)) == 29


def test_faults(app: Flask, session: Session, hospital: Hospital, tmp_path: Path) -> None:
    file = tmp_path / "exceptions.csv"
    file.write_text("Staff number,Day,Period,Exception\nD009,2030-01-07,Morning,Leave\n", "utf-8")
    code, said = run(app, "roster", "import", "exceptions", str(file))
    assert code == 1
    assert said.splitlines() == [
        "Row 2, Staff number: nobody who works here has the staff number D009",
        "Error: 1 problems; nothing was loaded",
    ]
    assert session.scalar(select(func.count()).select_from(RosterException)) == 0
