"""``flask triage``: a new file of rules is checked and tried on past answers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from config.settings import ROOT
from consultation.triage.actions import run as triage
from tests.commands.test_commands import run
from tests.consultation.answering import COMPLETE, tell
from tests.product import Hospital, visit_ahead


def test_new_triage_rules_are_tried_before_they_count(
    app: Flask, session: Session, hospital: Hospital, now: datetime, tmp_path: Path
) -> None:
    visit = visit_ahead(session, hospital, hospital.child, now)
    for step, typed in COMPLETE.items():
        tell(session, visit, now, step, **typed | ({"urine": "from-8"} if step == "body" else {}))
    triage(session, visit, now, "account:test")
    session.commit()
    new = tmp_path / "new.toml"
    source = (ROOT / "config/data/triage.toml").read_text("utf-8")
    new.write_text(source.replace('name = "urine", is = "from-12"', 'name = "urine", in = ["from-8"]'), "utf-8")
    code, output = run(app, "triage", "replay", str(new))
    assert code == 0, output
    for line in (
        "1 past answers",
        "1 stricter, 0 milder",
        "fine -> hospital-today: 1",
        "rule no-urine: begins to hold in 1",
    ):
        assert line in output
    assert "57 rules, 57 not verified" in run(app, "triage", "check")[1]
    new.write_text(source.replace('when = "convulsion"', 'when = "convulsions"'), "utf-8")
    for command in ("check", "replay"):
        code, output = run(app, "triage", command, str(new))
        assert (code, "new.toml: rule fit: nobody asks for convulsions" in output) == (1, True)
    assert run(app, "triage", "replay", str(tmp_path / "nowhere"))[0] == 2
