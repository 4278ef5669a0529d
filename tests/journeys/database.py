"""Hands on the database of a running service, for what a journey can't wait for."""

from __future__ import annotations

import psycopg

from dev.servers import Postgres
from tests.journeys.service import Service


def execute(service: Service, statement: str, **values: object) -> int:
    """Run one statement; returns how many rows it touched."""
    url = Postgres(service.var / "postgres").attach().replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement, values).rowcount


def keep_all_others(service: Service, schedule: str) -> None:
    """The period's free numbers are kept back, as numbers are that were given back in a sold-out period: it is full."""
    kept = "update slots set status = 'busy', kept_until = now() + interval '9 days' where schedule_id = %(id)s"
    assert execute(service, f"{kept} and status = 'free'", id=schedule)


def end_the_hold(service: Service, visit: str) -> None:
    """The minutes for paying are over."""
    held = "update appointments set hold_until = now() where id = %(id)s and status = 'pending'"
    asked = "update payments set expires_at = now(), ask_at = now() where reference_id = %(id)s"
    assert execute(service, held, id=visit) == execute(service, asked, id=visit) == 1
