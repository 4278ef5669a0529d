"""Which fact is told to whom: one table from facts to handlers, each of which writes one row per recipient.

A handler takes the session, the fact and the moment. Handling a fact twice writes nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from booking import actions as booking
from booking.events import (
    AppealDecided,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentReminderDue,
    BookingSuspended,
    ClinicResumed,
    ClinicStopped,
    DoctorDelayed,
    DoctorReplaced,
    FollowupInvited,
    NumberOffered,
    PaidTooLate,
    ScheduleResumed,
    ScheduleStopped,
    WaitingClosed,
)
from booking.models import AppointmentStatus, Why
from booking.queries import Visit, visit
from booking.rights_models import FollowupGrant
from config.formats import masked
from config.jobs import Fact
from config.text import N_, known, translate
from consultation.after.events import ChildWorse, ComplaintMoved, QuestionAnswered, QuestionAsked
from consultation.line.events import FamilyCalled, HandoverAsked, TurnSoon
from consultation.record.events import RecordSigned
from consultation.triage.events import TriageAlerted
from consultation.written.events import WrittenAnswered, WrittenAsked
from notifications import after, clinics, deliveries, files, line, medicine_orders, medicines, prescriptions
from notifications.catalogue import messages
from notifications.doctors import tell_practitioner_booked, tell_practitioner_cancelled
from notifications.preferences import muted
from notifications.records import tell_signed
from notifications.suspensions import tell_appeal_decided, tell_suspended
from notifications.triage import judge_carried, settle_triage, tell_triage
from notifications.waiting import tell_offered, tell_waiting_closed
from notifications.writing import Values, put, visit_values
from notifications.written import carry_writing, tell_answered, tell_asked
from payments.events import PaymentClosed, PaymentSettled, RefundFailed, RefundFinished
from payments.models import Payment, Refund
from payments.reasons import reason_text
from people.events import GuardianBound
from people.keeping.events import CopyFinished, WishAnswered
from people.models import Account, Department, GuardianStatus, Patient, Practitioner, RelatedPerson
from people.queries import guardians
from prescriptions.after.events import CourseEnded, MedicineDue, ReactionReported
from prescriptions.delivery.events import DeliveryDelivered, DeliveryFailed, DeliveryShipped
from prescriptions.dispensing.events import (
    DispenseDeclined,
    MedicineDispensed,
    MedicineHandedOver,
    ReadyForPickup,
)
from prescriptions.orders.events import OrderCancelled, OrderLapsed, OrderPaid, OrderPaidTooLate, RefundAnswered
from prescriptions.stock.events import LotRecalled
from prescriptions.writing.events import (
    PrescriptionApproved,
    PrescriptionCancelled,
    PrescriptionExpiring,
    PrescriptionRejected,
    PrescriptionSubmitted,
)

# At most 20 characters each, in both languages (``thing``).
REASONS = {
    Why.PARENT: N_("Cancelled by family"),
    Why.UNPAID: N_("Not paid in time"),
    Why.LAPSED: N_("Not answered in time"),
    Why.WORSENED: N_("Child got worse"),
    Why.TRIAGE: N_("Needs the hospital"),
    Why.TECHNICAL: N_("Technical trouble"),
    Why.DELAYED: N_("Doctor is delayed"),
    Why.REPLACED: N_("Doctor was replaced"),
    Why.SUSPENDED: N_("Clinic was stopped"),
    Why.CONFLICT: N_("Has another number"),
    Why.NOT_FOLLOWUP: N_("Not a follow-up"),
    Why.IDENTITY: N_("Identity not certain"),
    Why.GUARDIAN_ABSENT: N_("No guardian present"),
    Why.UNANSWERED: N_("No doctor answered"),
}  # declined and rescheduled: the parent did it just now, and a change has its own message
LATE_HINT = N_("All of it comes back")
HINTS = {"day": N_("Have reports at hand"), "soon": N_("Starts soon: open it")}
BOUND_HINT = N_("Not family? Tap here")
REFUND_HINT = N_("Sent to your account")
FOLLOWUP_HINT = N_("Tap to choose a time")


def tell_booker_booked(session: Session, fact: AppointmentBooked, now: datetime) -> None:
    """The parent who booked learns the number; after a change, the new one."""
    about = visit(session, fact.appointment_id)
    _tell_booker(session, "appointment-changed" if about.appointment.replaces_id else "appointment-booked", about, now)


def tell_booker_cancelled(session: Session, fact: AppointmentCancelled, now: datetime) -> None:
    """The parent who booked learns that the visit won't take place, and why."""
    cancelled = visit(session, fact.appointment_id)
    why = cancelled.appointment.cancel_reason
    if why in REASONS:
        _tell_booker(session, "appointment-cancelled", cancelled, now, text={"reason": REASONS[why]})


