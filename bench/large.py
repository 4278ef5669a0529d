"""The queries of every day in a hospital that has kept ten million appointments, against one with ten thousand.

Both have departments of the same kind: 20 doctors, two periods a day, 30 numbers a period, eight visits a child, every
tenth paid. The small hospital has one department and eight days; the large one four departments and almost six years.
What is asked are the product's own functions, in turns. Left out of a plain ``make bench``: it needs some fifteen
gigabytes and a quarter of an hour. ``BENCH_APPOINTMENTS`` sets another size.
"""

from __future__ import annotations

import os
import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

from booking import actions, cases, eligibility, listing, numbers, queries
from booking.actions import suspending
from booking.cases import Browser
from booking.figures import figures
from booking.listing import Wanted
from booking.models import Appointment, AppointmentStatus, Period, Pool, Schedule
from config import clock, database, encryption
from config.migrate import migrate
from config.settings import Settings
from dev.servers import Postgres
from payments import queries as money
from people import finding
from people import queries as people
from people.access import Viewer, patient_of
from people.index import TablePatientIndex, number_blind
from people.models import Patient

SMALL, LARGE = 10_000, int(os.environ.get("BENCH_APPOINTMENTS", "10000000"))
DEPARTMENTS = {SMALL: 1}  # others: 4
DOCTORS, NUMBERS, VISITS = 20, 30, 8  # of a department; of a period; of a child
CALLS, ROUNDS = 15, 9


class Loose(Postgres):
    """PostgreSQL without care for a power cut, as these data are thrown away."""

    def command(self) -> list[str]:
        settings = {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_wal_size": "2GB",
            "maintenance_work_mem": "512MB",
            "shared_buffers": "512MB",
        }
        return [*super().command(), *(part for key, value in settings.items() for part in ("-c", f"{key}={value}"))]


