"""The stock at the desk: what is there, what is low or expires soon, receiving and correcting, a product's lots."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.ids import new_id, parse_id
from config.policy import current
from config.text import N_
from desk.pages import READERS, bp, page, say
from people.models import Role
from prescriptions.stock import actions, queries
from prescriptions.stock.importing import count_of, day_of
from prescriptions.stock.models import MoveKind
from prescriptions.stock.refusals import BelowReserved, Expired, OtherExpiry, Recalled
from wechat.signin import member, staff, visitor_locale

KEEPERS = (Role.PHARMACIST, Role.DISPATCHER)
LOOKERS = (*KEEPERS, *READERS)
LONGEST = 300  # characters of a note
KINDS = {
    MoveKind.RECEIVE: N_("Taken in"),
    MoveKind.RESERVE: N_("Kept back"),
    MoveKind.RELEASE: N_("Let go"),
    MoveKind.DISPENSE: N_("Given out"),
    MoveKind.ADJUST: N_("Counted anew"),
    MoveKind.DISCARD: N_("Destroyed or sent back"),
}
NO_LOT = N_("Please enter the lot as on the package, at most 40 characters.")
NO_EXPIRY = N_("Please enter the last day on which it is good, such as 2027-05-31.")
NO_COUNT = N_("Please enter a whole number of packages.")
NO_NOTE = N_("Please say in a few words why.")


def keeps() -> bool:
    """Whether the member may change the stock."""
    return bool(member().roles & set(KEEPERS))


@bp.get("/stock")
@staff(*LOOKERS)
def stock() -> ResponseReturnValue:
    """Every product: what is low first, then what expires soon."""
    at = now()
    with transaction() as session:
        listed = queries.stocked(session, at, current(session, at))
    return page("stock.html", listed=listed, keeps=keeps(), locale=visitor_locale())


@bp.get("/stock/<uuid:medicine_id>")
@staff(*LOOKERS)
def stock_of(medicine_id: UUID) -> ResponseReturnValue:
    """One product with its lots and what moved."""
    return _product(medicine_id)


def _product(
    medicine_id: UUID,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
    form: str = "",
) -> ResponseReturnValue:
    """``form``: which form of the page the faults are of."""
    at = now()
    with transaction() as session:
        found = queries.stocked(session, at, current(session, at), medicine_id)
        if not found:
            raise NotFound
        lots, moves = queries.lots_of(session, medicine_id), queries.moves_of(session, medicine_id)
    return page(
        "stock_product.html",
        status,
        found=found[0],
        lots=lots,
        moves=moves,
        kinds=KINDS,
        keeps=keeps(),
        locale=visitor_locale(),
        problems=problems or {},
        form=form,
        key=new_id,
        typed={name: value[:LONGEST] for name, value in request.form.items()},
    )


@bp.post("/stock/<uuid:medicine_id>/receive")
@staff(*KEEPERS)
def receive_lot(medicine_id: UUID) -> ResponseReturnValue:
    number = request.form.get("number", "").strip()
    expires_on = day_of(request.form.get("expires_on", ""))
    packages = count_of(request.form.get("quantity", ""))
    problems = {}
    if not 0 < len(number) <= 40:
        problems["number"] = say(NO_LOT)
    if expires_on is None or packages is None or problems:
        problems |= {} if expires_on else {"expires_on": say(NO_EXPIRY)}
        problems |= {} if packages else {"quantity": say(NO_COUNT)}
        return _product(medicine_id, problems, 422, "receive")
    note = request.form.get("note", "").strip()[:LONGEST]
    try:
        with transaction() as session:
            by = member().practitioner
            key = parse_id(request.form.get("key"))
            actions.receive(session, medicine_id, number, expires_on, packages, by=by, now=now(), note=note, key=key)
    except (Expired, OtherExpiry, Recalled) as refused:
        return _product(medicine_id, _said(refused), refused.status, "receive")
    return redirect(url_for("desk.stock_of", medicine_id=medicine_id), 303)


def _said(refused: Refused) -> dict[str, str]:
    return {refused.field or "number": say(refused.message, **refused.params)}


@bp.post("/stock/<uuid:medicine_id>/minimum")
@staff(*KEEPERS)
def stock_minimum(medicine_id: UUID) -> ResponseReturnValue:
    typed = request.form.get("minimum", "").strip()
    minimum = 0 if typed == "0" else count_of(typed)
    if minimum is None:
        return _product(medicine_id, {"minimum": say(NO_COUNT)}, 422, "minimum")
    with transaction() as session:
        actions.set_minimum(session, medicine_id, minimum, by=member().practitioner, now=now())
    return redirect(url_for("desk.stock_of", medicine_id=medicine_id), 303)


@bp.post("/stock/lots/<uuid:lot_id>/correct")
@staff(*KEEPERS)
def correct_lot(lot_id: UUID) -> ResponseReturnValue:
    """Packages found, missing, destroyed or sent back, each with its reason."""
    with transaction() as session:
        of = queries.lot(session, lot_id).medication_id
    what, packages = request.form.get("what", ""), count_of(request.form.get("quantity", ""))
    note, form = request.form.get("note", "").strip()[:LONGEST], f"lot-{lot_id}"
    problems = {} if what in {"more", "fewer", "discard"} else {"what": say(N_("Please choose what happened."))}
    if len(note) < 2:
        problems["note"] = say(NO_NOTE)
    if packages is None or problems:
        problems |= {} if packages else {"quantity": say(NO_COUNT)}
        return _product(of, problems, 422, form)
    try:
        with transaction() as session:
            by, key = member().practitioner, parse_id(request.form.get("key"))
            if what == "discard":
                actions.discard(session, lot_id, packages, note, by=by, now=now(), key=key)
            else:
                change = packages if what == "more" else -packages
                actions.adjust(session, lot_id, change, note, by=by, now=now(), key=key)
    except BelowReserved as refused:
        return _product(of, _said(refused), refused.status, form)
    return redirect(url_for("desk.stock_of", medicine_id=of), 303)
