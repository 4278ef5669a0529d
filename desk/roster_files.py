"""Rosters as spreadsheets: out as CSV or XLSX; in, first as a list of what would change, then for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from booking.roster_models import RosterFile
from booking.rosters import cutting, importing, queries, words
from booking.rosters.changes import Change
from booking.rosters.columns import Directory
from booking.rosters.importing import Loaded, What
from booking.rosters.refusals import Stale
from config import spreadsheets
from config.clock import now, today
from config.database import rehearsal, transaction
from config.errors import NotFound
from config.policy import current
from config.spreadsheets import FileRefused
from desk.pages import bp, page, say
from desk.rosters import KEEPERS, keeps
from wechat.signin import staff, viewer, visitor_locale

KEPT = timedelta(days=1)  # for which a file waits for its yes
SHOWN = 200  # faults or changes of a file that the page lists
FORMS = {
    "csv": (spreadsheets.to_csv, "text/csv; charset=utf-8"),
    "xlsx": (spreadsheets.to_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


@bp.get("/rosters/export/<what>.<form>")
@staff(*KEEPERS)
def export_rosters(what: str, form: str) -> ResponseReturnValue:
    if form not in FORMS:
        raise NotFound
    write, kind = FORMS[form]
    with transaction() as session:
        rows = importing.export(session, _what(what), now(), visitor_locale(), keeps)
    name = f"{what}-{today(now()).isoformat()}.{form}"
    return Response(write(rows), content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@bp.get("/rosters/files")
@staff(*KEEPERS)
def roster_files() -> ResponseReturnValue:
    return page("roster_files.html", problems=[], what="templates", more=0)


@bp.post("/rosters/files")
@staff(*KEEPERS)
def send_roster_file() -> ResponseReturnValue:
    """Read the file; when it has no fault it waits for a yes."""
    what = _what(request.form.get("what", ""))
    sent = request.files.get("file")
    try:
        rows = spreadsheets.read(sent.stream.read(spreadsheets.BYTES + 1) if sent else b"")
        with transaction() as session:
            _preview(session, what, rows)
            kept = _keep(session, what, spreadsheets.to_csv(rows).decode("utf-8-sig"))
    except FileRefused as refused:
        problems = [problem.said(visitor_locale()) for problem in refused.problems]
        more = max(0, len(problems) - SHOWN)
        return page("roster_files.html", 422, problems=problems[:SHOWN], what=what, more=more)
    return redirect(url_for("desk.roster_file", file_id=kept.id), 303)


@bp.get("/rosters/files/<uuid:file_id>")
@staff(*KEEPERS)
def roster_file(file_id: UUID) -> ResponseReturnValue:
    return _file(file_id)


@bp.post("/rosters/files/<uuid:file_id>")
@staff(*KEEPERS)
def load_roster_file(file_id: UUID) -> ResponseReturnValue:
    """Yes: what was shown is done; if it would be something else by now, it is shown again."""
    try:
        with transaction() as session:
            kept = _mine(session, file_id)
            policy = current(session, now())
            loaded = importing.apply(
                session, _what(kept.what), _rows(kept), by=viewer().account_id, now=now(), policy=policy, may=keeps
            )
            if loaded.digest != request.form.get("seen"):
                raise Stale
            session.delete(kept)
    except Stale as stale:
        return _file(file_id, problem=say(stale.message))
    return redirect(url_for("desk.roster_departments"), 303)


def _what(sent: str) -> What:
    found: What | None = next((what for what in get_args(What) if what == sent), None)
    if found is None:
        raise NotFound
    return found


def _keep(session: Session, what: What, content: str) -> RosterFile:
    session.execute(delete(RosterFile).where(RosterFile.created_at < now() - KEPT))
    made = RosterFile(account_id=viewer().account_id, what=what, content=content, created_at=now())
    session.add(made)
    session.flush()
    return made


def _mine(session: Session, file_id: UUID) -> RosterFile:
    own = RosterFile.account_id == viewer().account_id
    found = session.scalar(select(RosterFile).where(RosterFile.id == file_id, own).with_for_update())
    if found is None:
        raise NotFound
    return found


def _rows(kept: RosterFile) -> spreadsheets.Rows:
    return spreadsheets.read(kept.content.encode())


def _preview(session: Session, what: What, rows: spreadsheets.Rows) -> Loaded:
    """What the file would change; nothing of it stays."""
    with rehearsal(session):
        return importing.load(session, what, rows, by=viewer().account_id, now=now(), may=keeps)


def _file(file_id: UUID, *, problem: str | None = None) -> ResponseReturnValue:
    with transaction() as session:
        kept = _mine(session, file_id)
        what, rows = _what(kept.what), _rows(kept)
        try:
            loaded = _preview(session, what, rows)
        except FileRefused as refused:
            problems = [fault.said(visitor_locale()) for fault in refused.problems]
            return page("roster_files.html", 422, problems=problems[:SHOWN], what=what, more=0)
        days = cutting.cut_days(now(), current(session, now()))
        of = {change.after.practitioner_id for change in loaded.changes}
        touched = queries.effects(session, of, days, now(), lambda: _load(session, what, rows)) if of else []
        shown = [_shown(change, what, Directory(session)) for change in loaded.changes[:SHOWN]]
    context: dict[str, Any] = {"what": what, "loaded": loaded, "touched": touched, "shown": shown, "words": words}
    return page("roster_file.html", 409 if problem else 200, **context, file_id=file_id, problem=problem, most=SHOWN)


def _load(session: Session, what: What, rows: spreadsheets.Rows) -> None:
    importing.load(session, what, rows, by=viewer().account_id, now=now(), may=keeps)


def _shown(change: Change, what: What, known: Directory) -> dict[str, Any]:
    """A change as the page lists it: who, when, and each column that is otherwise now, as its cells are written."""
    locale, columns = visitor_locale(), importing.COLUMNS[what]
    cells: list[tuple[str, str, str]] = []
    for column in columns:
        if not column.field or column.field == "practitioner_id":
            continue
        new = getattr(change.after, column.field)
        if not change.before and column.field.endswith("_quota") and not new:
            continue
        old = getattr(change.before, column.field) if change.before else None
        if (new is not None or change.before) and (not change.before or old != new):
            was = column.show(old, known, locale) if old is not None else ""
            cells.append((column.heading, was, column.show(new, known, locale) if new is not None else ""))
    return {
        "kind": change.kind,
        "after": change.after,
        "who": known.by_id[change.after.practitioner_id],
        "cells": cells,
    }