CONSTRAINTS = """
    select conrelid::regclass::text, conname, pg_get_constraintdef(pg_constraint.oid) from pg_constraint
    where contype in ('f', 'p', 'u') and connamespace = 'public'::regnamespace
      and conrelid::regclass::text not like 'procrastinate%' and conrelid::regclass::text <> 'alembic_version'
    order by contype = 'f' desc
"""
INDEXES = """
    select indexname, indexdef from pg_indexes
    where schemaname = 'public' and tablename not like 'procrastinate%' and tablename <> 'alembic_version'
"""
FILL = """
insert into departments (id, code, name, search, summary, treats, not_for, position)
    select {id:n}, 'd' || n, '{{"en": "d", "zh_CN": "d"}}', 'd', '{{}}', '[]', '[]', n
    from generate_series(1, :departments) n;
insert into accounts (id, openid, followed, created_at)
    select {id:n}, 'o-' || n, true, :now from generate_series(1, :children) n;
insert into accounts (id, openid, followed, created_at)
    select {doctor:n}, 'o-d' || n, true, :now from generate_series(1, :doctors) n;
insert into practitioners (id, code, department_id, account_id, name, title, speciality, active)
    select {doctor:n}, 'D' || n, {id:((n - 1) / :each + 1)}, {doctor:n}, '{{"en": "d", "zh_CN": "d"}}', 'attending',
           '{{}}', true
    from generate_series(1, :doctors) n;
insert into patients (id, code, code_blind, number, number_blind, name, birth_date, sex, created_at, name_blind)
    select {id:n}, :code, decode(md5('c' || n) || md5('d' || n), 'hex'), :number,
           decode(md5('n' || n) || md5('m' || n), 'hex'), :name, '2021-01-01', 'female', :now,
           decode(md5('o' || n / 3) || md5('p' || n / 3), 'hex')
    from generate_series(1, :children) n;
insert into patient_phones (phone_blind, patient_id)
    select decode(md5('t' || n / 2) || md5('u' || n / 2), 'hex'), {id:n} from generate_series(1, :children) n;
insert into audit_events (id, at, account_id, action, outcome, entity, entity_id, detail)
    select {id:n}, :now, {id:1}, 'see-child', 'done', 'patient', {id:n}, '{{}}' from generate_series(1, :children) n;
insert into index_entries (id, code, code_blind, number, number_blind, name, birth_date, sex, phones, last_visit_on)
    select id, :icode, code_blind, :inumber, number_blind, :iname, birth_date, sex, :phones, '2026-01-01' from patients;
insert into related_persons (id, account_id, patient_id, name, relation, status, bound_at)
    select {id:n}, {id:n}, {id:n}, :guardian, 'mother', 'active', :now from generate_series(1, :children) n;
insert into sign_ins (id, account_id, kind, device, created_at, last_seen_at, expires_at)
    select {id:n}, {id:n}, 'wechat', 'iPhone', :now, :now, cast(:now as timestamptz) + interval '7 days'
    from generate_series(1, :children) n;
insert into schedules (id, practitioner_id, department_id, day, period, starts_at, ends_at, fee_fen, status,
                       clinic_type)
    select {doctor:1}, {doctor:1}, {id:1}, cast(:last as date) + 1, 'morning',
           (cast(:last as date) + 1 + time '08:00') at time zone 'Asia/Shanghai',
           (cast(:last as date) + 1 + time '12:00') at time zone 'Asia/Shanghai', 0, 'active', 'ordinary';
insert into slots (id, schedule_id, number, starts_at, status)
    select {doctor:n}, {doctor:1}, n,
           (cast(:last as date) + 1 + time '08:00' + n * interval '8 minutes') at time zone 'Asia/Shanghai', 'free'
    from generate_series(1, 30) n;
insert into schedules (id, practitioner_id, department_id, day, period, starts_at, ends_at, fee_fen, status,
                       clinic_type)
    select {id:((i * :doctors + d) * 2 + p + 1)}, {doctor:(d + 1)}, {id:(d / :each + 1)}, cast(:last as date) - i,
           (array['morning', 'afternoon'])[p + 1],
           (cast(:last as date) - i + time '08:00' + p * interval '5 hours') at time zone 'Asia/Shanghai',
           (cast(:last as date) - i + time '12:00' + p * interval '5 hours') at time zone 'Asia/Shanghai', 0, 'active',
           'ordinary'
    from generate_series(0, :days - 1) i, generate_series(0, :doctors - 1) d, generate_series(0, 1) p;
insert into slots (id, schedule_id, number, starts_at, status)
    select {id:(((i * :doctors + d) * 2 + p) * 30 + n)}, {id:((i * :doctors + d) * 2 + p + 1)}, n,
           (cast(:last as date) - i + time '08:00' + p * interval '5 hours' + n * interval '8 minutes')
               at time zone 'Asia/Shanghai', 'busy'
    from generate_series(0, :days - 1) i, generate_series(0, :doctors - 1) d, generate_series(0, 1) p,
         generate_series(1, 30) n;
insert into waiting_entries (id, schedule_id, patient_id, account_id, status, joined_at, closes_at)
    select {id:s}, {id:s}, {id:(s % :children + 1)}, {id:(s % :children + 1)},
           case when s <= :doctors * 8 then 'waiting' else 'closed' end, :now, :now
    from generate_series(1, cast(:days as int) * :doctors * 2) s;
insert into payments (id, number, account_id, purpose, reference_id, description, amount_fen, refunded_fen, expires_at,
                      status, paid_at, created_at)
    select {id:a}, lpad(to_hex(a), 32, '0'), {id:(a % :children + 1)}, 'appointment', {id:a}, 'd', 5000, 0, at,
           'SUCCESS', at, at
    from (select a, (cast(:last as date) - cast((a - 1) / (cast(:doctors as int) * 60) as int) - 1 + time '10:00')
                 at time zone 'Asia/Shanghai' as at
          from generate_series(10, cast(:days as int) * :doctors * 60, 10) a) numbered;
insert into ledger_entries (id, posting, account, payment_id, amount_fen, why, at)
    select {id:(a * 4 + line)}, {id:(a * 4 + line / 2)}, (array['gateway', 'held', 'held', 'earned'])[line + 1], {id:a},
           (array[5000, -5000, 5000, -5000])[line + 1], (array['paid', 'earned'])[line / 2 + 1],
           (cast(:last as date) - cast((a - 1) / (cast(:doctors as int) * 60) as int) - 1 + line / 2 * 2 + time '10:00')
               at time zone 'Asia/Shanghai'
    from generate_series(10, cast(:days as int) * :doctors * 60, 10) a, generate_series(0, 3) line;
insert into appointments (id, slot_id, schedule_id, department_id, patient_id, account_id, day, number, starts_at,
                          fee_fen, status, booked_at, remind_day_at, hold_until, payment_id)
    select {id:a}, {id:a}, {id:((a - 1) / 30 + 1)}, {id:((a - 1) / 60 % :doctors / :each + 1)},
           {id:(a % :children + 1)}, {id:(a % :children + 1)}, cast(:last as date) - i, (a - 1) % 30 + 1,
           (cast(:last as date) - i + time '08:00' + (a - 1) / 30 % 2 * interval '5 hours'
               + ((a - 1) % 30 + 1) * interval '8 minutes') at time zone 'Asia/Shanghai',
           case when a % 10 = 0 then 5000 else 0 end,
           case when a between 101 and 120 then 'pending' when i < 4 then 'booked' when a % 20 = 0 then 'noshow'
                when a % 20 = 1 then 'cancelled' else 'fulfilled' end,
           :now, case when a <= 100 then cast(:now as timestamptz) end,
           case when a between 101 and 120 then cast(:now as timestamptz) end, case when a % 10 = 0 then {id:a} end
    from (select a, cast((a - 1) / (cast(:doctors as int) * 60) as int) as i
          from generate_series(1, cast(:days as int) * :doctors * 60) a) numbered
"""


