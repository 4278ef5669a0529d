"""Medicines of the demo: packages of every product on the shelf, and what the doctor prescribed in the demo's visits,
made by the same actions as by pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.clock import today
from config.policy import Policy
from config.text import CHINESE
from consultation.encounters.rooms import Seat
from people.access import Viewer, member_of
from people.models import Practitioner, Role
from prescriptions.formulary.actions import load
from prescriptions.formulary.knowledge import knowledge
from prescriptions.models import Medication
from prescriptions.review import actions as review
from prescriptions.rules.finding import REASON
from prescriptions.signing.keys import Signer
from prescriptions.stock.actions import receive
from prescriptions.stock.models import Lot
from prescriptions.writing import actions as writing
from prescriptions.writing.case import judged
from prescriptions.writing.draft import Draft, with_medicine
from prescriptions.writing.models import Prescription
from prescriptions.writing.queries import version
from prescriptions.writing.submitting import sign

LOTS = ((150, 20), (420, 60))  # days until it expires, packages
REASON_GIVEN = "演示：已与家长沟通"
LONGER = "演示：留到第二天下单"  # who starts the demo at midnight finds something to order, too


def stock(session: Session, now: datetime) -> int:
    """Two lots of every product, the smaller one of a nearer expiry; a product with a lot gets none. Returns how
    many."""
    load(session, now)
    bare = select(Medication).where(Medication.id.not_in(select(Lot.medication_id))).order_by(Medication.code)
    made = 0
    for place, medicine in enumerate(session.scalars(bare).all(), start=1):
        for days, packages in LOTS:
            expires = today(now) + timedelta(days=days)
            receive(session, medicine.id, f"D{expires:%y%m}{place:02}", expires, packages, by=None, now=now)
            made += 1
    return made


def prescribe(
    session: Session,
    seat: Seat,
    visit: Visit,
    wanted: Mapping[str, Any],
    signer: Signer,
    pharmacist: Practitioner,
    now: datetime,
    policy: Policy,
) -> Prescription:
    """The doctor prescribes products in the doses that their rules propose, and the pharmacist looks at it as
    far as ``wanted["review"]`` says: ``waiting`` or ``accepted``."""
    draft = Draft()
    for code in wanted["medicines"]:
        seen = judged(session, visit, seat.encounter, draft, now, policy, verified_only=False)
        draft = with_medicine(draft, seen.entries[code], seen.context, knowledge())
    seen = judged(session, visit, seat.encounter, draft, now, policy, verified_only=False)
    reasons = {one.key: REASON_GIVEN for one in seen.findings if one.severity is REASON}
    longer = {"valid_days": 2, "validity_reason": LONGER}
    draft = draft.model_copy(update={"reasons": reasons, **longer})
    kept = writing.save(session, seat, version(session, seat.encounter.id), draft, now, policy)
    made = sign(session, seat, visit, kept.version, signer, now, policy, verified_only=False)
    if wanted["review"] == "accepted":
        assert pharmacist.account_id  # noqa: S101 - the demo binds its pharmacists
        member = member_of(session, Viewer(pharmacist.account_id, CHINESE), (Role.PHARMACIST,))
        review.accept(session, member, made.id, signer, now, policy, verified_only=False)
    return made
