"""Money for the administration: what the ledger holds, refunds that failed, and each day's bill against our rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now, today
from config.database import transaction
from config.ids import parse_id
from config.text import N_
from desk.appointments import NO_DAY, parsed_day
from desk.pages import READERS, bp, page, say
from payments import mending, queries, reconciling
from payments.models import DifferenceKind
from payments.refusals import NoteMissing
from people.models import Role
from people.queries import practitioner_names
from wechat.signin import member, staff, viewer

KINDS = {
    DifferenceKind.MISSING_HERE: N_("WeChat Pay has a payment that we do not know"),
    DifferenceKind.MISSING_THERE: N_("We have a payment that the bill does not name"),
    DifferenceKind.AMOUNT: N_("Another amount"),
    DifferenceKind.STATUS: N_("Paid there, not paid here"),
    DifferenceKind.TRANSACTION: N_("Another number of WeChat Pay"),
    DifferenceKind.DOUBLED: N_("Named twice"),
    DifferenceKind.REFUND_MISSING_HERE: N_("WeChat Pay has a refund that we do not know"),
    DifferenceKind.REFUND_MISSING_THERE: N_("We have a refund that the bill does not name"),
    DifferenceKind.REFUND_AMOUNT: N_("Refund: another amount"),
    DifferenceKind.REFUND_STATUS: N_("Refund: another state"),
    DifferenceKind.REFUND_DOUBLED: N_("Refund named twice"),
    DifferenceKind.UNREADABLE: N_("A line that can't be read"),
    DifferenceKind.SUMMARY: N_("The bill's own sums do not add up"),
}


@bp.get("/money")
@staff(*READERS)
def money() -> ResponseReturnValue:
    before = parse_id(request.args.get("before", ""))
    here = today(now())
    typed = request.args.get("day", here.isoformat())
    day = parsed_day(typed)
    with transaction() as session:
        earlier = queries.day(session, before) if before else None
        shown: dict[str, Any] = {
            "moved": {owner.value: fen for owner, fen in queries.balances(session, day).items()} if day else None,
            "unbalanced": queries.unbalanced(session, day) if day else [],
            "failed": queries.failed_refunds(session),
            "other_amounts": queries.of_another_amount(session),
            "days": queries.days(session, earlier),
        }
    shown |= {"day": day, "typed": typed, "problem": None if day else NO_DAY}
    return page("money.html", 200 if day else 422, may_change=_may_change(), most=queries.DAYS, **shown)


@bp.get("/money/<uuid:reconciliation_id>")
@staff(*READERS)
def money_day(reconciliation_id: UUID) -> ResponseReturnValue:
    return _day(reconciliation_id)


@bp.post("/money/differences/<uuid:difference_id>/settle")
@staff(Role.ADMINISTRATOR)
def settle_difference(difference_id: UUID) -> ResponseReturnValue:
    """Marks a difference as seen to; without a note the page comes back with what is missing."""
    day = parse_id(request.form.get("day", ""))
    try:
        with transaction() as session:
            note, by, who = request.form.get("note", ""), member().practitioner.id, viewer().account_id
            day = reconciling.settle_difference(session, difference_id, note, by=by, account_id=who, now=now()).id
    except NoteMissing as refusal:
        if day is None:
            raise
        return _day(day, problem=(difference_id, say(refusal.message)), status=refusal.status)
    return redirect(url_for("desk.money_day", reconciliation_id=day), 303)


@bp.post("/money/refunds/<uuid:refund_id>/again")
@staff(Role.ADMINISTRATOR)
def refund_again(refund_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        mending.refund_again(session, refund_id, by=viewer().account_id, now=now())
    return redirect(url_for("desk.money"), 303)


def _day(reconciliation_id: UUID, *, problem: tuple[UUID, str] | None = None, status: int = 200) -> ResponseReturnValue:
    with transaction() as session:
        record = queries.day(session, reconciliation_id)
        found = queries.differences(session, reconciliation_id)
        names = practitioner_names(session, {row.settled_by for row in found if row.settled_by})
    shown = {"record": record, "differences": found, "names": names, "kinds": KINDS, "note": reconciling.NOTE}
    return page("money_day.html", status, problem=problem, may_change=_may_change(), **shown)


def _may_change() -> bool:
    return Role.ADMINISTRATOR in member().roles
