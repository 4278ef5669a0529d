"""A whole department is stopped: how soon 4,000 booked and paid families have their message.

Two worker processes as in production, WeChat's side being the simulator at 50 ms a call. One of the workers can be
killed in the middle (``kill``): the queue gives its jobs to the other.
"""

from __future__ import annotations

import resource
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, func, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from booking import actions
from booking.actions.stopping import Wish
from booking.models import Appointment, AppointmentStatus, Period, Schedule, Slot, SlotStatus
from booking.stop_models import ClinicStop, StopReason, StopStatus
from config.clock import now, today
from config.ids import new_id
from config.settings import Settings
from notifications.models import Notification, NotificationStatus
from payments.gateway import TradeState
from payments.models import Payment
from people.access import Member
from people.models import Account, Department, Patient, Role, Sex
from tests.product import HOURS, department, member, practitioner
from tests.worker.test_kill import WeChat, environment, process, wait_until

FAMILIES, NUMBERS = 4000, 30
LATENCY = 50  # milliseconds of each call
PERSON = '[[person]]\nid = "p-{0}"\nopenid = "o-p-{0}"\nname = "p{0}"\nname_en = "p{0}"\nrole = "parent"\n'
FOLLOWING = 'platform = "android"\nfollowing = true\n'
MESSAGE = "clinic-stopped"


