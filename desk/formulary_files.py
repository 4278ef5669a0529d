"""The formulary as a spreadsheet: out as CSV or XLSX; in, first as a list of what would change, then for good."""

from __future__ import annotations

from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config import spreadsheets
from config.clock import now, today
from config.database import rehearsal, transaction
from config.errors import NotFound
from config.spreadsheets import FileRefused
from desk import sent_files
from desk.formulary import KEEPERS, READERS
from desk.pages import bp, page, say
from desk.roster_files import FORMS, SHOWN
from prescriptions.formulary import importing
from prescriptions.formulary.importing import Loaded
from prescriptions.formulary.refusals import FormularyChanged
from wechat.signin import staff, viewer, visitor_locale

FORMULARY, TEMPLATE = "formulary", "formulary_files.html"


@bp.get("/formulary/export.<form>")
@staff(*READERS)
def export_formulary(form: str) -> ResponseReturnValue:
    if form not in FORMS:
        raise NotFound
    write, kind = FORMS[form]
    with transaction() as session:
        rows = importing.export(session, visitor_locale())
    name = f"formulary-{today(now()).isoformat()}.{form}"
    return Response(write(rows), content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@bp.get("/formulary/files")
@staff(*KEEPERS)
def formulary_files() -> ResponseReturnValue:
    return page(TEMPLATE, problems=[], more=0)


@bp.post("/formulary/files")
@staff(*KEEPERS)
def send_formulary_file() -> ResponseReturnValue:
    """Read the file; when it has no fault it waits for a yes."""
    try:
        rows = sent_files.sent(exact=True)
        with transaction() as session:
            _preview(session, rows)
            kept = sent_files.keep(session, FORMULARY, rows)
    except FileRefused as refused:
        return sent_files.faults(TEMPLATE, refused)
    return redirect(url_for("desk.formulary_file", file_id=kept.id), 303)


@bp.get("/formulary/files/<uuid:file_id>")
@staff(*KEEPERS)
def formulary_file(file_id: UUID) -> ResponseReturnValue:
    return _file(file_id)


@bp.post("/formulary/files/<uuid:file_id>")
@staff(*KEEPERS)
def load_formulary_file(file_id: UUID) -> ResponseReturnValue:
    """Yes: what was shown is done; if it would be something else by now, it is shown again."""
    try:
        with transaction() as session:
            kept = sent_files.mine(session, FORMULARY, file_id)
            rows = sent_files.rows_of(kept, exact=True)
            loaded = importing.apply(session, rows, by=viewer().account_id, note=f"import {kept.id}", now=now())
            if loaded.digest != request.form.get("seen"):
                raise FormularyChanged
            session.delete(kept)
    except FormularyChanged as changed:
        return _file(file_id, problem=say(changed.message))
    except FileRefused as refused:
        return sent_files.faults(TEMPLATE, refused)
    return redirect(url_for("desk.formulary", show="waiting"), 303)


def _preview(session: Session, rows: spreadsheets.Rows) -> Loaded:
    """What the file would change; nothing of it stays."""
    with rehearsal(session):
        return importing.load(session, rows, by=viewer().account_id, note="", now=now())


def _file(file_id: UUID, *, problem: str | None = None) -> ResponseReturnValue:
    try:
        with transaction() as session:
            kept = sent_files.mine(session, FORMULARY, file_id)
            loaded = _preview(session, sent_files.rows_of(kept, exact=True))
    except FileRefused as refused:
        return sent_files.faults(TEMPLATE, refused)
    shown = [(change, change.differences(visitor_locale())) for change in loaded.changes[:SHOWN]]
    context = {"loaded": loaded, "shown": shown, "file_id": file_id, "problem": problem, "most": SHOWN}
    return page("formulary_file.html", 409 if problem else 200, **context)
