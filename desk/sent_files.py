"""Files that change something only after a yes: kept for a day, their sender's own; their faults on one page."""

from __future__ import annotations

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import spreadsheets
from config.clock import now
from config.errors import NotFound
from config.spreadsheets import FileRefused, Rows
from desk.pages import page
from desk.roster_files import KEPT, SHOWN
from prescriptions.models import SentFile
from wechat.signin import viewer, visitor_locale


def sent(*, exact: bool = False) -> Rows:
    """The rows of the file of this request (config/spreadsheets.read). Raises FileRefused."""
    file = request.files.get("file")
    return spreadsheets.read(file.stream.read(spreadsheets.BYTES + 1) if file else b"", exact=exact)


def keep(session: Session, kind: str, rows: Rows) -> SentFile:
    """Keep a file that was found to be good; those of days before are forgotten."""
    session.execute(delete(SentFile).where(SentFile.created_at < now() - KEPT))
    content = spreadsheets.to_csv(rows).decode("utf-8-sig")
    made = SentFile(kind=kind, account_id=viewer().account_id, content=content, created_at=now())
    session.add(made)
    session.flush()
    return made


def mine(session: Session, kind: str, file_id: UUID) -> SentFile:
    """A file that the viewer has sent, ours until the transaction ends. Raises NotFound."""
    own = (SentFile.account_id == viewer().account_id, SentFile.kind == kind, SentFile.id == file_id)
    found = session.scalar(select(SentFile).where(*own).with_for_update())
    if found is None:
        raise NotFound
    return found


def rows_of(kept: SentFile, *, exact: bool = False) -> Rows:
    """Its rows again."""
    return spreadsheets.read(kept.content.encode(), exact=exact)


def faults(template: str, refused: FileRefused) -> ResponseReturnValue:
    """The page that says what is wrong with a file."""
    problems = [problem.said(visitor_locale()) for problem in refused.problems]
    return page(template, 422, problems=problems[:SHOWN], more=max(0, len(problems) - SHOWN))
