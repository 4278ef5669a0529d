"""Weight over time against WHO's bands, compared with WHO's own published weights."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from consultation.growth import lms
from consultation.record.growth import DAYS_PER_MONTH, chart
from people.models import Sex

BORN = date(2024, 1, 1)


@pytest.mark.parametrize(
    ("sex", "month", "z", "kilos"),
    [("male", 12, 0, 9.6), ("male", 12, -2, 7.7), ("male", 12, 3, 13.3), ("female", 24, -3, 8.1),
     ("female", 60, 2, 24.9), ("male", 120, 0, 31.2), ("female", 96, 0, 25.0)],
)  # fmt: skip
def test_the_bands_are_whos(sex: str, month: int, z: int, kilos: float) -> None:
    figures = lms(Sex(sex), int(month * DAYS_PER_MONTH))
    assert figures
    assert figures.weight(z) == pytest.approx(kilos, abs=0.1)


def test_no_weights_no_picture() -> None:
    assert chart([], BORN, Sex.MALE) is None


def test_the_picture_stays_in_its_frame_and_heavier_is_higher() -> None:
    made = chart([(BORN + timedelta(days=400), 9800), (BORN + timedelta(days=10), 3600)], BORN, Sex.MALE)
    assert made
    assert [point.grams for point in made.points] == [3600, 9800], "in the order of days"
    assert made.points[0].x < made.points[1].x
    assert made.points[0].y > made.points[1].y
    for point in made.points:
        assert 0 < point.x < made.width
        assert 0 < point.y < made.height
    assert [z for z, *_ in made.bands] == [-3, -2, 0, 2, 3]


@pytest.mark.parametrize(("born", "sex"), [(date(2012, 1, 1), Sex.MALE), (BORN, Sex.UNKNOWN)])
def test_where_no_standard_reaches_there_are_no_bands(born: date, sex: Sex) -> None:
    made = chart([(date(2026, 1, 1), 40_000)], born, sex)
    assert made
    assert made.bands == ()
    assert len(made.points) == 1
