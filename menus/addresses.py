"""A family's address book: province, city and district in steps that need no script; each fault named by its field."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.text import N_
from menus.forms import AddressForm, BadForm, read
from menus.pages import bp, lead_back, page
from menus.ways import CHILDREN, way_on
from prescriptions.orders import addresses, regions
from prescriptions.orders.models import Address
from prescriptions.orders.zones import terms
from wechat.signin import signed_in, viewer

BOOK = "/addresses"
PROVINCE, CITY, DISTRICT = N_("Province"), N_("City"), N_("District")
FIRST = "110000"  # the hospital's own province is there before anything is chosen


@bp.get("/addresses")
@signed_in
def address_book() -> ResponseReturnValue:
    with transaction() as session:
        book = addresses.book(session, viewer())
    shown = [(one, regions.named(one.region), terms().zone_of(one.region)) for one in book]
    return page("addresses.html", tab=CHILDREN, book=shown, most=addresses.MOST, then=_then())


def _then() -> str:
    return way_on(request.values.get("next"), "")


@bp.get("/addresses/new")
@signed_in
def new_address() -> ResponseReturnValue:
    return _form(None, {"province": FIRST})


@bp.get("/addresses/<uuid:address_id>")
@signed_in
def address(address_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        found = addresses.one(session, viewer(), address_id)
    return _form(found, _of(found))


def _of(found: Address) -> dict[str, str]:
    """An address as the form's fields."""
    way = [one.code for one in regions.way(found.region)]
    chosen = dict(zip(("province", "city", "district"), way, strict=False))
    return {**chosen, "street": found.street, "name": found.name, "phone": found.phone}


@bp.post("/addresses/new")
@signed_in
def add_address() -> ResponseReturnValue:
    return _save(None)


@bp.post("/addresses/<uuid:address_id>")
@signed_in
def save_address(address_id: UUID) -> ResponseReturnValue:
    return _save(address_id)


def _save(address_id: UUID | None) -> ResponseReturnValue:
    """Written, or the form again: with the next step of the region (that is no fault), or with what is wrong."""
    lead_back(BOOK, N_("My addresses"))
    typed = {name: value[:200] for name, value in request.form.items()}
    with transaction() as session:
        before = addresses.one(session, viewer(), address_id) if address_id else None
    if "step" in request.form:
        return _form(before, typed)
    try:
        form = read(AddressForm, typed)
    except BadForm as bad:
        return _form(before, typed, bad.problems)
    with transaction() as session:
        if address_id:
            addresses.change(session, viewer(), address_id, form.region, form.street, form.name, form.phone)
        else:
            addresses.add(session, viewer(), form.region, form.street, form.name, form.phone, now())
    return redirect(_then() or url_for(".address_book"), 303)


def _form(
    found: Address | None, typed: Mapping[str, str], problems: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """The form; of the region as many steps as the ones before them allow."""
    shown = dict(typed)
    steps, above = [], ""
    for field in ("province", "city", "district"):
        choices = regions.within(above)
        if not choices:
            break
        chosen = next((one for one in choices if one.code == shown.get(field)), None)
        label = PROVINCE if not above else CITY if choices[0].code.endswith("00") else DISTRICT
        steps.append((field, label, choices, chosen))
        if chosen is None:
            break
        above = chosen.code
    return page(
        "address.html",
        tab=CHILDREN,
        status=422 if problems else 200,
        found=found,
        typed=shown,
        steps=steps,
        done=bool(steps) and steps[-1][3] is not None,
        problems=problems or {},
        then=_then(),
        limits=AddressForm.LONGEST,
    )


@bp.post("/addresses/<uuid:address_id>/default")
@signed_in
def default_address(address_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        addresses.make_default(session, viewer(), address_id)
    return redirect(url_for(".address_book", next=_then() or None), 303)


@bp.post("/addresses/<uuid:address_id>/remove")
@signed_in
def remove_address(address_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        addresses.remove(session, viewer(), address_id, now())
    return redirect(url_for(".address_book", next=_then() or None), 303)
