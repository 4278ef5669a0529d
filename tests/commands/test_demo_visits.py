"""The demo's visits: at whatever hour it is loaded, a newcomer finds one to check in to, and a doctor's day."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.admission import Level
from booking.models import Appointment, AppointmentStatus
from booking.queries import visit
from config.clock import SHANGHAI, today
from config.policy import Policy
from config.settings import Settings
from consultation.encounters.models import Encounter, EncounterStatus
from consultation.line import rules
from consultation.record import queries
from consultation.triage.queries import latest
from payments import reconciling
from payments.bill import Bill
from payments.models import Payment, Reconciliation, ReconciliationStatus
from people.access import Viewer
from people.models import Account, Practitioner
from prescriptions import standing
from prescriptions.delivery import queries as parcels
from prescriptions.delivery.couriers import Mark
from prescriptions.delivery.models import DeliveryStep
from prescriptions.dispensing import queries as work
from prescriptions.dispensing.labels import labels
from prescriptions.formulary.actions import shipped
from prescriptions.formulary.knowledge import knowledge
from prescriptions.signing.authority import SetupAuthority
from prescriptions.signing.verifying import verified
from prescriptions.standing import Stands
from prescriptions.stock.models import Lot
from prescriptions.writing.models import Prescription, PrescriptionStatus
from tests.commands.test_commands import run
from worker.prescriptions import enrol


def load(app: Flask, to: Path, moment: datetime) -> str:
    with time_machine.travel(moment, tick=False):
        code, output = run(app, "demo", "load", "--visits", "--to", str(to))
    assert code == 0
    return output


@pytest.mark.parametrize("clock", ["00:01", "06:55", "11:50", "15:00", "23:57"])
def test_at_any_hour_there_is_a_visit_to_check_in_to(app: Flask, session: Session, tmp_path: Path, clock: str) -> None:
    now = datetime.fromisoformat(f"2026-11-24T{clock}").replace(tzinfo=SHANGHAI)
    assert "demo visits: 8 new" in load(app, tmp_path, now)
    booked = session.scalars(select(Appointment.id).where(Appointment.status == AppointmentStatus.BOOKED)).all()
    soon = [held for id_ in booked if rules.may_check_in(held := visit(session, id_), now, Policy())]
    assert soon
    assert min(abs(held.appointment.starts_at - now) for held in soon) <= timedelta(minutes=30)
    moments = [
        one for row in session.scalars(select(Encounter)) for one in (row.arrived_at, row.started_at, row.ended_at)
    ]
    assert all(one <= now for one in moments if one)


def test_the_worker_may_have_asked_for_certificates_meanwhile(
    app: Flask, session: Session, settings: Settings, tmp_path: Path
) -> None:
    now = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
    with time_machine.travel(now, tick=False):
        assert run(app, "demo", "load", "--to", str(tmp_path))[0] == 0
        enrol(SetupAuthority(settings.blind_index_key.get_secret_value().encode()))
    assert "demo visits: 8 new" in load(app, tmp_path, now)
    assert session.scalar(select(func.count()).select_from(Prescription)) == 4


def test_the_doctors_day_has_every_state_and_each_new_day_its_own(app: Flask, session: Session, tmp_path: Path) -> None:
    now = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
    load(app, tmp_path, now)
    assert "demo visits: 0 new" in load(app, tmp_path, now + timedelta(hours=1))
    states = sorted(session.scalars(select(Encounter.status)))
    assert states == [EncounterStatus.ARRIVED, *[EncounterStatus.FINISHED] * 5]
    waiting = session.scalars(select(Encounter).where(Encounter.status == EncounterStatus.ARRIVED)).one()
    found = latest(session, waiting.appointment_id)
    assert found
    assert found.level is Level.HOSPITAL_TODAY
    doctor = session.scalars(select(Practitioner).where(Practitioner.code == "D001")).one()
    assert len(queries.unsigned(session, doctor.id)) == 1
    mother = session.scalars(select(Account).where(Account.openid == "oSimParent000000000000000004")).one()
    signed = session.scalars(
        select(Appointment.id).where(
            Appointment.account_id == mother.id, Appointment.status == AppointmentStatus.FULFILLED
        )
    ).all()
    assert len(signed) == 4
    for id_ in signed:
        _, versions = queries.summary(session, Viewer(mother.id, "zh_CN"), id_)
        assert versions
    prescribed = session.scalars(select(Prescription.status).order_by(Prescription.id)).all()
    assert prescribed == [*[PrescriptionStatus.APPROVED] * 3, PrescriptionStatus.IN_REVIEW]
    assert session.scalar(select(func.count()).select_from(Lot)) == 2 * len(shipped())
    tomorrow = now + timedelta(days=1)
    assert "demo visits: 5 new" in load(app, tmp_path, tomorrow)
    session.expire_all()
    left = select(Appointment.id).where(
        Appointment.status == AppointmentStatus.BOOKED, Appointment.day < tomorrow.date()
    )
    assert session.scalars(left).all() == []


@pytest.mark.parametrize("clock", ["00:01", "10:00", "23:57"])
def test_one_parcel_has_come_and_one_is_on_its_way(app: Flask, session: Session, tmp_path: Path, clock: str) -> None:
    now = datetime.fromisoformat(f"2026-11-24T{clock}").replace(tzinfo=SHANGHAI)
    load(app, tmp_path, now)
    mother = session.scalars(select(Account).where(Account.openid == "oSimParent000000000000000004")).one()
    who = Viewer(mother.id, "zh_CN")
    found = {one.stands: one.known for one in standing.listed(session, who, now)}
    assert set(found) == {Stands.ARRIVED, Stands.SHIPPED, Stands.ORDER, Stands.REVIEW}
    arrived, on_its_way = found[Stands.ARRIVED], found[Stands.SHIPPED]
    assert arrived.course
    assert arrived.course.until >= today(now)
    assert arrived.order
    given = work.given(session, work.for_family(session, who, arrived.order.id)[0].dispense)
    (label,) = labels(given, "", "", knowledge(), "zh_CN")
    assert label.fills
    assert "毫升" in label.dose
    assert on_its_way.order
    trace = parcels.for_family(session, who, on_its_way.order.id)
    assert [step.mark for step in trace.steps] == [Mark.MOVING, Mark.COLLECTED]
    assert not trace.late(now)
    assert trace.parcel.ask_at is None
    assert all(step.at <= now for step in session.scalars(select(DeliveryStep)))
    for one in session.scalars(select(Prescription)):
        assert verified(session, one)


def test_the_bills_of_the_demo_agree(app: Flask, session: Session, tmp_path: Path) -> None:
    now = datetime(2026, 11, 24, 10, 30, tzinfo=SHANGHAI)
    load(app, tmp_path, now)
    later = now + timedelta(days=1)
    assert session.scalar(select(func.count()).select_from(Payment).where(Payment.billed_on.is_not(None))) == 2
    for day in reconciling.due(session, later):
        reconciling.compare(session, day, Bill(), later)
    assert set(session.scalars(select(Reconciliation.status))) == {ReconciliationStatus.MATCHED}
