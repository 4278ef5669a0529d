"""The tables of who is who."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base, Id, Json, stored_enum
from config.encryption import Encrypted
from config.states import Stateful


class Account(Base):
    """A WeChat user of this service account."""

    __tablename__ = "accounts"

    id: Mapped[Id]
    openid: Mapped[str] = mapped_column(String(64), unique=True)
    unionid: Mapped[str | None] = mapped_column(String(64))
    locale: Mapped[str | None] = mapped_column(String(8))
    followed: Mapped[bool] = mapped_column(default=False)
    followed_at: Mapped[datetime | None]
    unfollowed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    @property
    def unfollowed(self) -> bool:
        """Whether they are known to have left: no message can reach them. Who followed before the clinic had this
        service was never announced to it, so "has not followed" says nothing."""
        return not self.followed and self.unfollowed_at is not None


class Department(Base):
    """A department (科室) with an internet clinic. Texts are ``{"zh_CN": ..., "en": ...}``."""

    __tablename__ = "departments"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[Json]
    search: Mapped[str] = mapped_column(String(200))
    summary: Mapped[Json]
    treats: Mapped[list[Any]] = mapped_column(JSONB)
    not_for: Mapped[list[Any]] = mapped_column(JSONB)
    position: Mapped[int]


class Title(StrEnum):
    """A physician's rank (职称)."""

    CHIEF = "chief"
    ASSOCIATE_CHIEF = "associate-chief"
    ATTENDING = "attending"


class Practitioner(Base):
    """A member of the staff. A doctor has a title and a licence, shown to parents before booking; others have none."""

    __tablename__ = "practitioners"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(20), unique=True)
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), unique=True)
    name: Mapped[Json]
    title: Mapped[Title | None] = mapped_column(stored_enum(Title, "title"))
    speciality: Mapped[Json] = mapped_column(default=dict)
    licence: Mapped[str | None] = mapped_column(String(40))
    active: Mapped[bool] = mapped_column(default=True)


class Role(StrEnum):
    """What a member of staff may do. Team leads and department heads hold it for one department."""

    DOCTOR = "doctor"
    TEAM_LEAD = "team-lead"
    PHARMACIST = "pharmacist"
    DISPATCHER = "dispatcher"
    DEPARTMENT_HEAD = "department-head"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class PractitionerRole(Base):
    """A role that a member of staff holds now; taking it away deletes the row (the audit record keeps both)."""

    __tablename__ = "practitioner_roles"
    __table_args__ = (
        CheckConstraint("(role in ('team-lead', 'department-head')) = (department_id is not null)", name="department"),
        Index(
            "uq_practitioner_roles_everywhere",
            "practitioner_id",
            "role",
            unique=True,
            postgresql_where=text("department_id is null"),
        ),
        Index("uq_practitioner_roles_department", "practitioner_id", "role", "department_id", unique=True),
    )

    id: Mapped[Id]
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"))
    role: Mapped[Role] = mapped_column(stored_enum(Role, "role"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"), index=True)
    granted_at: Mapped[datetime]


class Sex(StrEnum):
    """FHIR R4 AdministrativeGender, as far as the hospital's index knows it."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class IndexEntry(Base):
    """One child in the hospital's patient index, as loaded from its CSV (people/index.py says what is asked of it)."""

    __tablename__ = "index_entries"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(Encrypted("index_entries.code"))
    code_blind: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    number: Mapped[str] = mapped_column(Encrypted("index_entries.number"))
    number_blind: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[str] = mapped_column(Encrypted("index_entries.name"))
    birth_date: Mapped[date]
    sex: Mapped[Sex] = mapped_column(stored_enum(Sex, "sex"))
    phones: Mapped[str] = mapped_column(Encrypted("index_entries.phones"))
    last_visit_on: Mapped[date | None]
    visits: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default="[]")


class Patient(Base):
    """A child (就诊人) whom at least one guardian has bound with the hospital's QR code.

    ``seen``: the visits that the index knew when it was last asked (``seen_at``), ``[department code, day]`` each,
    newest first. ``name_blind``: by what the child is found by name (people/finding.py).
    """

    __tablename__ = "patients"
    __table_args__ = (
        Index("ix_patients_name", "name_blind", "birth_date"),
        Index("ix_patients_unkeyed", "id", postgresql_where=text("name_blind is null")),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(Encrypted("patients.code"))
    code_blind: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    number: Mapped[str] = mapped_column(Encrypted("patients.number"))
    number_blind: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[str] = mapped_column(Encrypted("patients.name"))
    birth_date: Mapped[date]
    sex: Mapped[Sex] = mapped_column(stored_enum(Sex, "sex"))
    created_at: Mapped[datetime]
    seen: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default="[]")
    seen_at: Mapped[datetime | None]
    name_blind: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class PatientPhone(Base):
    """A guardian's phone that the index knew for a child when it was last asked: its keyed hash, never the number."""

    __tablename__ = "patient_phones"
    __table_args__ = (Index(None, "patient_id"),)

    phone_blind: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), primary_key=True)


