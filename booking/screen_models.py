"""The table of answers to the questions before a number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from booking.admission import PASSING, Level, Question, Text
from config.database import Base, Id, stored_enum
from config.encryption import Encrypted

_PASSES = ", ".join(f"'{level}'" for level in PASSING)
EARLIER = "earlier:"  # before the id of a rule that held in answers which were then changed


class ScreenResult(Base):
    """How a child was, as a guardian answered; never changed. ``answers`` holds what was asked, in its words.

    ``rules`` are the ids of those that held; ``good_until`` is empty when the answers stop booking.
    """

    __tablename__ = "screen_results"
    __table_args__ = (
        CheckConstraint(f"(level in ({_PASSES})) = (good_until is not null)", name="good_until"),
        Index(None, "patient_id", "at"),
    )

    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    at: Mapped[datetime]
    version: Mapped[str] = mapped_column(String(40))
    answers: Mapped[str] = mapped_column(Encrypted("screen_results.answers"))
    level: Mapped[Level] = mapped_column(stored_enum(Level, "level"))
    rules: Mapped[list[Any]] = mapped_column(JSONB)
    good_until: Mapped[datetime | None]

    @property
    def signs(self) -> list[Text]:
        """What was answered with yes."""
        return [answer["text"] for answer in self._asked() if answer["yes"]]

    @property
    def taken_back(self) -> list[Text]:
        """What was answered with yes shortly before, and then not any more."""
        return [answer["text"] for answer in self._asked() if answer.get("before") and not answer["yes"]]

    def _asked(self) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = json.loads(self.answers)
        return asked


def sealed(questions: tuple[Question, ...], answers: Mapping[str, bool], earlier: ScreenResult | None) -> str:
    """The questions with their answers, and whether they had a yes in earlier answers, as the column keeps them."""
    before = {answer["id"] for answer in earlier._asked() if answer["yes"]} if earlier else set()
    asked = [
        {"id": asked.id, "text": dict(asked.text), "yes": answers[asked.id], "before": asked.id in before}
        for asked in questions
    ]
    return json.dumps(asked, ensure_ascii=False)