def tell_paid_too_late(session: Session, fact: PaidTooLate, now: datetime) -> None:
    """The parent learns that the money came too late for the number and goes back."""
    about = visit(session, fact.appointment_id)
    amount: Values = {"amount": about.appointment.fee_fen}
    _tell_booker(session, "payment-late", about, now, text={"hint": LATE_HINT}, values=amount)


def remind_booker(session: Session, fact: AppointmentReminderDue, now: datetime) -> None:
    """The parent who booked is reminded, unless the visit was cancelled meanwhile, has begun, or they muted it."""
    coming = visit(session, fact.appointment_id)
    begins = coming.estimate
    if coming.appointment.status is AppointmentStatus.BOOKED and begins > now:
        hint = {"hint": HINTS[fact.when]}
        _tell_booker(session, "appointment-reminder", coming, now, text=hint, occasion=fact.when, expires_at=begins)


def tell_other_guardians(session: Session, fact: GuardianBound, now: datetime) -> None:
    """The child's other guardians learn who was added, so that they can stop a stranger."""
    bound = session.get_one(RelatedPerson, fact.related_person_id)
    child = session.get_one(Patient, fact.patient_id)
    for other in guardians(session, fact.patient_id):
        if other.id == bound.id or other.status is not GuardianStatus.ACTIVE:
            continue
        account = session.get_one(Account, other.account_id)
        values: Values = {
            "child": masked(child.name),
            "guardian": masked(bound.name),
            "time": bound.bound_at,
            "hint": translate(known(account.locale), BOUND_HINT),
        }
        put(session, "guardian-bound", account, bound.id, values, now, link=child.id)


def tell_invited(session: Session, fact: FollowupInvited, now: datetime) -> None:
    """The child's guardians learn that the doctor invites to a follow-up; told anew when invited anew."""
    grant = session.get_one(FollowupGrant, fact.grant_id)
    child = session.get_one(Patient, grant.patient_id)
    doctor = session.get_one(Practitioner, grant.practitioner_id)
    department = session.get_one(Department, grant.department_id)
    for guardian in guardians(session, child.id):
        if guardian.status is not GuardianStatus.ACTIVE:
            continue
        account = session.get_one(Account, guardian.account_id)
        locale = known(account.locale)
        values: Values = {
            "child": masked(child.name),
            "department": department.name[locale],
            "doctor": doctor.name[locale],
            "until": grant.until,
            "hint": translate(locale, FOLLOWUP_HINT),
        }
        occasion = grant.granted_at.strftime("%y%m%d%H%M%S")
        put(session, "followup-invited", account, grant.id, values, now, link=grant.id, occasion=occasion)


def book_paid(session: Session, fact: PaymentSettled, now: datetime) -> None:
    """A payment came: the number that was held for it is booked."""
    booking.payment_settled(session, fact.payment_id, now)


def release_unpaid(session: Session, fact: PaymentClosed, now: datetime) -> None:
    """A payment can't come any more: the number that was held for it is free again."""
    booking.payment_closed(session, fact.payment_id, now)


def tell_payer_refunded(session: Session, fact: RefundFinished, now: datetime) -> None:
    """Who paid learns that the money has arrived, and why it came back."""
    payment, refund = session.get_one(Payment, fact.payment_id), session.get_one(Refund, fact.refund_id)
    account = session.get_one(Account, payment.account_id)
    locale = known(account.locale)
    values: Values = {
        "amount": refund.amount_fen,
        "reason": translate(locale, reason_text(refund.reason)),
        "time": refund.refunded_at or now,
        "hint": translate(locale, REFUND_HINT),
    }
    put(session, "payment-refunded", account, refund.id, values, now, link=payment.id)


def watch_number(session: Session, fact: AppointmentBooked, now: datetime) -> None:
    """Whether the number changed hands too quickly is looked at after the booking, never while it is made."""
    booking.watch(session, fact.appointment_id, now)