class Relation(StrEnum):
    """What the guardian is to the child (HL7 v3 RoleCode in words)."""

    MOTHER = "mother"
    FATHER = "father"
    GRANDPARENT = "grandparent"
    OTHER = "other"


class GuardianStatus(StrEnum):
    """A binding is active, frozen by another guardian, or ended."""

    ACTIVE = "active"
    FROZEN = "frozen"
    ENDED = "ended"


class RelatedPerson(Stateful):
    """A guardian (监护人): one account bound to one child, with the guardian's real name and relation."""

    __tablename__ = "related_persons"
    __table_args__ = (
        Index(
            "uq_related_persons_bound",
            "account_id",
            "patient_id",
            unique=True,
            postgresql_where=text("status <> 'ended'"),
        ),
    )
    MOVES: ClassVar[Mapping[GuardianStatus, frozenset[GuardianStatus]]] = {
        GuardianStatus.ACTIVE: frozenset({GuardianStatus.FROZEN, GuardianStatus.ENDED}),
        GuardianStatus.FROZEN: frozenset({GuardianStatus.ACTIVE, GuardianStatus.ENDED}),
    }

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    name: Mapped[str] = mapped_column(Encrypted("related_persons.name"))
    relation: Mapped[Relation] = mapped_column(stored_enum(Relation, "relation"))
    status: Mapped[GuardianStatus] = mapped_column(stored_enum(GuardianStatus, "status"), default=GuardianStatus.ACTIVE)
    bound_at: Mapped[datetime]


class BindTry(Base):
    """One try to bind a child. Tries of an account and tries at a code are counted; a proven one is forgotten."""

    __tablename__ = "bind_tries"
    __table_args__ = (Index(None, "account_id", "at"), Index(None, "code_blind", "at"))

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    code_blind: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime]


class ConsentKind(StrEnum):
    """What is agreed to: care over the internet, use of the child's personal data, recording of video visits."""

    ONLINE_CARE = "online-care"
    CHILD_DATA = "child-data"
    RECORDING = "recording"


class Decision(StrEnum):
    """FHIR R4 Consent.provision.type."""

    PERMIT = "permit"
    DENY = "deny"


class Consent(Base):
    """One answer of one account to one version of a consent text. The newest answer counts; none is overwritten."""

    __tablename__ = "consents"
    __table_args__ = (Index(None, "account_id", "kind", "id"),)

    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[ConsentKind] = mapped_column(stored_enum(ConsentKind, "kind"))
    version: Mapped[str] = mapped_column(String(20))
    decision: Mapped[Decision] = mapped_column(stored_enum(Decision, "decision"))
    locale: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]


class AuditEvent(Base):
    """Who did what to what, when, and how it ended. Ids and codes only."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "entity_id", "id"),
        Index(None, "account_id", "id"),
        Index("ix_audit_events_refused", "at", "id", postgresql_where=text("outcome <> 'done'")),
        Index("ix_audit_events_refused_by", "outcome", "at", "id", postgresql_where=text("outcome <> 'done'")),
        Index("ix_audit_events_look_ups", "account_id", "at", postgresql_where=text("action = 'look-up'")),
    )

    id: Mapped[Id]
    at: Mapped[datetime]
    account_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(60))
    outcome: Mapped[str] = mapped_column(String(40))
    entity: Mapped[str] = mapped_column(String(40))
    entity_id: Mapped[UUID | None]
    detail: Mapped[Json] = mapped_column(default=dict)
