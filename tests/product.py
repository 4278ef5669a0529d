"""What tests of the product share: settings of a test, a small seeded hospital, a signed-in client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actions import book
from booking.admission import PASSING, Level
from booking.models import Period, Schedule
from booking.queries import Visit, visit
from booking.roster_models import OnHolidays, Roster
from booking.rosters import cut_schedules
from booking.screen_models import ScreenResult
from config.clock import now, today
from config.database import transaction
from config.policy import Policy
from config.settings import ROOT, Settings
from people import consents
from people.finding import keep_phones, name_blind
from people.index import IndexRecord, code_blind, number_blind, put
from people.looking import kept
from people.models import (
    Account,
    ConsentKind,
    Decision,
    Department,
    Patient,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
    Relation,
    Role,
    Sex,
    Title,
)
from people.sessions import SignInKind, begin
from people.staff import PER_DEPARTMENT

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0.50 Language/zh_CN"
HOURS = {Period.MORNING: (time(8), time(12)), Period.AFTERNOON: (time(13, 30), time(17))}


def make_settings(database_url: str, redis_url: str, **changes: object) -> Settings:
    """The settings of a test, each changeable by its name."""
    values: dict[str, object] = {
        "clinic_env": "development",
        "clinic_origin": "http://127.0.0.1:8000",
        "secret_key": "dev-secret-key-of-the-tests-0123456789",
        "database_url": database_url,
        "redis_url": redis_url,
        "field_keys": "dev1:" + "A" * 43 + "=",
        "blind_index_key": "dev-index-key-of-the-tests-0123456789",
        "files_dir": f"{ROOT}/var/tests/files",
        "wechat_mode": "safe",
        "wechat_appid": "wx5f0c1de9a7b34286",
        "wechat_secret": "dev-secret-of-the-tests-000000000",
        "wechat_token": "devtoken",
        "wechat_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "wechat_api_origin": "http://127.0.0.1:9",
        "wechat_open_origin": "http://127.0.0.1:9",
        "wechat_jssdk_url": "http://127.0.0.1:9/open/js/jweixin-1.6.0.js",
    }
    return Settings(**{**values, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Hospital:
    """A small hospital: two departments, two doctors of the first, two families; the first family has two children."""

    medicine: Department
    skin: Department
    doctor: Practitioner
    colleague: Practitioner
    mother: Account
    stranger: Account
    child: Patient
    sibling: Patient
    other_child: Patient


def department(session: Session, code: str, zh: str, en: str, position: int) -> Department:
    found = Department(
        code=code,
        name={"zh_CN": zh, "en": en},
        search=f"{zh} {en} {code}".lower(),
        summary={"zh_CN": zh, "en": en},
        treats=[],
        not_for=[],
        position=position,
    )
    session.add(found)
    session.flush()
    return found


def practitioner(session: Session, code: str, of: Department, account: Account | None = None) -> Practitioner:
    found = Practitioner(
        code=code,
        department_id=of.id,
        account_id=account.id if account else None,
        name={"zh_CN": "赵医生", "en": "Dr Zhao"},
        title=Title.ATTENDING,
        speciality={"zh_CN": "咳嗽", "en": "Cough"},
        licence=f"1101{code}",
    )
    session.add(found)
    session.flush()
    session.add(PractitionerRole(practitioner_id=found.id, role=Role.DOCTOR, granted_at=EPOCH))
    session.flush()
    return found


def member(
    session: Session, code: str, account: Account | None, *roles: Role, of: Department | None = None
) -> Practitioner:
    """A member of staff who is no doctor."""
    found = Practitioner(
        code=code, account_id=account.id if account else None, name={"zh_CN": "钱平", "en": "Qian Ping"}
    )
    session.add(found)
    session.flush()
    for role in roles:
        where = of.id if of and role in PER_DEPARTMENT else None
        session.add(PractitionerRole(practitioner_id=found.id, role=role, department_id=where, granted_at=EPOCH))
    session.flush()
    return found


def sign_in(client: FlaskClient, account: Account, *, kind: SignInKind = SignInKind.WECHAT) -> UUID:
    """Sign a browser in as somebody; returns the sign-in's id."""
    with transaction() as session:
        made = begin(session, account, kind, PHONE, now(), Policy())
    with client.session_transaction() as kept:
        kept["sign_in"] = str(made.id)
    return made.id


