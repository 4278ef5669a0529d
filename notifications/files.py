"""What is said of copies of a child's file and of wishes to erase; nothing of what is in them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from config.errors import NotFound
from config.formats import masked
from config.text import N_, known, translate
from notifications.writing import Values, put
from people import access
from people.access import Viewer
from people.keeping.events import CopyFinished, WishAnswered
from people.keeping.models import CopyStatus, ErasureWish, FileCopy
from people.models import Account

FILE, WISH = "file-ready", "wish-answered"
# At most 20 characters each, in both languages (``thing``).
RECORDS = N_("Medical records")
HOSPITAL = N_("Records office")
READY = N_("Your copy is ready")
FAILED = N_("Please ask again")
ANSWERED = N_("Read our answer")
TEXTS = (RECORDS, HOSPITAL, READY, FAILED, ANSWERED)


def tell_copy(session: Session, fact: CopyFinished, now: datetime) -> None:
    """Who asked learns that the copy is ready, or that it could not be made."""
    copy = session.get_one(FileCopy, fact.copy_id)
    hint = FAILED if copy.status is CopyStatus.FAILED else READY
    _tell(session, FILE, fact.account_id, copy.patient_id, copy.id, copy.ready_at or now, hint, now)


def tell_answered(session: Session, fact: WishAnswered, now: datetime) -> None:
    """Who wished learns that there is an answer."""
    wish = session.get_one(ErasureWish, fact.wish_id)
    _tell(session, WISH, fact.account_id, wish.patient_id, wish.id, wish.answered_at or now, ANSWERED, now)


def _tell(
    session: Session,
    message: str,
    account_id: UUID,
    patient_id: UUID,
    source_id: UUID,
    at: datetime,
    hint: str,
    now: datetime,
) -> None:
    """Only somebody who is still an active guardian."""
    account = session.get_one(Account, account_id)
    locale = known(account.locale)
    try:
        child = access.patient_of(session, Viewer(account_id, locale), patient_id)
    except NotFound:
        return
    values: Values = {
        "child": masked(child.name),
        "department": translate(locale, RECORDS),
        "doctor": translate(locale, HOSPITAL),
        "time": at,
        "hint": translate(locale, hint),
    }
    put(session, message, account, source_id, values, now, link=child.id)
