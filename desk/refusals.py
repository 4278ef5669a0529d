"""What was refused to parents, and by which rule; and numbers that changed hands too quickly. Ids only, shortened."""

from __future__ import annotations

from datetime import UTC, date, datetime
from urllib.parse import urlencode
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue

from booking import fair_queries
from booking.fair_queries import Place
from config.database import transaction
from config.ids import parse_id
from config.text import N_
from desk.pages import READERS, bp, page
from wechat.signin import staff

RULES = {
    "sold-out": N_("Sold out"),
    "not-open": N_("Not open"),
    "already-holding": N_("Has a number already"),
    "suspended": N_("Suspended"),
    "short-wait": N_("Asked to wait"),
    "too-late-to-cancel": N_("Too late to cancel"),
    "not-cancellable": N_("Can't be cancelled"),
    "too-late-to-change": N_("Too late to change"),
    "not-changeable": N_("Can't be changed"),
    "same-period": N_("Same period"),
    "no-payment": N_("No payment possible"),
    "too-many-tries": N_("Too many tries to bind"),
    "proof-refused": N_("Wrong proof"),
}  # those that are often looked for; every other is shown by its code


@bp.get("/refusals")
@staff(*READERS)
def refusals() -> ResponseReturnValue:
    rule, typed, account = (request.args.get(name, "") for name in ("rule", "day", "account"))
    day, who = _day(typed), parse_id(account)
    wrong = N_("Please write the day as in 2026-11-25.") if typed and day is None else None
    with transaction() as session:
        found = fair_queries.refused(
            session, rule=rule or None, day=day, account_id=who, after=_place(request.args.get("after", ""))
        )
    chosen = {"rule": rule, "day": typed, "account": account}
    following = f"{url_for('.refusals')}?{urlencode({**chosen, 'after': _mark(found.next)})}" if found.next else None
    return page(
        "refusals.html",
        422 if wrong else 200,
        found=[] if wrong else found.events,
        following=following,
        rules=RULES,
        chosen=chosen,
        problem=wrong,
        later="after" in request.args,
    )


@bp.get("/refusals/<uuid:event_id>")
@staff(*READERS)
def refusal(event_id: UUID) -> ResponseReturnValue:
    """One event of the audit record, and what the account did around it."""
    with transaction() as session:
        event, others = fair_queries.audited(session, event_id)
    return page("refusal.html", event=event, others=others, rules=RULES)


@bp.get("/passed-on/<uuid:account_id>")
@staff(*READERS)
def passed_on(account_id: UUID) -> ResponseReturnValue:
    """An account between which and strangers numbers changed hands within seconds."""
    with transaction() as session:
        found = fair_queries.passed_on(session, account_id)
    return page("passed_on.html", account_id=account_id, found=found)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _mark(place: Place) -> str:
    return f"{place[0].isoformat()}_{place[1]}"


def _place(text: str) -> Place | None:
    """A place in the list as a link names it; what nobody's link says is the beginning."""
    moment, _, event_id = text.partition("_")
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(event_id)
    except (ValueError, OverflowError):
        return None
