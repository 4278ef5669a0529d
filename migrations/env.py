"""Alembic's environment: our tables only (the queue's belong to procrastinate), short lock waits."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, create_engine, text

from config.database import UtcDateTime
from config.encryption import Encrypted
from migrations.models import METADATA, ours

LOCK_TIMEOUT = "5s"


def plain_types(kind: str, thing: Any, autogen_context: Any) -> str | Literal[False]:  # noqa: ARG001
    """Migrations name the database's own types: they must not change when our code does."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, Encrypted):
        return "sa.LargeBinary()"
    return False


def run(connection: Connection) -> None:
    """Migrate over this connection, in one transaction; two releases at once wait for each other."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_object=ours,
        render_item=plain_types,
        compare_type=True,
    )
    with context.begin_transaction():
        connection.execute(text(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text("set local statement_timeout = 0"))
        connection.execute(text("select pg_advisory_xact_lock(20220901)"))
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "")
    with engine.connect() as opened:
        run(opened)
