"""Many families in front of one hot doctor, written fast: who is signed in, on which schedule, with which cookie."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from redis import Redis
from sqlalchemy import Engine, Select, select, text
from sqlalchemy.orm import sessionmaker

from booking.models import Period, Schedule
from config import encryption
from config.clock import today
from config.settings import Settings
from migrations.models import METADATA
from tests.product import Hospital, seed

AHEAD = 2  # days

FAMILIES = """
insert into accounts (id, openid, followed, created_at)
    select lpad(to_hex(n), 32, '0')::uuid, 'o-crowd-' || n, true, :now from generate_series(1, :count) n;
insert into patients (id, code, code_blind, number, number_blind, name, birth_date, sex, created_at, seen, seen_at)
    select lpad(to_hex(n), 32, '0')::uuid, :code, decode(md5('c' || n) || md5('d' || n), 'hex'),
           :number, decode(md5('n' || n) || md5('m' || n), 'hex'), :name, '2021-01-01', 'female', :now,
           '[["internal-medicine", "2026-01-05"]]', :now
    from generate_series(1, :count) n;
insert into consents (id, account_id, kind, version, decision, locale, at)
    select gen_random_uuid(), lpad(to_hex(n), 32, '0')::uuid, one.kind, one.version, 'permit', 'zh_CN', :now
    from generate_series(1, :count) n, (select distinct kind, version from consents) one;
insert into screen_results (id, patient_id, account_id, at, version, answers, level, rules, good_until)
    select lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, :now,
           'bench', :answers, 'fine', '[]', :later
    from generate_series(1, :count) n;
insert into related_persons (id, account_id, patient_id, name, relation, status, bound_at)
    select lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid,
           :guardian, 'mother', 'active', :now
    from generate_series(1, :count) n;
insert into sign_ins (id, account_id, kind, device, created_at, last_seen_at, expires_at)
    select lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, 'wechat', 'iPhone', :now, :now, :later
    from generate_series(1, :count) n;
insert into schedules
    (id, practitioner_id, department_id, day, period, starts_at, ends_at, fee_fen, clinic_type, status)
    select lpad(to_hex(1), 32, '0')::uuid, practitioner_id, department_id, day - 300, period,
           starts_at - interval '300 days', ends_at - interval '300 days', fee_fen, clinic_type, status
    from schedules order by day, period, id limit 1;
insert into slots (id, schedule_id, number, starts_at, status)
    select lpad(to_hex(1), 32, '0')::uuid, id, 1, starts_at, 'free' from schedules
    where id = lpad(to_hex(1), 32, '0')::uuid;
insert into appointments (id, slot_id, schedule_id, department_id, patient_id, account_id, day, number, starts_at,
                          fee_fen, status, cancel_reason, booked_at)
    select gen_random_uuid(), slots.id, schedules.id, department_id, lpad(to_hex(n), 32, '0')::uuid,
           lpad(to_hex(n), 32, '0')::uuid, day, 1, slots.starts_at, fee_fen, 'cancelled', 'parent',
           slots.starts_at - interval '8 days'
    from generate_series(1, :count) n, slots join schedules on schedules.id = slots.schedule_id
    where slots.id = lpad(to_hex(1), 32, '0')::uuid;
create table if not exists counters (schedule_id uuid primary key, free int not null);
"""
RESET = """
delete from procrastinate_jobs; delete from appointments where schedule_id = :schedule; delete from payments;
delete from audit_events; delete from status_changes; update schedules set fee_fen = :fee where id = :schedule;
delete from slots where schedule_id = :schedule;
insert into slots (id, schedule_id, number, starts_at, status)
    select gen_random_uuid(), :schedule, n, now() + interval '2 days',
           case when n <= :numbers then 'free' else 'busy' end
    from generate_series(1, :numbers + 30) n;
