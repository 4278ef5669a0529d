"""The tables of what comes after a visit: how it was, one question, that it got worse, complaints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.encryption import Encrypted
from config.states import Stateful


class Rating(Base):
    """How a visit was, from 1 (bad) to 5 (good), once per visit; ``reasons`` are codes of afterwards.toml.

    ``day`` is the visit's, for counts by department.
    """

    __tablename__ = "ratings"
    __table_args__ = (CheckConstraint("score between 1 and 5", name="score"), Index(None, "department_id", "day"))

    id: Mapped[Id]
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"), unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"))
    day: Mapped[date]
    score: Mapped[int]
    reasons: Mapped[list[Any]] = mapped_column(JSONB)
    at: Mapped[datetime]
    changed_at: Mapped[datetime]


class AdviceQuestion(Base):
    """The one question about a visit's advice, to be answered by its doctor until ``due_at``."""

    __tablename__ = "advice_questions"
    __table_args__ = (
        CheckConstraint("(answer is null) = (answered_at is null)", name="answered"),
        CheckConstraint("(answer is null) = (answered_by_id is null)", name="answered_by"),
    )

    id: Mapped[Id]
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"), unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    text: Mapped[str] = mapped_column(Encrypted("advice_questions.text"))
    at: Mapped[datetime]
    due_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(Encrypted("advice_questions.answer"))
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)


class Worsening(Base):
    """A family has said that the child got worse after a visit.

    ``screen_id``: the answers to the questions about warning signs, once given (the latest). ``seen_at``: when somebody
    of the team had seen to it; ``note`` is what was done.
    """

    __tablename__ = "worsenings"
    __table_args__ = (
        CheckConstraint("(seen_at is null) = (seen_by_id is null)", name="seen"),
        Index(None, "appointment_id", "id"),
    )

    id: Mapped[Id]
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    at: Mapped[datetime]
    screen_id: Mapped[UUID | None] = mapped_column(ForeignKey("screen_results.id"), index=True)
    seen_at: Mapped[datetime | None]
    seen_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    note: Mapped[str | None] = mapped_column(Encrypted("worsenings.note"))


class ComplaintStatus(StrEnum):
    """Nobody has looked yet; somebody looks into it; answered; the family has nothing more to say to it."""

    NEW = "new"
    IN_PROGRESS = "in-progress"
    ANSWERED = "answered"
    CLOSED = "closed"


class Complaint(Stateful):
    """A complaint about a visit: ``n`` counts those of a ``day``; ``practitioner_id`` is the visit's doctor, who does
    not decide about it; ``deadline`` is the last moment for an answer; ``read_at`` is when the family first read it."""

    __tablename__ = "complaints"
    __table_args__ = (
        UniqueConstraint("day", "n"),
        CheckConstraint("n >= 1", name="n"),
        CheckConstraint("(status in ('answered', 'closed')) = (answer is not null)", name="answer"),
        CheckConstraint("(answer is null) = (answered_at is null)", name="answered"),
        Index(
            "uq_complaints_open",
            "appointment_id",
            unique=True,
            postgresql_where=text("status in ('new', 'in-progress')"),
        ),
        Index(None, "appointment_id", "id"),
        Index(None, "department_id", "id"),
    )
    MOVES: ClassVar[Mapping[ComplaintStatus, frozenset[ComplaintStatus]]] = {
        ComplaintStatus.NEW: frozenset({ComplaintStatus.IN_PROGRESS}),
        ComplaintStatus.IN_PROGRESS: frozenset({ComplaintStatus.ANSWERED}),
        ComplaintStatus.ANSWERED: frozenset({ComplaintStatus.CLOSED}),
    }

    id: Mapped[Id]
    day: Mapped[date]
    n: Mapped[int]
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"), index=True)
    category: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Encrypted("complaints.text"))
    status: Mapped[ComplaintStatus] = mapped_column(stored_enum(ComplaintStatus, "status"), default=ComplaintStatus.NEW)
    filed_at: Mapped[datetime]
    deadline: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(Encrypted("complaints.answer"))
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    read_at: Mapped[datetime | None]

    @property
    def number(self) -> str:
        """What the family and the clinic call it: ``C20261123-0007``."""
        return f"C{self.day:%Y%m%d}-{self.n:04}"
