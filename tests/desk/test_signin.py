"""Signing in on a computer: the phone scans and confirms, that very browser is in; a code is good for nothing else."""

from __future__ import annotations

from uuid import UUID

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import now as clock_now
from config.database import transaction
from config.policy import Policy
from people import computers, sessions
from people.computers import CodeStatus, ComputerCode
from people.models import Account
from people.refusals import CodeWorthless, NotStaff
from people.sessions import SignIn, SignInKind, device_of
from tests.desk.conftest import CHROME, Browse, post
from tests.menus.conftest import words
from tests.product import PHONE, Hospital, practitioner, sign_in


@pytest.fixture
def computer(browse: Browse, scenes: list[str]) -> FlaskClient:
    return browse(agent=CHROME)


@pytest.fixture
def doctor(session: Session, hospital: Hospital) -> Account:
    return session.get_one(Account, hospital.doctor.account_id)


def scan(scene: str, account: Account) -> UUID:
    """What the webhook does when the phone scans."""
    with transaction() as session:
        return computers.scan(session, scene, account, clock_now()).id


def state(computer: FlaskClient) -> str:
    return str(computer.get("/desk/sign-in/state").json["status"])  # type: ignore[index]


def confirm(phone: FlaskClient, code: UUID, answer: str = "yes") -> int:
    return post(phone, f"/desk/confirm/{code}", answer=answer).status_code


def enter(computer: FlaskClient) -> int:
    return post(computer, "/desk/sign-in", on="/desk/sign-in").status_code


def test_the_whole_way(
    computer: FlaskClient, browse: Browse, doctor: Account, scenes: list[str], session: Session
) -> None:
    assert computer.get("/desk/tasks?show=mine").location == "/desk/sign-in"
    page = computer.get("/desk/sign-in")
    assert "data:image/svg+xml" in page.text
    computer.get("/desk/sign-in")  # shown again, not made again
    assert len(scenes) == 1
    assert state(computer) == "shown"
    assert enter(computer) == 409
    code = scan(scenes[0], doctor)
    assert state(computer) == "scanned"
    phone = browse(doctor)
    asked = words(phone.get(f"/desk/confirm/{code}"))
    assert "Chrome, Windows" in asked
    assert "10:00" in asked
    assert enter(computer) == 409
    assert confirm(phone, code) == 200
    assert state(computer) == "confirmed"
    answer = post(computer, "/desk/sign-in", on="/desk/sign-in")
    assert (answer.status_code, answer.location) == (303, "/desk/tasks?show=mine")
    assert computer.get("/desk/tasks").status_code == 200
    kinds = {row.kind: row.device for row in session.scalars(select(SignIn))}
    assert kinds == {SignInKind.COMPUTER: "Chrome, Windows", SignInKind.WECHAT: "iPhone"}
    assert session.scalars(select(ComputerCode.status)).one() == CodeStatus.USED


def test_a_used_code_is_worthless(computer: FlaskClient, browse: Browse, doctor: Account, scenes: list[str]) -> None:
    computer.get("/desk/sign-in")
    with computer.session_transaction() as kept:
        claim = kept["computer"]
    code, phone = scan(scenes[0], doctor), browse(doctor)
    confirm(phone, code)
    assert enter(computer) == 303
    other = browse(agent=CHROME)
    with other.session_transaction() as kept:
        kept["computer"] = claim
    assert state(other) == "over"
    with pytest.raises(CodeWorthless):
        scan(scenes[0], doctor)
    assert confirm(phone, code) == 409


def test_another_browser_is_not_let_in(
    computer: FlaskClient, browse: Browse, doctor: Account, scenes: list[str]
) -> None:
    computer.get("/desk/sign-in")
    with computer.session_transaction() as kept:
        code_id = kept["computer"][0]
    confirm(browse(doctor), scan(scenes[0], doctor))
    other = browse(agent=CHROME)
    with other.session_transaction() as kept:
        kept["computer"] = [code_id, "guessed"]
    assert state(other) == "over"
    post(other, "/desk/sign-in")
    assert other.get("/desk/tasks").location == "/desk/sign-in"


def test_a_second_person_who_scans_spoils_it(
    computer: FlaskClient, browse: Browse, doctor: Account, hospital: Hospital, scenes: list[str], session: Session
) -> None:
    computer.get("/desk/sign-in")
    code = scan(scenes[0], doctor)
    with pytest.raises(CodeWorthless):
        scan(scenes[0], hospital.mother)
    assert state(computer) == "over"
    assert confirm(browse(doctor), code) == 409


def test_somebody_else_who_confirms_spoils_it(
    computer: FlaskClient, browse: Browse, doctor: Account, hospital: Hospital, scenes: list[str], session: Session
) -> None:
    other = practitioner(session, "D009", hospital.medicine, hospital.stranger)
    session.commit()
    computer.get("/desk/sign-in")
    code = scan(scenes[0], doctor)
    assert browse(other).get(f"/desk/confirm/{code}").status_code == 409
    assert confirm(browse(other), code) == 409
    assert confirm(browse(doctor), code) == 409
    assert state(computer) == "over"


def test_a_computer_cannot_confirm_another(
    computer: FlaskClient, browse: Browse, doctor: Account, scenes: list[str]
) -> None:
    computer.get("/desk/sign-in")
    code = scan(scenes[0], doctor)
    first = browse(agent=CHROME)
    sign_in(first, doctor, kind=SignInKind.COMPUTER)
    assert confirm(first, code) == 409
    assert state(computer) == "over"


def test_no_is_no(computer: FlaskClient, browse: Browse, doctor: Account, scenes: list[str]) -> None:
    computer.get("/desk/sign-in")
    assert confirm(browse(doctor), scan(scenes[0], doctor), "no") == 200
    assert state(computer) == "over"


