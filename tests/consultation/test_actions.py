"""The life of a picture: added, moved, removed, outlived; how many, how often, until when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.models import Appointment, AppointmentStatus
from booking.queries import Visit
from config.errors import NotFound
from config.policy import Policy
from consultation import actions, queries
from consultation.models import Media, MediaStatus
from consultation.pictures import checked
from consultation.queries import Picture
from consultation.refusals import PartOfRecord, TooManyPictures, VisitOver
from people.access import Viewer
from people.models import AuditEvent, GuardianStatus, RelatedPerson
from tests.consultation.conftest import Book
from tests.pictures import kept, picture
from tests.product import Hospital

DAY = timedelta(days=1)


def of(session: Session, visit: Visit) -> list[Media]:
    """The pictures that are shown for a visit."""
    session.flush()
    session.expire_all()
    return list(queries.pictures(session, visit))


def found(session: Session, hospital: Hospital, media: Media) -> Picture:
    return queries.picture_of(session, Viewer(hospital.mother.id, "en"), media.id)


def to_status(session: Session, visit: Visit, status: AppointmentStatus) -> None:
    session.execute(update(Appointment).where(Appointment.id == visit.appointment.id).values(status=status))
    session.commit()


def audited(session: Session) -> list[str]:
    rows = select(AuditEvent.action).where(AuditEvent.action.like("picture%")).order_by(AuditEvent.id)
    return list(session.scalars(rows))


def test_a_picture_is_shown_when_its_file_is_kept(session: Session, book: Book, now: datetime) -> None:
    visit = book()
    fit = checked(picture())
    media = actions.begin(session, visit, visit.appointment.account_id, fit, now, Policy())
    assert media.status is MediaStatus.PREPARATION
    assert of(session, visit) == []
    actions.completed(session, media.id, now)
    actions.completed(session, media.id, now)
    assert of(session, visit) == [media]
    assert (media.width, media.height, media.size, media.content_type) == (60, 40, len(fit.data), "image/jpeg")
    assert audited(session) == ["picture-add"]


def test_the_same_picture_is_there_once_for_each_visit(session: Session, book: Book, now: datetime) -> None:
    visit, other = book(), book(ahead=3)
    first = kept(session, visit, now, sent=picture())
    assert kept(session, visit, now, sent=picture()).id == first.id
    assert kept(session, other, now, sent=picture()).id != first.id
    assert of(session, visit) == [first]


def test_no_more_than_the_hospital_allows(session: Session, book: Book, now: datetime) -> None:
    visit, policy = book(), Policy(pictures_per_visit=2)
    first = kept(session, visit, now)
    actions.begin(session, visit, first.account_id, checked(picture(size=(7, 7))), now, policy)  # on its way: it counts
    with pytest.raises(TooManyPictures):
        actions.begin(session, visit, first.account_id, checked(picture(size=(8, 8))), now, policy)


def test_nothing_is_added_to_what_is_over_or_cancelled(session: Session, book: Book, now: datetime) -> None:
    visit = book()
    fit = checked(picture())
    with pytest.raises(VisitOver):
        actions.begin(session, visit, visit.appointment.account_id, fit, visit.schedule.ends_at, Policy())
    to_status(session, visit, AppointmentStatus.CANCELLED)
    with pytest.raises(VisitOver):
        actions.begin(session, visit, visit.appointment.account_id, fit, now, Policy())


def test_removing(session: Session, hospital: Hospital, book: Book, now: datetime) -> None:
    visit = book()
    media = kept(session, visit, now)
    there = found(session, hospital, media)
    actions.remove(session, there, hospital.mother.id, now)
    actions.remove(session, there, hospital.mother.id, now)
    assert of(session, visit) == []
    with pytest.raises(NotFound):
        found(session, hospital, media)
    assert list(queries.to_delete(session)) == [media]
    actions.forget(session, media.id)
    session.flush()
    assert session.get(Media, media.id) is None
    assert audited(session) == ["picture-add", "picture-remove"]


@pytest.mark.parametrize("status", [AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED])
def test_what_the_doctor_may_have_seen_stays(
    session: Session, hospital: Hospital, book: Book, now: datetime, status: AppointmentStatus
) -> None:
    visit, other = book(), book(ahead=3)
    media = kept(session, visit, now)
    to_status(session, visit, status)
    there = found(session, hospital, media)
    with pytest.raises(PartOfRecord):
        actions.remove(session, there, hospital.mother.id, now)
    with pytest.raises(PartOfRecord):
        actions.move(session, there, other, hospital.mother.id, now, Policy())
    assert of(session, visit) == [media]


def test_moving_to_a_siblings_visit(session: Session, hospital: Hospital, book: Book, now: datetime) -> None:
    visit, other = book(), book(hospital.sibling, ahead=3)
    media = kept(session, visit, now)
    actions.move(session, found(session, hospital, media), other, hospital.mother.id, now, Policy())
    assert of(session, visit) == []
    assert of(session, other) == [media]
    assert (media.patient_id, media.appointment_id) == (hospital.sibling.id, other.appointment.id)
    assert audited(session) == ["picture-add", "picture-move"]


def test_moving_where_it_is_already_or_where_there_is_no_room(
    session: Session, hospital: Hospital, book: Book, now: datetime
) -> None:
    visit, other = book(), book(ahead=3)
    media, twin = kept(session, visit, now, sent=picture()), kept(session, other, now, sent=picture())
    actions.move(session, found(session, hospital, media), other, hospital.mother.id, now, Policy())
    assert (of(session, visit), of(session, other)) == ([], [twin])
    third = kept(session, visit, now)
    with pytest.raises(TooManyPictures):
        actions.move(
            session, found(session, hospital, third), other, hospital.mother.id, now, Policy(pictures_per_visit=1)
        )


def test_the_pictures_of_a_cancelled_visit_can_go_to_the_next(
    session: Session, hospital: Hospital, book: Book, now: datetime
) -> None:
    visit, other = book(), book(ahead=3)
    media = kept(session, visit, now)
    to_status(session, visit, AppointmentStatus.CANCELLED)
    actions.move(session, found(session, hospital, media), other, hospital.mother.id, now, Policy())
    assert of(session, other) == [media]


@pytest.mark.parametrize(
    ("status", "goes"),
    [
        (AppointmentStatus.CANCELLED, True),
        (AppointmentStatus.NOSHOW, True),
        (AppointmentStatus.FULFILLED, False),
        (AppointmentStatus.ARRIVED, False),
        (AppointmentStatus.BOOKED, False),
    ],
)
def test_what_a_visit_that_did_not_take_place_leaves_behind_goes_after_a_week(
    session: Session, book: Book, now: datetime, status: AppointmentStatus, goes: bool
) -> None:
    visit = book()
    media = kept(session, visit, now)
    to_status(session, visit, status)
    week = visit.schedule.ends_at + 7 * DAY
    actions.outdate(session, week - DAY, Policy())
    assert of(session, visit) == [media]
    actions.outdate(session, week + DAY, Policy())
    assert of(session, visit) == ([] if goes else [media])
    assert list(queries.to_delete(session)) == ([media] if goes else [])


def test_what_was_never_kept_to_the_end_goes(session: Session, book: Book, now: datetime) -> None:
    visit = book()
    media = actions.begin(session, visit, visit.appointment.account_id, checked(picture()), now, Policy())
    actions.outdate(session, now + actions.STALE, Policy())
    assert list(queries.to_delete(session)) == []
    actions.outdate(session, now + actions.STALE + DAY, Policy())
    assert list(queries.to_delete(session)) == [media]
    actions.completed(session, media.id, now)  # the one that put it comes too late
    assert media.status is MediaStatus.ENTERED_IN_ERROR


def test_who_may_see_a_picture(session: Session, hospital: Hospital, book: Book, now: datetime) -> None:
    visit = book()
    media = kept(session, visit, now)
    mother, stranger = Viewer(hospital.mother.id, "en"), Viewer(hospital.stranger.id, "en")
    assert queries.picture_of(session, mother, media.id).media is media
    with pytest.raises(NotFound):
        queries.picture_of(session, stranger, media.id)
    assert hospital.doctor.account_id
    doctor = Viewer(hospital.doctor.account_id, "en")
    assert queries.practitioner_picture(session, doctor, media.id).media is media
    with pytest.raises(NotFound):  # the doctor of the visit, but not as a parent
        queries.picture_of(session, doctor, media.id)
    hospital.doctor.account_id, hospital.colleague.account_id = None, doctor.account_id
    session.add(hospital.doctor)
    session.flush()
    session.add(hospital.colleague)
    session.commit()
    with pytest.raises(NotFound):
        queries.practitioner_picture(session, doctor, media.id)
    session.execute(update(RelatedPerson).values(status=GuardianStatus.FROZEN))
    session.flush()
    session.expire_all()
    with pytest.raises(NotFound):
        queries.picture_of(session, mother, media.id)
    assert queries.counts(session, [visit.appointment.id]) == {visit.appointment.id: 1}