update sign_ins set last_seen_at = now();
delete from counters;
insert into counters values (:schedule, :numbers);
"""
VACUUM = ("procrastinate_jobs", "appointments", "payments", "audit_events", "slots", "counters", "sign_ins")


@dataclass(frozen=True)
class Crowd:
    """``count`` families, numbered from 1, in front of one schedule."""

    schedule: UUID
    count: int


@dataclass(frozen=True)
class Asking:
    """Writes the crowd's requests, as their browsers would."""

    settings: Settings
    schedule: UUID

    def book(self, family: int) -> bytes:
        """One family books the hot doctor for its child."""
        secret = self.settings.secret_key.get_secret_value()
        proof = URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(_proof(family))
        body = f"schedule={self.schedule}&patient={UUID(int=family)}&csrf_token={proof}".encode()
        head = (
            "POST /visits HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: Mozilla/5.0 (iPhone) MicroMessenger/8.0.50 "
            f"Language/zh_CN\r\nAccept: text/html\r\nCookie: clinic={self.cookie(family)}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def cookie(self, family: int) -> str:
        """The family's signed-in session."""
        signer = SecureCookieSessionInterface().get_signing_serializer(_Keys(self.settings))  # type: ignore[arg-type]
        if signer is None:
            raise ValueError("no secret key")
        return str(signer.dumps({"sign_in": str(UUID(int=family)), "locale": "zh_CN", "csrf_token": _proof(family)}))


def _proof(family: int) -> str:
    return hashlib.sha1(str(family).encode(), usedforsecurity=False).hexdigest()


class _Keys:
    """What Flask's session interface asks of an application."""

    def __init__(self, settings: Settings) -> None:
        self.secret_key = settings.secret_key.get_secret_value()
        self.config = {"SECRET_KEY_FALLBACKS": None}


def crowd(engine: Engine, settings: Settings, now: datetime, count: int) -> Crowd:
    """Empty the database, seed the small hospital and the families; every family has one child, is signed in, and once
    gave a visit back: plans that were made for an empty table are not those of a hospital."""
    encryption.use(encryption.KeyRing.from_settings(settings))
    sealed = encryption.ring().encrypt
    tables = ", ".join(table.name for table in METADATA.sorted_tables)
    with sessionmaker(engine).begin() as session:
        session.execute(text(f"truncate {tables}, procrastinate_jobs cascade"))
        hospital = seed(session, now)
        values = {
            "now": now,
            "later": now + timedelta(days=7),
            "count": count,
            "code": sealed("QR", "patients.code"),
            "number": sealed("P1", "patients.number"),
            "name": sealed("孙小", "patients.name"),
            "guardian": sealed("孙梅", "related_persons.name"),
            "answers": sealed("[]", "screen_results.answers"),
        }
        for part in _parts(FAMILIES):
            session.execute(text(part), {key: value for key, value in values.items() if f":{key}" in part})
        schedule = session.scalars(_hot(hospital, now)).one()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    return Crowd(schedule, count)


def _hot(hospital: Hospital, now: datetime) -> Select[UUID]:
    found = select(Schedule.id).where(Schedule.practitioner_id == hospital.doctor.id, Schedule.period == Period.MORNING)
    return found.where(Schedule.day == today(now) + timedelta(days=AHEAD))


def reset(engine: Engine, schedule: UUID, numbers: int, fee_fen: int = 0) -> None:
    """Nobody has booked, everybody has just looked at the page, and the schedule has so many free numbers."""
    with engine.begin() as connection:
        for part in _parts(RESET):
            values = {"schedule": schedule, "numbers": numbers, "fee": fee_fen}
            connection.execute(text(part), {key: value for key, value in values.items() if f":{key}" in part})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"vacuum analyze {', '.join(VACUUM)}"))


def rested(valkey: Redis) -> None:
    """Nobody has tried to book lately: rounds follow each other within the minute in which tries are counted."""
    for key in valkey.scan_iter("tries:*"):
        valkey.delete(key)


def _parts(script: str) -> Sequence[str]:
    return [part for part in script.split(";") if part.strip()]
