"""A second guardian and a second doctor: invited, agreed to, named, gone; and nobody comes in by another way."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking.queries import Visit
from consultation.encounters.models import Encounter, Participant
from people.models import Account, GuardianStatus, RelatedPerson
from people.tasks import Task
from tests.live.conftest import Browse
from tests.product import Hospital, account, guardian


@pytest.fixture
def here(visit: Visit, encounter: Encounter) -> str:
    return f"/visits/{visit.appointment.id}"


@pytest.fixture
def father(session: Session, hospital: Hospital, here: str, now: datetime) -> Account:
    made = account(session, "o-father", now)
    guardian(session, made, hospital.child, now).name = "李强"
    session.commit()
    return made


def sees(client: FlaskClient, where: str) -> bool:
    return client.get(f"{where}/events").status_code == 200


def test_a_second_guardian_is_invited_and_joins_by_themselves(
    mother: FlaskClient, doctor: FlaskClient, browse: Browse, father: Account, here: str
) -> None:
    his = browse(father)
    assert "Invite 李强" in mother.get(f"{here}/room").text
    assert his.post(f"{here}/guests/join").status_code == 404  # nobody invited him yet
    mother.post(f"{here}/guests", data={"account": str(father.id)})
    assert not sees(his, here)
    assert "李强 · invited by the family" in doctor.get(f"/desk{here}").text
    assert "Join the visit" in his.get(f"{here}/room").text
    his.post(f"{here}/guests/join")
    assert sees(his, here)
    assert "李强 · has joined" in doctor.get(f"/desk{here}").text
    his.post(f"{here}/messages", data={"text": "I am here, too"})
    assert "李强" in mother.get(f"{here}/room").text
    his.post(f"{here}/guests/leave")
    assert not sees(his, here)
    assert sees(mother, here)


def test_the_guardian_ends_an_invitation(
    mother: FlaskClient, browse: Browse, father: Account, here: str, session: Session
) -> None:
    his = browse(father)
    mother.post(f"{here}/guests", data={"account": str(father.id)})
    his.post(f"{here}/guests/join")
    guest = session.query(Participant).one()
    assert his.post(f"{here}/guests/{guest.id}", data={"agree": "no"}).status_code == 404  # not his to say
    mother.post(f"{here}/guests/{guest.id}", data={"agree": "no"})
    assert not sees(his, here)


def test_only_an_active_guardian_of_this_child_is_invited(
    mother: FlaskClient, browse: Browse, father: Account, hospital: Hospital, here: str, session: Session
) -> None:
    for nobody in (hospital.stranger.id, hospital.mother.id, uuid4(), "x"):
        assert mother.post(f"{here}/guests", data={"account": str(nobody)}).status_code == 404
    mother.post(f"{here}/guests", data={"account": str(father.id)})
    session.query(RelatedPerson).filter_by(account_id=father.id).update({"status": GuardianStatus.FROZEN})
    session.commit()
    assert browse(father).post(f"{here}/guests/join").status_code == 404


def test_a_second_doctor_comes_in_when_the_family_agrees(
    mother: FlaskClient, doctor: FlaskClient, browse: Browse, hospital: Hospital, here: str, session: Session
) -> None:
    colleague = browse(session.get_one(Account, hospital.colleague.account_id))
    doctor.post(f"/desk{here}/guests", data={"practitioner": str(hospital.colleague.id)})
    assert "Your doctor asks: may Dr Zhao join?" in mother.get(f"{here}/room").text
    assert not sees(colleague, f"/desk{here}")
    guest = session.query(Participant).one()
    assert doctor.post(f"{here}/guests/{guest.id}", data={"agree": "yes"}).status_code == 404  # the family's to say
    mother.post(f"{here}/guests/{guest.id}", data={"agree": "yes"})
    assert sees(colleague, f"/desk{here}")
    assert session.query(Task).filter_by(kind="visit-join", practitioner_id=hospital.colleague.id).count() == 1
    assert colleague.get(f"/desk{here}").status_code == 200
    asked = colleague.post(f"/desk{here}/guests", data={"practitioner": str(hospital.doctor.id)})
    assert asked.status_code == 404  # a guest asks nobody in
    colleague.post(f"/desk{here}/guests/leave")
    assert not sees(colleague, f"/desk{here}")


def test_a_refused_doctor_stays_outside(
    mother: FlaskClient, doctor: FlaskClient, browse: Browse, hospital: Hospital, here: str, session: Session
) -> None:
    doctor.post(f"/desk{here}/guests", data={"practitioner": str(hospital.colleague.id)})
    guest = session.query(Participant).one()
    mother.post(f"{here}/guests/{guest.id}", data={"agree": "no"})
    assert not sees(browse(session.get_one(Account, hospital.colleague.account_id)), f"/desk{here}")
    assert mother.post(f"{here}/guests/{UUID(int=1)}", data={"agree": "yes"}).status_code == 404


def test_the_two_sides_do_not_leave_this_way(mother: FlaskClient, doctor: FlaskClient, here: str) -> None:
    assert mother.post(f"{here}/guests/leave").status_code == 404
    assert doctor.post(f"/desk{here}/guests/leave").status_code == 404
    assert mother.post(f"/desk{here}/guests/leave").status_code == 403