def account(session: Session, openid: str, now: datetime) -> Account:
    found = Account(openid=openid, followed=True, created_at=now)
    session.add(found)
    session.flush()
    return found


def agree(session: Session, account: Account, now: datetime) -> None:
    """The account agrees to all texts."""
    for kind in ConsentKind:
        consents.decide(session, account.id, kind, Decision.PERMIT, locale="zh_CN", now=now)


def screened(session: Session, child: Patient, by: Account, now: datetime, level: Level = Level.FINE) -> ScreenResult:
    """Somebody has said how the child is; good for as long as any test takes."""
    good_until = now + timedelta(days=365) if level in PASSING else None
    result = ScreenResult(
        patient_id=child.id,
        account_id=by.id,
        at=now,
        version="test",
        answers="[]",
        level=level,
        rules=[],
        good_until=good_until,
    )
    session.add(result)
    session.flush()
    return result


def patient(session: Session, code: str, name: str, born: date, now: datetime) -> Patient:
    """A child in the index, seen today, bound by nobody yet; what is asked before a number has been answered."""
    record = IndexRecord(code, f"P{code}", name, born, Sex.FEMALE, ("13800001234",), today(now))
    put(session, record)
    found = Patient(
        code=code,
        code_blind=code_blind(code),
        number=record.number,
        number_blind=number_blind(record.number),
        name=name,
        birth_date=born,
        sex=Sex.FEMALE,
        created_at=now,
        seen=kept(record),
        seen_at=now,
        name_blind=name_blind(name),
    )
    session.add(found)
    session.flush()
    keep_phones(session, found.id, record.phones)
    screened(session, found, session.scalar(select(Account).limit(1)) or account(session, "o-first", now), now)
    return found


def guardian(session: Session, of: Account, child: Patient, now: datetime) -> RelatedPerson:
    found = RelatedPerson(account_id=of.id, patient_id=child.id, name="王芳", relation=Relation.MOTHER, bound_at=now)
    session.add(found)
    session.flush()
    return found


def roster(session: Session, of: Practitioner, *, quota: int = 12, fee_fen: int = 0) -> None:
    """The doctor works both periods of every day, holidays too."""
    for weekday in range(7):
        for period, (starts, ends) in HOURS.items():
            session.add(
                Roster(
                    practitioner_id=of.id,
                    department_id=of.department_id,
                    weekday=weekday,
                    period=period,
                    starts=starts,
                    ends=ends,
                    quota=quota,
                    fee_fen=fee_fen,
                    on_holidays=OnHolidays.OPEN,
                    valid_from=date(2020, 1, 1),
                )
            )
    session.flush()


def seed(session: Session, now: datetime, *, quota: int = 12) -> Hospital:
    """Fill an empty database with the small hospital, schedules cut for the coming nine days."""
    medicine = department(session, "internal-medicine", "内科", "Internal Medicine", 1)
    skin = department(session, "dermatology", "皮肤科", "Dermatology", 2)
    doctor = practitioner(session, "D001", medicine, account(session, "o-doctor", now))
    colleague = practitioner(session, "D002", medicine)
    for person in (doctor, colleague):
        roster(session, person, quota=quota)
    mother, stranger = account(session, "o-mother", now), account(session, "o-stranger", now)
    for parent in (mother, stranger):
        agree(session, parent, now)
    child = patient(session, "QR-0001", "王小明", date(2023, 5, 17), now)
    sibling = patient(session, "QR-0002", "王小红", date(2026, 3, 2), now)
    other_child = patient(session, "QR-0003", "李雷", date(2019, 1, 1), now)
    guardian(session, mother, child, now)
    guardian(session, mother, sibling, now)
    guardian(session, stranger, other_child, now)
    cut_schedules(session, [today(now) + timedelta(days=ahead) for ahead in range(10)], now)
    return Hospital(medicine, skin, doctor, colleague, mother, stranger, child, sibling, other_child)


def visit_ahead(session: Session, hospital: Hospital, child: Patient, now: datetime, *, ahead: int = 2) -> Visit:
    """The mother books a child with the doctor, in the morning so many days ahead."""
    schedule = session.scalars(
        select(Schedule.id).where(
            Schedule.practitioner_id == hospital.doctor.id,
            Schedule.period == Period.MORNING,
            Schedule.day == today(now) + timedelta(days=ahead),
        )
    ).one()
    made = book(session, schedule, session.get_one(Patient, child.id), hospital.mother.id, now, Policy())
    session.commit()
    return visit(session, made.id)