@dataclass(frozen=True)
class Filled:
    """A hospital with so many appointments."""

    size: int
    engine: Engine
    now: datetime

    def query(self, session: Session, name: str, call: int) -> object:
        """One query of the product, each call about somebody else."""
        family, doctor = UUID(int=_family(call, self.size)), UUID(f"d{1 + call % DOCTORS:031x}")
        today = clock.today(self.now)
        departments = [UUID(int=1 + n) for n in range(DEPARTMENTS.get(self.size, 4))]
        day = today + timedelta(days=1)
        asked = Asked(Viewer(family, "en"), Viewer(doctor, "en"), family, day, self.now, departments)
        found = QUERIES[name](session, asked)
        session.rollback()
        session.expunge_all()
        return found


@dataclass(frozen=True)
class Asked:
    """Who asks, about which child, for which day, when, and all departments."""

    parent: Viewer
    doctor: Viewer
    child: UUID
    day: date
    now: datetime
    departments: list[UUID]


DEPARTMENT, DOCTOR = UUID(int=1), UUID(f"d{1:031x}")
FREE = DOCTOR  # the id of the one schedule with free numbers, too
AHEAD, BACK = timedelta(days=3), timedelta(days=4)
RARE = AppointmentStatus.PENDING


def _gather(session: Session, asked: Asked) -> object:
    child, schedule = session.get_one(Patient, asked.child), session.get_one(Schedule, UUID(int=1))
    return eligibility.gather(session, child, asked.parent.account_id, schedule, asked.now)


def _families(asked: Asked) -> list[UUID]:
    """Eight of them: parent, child and sign-in have one id."""
    return [UUID(int=asked.child.int + n) for n in range(8)]


def _asked_together(session: Session, asked: Asked) -> object:
    found = cases.of_browsers(session, [Browser(one, FREE, one) for one in _families(asked)], asked.now)
    if not all(found):
        raise RuntimeError("somebody was not found")
    return found


def _booked_together(session: Session, asked: Asked) -> object:
    rest: Any = asked.now, asked.now, Pool.OPEN, {}, None, None, timedelta(minutes=30), ""
    made = numbers.book(session, [numbers.Wanted(FREE, one, one, *rest) for one in _families(asked)])
    if not all(made):
        raise RuntimeError("somebody got no number")
    return made


def _look_up(session: Session, asked: Asked, wanted: finding.Wanted) -> object:
    """Everything that the page does."""
    by = UUID(int=1)
    made = finding.look_up(session, by, wanted, asked.now)
    session.flush()
    children = finding.found(session, by, made, asked.now).children
    if [child.id for child in children] != [asked.child]:
        raise RuntimeError("the look-up found somebody else")
    return listing.around(session, [asked.child], asked.now)


def _later_page(session: Session, asked: Asked) -> object:
    """Whole in the small hospital, too, whose first day is four days ago, whatever the hour is now."""
    page = listing.listed(session, Wanted(), (asked.now - BACK + timedelta(days=1), UUID(int=0)))
    if page.next is None:
        raise RuntimeError("the page is not a whole one")
    return page


def _phone(number: int) -> str:
    return f"138{number:08}"


def _name(number: int) -> str:
    return f"孙{number}"


