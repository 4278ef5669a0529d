"""The migrated database is the one that the models describe, CHECKs and partial indexes included."""

from __future__ import annotations

import re

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, Enum, text
from sqlalchemy.schema import CreateSchema, DropSchema

from migrations.models import METADATA, ours

CONSTRAINTS = text("""
    select c.relname, o.conname, pg_get_constraintdef(o.oid)
    from pg_constraint o join pg_class c on c.oid = o.conrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = :schema and c.relname not like 'procrastinate%' and c.relname <> 'alembic_version'
""")
INDEXES = text("""
    select tablename, indexname, replace(indexdef, :schema || '.', '') from pg_indexes
    where schemaname = :schema and tablename not like 'procrastinate%' and tablename <> 'alembic_version'
""")


def catalogue(connection: Connection, schema: str) -> set[tuple[str, str, str]]:
    """Every constraint and index of a schema with its definition, as the database itself writes it."""
    rows = [*connection.execute(CONSTRAINTS, {"schema": schema}), *connection.execute(INDEXES, {"schema": schema})]
    return {(table, name, definition.replace(f"{schema}.", "")) for table, name, definition in rows}


def test_migrations_equal_models(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": ours})
        assert compare_metadata(context, METADATA) == []
        connection.execute(CreateSchema("models"))
        connection.execute(text("set local search_path = models"))
        METADATA.create_all(connection, checkfirst=False)
        assert catalogue(connection, "public") == catalogue(connection, "models")
        connection.execute(DropSchema("models", cascade=True))
        transaction.rollback()


def test_every_enumeration_has_a_named_check_of_its_values(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(CONSTRAINTS, {"schema": "public"})
        checks = {(table, name): set(re.findall(r"[\w-]+", definition)) for table, name, definition in rows}
    for table in METADATA.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Enum):
                named = [found for (name, _), found in checks.items() if name == table.name and column.name in found]
                assert any(set(column.type.enums) < found for found in named), column
