"""The formulary at the desk: found, read with its history, verified by a pharmacist, changed as a new version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.spreadsheets import Problem
from config.text import N_
from desk.pages import bp, page, say
from people.models import Role
from prescriptions.formulary import actions, importing, queries, words
from prescriptions.formulary.columns import DOSE, PRODUCT, Column, cells
from prescriptions.formulary.importing import Change
from prescriptions.formulary.knowledge import knowledge
from prescriptions.formulary.product import Product
from prescriptions.formulary.refusals import VersionChanged
from wechat.signin import member, staff, viewer, visitor_locale

READERS = (Role.PHARMACIST, Role.DOCTOR, Role.DISPATCHER, Role.ADMINISTRATOR, Role.AUDITOR)
KEEPERS = (Role.PHARMACIST,)
RULES = 12  # dose rules of a form
LONGEST = 1000  # characters of a field that are kept
FORM = -1  # no row of a spreadsheet: a fault of the whole form
TAKEN = N_("another medicine has this code")
WAITING = "waiting"


@bp.get("/formulary")
@staff(*READERS)
def formulary() -> ResponseReturnValue:
    """The list, a page from a code on; what waits for a pharmacist by itself."""
    text, which = request.args.get("q", "")[:60], request.args.get("show", "")
    with transaction() as session:
        found = queries.search(session, text, after=request.args.get("after", "")[:60], waiting=which == WAITING)
    entries, more = found[: queries.PAGE], len(found) > queries.PAGE
    return page("formulary.html", entries=entries, more=more, text=text, which=which, keeps=_keeps(), words=words)


def _keeps() -> bool:
    return bool(member().roles & set(KEEPERS))


@bp.get("/formulary/<uuid:medicine_id>")
@staff(*READERS)
def medicine(medicine_id: UUID) -> ResponseReturnValue:
    """One medicine with all its versions."""
    return _medicine(medicine_id)


def _medicine(medicine_id: UUID, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    with transaction() as session:
        entry = queries.entry(session, medicine_id)
        past = queries.history(session, medicine_id)
    locale = visitor_locale()
    products = [Product.model_validate(one.version.content) for one in past]
    changed = [Change(old, new).differences(locale) for new, old in pairwise(products)]
    known = knowledge()
    names = known.names(locale)
    rows = [[(column, row[column.path]) for column in DOSE if row[column.path]] for row in cells(entry.product, locale)]
    facts = {column.path: (column.heading, text) for column, text in _facts(entry.product, names, locale)}
    return page(
        "medicine.html",
        status,
        entry=entry,
        history=list(zip(past, [*changed, []], strict=True)),
        rules=[row for row in rows if row],
        facts=facts,
        keeps=_keeps(),
        problem=problem,
    )


def _facts(product: Product, names: Mapping[str, str], locale: str) -> list[tuple[Column, str]]:
    """What is said of a product, its codes by their names."""
    row = cells(product, locale)[0]
    coded = {"contraindications", "cautions", "avoid_with", "classes"}
    shown = {path: "; ".join(names.get(code, code) for code in getattr(product, path)) for path in coded}
    return [(column, text) for column in PRODUCT if (text := shown.get(column.path, row[column.path]))]


@bp.post("/formulary/<uuid:medicine_id>/verify")
@staff(*KEEPERS)
def verify_medicine(medicine_id: UUID) -> ResponseReturnValue:
    """A pharmacist has compared the version that was shown with the label."""
    try:
        with transaction() as session:
            actions.verify(session, medicine_id, _shown(), by=member().practitioner, now=now())
    except VersionChanged as refused:
        return _medicine(medicine_id, say(refused.message), refused.status)
    return redirect(url_for("desk.medicine", medicine_id=medicine_id), 303)


@bp.post("/formulary/<uuid:medicine_id>/use")
@staff(*KEEPERS)
def use_medicine(medicine_id: UUID) -> ResponseReturnValue:
    """Out of use, or in use again."""
    active = request.form.get("active") == "yes"
    try:
        with transaction() as session:
            by = viewer().account_id
            actions.set_active(session, medicine_id, _shown(), active=active, by=by, now=now())
    except VersionChanged as refused:
        return _medicine(medicine_id, say(refused.message), refused.status)
    return redirect(url_for("desk.medicine", medicine_id=medicine_id), 303)


def _shown() -> int:
    """The version that the form was made from."""
    text = request.form.get("n", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


@bp.get("/formulary/new")
@staff(*KEEPERS)
def new_medicine() -> ResponseReturnValue:
    return _form(None, 0, [{}])


@bp.get("/formulary/<uuid:medicine_id>/edit")
@staff(*KEEPERS)
def edit_medicine(medicine_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        entry = queries.entry(session, medicine_id)
    return _form(medicine_id, entry.version.n, cells(entry.product, visitor_locale()))


@bp.post("/formulary/new")
@staff(*KEEPERS)
def add_medicine() -> ResponseReturnValue:
    """A new medicine; a code that is there already is refused."""
    return _save(None)


@bp.post("/formulary/<uuid:medicine_id>/edit")
@staff(*KEEPERS)
def save_medicine(medicine_id: UUID) -> ResponseReturnValue:
    """A new version, to be verified anew; what was typed is kept when something is wrong with it."""
    return _save(medicine_id)


def _save(medicine_id: UUID | None) -> ResponseReturnValue:
    typed, note = _typed(), request.form.get("note", "").strip()[:200]
    try:
        with transaction() as session:
            if medicine_id:
                row, _ = actions.locked(session, medicine_id, _shown())
                typed[0]["code"] = row.code
            product, problems = importing.one(list(enumerate(typed)))
            if product and not medicine_id and queries.find(session, product.code):
                problems = [Problem(0, PRODUCT[0].heading, TAKEN)]
            if product is None or problems:
                return _form(medicine_id, _shown(), typed, problems, note)
            actions.put(session, product, by=viewer().account_id, note=note, now=now())
            made = medicine_id or _id_of(session, product)
    except VersionChanged as refused:
        return _form(medicine_id, _shown(), typed, [Problem(FORM, "", refused.message)], note)
    return redirect(url_for("desk.medicine", medicine_id=made), 303)


def _id_of(session: Session, product: Product) -> UUID:
    found = queries.find(session, product.code)
    if found is None:
        raise NotFound
    return found.medication.id


def _typed() -> list[dict[str, str]]:
    """The form as rows of cells: the product's with the first dose rule, then one for each further rule with anything
    in it."""

    def text(name: str) -> str:
        return request.form.get(name, "").strip()[: LONGEST + 1]

    rules = [{column.path: text(f"{column.path}.{place}") for column in DOSE} for place in range(RULES)]
    first, *more = [rule for rule in rules if any(rule.values())] or [{}]
    return [{column.path: text(column.path) for column in PRODUCT} | first, *more]


def _form(
    medicine_id: UUID | None,
    n: int,
    rows: Sequence[Mapping[str, str]],
    problems: Sequence[Problem] = (),
    note: str = "",
) -> ResponseReturnValue:
    locale = visitor_locale()
    faults: dict[tuple[int, str], str] = {}
    for problem in problems:
        faults.setdefault((problem.row, problem.column), say(problem.message, **problem.params))
    known = knowledge()
    context: dict[str, Any] = {"medicine_id": medicine_id, "n": n, "rows": rows, "faults": faults, "note": note}
    context |= {"product_columns": PRODUCT, "dose_columns": DOSE, "yes": (words.YES, words.NO), "locale": locale}
    context |= {"conditions": known.condition, "classes": known.class_, "most": RULES}
    whole = [text for (row, column), text in faults.items() if not column]
    return page("medicine_form.html", 422 if problems else 200, whole=whole, **context)