HANDLERS: Mapping[type[Fact], tuple[Callable[[Session, Any, datetime], None], ...]] = {
    AppointmentBooked: (
        tell_booker_booked,
        tell_practitioner_booked,
        watch_number,
        judge_carried,
        line.hear_booked,
        carry_writing,
    ),
    AppointmentCancelled: (tell_booker_cancelled, tell_practitioner_cancelled, settle_triage, line.hear_cancelled),
    AppointmentReminderDue: (remind_booker,),
    TriageAlerted: (tell_triage,),
    PaidTooLate: (tell_paid_too_late,),
    NumberOffered: (tell_offered,),
    WaitingClosed: (tell_waiting_closed,),
    ClinicStopped: (clinics.tell_doctors_stopped,),
    ClinicResumed: (clinics.tell_doctors_resumed,),
    ScheduleStopped: (clinics.tell_stopped, line.hear_stopped),
    ScheduleResumed: (clinics.tell_resumed,),
    DoctorDelayed: (clinics.tell_delayed, line.hear_delayed),
    DoctorReplaced: (clinics.tell_replaced, line.hear_replaced),
    FollowupInvited: (tell_invited,),
    PaymentSettled: (book_paid, medicine_orders.order_paid),
    PaymentClosed: (release_unpaid, medicine_orders.order_unpaid),
    GuardianBound: (tell_other_guardians,),
    RefundFinished: (tell_payer_refunded,),
    RefundFailed: (),
    BookingSuspended: (tell_suspended,),
    AppealDecided: (tell_appeal_decided,),
    RecordSigned: (tell_signed,),
    FamilyCalled: (line.tell_called,),
    TurnSoon: (line.tell_soon,),
    HandoverAsked: (line.tell_handover,),
    QuestionAsked: (after.tell_asked,),
    QuestionAnswered: (after.tell_answered,),
    ChildWorse: (after.tell_worse,),
    ComplaintMoved: (after.tell_complaint,),
    CopyFinished: (files.tell_copy,),
    WishAnswered: (files.tell_answered,),
    WrittenAsked: (tell_asked,),
    WrittenAnswered: (tell_answered,),
    PrescriptionSubmitted: (prescriptions.tell_submitted,),
    PrescriptionApproved: (medicines.tell_approved,),
    PrescriptionRejected: (medicines.tell_rejected,),
    PrescriptionExpiring: (medicines.tell_expiring,),
    PrescriptionCancelled: (medicines.tell_cancelled, prescriptions.tell_lapsed, medicine_orders.end_withdrawn),
    MedicineDue: (medicines.tell_due,),
    CourseEnded: (medicines.ask_family,),
    ReactionReported: (medicines.tell_reaction,),
    MedicineDispensed: (deliveries.send_parcel,),
    DispenseDeclined: (deliveries.end_order, deliveries.tell_declined),
    ReadyForPickup: (deliveries.tell_ready,),
    MedicineHandedOver: (deliveries.begin_course, deliveries.tell_fetched),
    DeliveryShipped: (deliveries.tell_shipped,),
    DeliveryDelivered: (deliveries.begin_course, deliveries.tell_delivered),
    DeliveryFailed: (deliveries.tell_failed,),
    OrderPaid: (medicine_orders.tell_paid, deliveries.prepare),
    OrderLapsed: (medicine_orders.tell_lapsed,),
    OrderCancelled: (medicine_orders.tell_cancelled,),
    OrderPaidTooLate: (medicine_orders.tell_late,),
    RefundAnswered: (medicine_orders.tell_answer,),
    LotRecalled: (medicine_orders.see_to_recalled, medicine_orders.tell_recalled),
}


def handle(session: Session, fact: Fact, now: datetime) -> None:
    """Hand a fact to everyone who listens, in the order of the table. Raises KeyError for a fact nobody hears."""
    for handler in HANDLERS[type(fact)]:
        handler(session, fact, now)


def _tell_booker(
    session: Session,
    message: str,
    about: Visit,
    now: datetime,
    *,
    text: Mapping[str, str] | None = None,
    values: Values | None = None,
    occasion: str = "",
    expires_at: datetime | None = None,
) -> None:
    account = session.get_one(Account, about.appointment.account_id)
    if messages()[message].mutable and message in muted(session, account.id):
        return
    locale = known(account.locale)
    said = (
        visit_values(about, locale)
        | (values or {})
        | {name: translate(locale, msgid) for name, msgid in (text or {}).items()}
    )
    source = about.appointment.id
    put(session, message, account, source, said, now, link=source, occasion=occasion, expires_at=expires_at)