QUERIES: Mapping[str, Callable[[Session, Asked], object]] = {
    "day's schedules": lambda s, a: queries.offers(s, DEPARTMENT, a.day, Period.MORNING),
    "department's eight days": lambda s, a: queries.period_counts(s, DEPARTMENT, a.day - BACK, a.day + AHEAD),
    "doctor's week": lambda s, a: queries.practitioner_visits(s, a.doctor, a.day - BACK, a.day + AHEAD),
    "doctor's queue": lambda s, a: queries.practitioner_visits(s, a.doctor, a.day, a.day),
    "child's latest": lambda s, a: listing.around(s, [a.child], a.now),
    "guardian's coming visits": lambda s, a: queries.coming_visits(s, a.parent, a.now),
    "guardian's latest": lambda s, a: queries.past_visits(s, a.parent, a.now),
    "guardian's children": lambda s, a: people.children(s, a.parent),
    "child, if the guardian may": lambda s, a: patient_of(s, a.parent, a.child),
    "what a booking asks of a child": _gather,
    "what eight at once ask": _asked_together,
    "eight booked at once": _booked_together,
    "already booked": lambda s, a: queries.holders(s, [a.child], DEPARTMENT, a.day),
    "no-shows in a year": lambda s, a: suspending.judge(s, s.get_one(Appointment, UUID(int=a.child.int - 1)), a.now),
    "reminders due": lambda s, a: actions.remind_due(s, a.now + timedelta(hours=1), 20),
    "today's figures, a department": lambda s, a: figures(s, [DEPARTMENT], a.day),
    "today's figures, all": lambda s, a: figures(s, a.departments, a.day),
    "a day of the ledger": lambda s, a: (money.balances(s, a.day), money.unbalanced(s, a.day)),
    "look-up by phone": lambda s, a: _look_up(s, a, finding.Wanted(phone=_phone(a.child.int))),
    "look-up by name": lambda s, a: _look_up(s, a, finding.Wanted(name=_name(a.child.int))),
    "index by patient number": lambda _, a: TablePatientIndex().find_number(f"P{a.child.int}"),
    "list": lambda s, _: listing.listed(s, Wanted()),
    "list, a later page": _later_page,
    "list of a day": lambda s, a: listing.listed(s, Wanted(day=a.day)),
    "list of a department": lambda s, _: listing.listed(s, Wanted(department_id=DEPARTMENT)),
    "list of a rare state": lambda s, _: listing.listed(s, Wanted(status=RARE)),
    "list of a department's rare state": lambda s, _: listing.listed(s, Wanted(department_id=DEPARTMENT, status=RARE)),
    "list of a doctor's rare state": lambda s, _: listing.listed(
        s, Wanted(department_id=DEPARTMENT, practitioner_id=DOCTOR, status=RARE)
    ),
    "list of a doctor": lambda s, _: listing.listed(s, Wanted(department_id=DEPARTMENT, practitioner_id=DOCTOR)),
}


def run(settings: Settings, folder: Path) -> None:
    """Fill both, ask both in turns, print; what takes more than twice as long is explained."""
    encryption.use(encryption.KeyRing.from_settings(settings))
    now = clock.now()
    server = Loose(folder / "large")
    base = server.start()
    try:
        small, large = (_filled(base, size, now) for size in (SMALL, LARGE))
        print(f"Ten thousand and {LARGE:,} appointments ({ROUNDS} rounds of {CALLS}; load {os.getloadavg()[0]:.1f})")
        for name in QUERIES:
            _compare(name, small, large)
        small.engine.dispose()
        large.engine.dispose()
    finally:
        server.stop()


def _filled(base: str, size: int, now: datetime) -> Filled:
    """A database of its own with so many appointments: no index or foreign key until the rows are in."""
    began, url = time.monotonic(), base.rsplit("/", 1)[0] + f"/filled_{size}"
    with _alone(base) as connection:
        connection.execute(text(f"create database filled_{size}"))
    engine = database.connect(url)
    migrate(engine)
    with _alone(url) as connection:
        constraints = connection.execute(text(CONSTRAINTS)).all()
        for table, name, _ in constraints:
            connection.execute(text(f"alter table {table} drop constraint {name}"))
        indexes = connection.execute(text(INDEXES)).all()
        for name, _ in indexes:
            connection.execute(text(f"drop index {name}"))
        _fill(connection, size, now)
        for _, definition in indexes:
            connection.execute(text(definition))
        for table, name, definition in reversed(constraints):
            connection.execute(text(f"alter table {table} add constraint {name} {definition}"))
        _make_known(connection, size)
        connection.execute(text("vacuum analyze"))
    print(f"  {size:,} appointments written in {time.monotonic() - began:.0f} s", flush=True)
    return Filled(size, engine, now)


