"""The forms that parents send: what is accepted, and for each field what to say when it is not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic import field_validator as checks

from booking.fair_models import APPEAL
from booking.models import Pool, Why
from config.text import N_
from consultation.after.library import lists
from consultation.after.rules import TEXT
from consultation.encounters.models import Kind
from people.models import Relation
from prescriptions.orders.regions import region, within


def plain(value: Any) -> Any:
    """A typed text in one spelling: full-width digits and letters narrow, no spaces around, one inside."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", value)).strip() if isinstance(value, str) else value


def digits(value: Any) -> Any:
    """A phone number without its spaces, dashes and country code."""
    return re.sub(r"^(\+|00)86|[^0-9]", "", unicodedata.normalize("NFKC", value)) if isinstance(value, str) else value


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


class AddressForm(Form):
    """Where medicines are sent: the region by steps (``province``, ``city``, ``district``, as far as there are any),
    street and house, and who opens the door."""

    PROBLEMS = {
        "region": N_("Please choose province, city and district."),
        "street": N_("Please enter street, house, floor and door, at least 5 characters."),
        "name": N_("Please enter the name of who takes the parcel."),
        "phone": N_("Please enter a mobile phone number of 11 digits."),
    }
    LONGEST: ClassVar[Mapping[str, int]] = {"street": 120, "name": 30, "phone": 20}

    region: str
    street: Annotated[str, BeforeValidator(plain), StringConstraints(min_length=5, max_length=120)]
    name: Annotated[str, BeforeValidator(plain), StringConstraints(min_length=2, max_length=30)]
    phone: Annotated[str, BeforeValidator(digits), StringConstraints(pattern=r"^1[3-9][0-9]{9}$")]

    @model_validator(mode="before")
    @classmethod
    def _last_step(cls, sent: Any) -> Any:
        """The region is the last step that was chosen, if it stands below those before it."""
        found = ""
        for field in ("province", "city", "district"):
            if sent.get(field) not in {one.code for one in within(found)}:
                break
            found = sent[field]
        return {**sent, "region": found}

    @checks("region")
    @classmethod
    def _is_district(cls, value: str) -> str:
        found = region(value)
        if found is None or not found.leaf:
            raise ValueError("no district")
        return value


F = TypeVar("F", bound=Form)


def read(kind: type[F], sent: Mapping[str, str], **context: object) -> F:
    """The form, checked. Raises BadForm; a field that no parent fills in (an id) is named by itself."""
    try:
        return kind.model_validate(dict(sent), context=context or None)
    except ValidationError as error:
        fields = dict.fromkeys(str(problem["loc"][-1]) for problem in error.errors())
        raise BadForm({field: kind.PROBLEMS.get(field, N_("This form is incomplete.")) for field in fields}) from None
