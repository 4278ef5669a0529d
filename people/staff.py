"""The clinic's staff: which WeChat account a practitioner uses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFound
from people.actions import ensure_account
from people.audit import record as audit
from people.models import Practitioner


class AccountTaken(Exception):
    """The WeChat account belongs to another practitioner, whose code is the argument."""


def bind(session: Session, code: str, openid: str, now: datetime) -> Practitioner:
    """Bind a practitioner to a WeChat account, instead of an earlier one. Raises NotFound, AccountTaken."""
    practitioner = session.scalar(select(Practitioner).where(Practitioner.code == code).with_for_update())
    if practitioner is None:
        raise NotFound
    account = ensure_account(session, openid, now)
    holder = session.scalar(select(Practitioner).where(Practitioner.account_id == account.id))
    if holder is not None and holder.id != practitioner.id:
        raise AccountTaken(holder.code)
    practitioner.account_id = account.id
    audit(session, "bind-staff", at=now, entity="practitioner", entity_id=practitioner.id, account_id=None)
    return practitioner
