"""Reads about the answers to the questions before a number."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, select
from sqlalchemy.orm import Session

from booking.admission import PASSING
from booking.screen_models import ScreenResult
from config.errors import NotFound
from people.access import Viewer, binding_of


def result_of(session: Session, viewer: Viewer, result_id: UUID) -> ScreenResult:
    """Answers about one of the viewer's children. Raises NotFound for anybody else's."""
    result = session.get(ScreenResult, result_id)
    if result is None:
        raise NotFound
    binding_of(session, viewer, result.patient_id)
    return result


def results(session: Session, ids: Collection[UUID | None]) -> dict[UUID, ScreenResult]:
    """Answers by id, for appointments that the caller may see (``Appointment.screen_id``)."""
    found = session.scalars(select(ScreenResult).where(ScreenResult.id.in_([id_ for id_ in ids if id_])))
    return {result.id: result for result in found}


def good(patient_id: ColumnElement[UUID], now: ColumnElement[datetime]) -> ScalarSelect[UUID]:
    """The id of the child's latest answers if they pass and are still good, as part of a statement."""
    latest = (
        select(ScreenResult.id, ScreenResult.level, ScreenResult.good_until)
        .where(ScreenResult.patient_id == patient_id)
        .order_by(ScreenResult.at.desc(), ScreenResult.id.desc())
        .limit(1)
        .subquery()
    )
    return select(latest.c.id).where(latest.c.level.in_(PASSING), latest.c.good_until > now).scalar_subquery()
