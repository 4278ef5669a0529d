"""Rosters: types of clinic, numbers kept back, holidays, exceptions, the hospital's own calendar, uploaded files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TYPES = ("ordinary", "expert", "special")
POOLS = ("open", "later", "followup", "area", "withdrawn")
HOLIDAYS = ("as-workdays", "closed", "open")
KEPT_BACK = "least(later_quota, followup_quota, area_quota) >= 0 and later_quota + followup_quota + area_quota <= quota"


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True)


def upgrade() -> None:
    """Add the columns with the defaults of before, and make the tables."""
    _column("rosters", "clinic_type", TYPES)
    _column("rosters", "on_holidays", HOLIDAYS)
    for column in ("later_quota", "followup_quota", "area_quota"):
        op.add_column("rosters", sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
        op.alter_column("rosters", column, server_default=None)
    op.create_check_constraint(op.f("ck_rosters_kept_back"), "rosters", KEPT_BACK)
    op.create_check_constraint(op.f("ck_rosters_valid"), "rosters", "valid_to >= valid_from")
    _column("schedules", "clinic_type", TYPES)
    _column("slots", "pool", POOLS)
    _exceptions()
    _calendar()
    op.create_table(
        "roster_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_roster_files_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_files")),
    )
    op.create_index(op.f("ix_roster_files_account_id"), "roster_files", ["account_id"])


def _column(table: str, name: str, values: tuple[str, ...]) -> None:
    """A new enumeration column; what was there before has the first value."""
    longest = max(len(value) for value in values)
    op.add_column(table, sa.Column(name, sa.String(length=longest), nullable=False, server_default=values[0]))
    op.alter_column(table, name, server_default=None)
    listed = ", ".join(f"'{value}'" for value in values)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, f"{name} in ({listed})")


def _exceptions() -> None:
    op.create_table(
        "roster_exceptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("period", _enum("period", "morning", "afternoon"), nullable=False),
        sa.Column("kind", _enum("kind", "leave", "extra", "swap"), nullable=False),
        sa.Column("starts", sa.Time(), nullable=True),
        sa.Column("ends", sa.Time(), nullable=True),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.Column("fee_fen", sa.Integer(), nullable=True),
        sa.Column("clinic_type", _enum("clinic_type", *TYPES), nullable=True),
        sa.Column("swap_with_id", sa.Uuid(), nullable=True),
        sa.Column("swap_day", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'extra') = (num_nonnulls(starts, ends, quota, fee_fen, clinic_type) = 5)",
            name=op.f("ck_roster_exceptions_extra"),
        ),
        sa.CheckConstraint(
            "(kind = 'swap') = (num_nonnulls(swap_with_id, swap_day) = 1)", name=op.f("ck_roster_exceptions_swap")
        ),
        sa.CheckConstraint(
            "swap_day <> day and swap_with_id <> practitioner_id", name=op.f("ck_roster_exceptions_other")
        ),
        sa.CheckConstraint("ends > starts", name=op.f("ck_roster_exceptions_hours")),
        sa.CheckConstraint("fee_fen >= 0", name=op.f("ck_roster_exceptions_fee_fen")),
        sa.CheckConstraint("quota between 1 and 200", name=op.f("ck_roster_exceptions_quota")),
        *_keys("roster_exceptions", practitioner_id="practitioners", department_id="departments"),
        *_keys("roster_exceptions", swap_with_id="practitioners", author_id="accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_exceptions")),
    )
    for columns in (
        ["practitioner_id", "day"],
        ["day"],
        ["department_id"],
        ["swap_with_id"],
        ["swap_day"],
        ["author_id"],
    ):
        op.create_index(op.f(f"ix_roster_exceptions_{'_'.join(columns)}"), "roster_exceptions", columns)
    op.create_index(
        "uq_roster_exceptions_live",
        "roster_exceptions",
        ["practitioner_id", "day", "period"],
        unique=True,
        postgresql_where=sa.text("revoked_at is null"),
    )


def _keys(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, other in columns.items()
    ]


def _calendar() -> None:
    op.create_table(
        "calendar_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", _enum("kind", "holiday", "workday"), nullable=False),
        sa.Column("as_weekday", sa.Integer(), nullable=True),
        sa.CheckConstraint("as_weekday between 0 and 6", name=op.f("ck_calendar_days_as_weekday")),
        sa.CheckConstraint("kind = 'workday' or as_weekday is null", name=op.f("ck_calendar_days_workday")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_days")),
    )
    op.create_table(
        "calendar_years",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_keys("calendar_years", author_id="accounts"),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_years")),
    )
    op.create_index(op.f("ix_calendar_years_author_id"), "calendar_years", ["author_id"])


def downgrade() -> None:
    """Take the tables and columns away; numbers that were withdrawn are for sale again."""
    for table in ("roster_files", "calendar_years", "calendar_days", "roster_exceptions"):
        op.drop_table(table)
    op.drop_column("slots", "pool")
    op.drop_column("schedules", "clinic_type")
    op.drop_constraint(op.f("ck_rosters_valid"), "rosters")
    op.drop_constraint(op.f("ck_rosters_kept_back"), "rosters")
    for column in ("area_quota", "followup_quota", "later_quota", "on_holidays", "clinic_type"):
        op.drop_column("rosters", column)
