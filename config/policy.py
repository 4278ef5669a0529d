"""Policy: what the hospital decides. Versioned rows over the defaults below, passed as an argument, changed without a
release. Sources are the hospital's announcement (2022), a report of 2021 on its booking, and Beijing's unified booking
rules, as noted at each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import Index, String, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import local
from config.database import Base, Id
from config.kept import Kept

CHANGED = "policy-changed"  # of a session: it changed a rule, which nobody else sees before it commits
MOST = 100_000


def _countable(value: int) -> int:
    """The bounds of every number. As Field's own ge and le they would replace those that a rule names for itself."""
    if not 0 <= value <= MOST:
        raise ValueError(f"must be from 0 to {MOST}")
    return value


Count = Annotated[int, AfterValidator(_countable)]
Day = Annotated[date | None, BeforeValidator(lambda value: value or None)]  # empty: none


class Policy(BaseModel):
    """The rules in force at one moment, for one department."""

    model_config = ConfigDict(frozen=True, validate_default=True)

    horizon_first_day: Count = Field(1, description="First day ahead that can be booked (announcement: 1).")
    horizon_last_day: Count = Field(8, description="Last day ahead that can be booked (announcement: 8).")
    release_time: time = Field(time(7), description="When the last day's numbers open (report of 2021).")
    pool_later_at: time = Field(
        time(12), description="When, on the day of the release, the numbers kept back for later open to everybody."
    )
    followup_returns_days_before: Count = Field(
        1, description="Days before the visit on which unused follow-up and area numbers open, at the release time."
    )
    followup_days: Count = Field(60, ge=1, description="Days for which a doctor's invitation to a follow-up is good.")
    controlled_areas: str = Field(
        "", max_length=1000, description="Areas under control measures, separated by commas; empty: none."
    )
    area_days: Count = Field(14, ge=1, description="Days for which a guardian's word counts that a child is there.")
    hold_minutes: Count = Field(
        10, ge=1, le=120, description="Minutes for which a number is held until it is paid (report of 2021: 10)."
    )
    waiting_per_child: Count = Field(3, description="Waiting lists on which a child may be at a time.")
    waiting_closes_minutes: Count = Field(
        60, le=1440, description="Minutes before the period begins at which its waiting list closes."
    )
    offer_minutes: Count = Field(
        15, ge=1, le=240, description="Minutes for which a freed number is held for the next on the waiting list."
    )
    offer_quiet_from: time = Field(time(22), description="From when on an offer waits for the morning.")
    offer_quiet_until: time = Field(time(7, 15), description="When the minutes of an offer of the night begin.")
    cancel_until_hours: Count = Field(12, description="Hours before the visit until which a parent may cancel.")
    mark_days: Count = Field(3, le=30, description="Days after a visit on which the doctor can still mark it.")
    noshow_by_itself: bool = Field(False, description="A visit that nobody marked by the end of its day was missed.")
    noshow_first: Count = Field(
        3, ge=1, description="Missed visits within a year that close booking (unified rules: 3)."
    )
    noshow_first_days: Count = Field(90, ge=1, description="For how many days (unified rules: 90).")
    noshow_second: Count = Field(6, ge=2, description="Missed visits within a year from which each closes it for long.")
    noshow_second_days: Count = Field(180, ge=1, description="For how many days then (unified rules: 180).")
    appeal_days: Count = Field(3, ge=1, description="Days within which an appeal is to be answered.")
    book_tries_per_account: Count = Field(20, ge=1, description="Tries to book of one account within a minute.")
    book_tries_per_address: Count = Field(
        300, ge=1, description="The same of one public address, behind which a whole quarter may be."
    )
    slow_unpaid_holds: Count = Field(
        5, ge=1, description="Numbers held and not paid within an hour after which an account waits a little."
    )
    slow_given_back: Count = Field(4, ge=1, description="Numbers booked and given back within an hour, likewise.")
    slow_children: Count = Field(4, ge=1, description="Different children booked for within a day, likewise.")
    slow_minutes: Count = Field(15, ge=1, le=120, description="Minutes to wait, counted from the last booking.")
    rebook_seconds: Count = Field(
        60, description="A number given back and taken within so many seconds by strangers is noted. 0: never."
    )
    rebook_free: Count = Field(2, description="Only in periods with at most so many free numbers.")
    rebook_times: Count = Field(3, ge=1, description="So often within a week, and an administrator is asked to look.")
    giveback_minutes_max: Count = Field(
        0,
        le=240,
        description="A number given back in a sold-out period is free after a random time of at most so many minutes.",
    )
    per_child_department_day: Count = Field(
        1, le=1, description="Numbers per child, department and day (unified rules)."
    )
    per_child_week: Count = Field(14, description="Numbers per child and calendar week, Monday on (unified rules: 14).")
    per_child_month: Count = Field(20, description="Numbers per child and calendar month (unified rules: 20).")
    per_child_quarter: Count = Field(30, description="Numbers per child and calendar quarter (unified rules: 30).")
    needs_visit: Literal["any", "department", "none"] = Field(
        "any",
        description="Which earlier visit in person a booking needs: any here, one of the same department, or none.",
    )
    visit_within_days: Count = Field(0, description="How many days old that visit may be; 0: as old as it is.")
    first_visits_from: Day = Field(
        None, description="From this day on no earlier visit is needed (empty: it always is)."
    )
    first_visits_until: Day = Field(None, description="Until this day no earlier visit is needed (empty: no end).")
    age_from_days: Count = Field(28, description="Age in days from which children are seen online.")
    age_until_years: Count = Field(18, ge=1, le=30, description="Birthday from which nobody is seen online any more.")
    screen_minutes: Count = Field(
        30,
        ge=1,
        le=1440,
        description="Minutes for which answers to the health questions are good (whole hospital).",
    )
    children_per_account: Count = Field(4, description="Children one WeChat account may hold.")
    bind_tries_per_account: Count = Field(5, description="Wrong proofs of one account before it has to wait.")
    bind_tries_per_code: Count = Field(
        10, description="Wrong proofs against one QR code before it is closed for a while."
    )
    bind_wait_minutes: Count = Field(60, description="Minutes within which wrong proofs are counted.")
    bind_needs_phone: bool = Field(True, description="Binding asks for the last four digits of the phone on file.")
    remind_day_before_at: time = Field(time(18), description="When, on the day before, the reminder goes out.")
    remind_minutes_before: Count = Field(30, description="Minutes before the visit of the last reminder.")
    delay_told_minutes: Count = Field(
        10, ge=1, description="Minutes by which what parents were told must be wrong before they are told anew."
    )
    doctor_group_minutes: Count = Field(
        5, description="Minutes for which a doctor's new bookings are gathered into one message."
    )
    doctor_list_at: time = Field(time(18), description="When doctors are told of the next day's list.")
    quiet_from: time = Field(time(21), description="From when on doctors are told only of what is for today.")
    quiet_until: time = Field(time(7), description="When doctors are told of what waited for the morning.")

    chat_staffed: bool = Field(
        False,
        description="People of the hospital answer in the chat (客服), in the hours below.",
    )
    chat_weekdays: str = Field("12345", pattern="^[1-7]*$", description="On which days: 1 is Monday, 7 is Sunday.")
    chat_from: time = Field(time(8), description="From when on people answer in the chat.")
    chat_until: time = Field(time(17), description="Until when people answer in the chat.")
    pictures_per_visit: Count = Field(12, description="Pictures that parents may send for one visit.")
    pictures_kept_days: Count = Field(
        7, description="Days after its date for which the pictures of a visit that did not take place are kept."
    )
    weight_days: Count = Field(
        30, ge=1, description="Days for which a child's weight is new enough for a visit; after them it is asked again."
    )
    weight_infant_days: Count = Field(14, ge=1, description="The same under one year of age.")
    order_hold_minutes: Count = Field(
        15, ge=1, le=120, description="Minutes for which the medicines of an order are held until it is paid."
    )
    order_shown_minutes: Count = Field(
        10, ge=1, le=60, description="Minutes for which what a family was shown of an order (prices, fee, time) holds."
    )
    lot_margin_days: Count = Field(
        14, description="Days for which a lot must still be good after the course that it is given for."
    )
    expiring_days: Count = Field(90, description="Days before its expiry from which a lot stands in front at the desk.")
    recall_hours: Count = Field(
        24, ge=1, description="Hours within which each family that got a recalled lot is to be reached."
    )
    refund_asked_hours: Count = Field(
        4, ge=1, description="Hours within which the pharmacist answers a family that wants its money back."
    )
    triage_minutes: Count = Field(
        15, ge=1, le=240, description="Minutes within which staff see to a warning sign in a booked child's answers."
    )
    record_hours: Count = Field(24, ge=1, description="Hours after a visit within which its record is signed.")
    prescribe_hours: Count = Field(
        24, description="Hours after a visit for which its doctor can still prescribe, or correct a prescription."
    )
    review_minutes: Count = Field(
        30, ge=5, le=1440, description="Minutes within which a pharmacist reviews a prescription."
    )
    expiry_warning_minutes: Count = Field(
        120, ge=10, le=1440, description="Minutes before a prescription's end at which doctor and family are told."
    )
    check_in_minutes: Count = Field(30, ge=5, le=240, description="Minutes before the visit from which one checks in.")
    call_seconds: Count = Field(
        90, ge=30, le=900, description="Seconds for which a family is called before the call counts as missed."
    )
    missed_call_after: Count = Field(
        3, ge=1, le=20, description="After how many other children a missed one is called again."
    )
    missed_calls_max: Count = Field(2, ge=1, le=10, description="Missed calls after which the visit is closed.")
    soon_before: Count = Field(2, ge=1, le=10, description="A family is told when so many are still before it.")
    late_minutes: Count = Field(
        20, ge=1, description="Minutes past its time, or without an answer, after which somebody looks after a child."
    )
    late_offer_minutes: Count = Field(
        10, ge=1, description="Minutes after which it is then offered to a free doctor of the department."
    )
    unanswered_minutes: Count = Field(
        120, ge=1, description="Minutes after the period at which a child that nobody called is cancelled and refunded."
    )
    real_name_hours: Count = Field(
        12, ge=1, le=168, description="How old a doctor's sign-in through WeChat may be before a session."
    )
    attest_under_years: Count = Field(
        6, description="Under this age a guardian and a doctor of the specialty must be there (rules 2018, art. 19: 6)."
    )
    refund_endings: str = Field(
        "not-followup, identity-mismatch, guardian-absent, state-changed, technical, unanswered",
        max_length=200,
        description="How a visit must have ended for its fee to go back, separated by commas.",
    )
    kept_records_years: Count = Field(
        15,
        ge=15,
        le=100,
        description="Years after a child's last visit for which everything of the child is kept (law: at least 15).",
    )
    kept_talk_years: Count = Field(
        3, ge=3, le=100, description="Years for which what was said and written in a visit is kept (law: at least 3)."
    )
    kept_process_years: Count = Field(
        3,
        ge=3,
        le=100,
        description="Years for which messages, waiting lists, tasks and the like are kept (at least 3).",
    )
    kept_audit_years: Count = Field(
        15, ge=3, le=100, description="Years for which the record of who did what is kept (at least 3)."
    )
    file_copy_days: Count = Field(7, ge=1, le=30, description="Days for which a copy of a child's file can be fetched.")
    file_copies_per_day: Count = Field(3, ge=1, description="Copies of one child's file that a guardian may ask for.")
    wish_days: Count = Field(15, ge=1, le=30, description="Days within which a wish to erase is answered.")
    message_characters: Count = Field(300, ge=1, le=2000, description="Characters of a message in the visit's chat.")
    text_clinics: str = Field(
        "ordinary, expert",
        max_length=100,
        description="Clinic types whose visits a family can have in writing (ordinary, expert, special); empty: none.",
    )
    text_reply_hours: Count = Field(
        48, ge=1, description="Hours within which the doctor answers in writing, else the fee goes back (usual: 48)."
    )
    text_messages: Count = Field(20, ge=1, description="Messages of the family in one consultation in writing.")
    text_idle_hours: Count = Field(
        48, ge=1, description="Hours after the doctor's last answer at which a consultation in writing ends by itself."
    )
    message_pictures: Count = Field(20, description="Pictures that can be sent in the chat of one visit.")
    rating_days: Count = Field(7, description="Days for which a family can change what it said of a visit.")
    question_hours: Count = Field(
        24, description="Hours after a visit within which its family can ask one question about the advice."
    )
    question_answer_hours: Count = Field(24, ge=1, description="Hours within which the doctor answers it.")
    worse_days: Count = Field(
        7, ge=1, description="Days after a visit within which the family can tell its team that the child got worse."
    )
    course_asked_at: time = Field(
        time(9), description="When, on the day after a prescription's last day, the family is asked how the child is."
    )
    reaction_hours: Count = Field(
        24, ge=1, description="Hours within which a pharmacist looks at a reaction to a medicine; a severe one at once."
    )
    complaint_days: Count = Field(
        15, ge=1, le=60, description="Working days within which a complaint is answered (consent text: 15)."
    )
    recordings_kept_years: Count = Field(
        3, ge=3, le=100, description="Years for which recordings of visits are kept (rules 2018/2022: at least 3)."
    )
    parent_idle_minutes: Count = Field(720, description="Minutes without a page after which a parent is signed out.")
    staff_idle_minutes: Count = Field(30, description="Minutes without a page after which staff are signed out.")
    sign_in_hours: Count = Field(168, description="Hours after which a sign-in on a phone ends in any case.")
    computer_sign_in_hours: Count = Field(12, description="Hours after which a sign-in on a computer ends in any case.")
    invitation_hours: Count = Field(
        24,
        ge=1,
        le=720,
        description="Hours for which a member of staff's invitation is good (WeChat: at most 30 days).",
    )


