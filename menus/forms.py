"""The forms that parents send: what is accepted, and for each field what to say when it is not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError, ValidationInfo
from pydantic import field_validator as checks

from booking.fair_models import APPEAL
from booking.models import Pool, Why
from config.text import N_
from consultation.after.library import lists
from consultation.after.rules import TEXT
from consultation.encounters.models import Kind
from people.models import Relation


def plain(value: Any) -> Any:
    """A typed text in one spelling: full-width digits and letters narrow, no spaces around, one inside."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", value)).strip() if isinstance(value, str) else value


Name = Annotated[str, BeforeValidator(plain), StringConstraints(min_length=2, max_length=50)]
Digits = Annotated[str, BeforeValidator(plain), StringConstraints(pattern=r"^([0-9]{4})?$")]


class BadForm(Exception):
    """Some fields can't be accepted: ``problems`` maps each to an English msgid."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


class Form(BaseModel):
    """A form as sent; ``PROBLEMS`` has a text for each field that a parent fills in."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_default=True)
    PROBLEMS: ClassVar[Mapping[str, str]] = {}


class BookForm(Form):
    """A number with a doctor (a schedule) for a child; ``pool``: one that is kept back, if the child may have it;
    ``kind``: how the visit is to be held."""

    PROBLEMS = {"patient": N_("Please choose a child.")}

    schedule: UUID
    patient: UUID
    pool: Pool = Pool.OPEN
    kind: Kind = Kind.VIDEO


class WaitForm(Form):
    """The child that joins a waiting list."""

    PROBLEMS = {"patient": N_("Please choose a child.")}

    patient: UUID


class CancelForm(Form):
    """Why a number is given back."""

    PROBLEMS = {"why": N_("Please choose the reason.")}

    why: Why = Why.PARENT


class ChangeForm(Form):
    """The period to change to."""

    PROBLEMS = {"schedule": N_("Please choose a period.")}

    schedule: UUID


class AppealForm(Form):
    """Why a closed booking is wrong, kept as typed."""

    PROBLEMS = {"text": N_("Please write a few words, at most 500 characters.")}

    text: Annotated[str, StringConstraints(min_length=2, max_length=APPEAL, strip_whitespace=True)]


class QuestionForm(Form):
    """A question about the advice, kept as typed."""

    PROBLEMS = {"text": N_("Please write a few words, at most 500 characters.")}

    text: Annotated[str, StringConstraints(min_length=2, max_length=TEXT, strip_whitespace=True)]


class ComplaintForm(QuestionForm):
    """What a complaint is about (a code of the list), and what happened."""

    PROBLEMS = QuestionForm.PROBLEMS | {"category": N_("Please choose what it is about.")}

    category: str

    @checks("category")
    @classmethod
    def _is_one(cls, value: str) -> str:
        if lists().category_of(value) is None:
            raise ValueError("not in the list")
        return value


class ProofForm(Form):
    """What a guardian knows of the child, and who the guardian is. Context: ``today`` and ``needs_phone``."""

    PROBLEMS = {
        "name": N_("Please enter the child's full name as registered at the hospital."),
        "birth_date": N_("Please choose the child's birth date."),
        "phone_tail": N_("Please enter the last four digits, such as 5678."),
        "guardian": N_("Please enter your own real name."),
        "relation": N_("Please choose what you are to the child."),
    }

    name: Name
    birth_date: date
    phone_tail: Digits = ""
    guardian: Name
    relation: Relation

    @checks("birth_date")
    @classmethod
    def _has_been(cls, value: date, info: ValidationInfo) -> date:
        if info.context and value > info.context["today"]:
            raise ValueError("in the future")
        return value

    @checks("phone_tail")
    @classmethod
    def _is_given(cls, value: str, info: ValidationInfo) -> str:
        if info.context and info.context["needs_phone"] and not value:
            raise ValueError("missing")
        return value


F = TypeVar("F", bound=Form)


def read(kind: type[F], sent: Mapping[str, str], **context: object) -> F:
    """The form, checked. Raises BadForm; a field that no parent fills in (an id) is named by itself."""
    try:
        return kind.model_validate(dict(sent), context=context or None)
    except ValidationError as error:
        fields = dict.fromkeys(str(problem["loc"][-1]) for problem in error.errors())
        raise BadForm({field: kind.PROBLEMS.get(field, N_("This form is incomplete.")) for field in fields}) from None
