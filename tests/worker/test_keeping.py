"""What has been kept for long enough goes, with proof; what is held stays; an interrupted purge goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from booking.models import Appointment
from booking.queries import Visit
from config import policy
from config.ids import new_id
from config.policy import Policy
from config.states import StatusChange
from consultation.after.models import Complaint, ComplaintStatus
from consultation.encounters.models import Encounter, EncounterStatus, SeatRole
from consultation.encounters.rooms import encounter_of, move, seat
from consultation.line.actions import finish
from consultation.models import Media
from consultation.record import actions, library, writing
from consultation.record.content import Content
from consultation.record.models import Composition, CompositionVersion
from consultation.talk.models import Message
from consultation.talk.recordings.models import Recording, RecordingChunk, Stopped
from integrations.files import Folder
from migrations.models import METADATA
from notifications.models import Notification, NotificationStatus
from people.access import Viewer
from people.files import FileMissing
from people.keeping import holds, purging
from people.keeping.holdings import Clock
from people.keeping.models import LegalHold, Purge, PurgeFile, PurgeLine
from people.keeping.purging import digest_of
from people.keeping.refusals import AlreadyHeld, NoSuchChild, ReasonMissing
from people.models import AuditEvent, Patient, RelatedPerson
from people.tasks import Task
from tests.pictures import kept
from tests.product import Hospital, visit_ahead
from worker import holdings, keeping

YEAR = timedelta(days=366)


@pytest.fixture(autouse=True)
def fixed_time(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def files(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "files")


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime, files: Folder) -> Visit:
    """A visit with a picture, a message and a signed record."""
    made = visit_ahead(session, hospital, hospital.child, now, ahead=1)
    kept(session, made, now, files)
    encounter = encounter_of(session, made, now)
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    said = {"account_id": hospital.mother.id, "role": SeatRole.GUARDIAN, "text": "咳嗽", "sent_at": now}
    session.add(Message(encounter_id=encounter.id, key=new_id(), **said))
    assert hospital.doctor.account_id
    place = seat(session, Viewer(hospital.doctor.account_id, "zh_CN"), made.appointment.id, lock=True)
    cold = writing.applied(Content(epidemiology_confirmed=True), library.templates().template[0], "zh_CN")
    version = actions.save(session, place, 0, cold, now).version
    actions.sign(session, place, made, version, now, Policy(), finish)
    session.commit()
    return made


def count(session: Session, table: type) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def lines(session: Session) -> dict[str, PurgeLine]:
    return {line.kind: line for line in session.scalars(select(PurgeLine)) if line.rows or line.held}


def notified(session: Session, hospital: Hospital, at: datetime, many: int, source: UUID | None = None) -> list[UUID]:
    """So many messages of long ago."""
    row = {"account_id": hospital.mother.id, "message": "test", "data": {}, "path": "/", "attempts": 1}
    row |= {"status": NotificationStatus.SENT, "created_at": at}
    ids = [new_id() for _ in range(many)]
    rows = [{**row, "id": one, "source_id": source or new_id(), "occasion": str(one)} for one in ids]
    session.execute(insert(Notification), rows)
    session.commit()
    return ids


def test_every_table_is_held_or_exempt_with_a_reason() -> None:
    """When this fails: put the new table into its room's holdings.py, or into worker/holdings.py: EXEMPT."""
    held = {one.kind for one in holdings.HOLDINGS}
    assert len(held) == len(holdings.HOLDINGS)
    assert held | set(holdings.EXEMPT) == set(METADATA.tables)
    assert not held & set(holdings.EXEMPT)
    assert all(holdings.EXEMPT.values())


def test_nothing_that_leads_to_a_child_is_exempt() -> None:
    """Whatever points at a child, a visit or an encounter, at whatever distance, is held."""
    about = {"patients"}
    while more := {
        table.name
        for table in METADATA.sorted_tables
        if table.name not in about and {key.column.table.name for key in table.foreign_keys} & about
    } - {"payments"}:
        about |= more
    assert about - {one.kind for one in holdings.HOLDINGS} == set()


