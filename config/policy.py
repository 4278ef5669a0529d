"""Policy: what the hospital decides. Versioned rows over the defaults below, passed as an argument, changed without a
release. Sources are the hospital's announcement (2022), a report of 2021 on its booking, and Beijing's unified booking
rules, as noted at each."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Index, String, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import local
from config.database import Base, Id

Count = Annotated[int, Field(ge=0, le=100_000)]


class Policy(BaseModel):
    """The rules in force at one moment, for one department."""

    model_config = ConfigDict(frozen=True, validate_default=True)

    horizon_first_day: Count = Field(1, description="First day ahead that can be booked (announcement: 1).")
    horizon_last_day: Count = Field(8, description="Last day ahead that can be booked (announcement: 8).")
    release_time: time = Field(time(7), description="When the last day's numbers open (report of 2021).")
    cancel_until_hours: Count = Field(12, description="Hours before the visit until which a parent may cancel.")
    per_child_department_day: Count = Field(
        1, le=1, description="Numbers per child, department and day (unified rules)."
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


def current(session: Session, now: datetime, department: str | None = None) -> Policy:
    """The rules in force at ``now``: a department's own value beats the hospital's, a later one an earlier."""
    rows = session.execute(
        select(PolicyChange.key, PolicyChange.value)
        .where(PolicyChange.valid_from <= now)
        .where(PolicyChange.department.is_(None) | (PolicyChange.department == department))
        .order_by(PolicyChange.department.isnot(None), PolicyChange.valid_from, PolicyChange.id)
    )
    return Policy.model_validate({key: value for key, value in rows if key in Policy.model_fields})


def change(
    session: Session, key: str, value: Any, *, author: str, valid_from: datetime, department: str | None = None
) -> None:
    """Set a rule from a moment on. Raises KeyError for an unknown rule, pydantic.ValidationError for a bad value."""
    if key not in Policy.model_fields:
        raise KeyError(key)
    checked = Policy.model_validate({key: value}).model_dump(mode="json")[key]
    session.add(PolicyChange(key=key, department=department, valid_from=valid_from, value=checked, author=author))