def test_a_code_lives_two_minutes(
    computer: FlaskClient, browse: Browse, doctor: Account, scenes: list[str], clock: time_machine.Traveller
) -> None:
    computer.get("/desk/sign-in")
    clock.shift(121)
    assert state(computer) == "over"
    with pytest.raises(CodeWorthless):
        scan(scenes[0], doctor)
    computer.get("/desk/sign-in")
    assert len(scenes) == 2
    code = scan(scenes[1], doctor)
    clock.shift(121)
    assert confirm(browse(doctor), code) == 409


def test_only_staff_may_scan(computer: FlaskClient, hospital: Hospital, scenes: list[str]) -> None:
    computer.get("/desk/sign-in")
    with pytest.raises(NotStaff):
        scan(scenes[0], hospital.mother)
    assert state(computer) == "shown"


def test_who_left_after_confirming_is_not_let_in(
    computer: FlaskClient, browse: Browse, doctor: Account, hospital: Hospital, scenes: list[str], session: Session
) -> None:
    computer.get("/desk/sign-in")
    confirm(browse(doctor), scan(scenes[0], doctor))
    hospital.doctor.active = False
    session.add(hospital.doctor)
    session.commit()
    assert enter(computer) == 403


def test_codes_asked_for_by_the_hundred_are_refused(
    browse: Browse, scenes: list[str], clock: time_machine.Traveller
) -> None:
    for _ in range(computers.PER_MINUTE):
        browse(agent=CHROME).get("/desk/sign-in")
    clock.shift(20)
    refused = browse(agent=CHROME).get("/desk/sign-in")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "40")
    assert len(scenes) == computers.PER_MINUTE
    clock.shift(41)
    assert browse(agent=CHROME).get("/desk/sign-in").status_code == 200


def test_a_silent_wechat_is_said(browse: Browse, hospital: Hospital) -> None:
    answer = browse(agent=CHROME).get("/desk/sign-in")
    assert answer.status_code == 503
    assert "WeChat did not give a code" in words(answer)


def test_a_phone_goes_to_wechat(browse: Browse) -> None:
    assert browse().get("/desk/sign-in").location == "/oauth/start?next=/desk"


def test_staff_are_signed_out_when_idle_and_in_any_case_after_a_day_at_work(
    browse: Browse, doctor: Account, clock: time_machine.Traveller
) -> None:
    computer = browse(agent=CHROME)
    sign_in(computer, doctor, kind=SignInKind.COMPUTER)
    policy = Policy()
    for _ in range(3):
        clock.shift(60 * (policy.staff_idle_minutes - 1))
        assert computer.get("/desk/tasks").status_code == 200
    clock.shift(60 * policy.staff_idle_minutes)
    assert computer.get("/desk/tasks").location == "/desk/sign-in"
    sign_in(computer, doctor, kind=SignInKind.COMPUTER)
    for _ in range(policy.computer_sign_in_hours * 60 // 20):
        last = computer.get("/desk/tasks").status_code
        assert last == 200
        clock.shift(60 * 20)
    assert computer.get("/desk/tasks").status_code == 302


def test_signing_out_and_ending_from_the_phone(browse: Browse, doctor: Account, session: Session) -> None:
    computer, phone = browse(agent=CHROME), browse(doctor)
    sign_in_id = sign_in(computer, doctor, kind=SignInKind.COMPUTER)
    shown = words(phone.get("/desk/devices"))
    assert "Computer: iPhone" in shown  # the helper's browser
    assert "this device" in shown
    assert post(phone, f"/desk/devices/{sign_in_id}/end", on="/desk/devices").status_code == 303
    assert computer.get("/desk/tasks").location == "/desk/sign-in"
    sign_in(computer, doctor, kind=SignInKind.COMPUTER)
    with computer.session_transaction() as kept:
        stolen = dict(kept)
    assert post(computer, "/desk/sign-out", on="/desk/tasks").status_code == 200
    assert computer.get("/desk/tasks").location == "/desk/sign-in"
    with computer.session_transaction() as kept:
        kept.update(stolen)  # a copy of the cookie is worth nothing
    assert computer.get("/desk/tasks").location == "/desk/sign-in"
    sign_in(computer, doctor, kind=SignInKind.COMPUTER)
    assert post(phone, "/desk/devices/end-others", on="/desk/devices").status_code == 303
    assert computer.get("/desk/tasks").location == "/desk/sign-in"
    assert phone.get("/desk/tasks").status_code == 200


def test_last_seen_is_written_once_a_minute(
    browse: Browse, doctor: Account, session: Session, clock: time_machine.Traveller
) -> None:
    phone, began = browse(doctor), clock_now()
    clock.shift(59)
    phone.get("/desk/tasks")
    assert session.scalars(select(SignIn.last_seen_at)).one() == began
    clock.shift(1)
    phone.get("/desk/tasks")
    assert session.scalars(select(SignIn.last_seen_at)).one() == clock_now()


def test_old_sign_ins_are_forgotten(browse: Browse, doctor: Account, session: Session) -> None:
    browse(doctor)
    sessions.tidy(session, clock_now() + sessions.KEPT)
    assert session.scalars(select(SignIn)).all()
    sessions.tidy(session, clock_now() + 2 * sessions.KEPT)
    assert not session.scalars(select(SignIn)).all()


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (PHONE, "iPhone"),
        (CHROME, "Chrome, Windows"),
        (CHROME + " Edg/124.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/120 MicroMessenger/8.0", "Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Version/17 Safari/605", "Safari, Mac"),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_devices_in_words(agent: str, device: str) -> None:
    assert device_of(agent) == device
