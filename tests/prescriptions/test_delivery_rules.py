"""What an order costs and when it comes: never earlier for who pays later, within hours, on open days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.clock import at, local
from prescriptions.formulary.knowledge import knowledge
from prescriptions.orders import regions, rules
from prescriptions.orders.zones import Zone, terms
from tests.prescriptions.orders import FEVER, PRODUCTS, changed

ZONES = st.sampled_from(terms().zone)
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 60 * 24 * 120).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
LATER = st.integers(0, 60 * 24 * 9).map(lambda minutes: timedelta(minutes=minutes))
SUMS = st.integers(0, 200_000)


def new_year(day: date) -> bool:
    """A week of holidays."""
    return date(2027, 2, 5) <= day <= date(2027, 2, 12)


@given(ZONES, SUMS, MOMENTS, LATER)
def test_who_pays_later_never_has_it_earlier(zone: Zone, fen: int, moment: datetime, later: timedelta) -> None:
    first = rules.delivery(zone, fen, moment, new_year)
    second = rules.delivery(zone, fen, moment + later, new_year)
    assert moment + timedelta(minutes=zone.prepare_minutes) < first.promised_at <= second.promised_at
    door = local(first.promised_at).time()
    assert zone.door_from <= door <= zone.door_until


@given(ZONES, SUMS, SUMS)
def test_the_fee_is_the_zones_or_none(zone: Zone, fen: int, more: int) -> None:
    fee = rules.fee_fen(zone, fen)
    assert fee in {0, zone.fee_fen}
    assert rules.fee_fen(zone, fen + more) <= fee, "who buys more never pays more for delivery"
    assert (fee == 0) == (zone.fee_fen == 0 or 0 < zone.free_from_fen <= fen)


@given(MOMENTS, LATER)
def test_the_window_is_open_when_it_is_ready(moment: datetime, later: timedelta) -> None:
    place = terms().pickup
    first, second = (rules.pickup(place, moment + more, new_year) for more in (timedelta(), later))
    assert first.delivery_fen == 0
    assert moment + timedelta(minutes=place.prepare_minutes) <= first.promised_at <= second.promised_at
    assert place.opens <= local(first.promised_at).time() < place.closes


@pytest.mark.parametrize(
    ("paid", "there"),
    [
        ("2026-11-25 13:00", "2026-11-27 15:00"),  # before the cut-off, two days
        ("2026-11-25 14:30", "2026-11-28 15:00"),  # packed after it: the next day's
        ("2026-11-28 14:30", "2026-12-02 15:00"),  # Saturday evening: Sundays nothing leaves
        ("2027-02-04 14:30", "2027-02-15 15:00"),  # the holidays, and the Sunday after them (a Saturday leaves)
    ],
)
def test_worked_times_of_the_third_zone(paid: str, there: str) -> None:
    zone = terms().zone_of("130102")
    assert zone
    day, clock = paid.split()
    moment = at(date.fromisoformat(day), time.fromisoformat(clock))
    promised = local(rules.delivery(zone, 1000, moment, new_year).promised_at)
    assert f"{promised:%Y-%m-%d %H:%M}" == there


def test_what_begins_today() -> None:
    urgent, known = terms().urgent, knowledge()
    now = {code: rules.begins_today([product], urgent, known) for code, product in PRODUCTS.items()}
    for code in (
        FEVER,
        "ibuprofen-susp-20",
        "amoxicillin-susp-25",
        "oseltamivir-susp-6",
        "ors-3",
        "salbutamol-neb-25",
    ):
        assert now[code], code
    for code in ("montelukast-gran-4", "cetirizine-sol-1", "zinc-granules-10", "hydrocortisone-cream-1"):
        assert not now[code], code
    assert rules.kept_cold([changed(FEVER, storage="cold-chain")])


def test_every_district_stands_in_a_province_and_belongs_to_at_most_one_zone() -> None:
    provinces = regions.within()
    assert len(provinces) == 31
    assert [one.name for one in regions.way("110102")] == ["北京市", "西城区"]
    assert [one.name for one in regions.way("130102")] == ["河北省", "石家庄市", "长安区"]
    found = regions.region("441900")
    assert found is not None
    assert found.leaf, "a city without districts"
    zones = {code: terms().zone_of(code) for code in ("110102", "110115", "120101", "130102", "420102")}
    assert [zone.code if zone else "" for zone in zones.values()] == [
        "beijing-inner", "beijing", "tianjin-hebei", "tianjin-hebei", "",
    ]  # fmt: skip