class PolicyChange(Base):
    """One value of one rule from one moment on; ``department`` empty means every department."""

    __tablename__ = "policy_changes"
    __table_args__ = (Index(None, "key", "department", "valid_from"),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(60))
    department: Mapped[str | None] = mapped_column(String(40))
    valid_from: Mapped[datetime]
    value: Mapped[Any] = mapped_column(JSONB)
    author: Mapped[str] = mapped_column(String(60))


def chat_is_staffed(policy: Policy, now: datetime) -> bool:
    """Whether people of the hospital answer in the chat at that moment."""
    clock = local(now)
    open_today = policy.chat_staffed and str(clock.isoweekday()) in policy.chat_weekdays
    return open_today and policy.chat_from <= clock.time() < policy.chat_until


@dataclass(frozen=True)
class Changes:
    """All changes in the order of their moments, and the rules that were made of them."""

    rows: Sequence[tuple[datetime, str | None, str, Any]]
    made: dict[tuple[str | None, int], Policy] = field(default_factory=dict)

    def in_force(self, now: datetime, department: str | None) -> Policy:
        """The rules at ``now``: a department's own value beats the hospital's, a later one an earlier."""
        begun = bisect_right(self.rows, now, key=_begins)
        if (department, begun) not in self.made:
            everywhere = {key: value for _, where, key, value in self.rows[:begun] if where is None}
            own = {key: value for _, where, key, value in self.rows[:begun] if where and where == department}
            values = {key: value for key, value in (everywhere | own).items() if key in Policy.model_fields}
            self.made[department, begun] = Policy.model_validate(values)
        return self.made[department, begun]


