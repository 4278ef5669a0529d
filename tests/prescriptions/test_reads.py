"""Reads of prescriptions: what runs, what a family sees, what can be ordered."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from config.clock import today
from config.errors import NotFound
from consultation.encounters.models import Encounter
from people.access import Viewer
from prescriptions.writing import queries
from prescriptions.writing.models import PrescriptionStatus
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.product import Hospital


def test_what_runs_is_read_as_the_rules_see_it(session: Session, hospital: Hospital, now: datetime) -> None:
    made = signed(session, hospital, now, FEVER, IBUPROFEN)
    day = today(now)
    found = queries.running(session, hospital.child.id, day)
    assert [one.line.code for one in found] == [FEVER, IBUPROFEN]
    assert queries.running(session, hospital.child.id, day, but=made.id) == []
    last = max(one.until for one in found)
    assert queries.running(session, hospital.child.id, last + timedelta(days=1)) == []
    assert queries.running(session, hospital.sibling.id, day) == []


def test_what_was_sent_back_runs_no_more(session: Session, hospital: Hospital, now: datetime) -> None:
    signed(session, hospital, now, status=PrescriptionStatus.REJECTED)
    assert queries.running(session, hospital.child.id, today(now)) == []


def test_it_can_be_ordered_while_it_is_good(session: Session, hospital: Hospital, now: datetime) -> None:
    made = signed(session, hospital, now)
    assert made.valid_until
    assert queries.orderable(made, made.valid_until - timedelta(seconds=1))
    assert not queries.orderable(made, made.valid_until)
    where = session.get_one(Encounter, made.encounter_id)
    waiting = signed(session, hospital, now, status=PrescriptionStatus.IN_REVIEW, encounter=where)
    assert not queries.orderable(waiting, now)


def test_only_the_childs_family_reads_it(session: Session, hospital: Hospital, now: datetime) -> None:
    made = signed(session, hospital, now)
    assert queries.for_family(session, Viewer(hospital.mother.id, "en"), made.id) is made
    with pytest.raises(NotFound):
        queries.for_family(session, Viewer(hospital.stranger.id, "en"), made.id)
