"""The database's history, driven by Alembic."""
