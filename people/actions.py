"""What changes about people: accounts, bindings of guardians to children."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.ids import new_id
from config.jobs import emit
from config.policy import Policy
from config.states import advance
from people import consents
from people.audit import record as audit
from people.events import GuardianBound
from people.finding import keep_phones, name_blind
from people.index import IndexRecord, code_blind, number_blind
from people.looking import kept
from people.models import Account, BindTry, GuardianStatus, Patient, RelatedPerson, Relation
from people.refusals import AlreadyBound, BindingFrozen, ConsentMissing, ProofRefused, TooManyChildren, TooManyTries
from people.rules import Proof, proves


def ensure_account(session: Session, openid: str, now: datetime, *, unionid: str | None = None) -> Account:
    """The account of a WeChat user, made when new; safe when two requests come at once."""
    session.execute(
        insert(Account)
        .values(id=new_id(), openid=openid, created_at=now, followed=False)
        .on_conflict_do_nothing(index_elements=["openid"])
    )
    account = session.scalars(select(Account).where(Account.openid == openid)).one()
    if unionid:
        account.unionid = unionid
    return account


def follow(session: Session, openid: str, now: datetime) -> Account:
    """A WeChat user follows the service account: messages can reach them."""
    account = ensure_account(session, openid, now)
    account.followed, account.followed_at = True, now
    audit(session, "follow", at=now, entity="account", entity_id=account.id, account_id=account.id)
    return account


def unfollow(session: Session, openid: str, now: datetime) -> None:
    """A WeChat user leaves: their WeChat profile is erased; children, visits and consents are medical records and stay.

    The openid stays too: it is the only key by which the same person reaches those records again.
    """
    account = ensure_account(session, openid, now)
    account.followed, account.unfollowed_at = False, now
    _erase(account)
    audit(session, "unfollow", at=now, entity="account", entity_id=account.id, account_id=account.id)


def erase_profile(session: Session, openid: str, now: datetime) -> None:
    """A WeChat user takes back what WeChat let us know of them: the profile is erased as when they leave."""
    account = session.scalar(select(Account).where(Account.openid == openid))
    if account is not None:
        _erase(account)
        audit(session, "erase-profile", at=now, entity="account", entity_id=account.id, account_id=account.id)


def _erase(account: Account) -> None:
    account.unionid = account.locale = None


def choose_locale(session: Session, account_id: UUID, locale: str) -> None:
    """Keep the language in which this account wants pages and messages."""
    session.get_one(Account, account_id).locale = locale


def count_try(session: Session, account_id: UUID, code: str, now: datetime, policy: Policy) -> None:
    """Count one try to bind, before the proof is looked at, in a transaction of its own.

    So tries can't be had in parallel: they queue at the account's and the code's lock. Raises TooManyTries.
    """
    blind = code_blind(code)
    for key in sorted({account_id.int & (2**62 - 1), int.from_bytes(blind[:7])}):
        session.execute(select(func.pg_advisory_xact_lock(key)))
    since = now - timedelta(minutes=policy.bind_wait_minutes)
    recent = select(func.count()).select_from(BindTry).where(BindTry.at > since)
    by_account = session.scalar(recent.where(BindTry.account_id == account_id)) or 0
    at_code = session.scalar(recent.where(BindTry.code_blind == blind)) or 0
    if by_account >= policy.bind_tries_per_account or at_code >= policy.bind_tries_per_code:
        raise TooManyTries(
            minutes=policy.bind_wait_minutes,
            afterwards=lambda later: audit(
                later, "bind", at=now, entity="account", account_id=account_id, outcome="too-many-tries"
            ),
        )
    session.add(BindTry(account_id=account_id, code_blind=blind, at=now))


def bind(
    session: Session,
    account_id: UUID,
    record: IndexRecord | None,
    proof: Proof,
    *,
    guardian: str,
    relation: Relation,
    now: datetime,
    policy: Policy,
) -> RelatedPerson:
    """Bind a child to an account. ``record`` is the index's answer to the code (None: unknown).

    Raises ConsentMissing, ProofRefused (one answer for an unknown code and a wrong proof), AlreadyBound,
    BindingFrozen, TooManyChildren. The child's other guardians are told.
    """
    if not consents.given(session, account_id):
        raise ConsentMissing
    if record is None or not proves(proof, record, needs_phone=policy.bind_needs_phone):
        raise ProofRefused(
            afterwards=lambda later: audit(
                later, "bind", at=now, entity="account", account_id=account_id, outcome="proof-refused"
            )
        )
    session.scalars(select(Account).where(Account.id == account_id).with_for_update()).one()
    patient = _ensure_patient(session, record, now)
    _may_hold(session, account_id, patient.id, policy)
    binding = RelatedPerson(
        account_id=account_id, patient_id=patient.id, name=guardian, relation=relation, bound_at=now
    )
    session.add(binding)
    session.execute(delete(BindTry).where(BindTry.account_id == account_id, BindTry.code_blind == patient.code_blind))
    session.flush()
    audit(session, "bind", at=now, entity="patient", entity_id=patient.id, account_id=account_id)
    emit(session, GuardianBound(patient_id=patient.id, related_person_id=binding.id))
    return binding


def _ensure_patient(session: Session, record: IndexRecord, now: datetime) -> Patient:
    """The child of the index's record, by patient number: a code that was issued anew is the same child."""
    number = number_blind(record.number)
    values = {
        "code": record.code,
        "code_blind": code_blind(record.code),
        "name": record.name,
        "birth_date": record.birth_date,
        "sex": record.sex,
        "seen": kept(record),
        "seen_at": now,
        "name_blind": name_blind(record.name),
    }
    new = {"id": new_id(), "number": record.number, "number_blind": number, "created_at": now}
    session.execute(
        insert(Patient).values(**new, **values).on_conflict_do_update(index_elements=["number_blind"], set_=values)
    )
    patient = session.scalars(
        select(Patient).where(Patient.number_blind == number).execution_options(populate_existing=True)
    ).one()
    keep_phones(session, patient.id, record.phones)
    return patient


