"""A visit that goes on, made for the journeys: booked as a mother does, then begun as the doctor would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Appointment
from booking.queries import visit as whole
from config import encryption, nudges, redis
from config.database import connect, transaction
from config.settings import Settings
from consultation.encounters.models import EncounterStatus, Ending
from consultation.encounters.rooms import encounter_of, known, move
from dev.environment import development
from dev.servers import Postgres, Valkey
from people.models import Account
from tests.journeys.service import Service
from tests.journeys.test_reminders import book


@dataclass(frozen=True)
class Begun:
    """A visit that goes on, and the doctor's phone in the simulator."""

    id: UUID
    doctor: str


@contextmanager
def database(service: Service) -> Iterator[Session]:
    """The service's own database; committed at the end, and told to whoever looks."""
    environment = development(service.var, {})
    url = "postgresql+psycopg://" + Postgres(service.var / "postgres").attach().split("://", 1)[1]
    keys = SimpleNamespace(**{name: SecretStr(environment[name.upper()]) for name in ("field_keys", "blind_index_key")})
    encryption.use(encryption.KeyRing.from_settings(cast(Settings, keys)))
    engine = connect(url)
    nudges.use(redis.publisher(redis.connect(Valkey(service.var / "valkey").attach())))
    with transaction() as session:
        yield session
    nudges.use(None)
    engine.dispose()


def begin(service: Service) -> Begun:
    """The mother books; the doctor has called her in."""
    book(service)
    now = datetime.now(UTC)
    with database(service) as session:
        visit = whole(session, session.scalars(select(Appointment.id)).one())
        encounter = encounter_of(session, visit, now)
        encounter.phone = "13800002718"
        move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
        openid = session.get_one(Account, visit.practitioner.account_id).openid
        return Begun(visit.appointment.id, f"doctor-{openid[-2:]}")


def end(service: Service, visit_id: UUID) -> None:
    """The visit is over."""
    with database(service) as session:
        encounter = known(session, visit_id)
        assert encounter
        move(
            session,
            encounter,
            EncounterStatus.FINISHED,
            datetime.now(UTC),
            by="test",
            why="done",
            ending=Ending.ANSWERED,
        )
