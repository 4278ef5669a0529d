"""The tests' own guard: an order that nobody asked for is not to be relied on (tests/backwards.py)."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

THREE = "select n from generate_series(1, 3) n"


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (THREE, [3, 2, 1]),
        (f"{THREE} where 'order by' <> ''", [3, 2, 1]),
        (f"select n from ({THREE} order by n) as inside", [3, 2, 1]),
        (f"{THREE} order by n", [1, 2, 3]),
        (f"{THREE} ORDER BY abs(n) desc", [3, 2, 1]),
        (f"{THREE} where false", []),
    ],
)
def test_only_an_order_that_was_asked_for_is_kept(session: Session, statement: str, rows: list[int]) -> None:
    assert session.scalars(text(statement)).all() == rows
    assert session.scalars(text(statement)).first() == (rows[0] if rows else None)
    assert [row.n for row in session.execute(text(statement)).yield_per(2)] == rows
