"""Visits of the mother's children with the doctor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from booking.queries import Visit
from people.models import Patient
from tests.product import Hospital, visit_ahead

Book = Callable[..., Visit]


@pytest.fixture
def book(session: Session, hospital: Hospital, now: datetime) -> Book:
    """Books a child (the mother's first unless said) with the doctor in the morning so many days ahead."""

    def do(child: Patient | None = None, *, ahead: int = 2) -> Visit:
        return visit_ahead(session, hospital, child or hospital.child, now, ahead=ahead)

    return do
