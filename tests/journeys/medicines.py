"""Prescriptions, orders, parcels and reactions in each of their states, made in the database of a running service that
has the demo's visits. Returned as paths, to be opened one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.models import Appointment
from config.clock import today
from config.policy import Policy
from config.text import CHINESE
from consultation.encounters.models import Encounter
from dev.environment import development
from people.access import Member, Viewer, member_of
from people.models import Account, Practitioner, Role
from prescriptions.after import actions as after
from prescriptions.after.actions.reactions import Told
from prescriptions.after.models import AdverseEvent, Causality, CourseEnd, ReactionOutcome, Reporter
from prescriptions.delivery import actions as deliveries
from prescriptions.delivery.couriers import Mark, Step
from prescriptions.delivery.models import Delivery
from prescriptions.dispensing import actions as dispensing
from prescriptions.dispensing import queries
from prescriptions.dispensing.models import MedicationDispense
from prescriptions.orders import actions as orders
from prescriptions.orders import deciding
from prescriptions.orders.models import Address, MedicineOrder
from prescriptions.review import asking_doctor
from prescriptions.signing.authority import SetupAuthority, trust
from prescriptions.signing.keys import KeptKeys
from prescriptions.stock import actions as stock
from prescriptions.stock import recalling
from prescriptions.stock.models import RecalledChild
from prescriptions.writing import submitting
from prescriptions.writing.models import Prescription, PrescriptionStatus
from tests.journeys.rooms import database
from tests.journeys.service import Service
from tests.prescriptions import made as made_rows
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.prescriptions.pharmacy import TIANJIN, home, medication, pay, place, received

MOTHER, PHARMACIST, CHECKER = "oSimParent000000000000000004", "P001", "P002"
SYRUP = "cetirizine-sol-1"
NEWEST = text("select max(id) from procrastinate_jobs")
FACTS = text("delete from procrastinate_jobs where id > :before")
WALK = (  # hours ago, what, where, the courier's words
    (20, Mark.COLLECTED, "北京市西城区", "顺丰速运 已收取快件"),
    (12, Mark.MOVING, "北京市朝阳区", "快件已到达【北京望京营业点】"),
    (1, Mark.OUT, "北京市朝阳区", "快件派送中，派送员：张师傅，电话：13800004321"),
)


@dataclass
class Shop:
    """The pharmacy of the demo: who works there, who orders, and the visit that prescribes."""

    session: Session
    now: datetime
    mother: Account
    encounter: Encounter
    visit: UUID
    picker: Practitioner
    checker: Practitioner
    home: Address
    count: int = 0

    def sign(
        self, *codes: str, status: PrescriptionStatus = PrescriptionStatus.APPROVED, until: datetime | None = None
    ) -> Prescription:
        """A signed prescription of the visit."""
        hospital: Any = None  # the encounter says it all
        more: Any = {"status": status, "encounter": self.encounter, "valid_until": until}
        return made_rows.signed(self.session, hospital, self.now, *codes, **more)

    def order(self, *codes: str, picked_up: bool = False) -> MedicineOrder:
        """A prescription that was ordered; it waits for its payment."""
        return place(self.session, self.mother, self.sign(*codes), self.now, None if picked_up else self.home)

    def paid(self, *codes: str, picked_up: bool = False) -> MedicineOrder:
        """An order that waits in the pharmacy."""
        made = pay(self.session, self.order(*codes, picked_up=picked_up), self.now)
        dispensing.prepare(self.session, made.id, self.now)
        return made

    def work(self, order: MedicineOrder) -> MedicationDispense:
        """The pharmacy's work on an order."""
        found = queries.of_order(self.session, order.id)
        assert found
        return found

    def picked(self, *codes: str, picked_up: bool = False) -> MedicineOrder:
        """An order that waits for its check."""
        made = self.paid(*codes, picked_up=picked_up)
        taken = {
            one.line.id: {lot.id: packages for lot, packages in one.kept} for one in queries.sheet(self.session, made)
        }
        dispensing.pick(self.session, self.work(made).id, taken, {}, self.picker, made_rows.SIGNER, self.now)
        return made

    def checked(self, *codes: str, picked_up: bool = False) -> MedicineOrder:
        """An order that has left the pharmacy."""
        made = self.picked(*codes, picked_up=picked_up)
        work = self.work(made)
        for one in queries.picked(self.session, work):
            for _ in range(one.item.quantity):
                dispensing.scan(self.session, work.id, one.lot.number, self.checker, self.now)
        dispensing.complete(self.session, work.id, self.checker, made_rows.SIGNER, self.now)
        return made

    def sent(self, *codes: str, steps: int = 0, last: Mark | None = None) -> Delivery:
        """A parcel that has come so far."""
        parcel = deliveries.begin(self.session, self.checked(*codes).id, self.now)
        assert parcel
        self.count += 1
        deliveries.taken(self.session, parcel.id, "fengqiao", f"SF{self.count:013}", self.now, traces=False)
        told = [Step(mark, self.now - timedelta(hours=hours), *said) for hours, mark, *said in WALK[:steps]]
        if last:
            told.append(Step(last, self.now - timedelta(minutes=5), "北京市朝阳区", ""))
        deliveries.traced(self.session, parcel.id, told, self.now)
        parcel.ask_at = None  # nobody else asks about it
        return parcel

    def at_home(self, *codes: str) -> Delivery:
        """A parcel that is there; the course has begun."""
        parcel = self.sent(*codes, steps=len(WALK), last=Mark.DELIVERED)
        after.begun(self.session, parcel.prescription_id, self.now)
        return parcel

    def pharmacist(self) -> Member:
        """The reviewing pharmacist, signed in."""
        assert self.picker.account_id
        return member_of(self.session, Viewer(self.picker.account_id, CHINESE), (Role.PHARMACIST,))


