"""A delivery of lots as a spreadsheet: first as a list of what would be received, then for good, once."""

from __future__ import annotations

from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config import spreadsheets
from config.clock import now
from config.database import rehearsal, transaction
from config.spreadsheets import FileRefused
from desk import sent_files
from desk.pages import bp, page, say
from desk.roster_files import SHOWN
from desk.stock import KEEPERS
from prescriptions.stock import importing
from prescriptions.stock.importing import Delivered
from prescriptions.stock.refusals import DeliveryChanged
from wechat.signin import member, staff, visitor_locale

STOCK, TEMPLATE = "stock", "stock_files.html"


@bp.get("/stock/files")
@staff(*KEEPERS)
def stock_files() -> ResponseReturnValue:
    return page(TEMPLATE, problems=[], more=0)


@bp.get("/stock/files/pattern.csv")
@staff(*KEEPERS)
def stock_pattern() -> ResponseReturnValue:
    """The heading to be filled in."""
    made = spreadsheets.to_csv(importing.pattern(visitor_locale()))
    named = {"Content-Disposition": 'attachment; filename="stock.csv"'}
    return Response(made, content_type="text/csv; charset=utf-8", headers=named)


@bp.post("/stock/files")
@staff(*KEEPERS)
def send_stock_file() -> ResponseReturnValue:
    """Read the file; when it has no fault it waits for a yes."""
    try:
        rows = sent_files.sent()
        with transaction() as session:
            _preview(session, rows)
            kept = sent_files.keep(session, STOCK, rows)
    except FileRefused as refused:
        return sent_files.faults(TEMPLATE, refused)
    return redirect(url_for("desk.stock_file", file_id=kept.id), 303)


@bp.get("/stock/files/<uuid:file_id>")
@staff(*KEEPERS)
def stock_file(file_id: UUID) -> ResponseReturnValue:
    return _file(file_id)


@bp.post("/stock/files/<uuid:file_id>")
@staff(*KEEPERS)
def load_stock_file(file_id: UUID) -> ResponseReturnValue:
    """Yes: what was shown is received. The file is gone then, so that it is not received twice."""
    try:
        with transaction() as session:
            kept = sent_files.mine(session, STOCK, file_id)
            found = _load(session, sent_files.rows_of(kept), f"import {kept.id}")
            if found.digest != request.form.get("seen"):
                raise DeliveryChanged
            session.delete(kept)
    except DeliveryChanged as changed:
        return _file(file_id, problem=say(changed.message))
    except FileRefused as refused:
        return sent_files.faults(TEMPLATE, refused)
    return redirect(url_for("desk.stock"), 303)


def _load(session: Session, rows: spreadsheets.Rows, note: str) -> Delivered:
    return importing.load(session, rows, by=member().practitioner, note=note, now=now())


def _preview(session: Session, rows: spreadsheets.Rows) -> Delivered:
    """What the file would bring; nothing of it stays."""
    with rehearsal(session):
        return _load(session, rows, "")


def _file(file_id: UUID, *, problem: str | None = None) -> ResponseReturnValue:
    try:
        with transaction() as session:
            found = _preview(session, sent_files.rows_of(sent_files.mine(session, STOCK, file_id)))
    except FileRefused as refused:
        return sent_files.faults(TEMPLATE, refused)
    shown = {"found": found, "shown": found.lines[:SHOWN], "file_id": file_id, "problem": problem}
    return page("stock_file.html", 409 if problem else 200, locale=visitor_locale(), **shown)