def test_rows_go_before_what_they_point_at() -> None:
    order = {one.kind: place for place, one in enumerate(holdings.HOLDINGS)}
    unlinked = {column for one in holdings.HOLDINGS for column in one.unlink}
    emptied = {f"{column.class_.__tablename__}.{column.key}" for column in unlinked}
    wrong = [
        f"{one.kind}.{key.parent.name}"
        for one in holdings.HOLDINGS
        for key in METADATA.tables[one.kind].foreign_keys
        if order.get(key.column.table.name, 999) <= order[one.kind]
    ]
    assert [name for name in wrong if name not in emptied] == []


def test_a_recording_goes_with_its_pieces_and_not_a_day_early(
    session: Session, visit: Visit, hospital: Hospital, files: Folder, now: datetime
) -> None:
    encounter = session.scalars(select(Encounter)).one()
    for begun in (now - 3 * YEAR, now - 2 * YEAR):
        whose = {"encounter_id": encounter.id, "account_id": hospital.mother.id, "role": SeatRole.GUARDIAN}
        made = Recording(id=new_id(), **whose, started_at=begun, ended_at=begun, why=Stopped.NOTHING)
        session.add(made)
        session.flush()
        name = f"{made.id.hex}"
        files.put(name, b"piece")
        piece = {"recording_id": made.id, "n": 0, "file_name": name, "size": 5, "sha256": bytes(32)}
        session.add(RecordingChunk(**piece, received_at=begun, kept_at=begun))
    session.commit()
    names = session.scalars(select(RecordingChunk.file_name).order_by(RecordingChunk.received_at)).all()
    keeping.purge(files, "test")
    session.expire_all()
    assert [one.started_at for one in session.scalars(select(Recording))] == [now - 2 * YEAR]
    assert session.scalars(select(RecordingChunk.file_name)).all() == names[1:]
    assert files.get(names[1]) == b"piece"
    with pytest.raises(FileMissing):
        files.get(names[0])


@pytest.mark.parametrize("answered", [False, True])
def test_a_complaint_without_an_answer_holds_everything_of_its_child(
    session: Session, visit: Visit, hospital: Hospital, files: Folder, now: datetime, answered: bool
) -> None:
    held = {"appointment_id": visit.appointment.id, "account_id": hospital.mother.id, "day": now.date(), "n": 1}
    held |= {"department_id": visit.department.id, "practitioner_id": hospital.doctor.id, "category": "care"}
    given = {"status": ComplaintStatus.ANSWERED, "answer": "抱歉", "answered_at": now} if answered else {}
    session.add(Complaint(**held, **given, text="等太久", filed_at=now, deadline=now))
    session.commit()
    with time_machine.travel(now + 4 * YEAR, tick=False):
        keeping.purge(files, "test")
    assert count(session, Message) == (0 if answered else 1)


def test_nothing_is_due_of_today(session: Session, visit: Visit, files: Folder) -> None:
    assert [one for one in keeping.due() if one.rows] == []
    done = keeping.purge(files, "test")
    assert (list(done.lines), done.left_over) == ([], 0)
    assert count(session, Composition) == 1


def test_the_talk_goes_first_and_the_record_stays(session: Session, visit: Visit, files: Folder, now: datetime) -> None:
    with time_machine.travel(now + 4 * YEAR, tick=False):
        done = keeping.purge(files, "test")
    assert done.left_over == 0
    assert (count(session, Message), count(session, CompositionVersion), count(session, Media)) == (0, 1, 1)


@pytest.mark.parametrize("years", [14, 15])
def test_the_record_counts_from_the_childs_last_visit(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime, years: int
) -> None:
    """A day before it is over, and a day after."""
    over = visit.appointment.starts_at.replace(year=visit.appointment.starts_at.year + 15)
    with time_machine.travel(over + timedelta(days=1 if years == 15 else -1), tick=False):
        keeping.purge(files, "test")
    gone = session.scalar(select(func.count()).where(Patient.id == hospital.child.id)) == 0
    assert gone == (years == 15)
    assert (count(session, CompositionVersion) == 0) == gone