def _may_hold(session: Session, account_id: UUID, patient_id: UUID, policy: Policy) -> None:
    held = session.scalars(
        select(RelatedPerson).where(
            RelatedPerson.account_id == account_id, RelatedPerson.status != GuardianStatus.ENDED
        )
    ).all()
    for binding in held:
        if binding.patient_id == patient_id:
            raise BindingFrozen if binding.status is GuardianStatus.FROZEN else AlreadyBound
    if len(held) >= policy.children_per_account:
        raise TooManyChildren(limit=policy.children_per_account)


def unbind(session: Session, binding: RelatedPerson, now: datetime) -> None:
    """End the viewer's own binding (from people.access). The caller has asked booking about coming visits."""
    advance(binding, GuardianStatus.ENDED, by=f"account:{binding.account_id}", why="unbound", now=now)
    audit(session, "unbind", at=now, entity="patient", entity_id=binding.patient_id, account_id=binding.account_id)


def set_frozen(session: Session, mine: RelatedPerson, other_id: UUID, *, frozen: bool, now: datetime) -> RelatedPerson:
    """Pause or resume the binding of a guardian who came after ``mine``. Raises NotFound for any other binding."""
    other = session.scalar(
        select(RelatedPerson)
        .where(RelatedPerson.id == other_id, RelatedPerson.patient_id == mine.patient_id)
        .where(RelatedPerson.status != GuardianStatus.ENDED, RelatedPerson.bound_at > mine.bound_at)
        .with_for_update()
    )
    if other is None or other.id == mine.id:
        raise NotFound
    to = GuardianStatus.FROZEN if frozen else GuardianStatus.ACTIVE
    if other.status is not to:
        advance(other, to, by=f"account:{mine.account_id}", why="by another guardian", now=now)
        audit(
            session,
            "freeze" if frozen else "unfreeze",
            at=now,
            entity="related-person",
            entity_id=other.id,
            account_id=mine.account_id,
        )
    return other
