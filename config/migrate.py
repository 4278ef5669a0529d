"""Bring a database to the newest version of the tables; safe when several releases start at once."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from config.settings import ROOT


def migrate(engine: Engine) -> None:
    """Run every migration that the database has not seen."""
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