def run(engine: Engine, settings: Settings, *, workers: int = 2, families: int = FAMILIES, kill: bool = False) -> None:
    """Seed, stop, wait until the last family has its message, and print where the time went."""
    sessions = sessionmaker(engine, expire_on_commit=False)
    before = _processor()
    with sessions.begin() as session:
        head = _seed(session, families)
        plan = actions.plan_stop(session, head, _wish(head), now())
    with simulator(settings, families) as origin, ExitStack() as stack:
        env = environment(settings, origin)
        started = [
            stack.enter_context(process("flask", "--app", "app:create_app", "worker", env=env)) for _ in range(workers)
        ]
        wait_until(lambda: _workers(sessions) == workers, 60)
        begun = time.perf_counter()
        with sessions.begin() as session:
            actions.confirm_stop(session, head, plan.id, now())
        confirmed = time.perf_counter() - begun
        if kill:
            wait_until(lambda: _sent(sessions) > families // 4, 120)
            started[0].kill()
        stopped = _when(begun, lambda: _done(sessions, plan))
        written = _when(begun, lambda: _count(sessions) == families)
        sent = _when(begun, lambda: _sent(sessions) == families)
    print(f"A department stopped: {families} paid visits, {workers} workers, WeChat at {LATENCY} ms a call")
    _line("confirmed", confirmed)
    _line("visits ended", stopped)
    _line("messages written", written)
    _line("every family has its message", sent, f"({families / sent:.0f} /s)")
    _line("processor time of workers and simulator", _processor() - before, "\n")


def _processor() -> float:
    """Seconds of the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _line(what: str, seconds: float, more: str = "") -> None:
    print(f"  {what:<44} {seconds:>9.1f} s   {more}")


def _when(begun: float, ready: object) -> float:
    wait_until(ready, 300)  # type: ignore[arg-type]
    return time.perf_counter() - begun


def _done(sessions: sessionmaker[Session], plan: ClinicStop) -> bool:
    with sessions() as session:
        return session.get_one(ClinicStop, plan.id).status is StopStatus.DONE


def _count(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).where(Notification.message == MESSAGE)) or 0


def _sent(sessions: sessionmaker[Session]) -> int:
    sent = (NotificationStatus.SENT, NotificationStatus.DELIVERED)
    with sessions() as session:
        found = select(func.count()).where(Notification.message == MESSAGE, Notification.status.in_(sent))
        return session.scalar(found) or 0


def _workers(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return session.connection().exec_driver_sql("select count(*) from procrastinate_workers").scalar_one()  # type: ignore[no-any-return]


@contextmanager
def simulator(settings: Settings, people: int) -> Iterator[str]:
    """The simulator with so many followers; yields its origin."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="bench-wechat-") as folder:
        list_of_people = Path(folder) / "people.toml"
        list_of_people.write_text("\n".join(PERSON.format(n) + FOLLOWING for n in range(people)), "utf-8")
        own = {
            "SIMULATOR_BIND": address,
            "SIMULATOR_PEOPLE": str(list_of_people),
            "SIMULATOR_STATE": str(Path(folder) / "simulator.json"),
            "SIMULATOR_BACKEND": "http://127.0.0.1:9",
        }
        with process("wechat.simulator", env={**environment(settings, f"http://{address}"), **own}):
            running = WeChat(f"http://{address}")
            wait_until(running.up, 60)
            running.slow_down(LATENCY)
            yield running.origin


def _wish(head: Member) -> Wish:
    day = _day()
    (_, where), *_ = head.departments
    return Wish(where, None, day, Period.MORNING, day, Period.AFTERNOON, StopReason.CONTROL)


def _day() -> date:
    return today(now()) + timedelta(days=2)


def _seed(session: Session, families: int) -> Member:
    """A department whose doctors have every number of a day booked and paid; its head."""
    at = now()
    where = department(session, f"bench-{new_id().hex[-8:]}", "内科", "Internal Medicine", 1)
    numbers = _numbers(session, where, families)
    slots = list(session.execute(select(Slot.id, Slot.schedule_id, Slot.number, Slot.starts_at).where(numbers)))
    accounts = [{"id": new_id(), "openid": f"o-p-{n}", "followed": True, "created_at": at} for n in range(families)]
    session.execute(insert(Account), accounts)
    patients = [_patient(n, at) for n in range(families)]
    session.execute(insert(Patient), patients)
    payments = [_payment(one["id"], at) for one in accounts]
    session.execute(insert(Payment), payments)
    rows = [_appointment(where, slot, patients[n], payments[n]) for n, slot in enumerate(slots[:families])]
    session.execute(insert(Appointment), rows)
    session.execute(update(Slot).where(Slot.id.in_([row["slot_id"] for row in rows])).values(status=SlotStatus.BUSY))
    head = member(session, f"H{new_id().hex[-8:]}", None, Role.DEPARTMENT_HEAD, of=where)
    return Member(head, frozenset({Role.DEPARTMENT_HEAD}), frozenset({(Role.DEPARTMENT_HEAD, where.id)}))


def _appointment(where: Department, slot: Any, child: dict[str, object], payment: dict[str, object]) -> dict[str, Any]:
    return {
        "id": payment["reference_id"],
        "slot_id": slot.id,
        "schedule_id": slot.schedule_id,
        "department_id": where.id,
        "patient_id": child["id"],
        "account_id": payment["account_id"],
        "day": _day(),
        "number": slot.number,
        "starts_at": slot.starts_at,
        "fee_fen": payment["amount_fen"],
        "status": AppointmentStatus.BOOKED,
        "payment_id": payment["id"],
        "booked_at": payment["created_at"],
    }


def _numbers(session: Session, where: Department, families: int) -> ColumnElement[bool]:
    """Periods with numbers enough, half of them in the morning; returns the condition that names their numbers."""
    made = []
    for place in range(-(-families // NUMBERS)):
        if place % 2 == 0:
            doctor = practitioner(session, f"B{new_id().hex[-10:]}", where)
        period = list(Period)[place % 2]
        starts, ends = (datetime.combine(_day(), clock, now().tzinfo) for clock in HOURS[period])
        schedule = Schedule(
            practitioner_id=doctor.id,
            department_id=where.id,
            day=_day(),
            period=period,
            starts_at=starts,
            ends_at=ends,
            fee_fen=5000,
        )
        session.add(schedule)
        session.flush()
        made.append(schedule.id)
        slots = [
            {"id": new_id(), "schedule_id": schedule.id, "number": n, "starts_at": starts, "status": SlotStatus.FREE}
            for n in range(1, NUMBERS + 1)
        ]
        session.execute(insert(Slot), slots)
    return Slot.schedule_id.in_(made)


def _patient(n: int, at: datetime) -> dict[str, object]:
    code = new_id().hex
    return {
        "id": new_id(),
        "code": code,
        "code_blind": new_id().bytes * 2,
        "number": f"P{n}",
        "number_blind": new_id().bytes * 2,
        "name": "孙小明",
        "birth_date": date(2021, 1, 1),
        "sex": Sex.FEMALE,
        "created_at": at,
    }


def _payment(account_id: object, at: datetime) -> dict[str, object]:
    payment_id = new_id()
    return {
        "id": payment_id,
        "number": payment_id.hex,
        "account_id": account_id,
        "purpose": "appointment",
        "reference_id": new_id(),
        "description": "registration fee",
        "amount_fen": 5000,
        "refunded_fen": 0,
        "expires_at": at,
        "paid_at": at,
        "status": TradeState.SUCCESS,
        "created_at": at,
    }