@contextmanager
def vouched(service: Service) -> Iterator[None]:
    """What is signed here is signed with keys that the service's own authority vouches for."""
    before = made_rows.SIGNER
    authority = SetupAuthority(development(service.var, {})["BLIND_INDEX_KEY"].encode())
    trust(authority.roots)
    made_rows.SIGNER = KeptKeys(authority)
    try:
        yield
    finally:
        made_rows.SIGNER = before
        assert before.authority
        trust(before.authority.roots)


def fill(service: Service) -> dict[str, str]:
    """Make all of it; returns what is shown by its name: paths of pages, parents' and staff's."""
    with vouched(service), database(service) as session:
        shop = _shop(session)
        paths = {"room": f"/visits/{shop.visit}/room", "desk-visit": f"/desk/visits/{shop.visit}"}
        before = session.scalar(NEWEST)
        paths |= _prescriptions(shop) | _orders(shop) | _pharmacy(shop) | _afterwards(shop) | _stock(shop)
        session.flush()
        session.execute(FACTS, {"before": before or 0})  # nobody is told, and nothing moves on by itself
    return paths


def _shop(session: Session) -> Shop:
    now = datetime.now(UTC)
    mother = session.scalars(select(Account).where(Account.openid == MOTHER)).one()
    mine = select(Encounter).join(Appointment, Appointment.id == Encounter.appointment_id)
    encounter = session.scalars(
        mine.where(Appointment.account_id == mother.id).order_by(Encounter.started_at.desc().nulls_last())
    ).first()
    assert encounter
    staff = select(Practitioner)
    picker, checker = (session.scalars(staff.where(Practitioner.code == code)).one() for code in (PHARMACIST, CHECKER))
    for code in (FEVER, IBUPROFEN):
        received(session, now, 40, code, number=f"{code[:4].upper()}2611", expires=today(now) + timedelta(days=90))
    to = home(session, mother, now)
    home(session, mother, now, TIANJIN)
    return Shop(session, now, mother, encounter, encounter.appointment_id, picker, checker, to)


def _prescriptions(shop: Shop) -> dict[str, str]:
    """A prescription in each state; the demo has one that is ready and one that is reviewed."""
    waiting = shop.sign(FEVER, IBUPROFEN, status=PrescriptionStatus.IN_REVIEW)
    asking_doctor.ask(shop.session, shop.pharmacist(), waiting.id, "体重是今天量的吗？", shop.now)
    ready, damaged = shop.sign(FEVER, IBUPROFEN), shop.sign()
    ended = shop.sign(until=shop.now - timedelta(hours=1))
    damaged.content = (damaged.content or "").replace("J00", "J01")
    cancelled = shop.sign()
    submitting.cancel(shop.session, cancelled, by="test", why="withdrawn", now=shop.now)
    back = shop.sign(status=PrescriptionStatus.REJECTED)
    found = {"reviewed": waiting, "ready": ready, "ended": ended, "damaged": damaged, "cancelled": cancelled}
    shown = {f"rx-{name}": f"/prescriptions/{row.id}" for name, row in (found | {"sent-back": back}).items()}
    shown |= {f"rx-{name}": f"{shown['rx-ready']}/{name}" for name in ("order", "pages", "reminders", "reaction")}
    return shown | {"desk-review": f"/desk/reviews/{waiting.id}", "desk-reviewed": f"/desk/reviews/{ready.id}"}