def _alone(url: str) -> Connection:
    """A connection whose statements stand alone and may take long."""
    return create_engine(url, isolation_level="AUTOCOMMIT").connect()


class _Ids:
    """In a script ``{id:n}`` is the id numbered n, ``{doctor:n}`` a doctor's."""

    def __init__(self, lead: str) -> None:
        self.lead = lead

    def __format__(self, number: str) -> str:
        return f"cast('{self.lead}' || lpad(to_hex({number}), {32 - len(self.lead)}, '0') as uuid)"


def _fill(connection: Connection, size: int, now: datetime) -> None:
    sealed = encryption.ring().encrypt
    departments = DEPARTMENTS.get(size, 4)
    doctors, children = departments * DOCTORS, size // VISITS
    values = {
        "now": now,
        "last": clock.today(now) + AHEAD,
        "departments": departments,
        "each": DOCTORS,
        "doctors": doctors,
        "children": children,
        "days": size // (doctors * 2 * NUMBERS),
        "code": sealed("QR", "patients.code"),
        "number": sealed("P1", "patients.number"),
        "name": sealed("孙小", "patients.name"),
        "icode": sealed("QR", "index_entries.code"),
        "inumber": sealed("P1", "index_entries.number"),
        "iname": sealed("孙小", "index_entries.name"),
        "phones": sealed("13800001234", "index_entries.phones"),
        "guardian": sealed("孙梅", "related_persons.name"),
    }
    for part in FILL.format(id=_Ids(""), doctor=_Ids("d")).split(";"):
        used = {key: value for key, value in values.items() if re.search(rf":{key}\b", part)}
        connection.execute(text(part), used)


def _make_known(connection: Connection, size: int) -> None:
    """Those who will be looked for are there under their own number, name and phone."""
    for number in {_family(call, size) for call in range(CALLS)}:
        for table, column, key, blind in (
            ("index_entries", "number_blind", "id", number_blind(f"P{number}")),
            ("patients", "name_blind", "id", finding.name_blind(_name(number))),
            ("patient_phones", "phone_blind", "patient_id", finding.phone_blind(_phone(number))),
        ):
            known = {"id": UUID(int=number), "blind": blind}
            connection.execute(text(f"update {table} set {column} = :blind where {key} = :id"), known)


def _family(call: int, size: int) -> int:
    return 2 + call * 37 % (size // VISITS - 9)


def _compare(name: str, small: Filled, large: Filled) -> None:
    with Session(small.engine) as few, Session(large.engine) as many:
        rounds = [(_took(small, few, name), _took(large, many, name)) for _ in range(ROUNDS + 1)][1:]
        ratio = statistics.median(b / a for a, b in rounds)
        a, b = (statistics.median(found[n] for found in rounds) * 1e3 for n in (0, 1))
        print(f"  {name:<36}{a:>8.2f} ms {b:>8.2f} ms   ratio {ratio:.2f}", flush=True)
        if ratio > 2:
            _explain(large, many, name)


def _took(filled: Filled, session: Session, name: str) -> float:
    """Seconds of one call, the median of a round."""
    database.use(sessionmaker(filled.engine, expire_on_commit=False))
    taken = []
    for call in range(CALLS):
        began = time.perf_counter()
        filled.query(session, name, call)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _explain(filled: Filled, session: Session, name: str) -> None:
    """Print how PostgreSQL goes about each of the query's statements."""
    seen: list[tuple[str, object]] = []

    def note(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        seen.append((statement, parameters))

    event.listen(filled.engine, "before_cursor_execute", note)
    filled.query(session, name, 0)
    event.remove(filled.engine, "before_cursor_execute", note)
    for statement, parameters in seen:
        if statement.lstrip()[:6].lower() in {"select", "with"}:
            for (line,) in session.connection().exec_driver_sql(f"explain analyze {statement}", parameters):  # type: ignore[arg-type]
                print(f"      {line}")
    session.rollback()