def test_a_later_visit_keeps_the_earlier_ones(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    later = visit_ahead(session, hospital, hospital.child, now, ahead=3)
    far = {"starts_at": now + 10 * YEAR}
    session.execute(update(Appointment).where(Appointment.id == later.appointment.id).values(far))
    session.commit()
    with time_machine.travel(now + 16 * YEAR, tick=False):
        keeping.purge(files, "test")
    assert count(session, CompositionVersion) == 1
    assert session.scalars(select(Patient.id)).all() == [hospital.child.id]


def test_all_of_a_child_goes_with_its_files_and_the_protocol_says_so(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    media = session.scalars(select(Media)).one()
    assert files.get(media.file_name)
    visits = session.scalars(select(Appointment.id)).all()
    with time_machine.travel(now + 16 * YEAR, tick=False):
        done = keeping.purge(files, "test")
    assert done.left_over == 0
    written = lines(session)
    assert (written["appointments"].rows, written["patients"].rows, written["files"].rows) == (1, 3, 1)
    assert written["appointments"].digest == digest_of(visits)
    assert written["files"].digest == digest_of([media.file_name])
    assert written["appointments"].oldest == visit.appointment.starts_at
    with pytest.raises(FileMissing):
        files.get(media.file_name)
    for holding in holdings.HOLDINGS:
        if holding.clock is not Clock.AUDIT and holding.kind != "tasks":
            assert count(session, holding.table) == 0, holding.kind
    assert session.scalar(select(func.count()).where(StatusChange.thing == "appointments")) == 0
    events = session.scalars(select(AuditEvent).where(AuditEvent.action == "purge")).all()
    assert [(one.outcome, one.entity_id, one.detail["held"]) for one in events] == [("done", done.id, 0)]


def test_a_held_child_is_left_out_and_the_protocol_says_so(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    holds.hold(session, hospital.child.number, "投诉处理中", now, by="test")
    notified(session, hospital, now, 3, visit.appointment.id)
    session.commit()
    with time_machine.travel(now + 16 * YEAR, tick=False):
        done = keeping.purge(files, "test")
        assert done.left_over == 0
        assert session.scalars(select(Patient.id)).all() == [hospital.child.id]
        assert (count(session, CompositionVersion), count(session, Message), count(session, Media)) == (1, 1, 1)
        written = lines(session)
        assert (written["patients"].rows, written["patients"].held) == (2, 1)
        assert (written["messages"].rows, written["messages"].held) == (0, 1)
        assert written["notifications"].held == 3
        found = session.scalars(select(LegalHold)).one()
        holds.lift(session, found.id, now, by="test")
        session.commit()
        assert keeping.purge(files, "test").left_over == 0
    assert count(session, Patient) == 0


def test_holds_are_refused_with_a_reason(session: Session, hospital: Hospital, now: datetime) -> None:
    with pytest.raises(NoSuchChild):
        holds.hold(session, "P-NOBODY", "x", now, by="test")
    with pytest.raises(ReasonMissing):
        holds.hold(session, hospital.child.number, " ", now, by="test")
    holds.hold(session, hospital.child.number, "x", now, by="test")
    with pytest.raises(AlreadyHeld):
        holds.hold(session, hospital.child.number, "x", now, by="test")


def test_ten_thousand_rows_go_in_batches_and_a_stopped_purge_goes_on(
    session: Session, hospital: Hospital, files: Folder, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = notified(session, hospital, now - 4 * YEAR, 10_000)
    young = notified(session, hospital, now, 5)
    batches: list[int] = []

    def stopped(rows: int) -> None:
        batches.append(rows)
        if len(batches) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keeping.purge(files, "test", stopped)
    begun = session.scalars(select(Purge)).one()
    assert begun.finished_at is None
    so_far = lines(session)["notifications"]
    assert so_far.rows == sum(batches) == 7 * purging.ROWS
    left = set(session.scalars(select(Notification.id)).all())
    assert len(left) == 10_005 - so_far.rows  # never removed without its protocol
    assert so_far.digest == digest_of(set(ids) - left)
    session.expire_all()
    done = keeping.purge(files, "another", batches.append)
    assert (done.id, done.left_over) == (begun.id, 0)
    assert max(batches) == purging.ROWS
    assert [(line.kind, line.rows) for line in done.lines] == [("notifications", 10_000)]
    assert done.lines[0].digest == digest_of(ids)
    assert set(session.scalars(select(Notification.id))) == set(young)


def test_stopped_while_children_go_no_half_record_stays(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks in the middle of a child leaves all of it, and no protocol of it."""
    calls: list[str] = []
    write = purging._write

    def breaks(*given: object, **more: object) -> None:
        calls.append(str(given[2]))
        if given[2] == "appointments":
            raise RuntimeError("the machine went down")
        write(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(purging, "_write", breaks)
    with time_machine.travel(now + 16 * YEAR, tick=False):
        with pytest.raises(RuntimeError):
            keeping.purge(files, "test")
        assert "composition_versions" in calls
        assert (count(session, CompositionVersion), count(session, Encounter), count(session, PurgeFile)) == (1, 1, 0)
        assert "composition_versions" not in lines(session)
        monkeypatch.undo()
        assert keeping.purge(files, "test").left_over == 0
    assert count(session, CompositionVersion) == 0


def test_a_store_that_keeps_a_file_is_found_out(
    session: Session, visit: Visit, files: Folder, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(now + 16 * YEAR, tick=False):
        monkeypatch.setattr(Folder, "delete", lambda *_: None)
        with pytest.raises(keeping.FileStays):
            keeping.purge(files, "test")
        assert count(session, PurgeFile) == 1
        monkeypatch.undo()
        assert keeping.purge(files, "test").left_over == 0
    assert (count(session, PurgeFile), count(session, Media)) == (0, 0)


def test_what_is_left_over_is_said(app: Flask, session: Session, hospital: Hospital, now: datetime) -> None:
    """The proof is a question of its own: a removal that removes nothing does not pass it."""
    notified(session, hospital, now - 4 * YEAR, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(purging, "step", lambda *_: (0, 0))
        result = app.test_cli_runner().invoke(args=["retention", "purge", "--yes"])
    assert result.exit_code == 1
    assert "3 rows or files that were due are still there" in result.output


def test_the_nightly_job_asks_and_removes_nothing(session: Session, hospital: Hospital, now: datetime) -> None:
    keeping.remind()
    assert count(session, Task) == 0
    notified(session, hospital, now - 4 * YEAR, 3)
    for _ in range(2):
        keeping.remind()
    task = session.scalars(select(Task)).one()
    assert (task.about["en"], task.path, count(session, Notification)) == ("3", "/desk/keeping", 3)


@pytest.mark.parametrize("key", ["kept_records_years", "kept_talk_years", "kept_process_years", "kept_audit_years"])
def test_no_clock_is_shorter_than_the_law(session: Session, now: datetime, key: str) -> None:
    shortest = 15 if key == "kept_records_years" else 3
    policy.change(session, key, shortest, author="t", valid_from=now)
    with pytest.raises(ValueError, match="greater than or equal"):
        policy.change(session, key, shortest - 1, author="t", valid_from=now)


def test_a_longer_clock_is_heeded(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    policy.change(session, "kept_records_years", 30, author="t", valid_from=now)
    session.commit()
    with time_machine.travel(now + 16 * YEAR, tick=False):
        keeping.purge(files, "test")
    assert count(session, CompositionVersion) == 1


def test_the_commands(app: Flask, session: Session, hospital: Hospital, now: datetime) -> None:
    run = app.test_cli_runner().invoke
    notified(session, hospital, now - 4 * YEAR, 3)
    shown = run(args=["retention", "show"]).output
    assert any(line.split()[0] == "notifications" and " 3 " in line for line in shown.splitlines())
    refused = run(args=["retention", "purge"])
    assert (refused.exit_code, count(session, Notification)) == (1, 3)
    said = run(args=["retention", "hold", hospital.child.number, "--reason", "诉讼"]).output
    assert hospital.child.name not in run(args=["retention", "holds"]).output
    assert run(args=["retention", "hold", "nobody", "--reason", "x"]).exit_code == 1
    done = run(args=["retention", "purge", "--yes"])
    assert (done.exit_code, count(session, Notification)) == (0, 0)
    assert "nothing that was due is left" in done.output
    assert run(args=["retention", "lift", said.split()[1]]).output == "lifted\n"
    assert run(args=["retention", "lift", said.split()[1]]).exit_code == 1
    assert session.scalar(select(func.count()).where(AuditEvent.action.in_(["hold", "hold-lift"]))) == 2


def test_an_active_guardian_of_late_keeps_the_child(
    session: Session, hospital: Hospital, files: Folder, now: datetime
) -> None:
    late = {"bound_at": now + 10 * YEAR}
    session.execute(update(RelatedPerson).where(RelatedPerson.patient_id == hospital.sibling.id).values(late))
    session.commit()
    with time_machine.travel(now + 16 * YEAR, tick=False):
        keeping.purge(files, "test")
    assert session.scalars(select(Patient.id)).all() == [hospital.sibling.id]