def _orders(shop: Shop) -> dict[str, str]:
    """An order in each state, on the family's side."""
    who = Viewer(shop.mother.id, CHINESE)
    cancelled, short = shop.paid(), shop.paid()
    orders.cancel(shop.session, who, cancelled.id, shop.now)
    dispensing.decline(shop.session, shop.work(short).id, "out-of-stock", shop.checker, shop.now)
    orders.declined(shop.session, short.id, shop.now)
    asked = shop.picked()
    deciding.ask_back(shop.session, who, asked.id, shop.now, Policy())
    found: dict[str, MedicineOrder] = {
        "pending": shop.order(FEVER, IBUPROFEN),
        "paid": shop.paid(),
        "picked": shop.picked(),
        "asked": asked,
        "ready": shop.checked(picked_up=True),
        "cancelled": cancelled,
        "declined": short,
    }
    shown = {f"order-{name}": f"/medicine-orders/{one.id}" for name, one in found.items()}
    shown |= {"order-pay": f"{shown['order-pending']}/pay", "order-cancel": f"{shown['order-paid']}/cancel"}
    shown |= {"order-ask-back": f"{shown['order-picked']}/cancel", "desk-asked": f"/desk{shown['order-asked']}"}
    return shown | {"desk-order": f"/desk{shown['order-ready']}"}


def _pharmacy(shop: Shop) -> dict[str, str]:
    """Work and parcels in each state, on both sides."""
    parcels = {
        "told": shop.sent(FEVER, IBUPROFEN),
        "way": shop.sent(steps=len(WALK)),
        "missed": shop.sent(steps=len(WALK), last=Mark.MISSED),
        "there": shop.at_home(FEVER, IBUPROFEN, SYRUP),
    }
    parcels["told"].due_at = shop.now - timedelta(hours=2)
    shown = {f"parcel-{name}": f"/medicine-orders/{one.order_id}/delivery" for name, one in parcels.items()}
    shown |= {f"order-{name}": f"/medicine-orders/{one.order_id}" for name, one in parcels.items()}
    shown |= {f"desk-parcel-{name}": f"/desk/deliveries/{one.id}" for name, one in parcels.items()}
    shown["labels"] = f"/medicine-orders/{parcels['there'].order_id}/labels"
    work = {"pick": shop.paid(FEVER, IBUPROFEN), "check": shop.picked(FEVER, IBUPROFEN), "done": shop.checked()}
    returned = shop.picked()
    dispensing.send_back(shop.session, shop.work(returned).id, "少一瓶", shop.checker, shop.now)
    for name, one in (work | {"returned": returned}).items():
        shown[f"desk-{name}"] = f"/desk/dispensing/{shop.work(one).id}"
    return shown


def _afterwards(shop: Shop) -> dict[str, str]:
    """A course that is over, and reactions from the report to their end."""
    told = Told(["swelling"], 1, shop.now, "吃药半小时后嘴唇肿", stopped=True)
    ended = shop.at_home()
    course = shop.session.scalars(select(CourseEnd).where(CourseEnd.prescription_id == ended.prescription_id)).one()
    course.asked_at = shop.now
    shown = {"course": f"/prescriptions/{ended.prescription_id}/course"}
    prescription = shop.session.get_one(Prescription, ended.prescription_id)
    mild = Told(["rash"], None, shop.now, "胸前有几个红点", stopped=False)

    def report(what: Told) -> AdverseEvent:
        return after.report(shop.session, prescription, shop.mother.id, Reporter.FAMILY, what, shop.now, Policy())

    severe, watched = report(told), report(mild)
    by = shop.pharmacist()
    after.watch(shop.session, by, watched.id, "已电话，让停药观察", today(shop.now) + timedelta(days=1), shop.now)
    closed = report(Told(["rash"], 1, shop.now, "", stopped=True))
    why = ReactionOutcome.RESOLVED, Causality.POSSIBLE
    after.close(shop.session, by, closed.id, "已好", *why, shop.now)
    for name, one in {"severe": severe, "watched": watched, "closed": closed}.items():
        shown[f"desk-reaction-{name}"] = f"/desk/reactions/{one.id}"
        shown[f"reacted-{name}"] = f"/prescriptions/{prescription.id}/reaction/{one.id}"
    return shown | {"desk-reaction-new": f"/desk/prescriptions/{prescription.id}/reaction"}


def _stock(shop: Shop) -> dict[str, str]:
    """The stock, low and with a recalled lot of which a family has packages."""
    bad = received(shop.session, shop.now, 4, SYRUP, number="CETI2611", expires=today(shop.now) + timedelta(days=60))
    concerned = shop.at_home(SYRUP)
    recalling.recall(shop.session, bad.id, "厂家召回：密封不严", by=shop.picker, now=shop.now)
    family = shop.session.scalars(select(RecalledChild.id).where(RecalledChild.lot_id == bad.id)).first()
    fever = medication(shop.session)
    stock.set_minimum(shop.session, fever, 500, by=shop.picker, now=shop.now)
    return {
        "order-recalled": f"/medicine-orders/{concerned.order_id}",
        "desk-recall": f"/desk/stock/lots/{bad.id}/recall",
        "desk-recalled-family": f"/desk/recalls/{family}",
        "desk-product": f"/desk/stock/{fever}",
        "desk-medicine": f"/desk/formulary/{fever}",
        "desk-medicine-form": f"/desk/formulary/{fever}/edit",
    }
