"""Bookings in front of Flask: the same as behind it, for those alone whom nothing stands against."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking import cases
from booking.models import Appointment, AppointmentStatus, Schedule, ScheduleStatus
from config.policy import change
from consultation.encounters.models import Encounter
from menus.asked import Asked
from menus.lane import Lane
from menus.limits import COUNTED
from payments.models import Payment
from people.models import AuditEvent, Consent, GuardianStatus, RelatedPerson
from people.sessions import SignIn, SignInKind
from tests.menus.conftest import Browser, token
from tests.menus.fronts import behind, front
from tests.product import Hospital, sign_in

Form = dict[str, object]
Spoil = Callable[["Place"], None]


@pytest.fixture(autouse=True)
def forget(redis_url: str) -> None:
    Redis.from_url(redis_url).flushdb()


class Place:
    """A mother in front of her form, and who had to go behind."""

    def __init__(
        self,
        session: Session,
        client: FlaskClient,
        hospital: Hospital,
        schedule: Schedule,
        now: datetime,
        seen: list[str],
    ) -> None:
        self.session, self.client, self.hospital, self.schedule, self.now = session, client, hospital, schedule, now
        proof = token(client.get("/help"))
        self.form: Form = {"schedule": schedule.id, "patient": hospital.child.id, "csrf_token": proof}
        self.seen = seen


@pytest.fixture
def place(
    session: Session,
    app: Flask,
    mother: FlaskClient,
    hospital: Hospital,
    schedule: Schedule,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    made = Place(session, mother, hospital, schedule, now, behind(front(app, Lane), monkeypatch))
    made.seen.clear()  # its form came from there
    return made


def rows(session: Session) -> tuple[int, list[tuple[str, str]], int]:
    """Appointments, the record of bookings, and facts."""
    notes = session.execute(select(AuditEvent.action, AuditEvent.outcome).where(AuditEvent.action == "book"))
    facts = session.connection().exec_driver_sql("select count(*) from procrastinate_jobs").scalar_one()
    return session.scalar(select(func.count()).select_from(Appointment)) or 0, [(a, o) for a, o in notes], facts


def test_it_books_with_record_fact_and_one_try_and_flask_sees_nothing(place: Place, redis_url: str) -> None:
    before = rows(place.session)
    answer = place.client.post("/visits", data=place.form)
    assert place.seen == []
    assert answer.status_code == 303
    made = place.session.scalars(select(Appointment)).one()
    assert answer.location == f"/visits/{made.id}"
    assert (made.patient_id, made.account_id) == (place.hospital.child.id, place.hospital.mother.id)
    assert rows(place.session) == (1, [("book", "done")], before[2] + 1)
    assert Redis.from_url(redis_url).get(f"tries:account:{place.hospital.mother.id}") == b"1"
    assert place.client.get(answer.location).status_code == 200


def test_booking_counts_as_use_of_the_sign_in(place: Place) -> None:
    place.session.execute(update(SignIn).values(last_seen_at=place.now - timedelta(minutes=3)))
    place.session.commit()
    assert place.client.post("/visits", data=place.form).status_code == 303
    assert place.seen == []
    own = select(SignIn.last_seen_at).where(SignIn.account_id == place.hospital.mother.id)
    assert place.session.scalars(own).one() > place.now - timedelta(minutes=1)


def test_its_headers_are_those_of_flask(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = place.client.post("/visits", data=place.form)
    place.session.execute(update(Appointment).values(status="cancelled"))
    place.session.commit()
    monkeypatch.setattr(Lane, "_ours", lambda *_: False)
    whole = place.client.post("/visits", data=place.form)
    assert (place.seen, whole.status_code) == (["/visits"], 303)
    own = {"X-Request-ID", "Location", "Content-Length", "Content-Type", "Content-Security-Policy"}
    assert {k: v for k, v in quick.headers if k not in own} == {k: v for k, v in whole.headers if k not in own}
    assert len(quick.headers["X-Request-ID"]) == len(whole.headers["X-Request-ID"])
    assert "nonce" not in quick.headers["Content-Security-Policy"]


def forged(place: Place) -> None:
    """A cookie that says the right thing, signed by somebody else."""
    stranger = Flask("stranger")
    stranger.secret_key = "guessed"
    signer = SecureCookieSessionInterface().get_signing_serializer(stranger)
    with place.client.session_transaction() as kept:
        said = dict(kept)
    assert signer
    place.client.set_cookie("clinic", signer.dumps(said))


def without_proof(place: Place) -> None:
    del place.form["csrf_token"]


def with_anothers_proof(place: Place) -> None:
    with place.client.session_transaction() as kept:
        kept["csrf_token"] = "0" * 40


def without_session_token(place: Place) -> None:
    with place.client.session_transaction() as kept:
        del kept["csrf_token"]


def signed_out(place: Place) -> None:
    place.session.execute(update(SignIn).values(ended_at=place.now))


def idle_for_long(place: Place) -> None:
    place.session.execute(update(SignIn).values(last_seen_at=place.now - timedelta(days=2)))


def on_a_computer(place: Place) -> None:
    sign_in(place.client, place.hospital.mother, kind=SignInKind.COMPUTER)


def a_strangers_child(place: Place) -> None:
    place.form["patient"] = place.hospital.other_child.id


def frozen(place: Place) -> None:
    place.session.execute(update(RelatedPerson).values(status=GuardianStatus.FROZEN))


def stopped(place: Place) -> None:
    place.session.execute(update(Schedule).values(status=ScheduleStatus.SUSPENDED))


def not_consented(place: Place) -> None:
    place.session.execute(update(Consent).values(decision="deny"))


def no_such_period(place: Place) -> None:
    place.form["schedule"] = UUID(int=7)


def kept_back(place: Place) -> None:
    place.form["pool"] = "followup"


def too_often(place: Place) -> None:
    change(place.session, "book_tries_per_account", 1, author="test", valid_from=place.now)
    place.session.commit()
    place.form["patient"] = place.hospital.other_child.id
    place.client.post("/visits", data=place.form)  # one try, refused
    place.form["patient"] = place.hospital.child.id
    place.seen.clear()


@pytest.mark.parametrize(
    ("spoil", "status", "record"),
    [
        (forged, 401, []),
        (without_proof, 400, []),
        (with_anothers_proof, 400, []),
        (without_session_token, 400, []),
        (signed_out, 401, []),
        (idle_for_long, 401, []),
        (on_a_computer, 401, []),
        (a_strangers_child, 404, []),
        (frozen, 404, []),
        (stopped, 404, []),
        (not_consented, 303, ["consent-missing"]),
        (no_such_period, 404, []),
        (kept_back, 409, ["not-invited"]),
        (too_often, 429, ["short-wait"]),
    ],
)
def test_whom_something_stands_against_goes_to_flask_and_is_refused_once(
    place: Place, spoil: Spoil, status: int, record: list[str]
) -> None:
    spoil(place)
    place.session.commit()
    answer = place.client.post("/visits", data=place.form)
    assert place.seen == ["/visits"]
    assert answer.status_code == status
    assert "/visits/" not in (answer.location or "")
    count, notes, _ = rows(place.session)
    assert (count, [outcome for _, outcome in notes]) == (0, record)


def test_a_second_tap_is_flasks(place: Place) -> None:
    place.client.post("/visits", data=place.form)
    again = place.client.post("/visits", data=place.form)
    assert place.seen == ["/visits"]
    assert again.location.endswith("note=already")


def test_a_number_with_a_fee_is_held_and_leads_to_its_payment(place: Place) -> None:
    place.session.execute(update(Schedule).values(fee_fen=5000))
    place.session.commit()
    before = rows(place.session)
    answer = place.client.post("/visits", data=place.form)
    assert place.seen == []
    held = place.session.scalars(select(Appointment)).one()
    assert (answer.status_code, answer.location) == (303, f"/visits/{held.id}/pay")
    assert held.status is AppointmentStatus.PENDING
    payment = place.session.scalars(select(Payment)).one()
    assert (payment.id, payment.amount_fen, payment.expires_at) == (held.payment_id, 5000, held.hold_until)
    assert rows(place.session)[1:] == ([("book", "done")], before[2]), "nobody is told before it is paid"
    assert "50" in place.client.get(answer.location).text


def test_a_refused_try_counts_once(place: Place, redis_url: str) -> None:
    place.session.execute(update(Consent).values(decision="deny"))
    place.session.commit()
    place.client.post("/visits", data=place.form)
    assert Redis.from_url(redis_url).get(f"tries:account:{place.hospital.mother.id}") == b"1"


def test_without_the_database_flask_answers(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> None:
        raise psycopg.OperationalError("gone")

    monkeypatch.setattr(cases, "of_browsers", lost)
    assert place.client.post("/visits", data=place.form).status_code == 303
    assert place.seen == ["/visits"]


def test_who_asks_from_a_script_and_who_comes_by_https_meet_flask(
    place: Place, browser: Browser, hospital: Hospital
) -> None:
    assert place.client.post("/visits", data=place.form, headers={"Accept": "application/json"}).status_code == 303
    assert place.client.post("/visits", data=place.form, base_url="https://localhost").status_code >= 300
    assert place.seen == ["/visits"] * 2


@pytest.mark.parametrize(("kind", "behind"), [("video", []), ("text", ["/visits"])])
def test_a_visit_in_writing_is_flasks(place: Place, kind: str, behind: list[str]) -> None:
    assert place.client.post("/visits", data=place.form | {"kind": kind}).status_code == 303
    assert place.seen == behind
    assert [str(found) for found in place.session.scalars(select(Encounter.kind))] == [kind] * len(behind)


def test_of_several_at_once_each_has_its_own_end(place: Place, app: Flask, redis_url: str) -> None:
    with place.client.session_transaction() as kept:
        mother = UUID(kept["sign_in"])
    hospital, nobody = place.hospital, UUID(int=7)
    wanted = [
        (mother, hospital.other_child.id),
        (mother, hospital.child.id),
        (nobody, hospital.child.id),
        (mother, nobody),
        (mother, hospital.sibling.id),
        (mother, hospital.child.id),
    ]
    wishes: list[tuple[Asked, dict[str, object]]] = [
        (Asked(place.schedule.id, child, sign_in, "en", "", "", ""), {}) for sign_in, child in wanted
    ]
    booked = front(app, Lane)._book(wishes)
    visits = {visit.patient_id: visit.id for visit in place.session.scalars(select(Appointment))}
    assert len(visits) == 2
    own = visits[hospital.child.id], visits[hospital.sibling.id]
    assert [one and one.id for one in booked[:5]] == [None, own[0], None, None, own[1]]
    assert booked[5] is None, "the same child again"
    assert rows(place.session)[1] == [("book", "done")] * 2, "who was refused has it on record from Flask"
    assert Redis.from_url(redis_url).get(f"tries:account:{hospital.mother.id}") == b"3"
    assert [COUNTED in environ for _, environ in wishes] == [False, True, False, False, True, True]


def test_who_tries_too_often_is_not_booked_among_others(place: Place, app: Flask) -> None:
    change(place.session, "book_tries_per_account", 1, author="test", valid_from=place.now)
    place.session.commit()
    with place.client.session_transaction() as kept:
        mother = UUID(kept["sign_in"])
    children = place.hospital.child.id, place.hospital.sibling.id
    booked = front(app, Lane)._book(
        [(Asked(place.schedule.id, child, mother, "en", "", "", ""), {}) for child in children]
    )
    assert [bool(one) for one in booked] == [True, False]
