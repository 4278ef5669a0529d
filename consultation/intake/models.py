"""The tables of the intake: answers in versions, and the weights of a child."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, stored_enum
from config.encryption import Encrypted


class ResponseStatus(StrEnum):
    """FHIR R4 QuestionnaireResponse.status, as far as the clinic uses it."""

    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    AMENDED = "amended"


class QuestionnaireResponse(Base):
    """What the family told before a visit, as one save left it; never changed: each save is the next ``version``.

    ``content`` holds what was typed, as it was typed, and the answers read from it.
    """

    __tablename__ = "questionnaire_responses"
    __table_args__ = (
        UniqueConstraint("appointment_id", "questionnaire", "version"),
        CheckConstraint("version >= 1", name="version"),
    )

    id: Mapped[Id]
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    version: Mapped[int]
    questionnaire: Mapped[str] = mapped_column(String(40))
    questionnaire_version: Mapped[str] = mapped_column(String(40))
    status: Mapped[ResponseStatus] = mapped_column(stored_enum(ResponseStatus, "status"))
    content: Mapped[str] = mapped_column(Encrypted("questionnaire_responses.content"))
    at: Mapped[datetime]

    @property
    def typed(self) -> dict[str, list[str]]:
        """Every field as it was typed."""
        return cast("dict[str, list[str]]", json.loads(self.content)["typed"])

    @property
    def answers(self) -> dict[str, Any]:
        """What could be read from it when it was saved."""
        return cast("dict[str, Any]", json.loads(self.content)["answers"])


def sealed(typed: Mapping[str, Sequence[str]], answers: Mapping[str, Any]) -> str:
    """What was typed and read, as the column keeps it."""
    return json.dumps({"typed": typed, "answers": answers}, ensure_ascii=False, sort_keys=True)


class WeightObservation(Base):
    """A child's weight as the family gave it for a visit, at most one each; ``grams`` is a number kept encrypted.

    ``confirmed``: it was unusual for the age, and was written a second time.
    """

    __tablename__ = "weight_observations"
    __table_args__ = (Index(None, "patient_id", "measured_on"),)

    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointments.id"), unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    grams: Mapped[str] = mapped_column(Encrypted("weight_observations.grams"))
    measured_on: Mapped[date]
    confirmed: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