def _begins(row: tuple[datetime, str | None, str, Any]) -> datetime:
    return row[0]


KEPT: Kept[Changes] = Kept(1.0)


def current(session: Session, now: datetime, department: str | None = None) -> Policy:
    """The rules in force at ``now``; a change is heeded by each process within a second, by its own session at once."""
    if session.info.get(CHANGED):
        return _read(session).in_force(now, department)
    return KEPT.get(lambda: _read(session)).in_force(now, department)


def _read(session: Session) -> Changes:
    rows = session.execute(
        select(PolicyChange.valid_from, PolicyChange.department, PolicyChange.key, PolicyChange.value).order_by(
            PolicyChange.valid_from, PolicyChange.id
        )
    )
    return Changes([(row.valid_from, row.department, row.key, row.value) for row in rows])


def change(
    session: Session, key: str, value: Any, *, author: str, valid_from: datetime, department: str | None = None
) -> None:
    """Set a rule from a moment on. Raises KeyError for an unknown rule, pydantic.ValidationError for a bad value."""
    if key not in Policy.model_fields:
        raise KeyError(key)
    checked = Policy.model_validate({key: value}).model_dump(mode="json")[key]
    session.info[CHANGED] = True
    session.add(PolicyChange(key=key, department=department, valid_from=valid_from, value=checked, author=author))
