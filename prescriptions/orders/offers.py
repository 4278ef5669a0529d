"""What a family is offered for a prescription before it pays: the lines with today's prices, whether all of it is
there, and for each way what it costs and when it is with the child."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from booking.roster_models import DayKind
from booking.rosters.calendar import UnknownYear, calendar
from config.clock import today
from config.policy import Policy
from prescriptions.formulary.knowledge import knowledge
from prescriptions.formulary.product import Product
from prescriptions.models import Medication, MedicationVersion
from prescriptions.orders import rules
from prescriptions.orders.models import Address, Way
from prescriptions.orders.rules import Priced, Quote
from prescriptions.orders.zones import Zone, terms
from prescriptions.stock.queries import available
from prescriptions.stock.rules import good_until
from prescriptions.writing.models import Prescription
from prescriptions.writing.queries import medicines

TOKEN = re.compile(r"([0-9]{8,9})-([0-9a-f]{32})")  # the minute, counted from 1970, and the seal


@dataclass(frozen=True)
class Destination:
    """An address with its zone and what delivery there costs; neither where nothing is delivered."""

    address: Address
    zone: Zone | None
    quote: Quote | None


@dataclass(frozen=True)
class Offer:
    """The whole offer. ``lacking``: the products of which there is not enough; ``urgent``: something should be begun
    today; ``cold``: something is not sent; ``as_of``: the whole minute at which it was made."""

    as_of: datetime
    prescription: Prescription
    lines: Sequence[Priced]
    lacking: frozenset[UUID]
    urgent: bool
    cold: bool
    pickup: Quote
    destinations: Sequence[Destination]

    @property
    def medicines_fen(self) -> int:
        """The sum of the medicines."""
        return rules.medicines_fen(self.lines)

    def quote(self, way: Way, address_id: UUID | None) -> Quote | None:
        """What one way costs; None where that way is none."""
        if way is Way.PICKUP:
            return self.pickup
        found = (one.quote for one in self.destinations if one.address.id == address_id)
        return None if self.cold else next(found, None)

    def seal(self, address_id: UUID | None = None) -> str:
        """The same as long as what was shown of that address, or without one of picking up, is the same."""
        to = [one.address.region for one in self.destinations if one.address.id == address_id]
        prices = [(line.medication_id, line.packages, line.price_fen) for line in self.lines]
        quote = self.quote(Way.DELIVERY if address_id else Way.PICKUP, address_id)
        shown = (prices, address_id, to, quote)
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:32]

    def token(self, address_id: UUID | None = None) -> str:
        """The minute and the seal, which come back with the order (``shown``)."""
        return f"{_minute(self.as_of)}-{self.seal(address_id)}"


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def shown(token: str, now: datetime, policy: Policy) -> tuple[datetime, str]:
    """As of when an order is looked at, and the seal of what was shown (Offer.token). It is the moment at which it was
    shown while that holds (``order_shown_minutes``), else now. Nobody gains by another minute: all of those in which it
    holds have times that the pharmacy can keep."""
    found = TOKEN.fullmatch(token)
    if found is None:
        return now, ""
    minute = int(found[1])
    if -1 <= _minute(now) - minute <= policy.order_shown_minutes:  # -1: the clock of the server that showed it is ahead
        return datetime.fromtimestamp(minute * 60, UTC), found[2]
    return now, found[2]


def offer(
    session: Session, prescription: Prescription, addresses: Sequence[Address], now: datetime, policy: Policy
) -> Offer:
    """The offer for an approved prescription, to the addresses of whoever asks. Times are counted from the last moment
    at which it can be ordered as it is shown, and paid, so that whoever takes all that time has what was said."""
    as_of = now.replace(second=0, microsecond=0)
    lines = priced(session, prescription)
    sum_fen, holiday, paid_by = rules.medicines_fen(lines), holidays(session), paid_by_of(as_of, policy)
    places = []
    for address in addresses:
        zone = terms().zone_of(address.region)
        quote = rules.delivery(zone, sum_fen, paid_by, holiday) if zone else None
        places.append(Destination(address, zone, quote))
    pickup = rules.pickup(terms().pickup, paid_by, holiday)
    last = max([pickup.promised_at, *(one.quote.promised_at for one in places if one.quote)])
    needs = {one.medication_id: (one.packages, _until(one, last, policy)) for one in lines}
    active = set(session.scalars(select(Medication.id).where(Medication.id.in_(needs), Medication.active)))
    products = [line.product for line in lines]
    return Offer(
        as_of,
        prescription,
        lines,
        frozenset(needs) - (available(session, needs) & active),
        rules.begins_today(products, terms().urgent, knowledge()),
        rules.kept_cold(products),
        pickup,
        places,
    )


def paid_by_of(as_of: datetime, policy: Policy) -> datetime:
    """By when what was shown in that minute is paid: ordered while it holds, and paid when the hold ends."""
    return as_of + timedelta(minutes=policy.order_shown_minutes + policy.order_hold_minutes + 1)


def _until(line: Priced, begins: datetime, policy: Policy) -> date:
    return good_until(today(begins), line.days, policy.lot_margin_days)


def priced(session: Session, prescription: Prescription) -> list[Priced]:
    """The lines with the prices that are in force now."""
    signed = medicines(session, prescription.id)
    prices = _prices(session, [one.line.medication_id for one in signed])
    return [
        Priced(
            one.line.id,
            one.line.medication_id,
            one.product,
            one.line.packages,
            prices[one.line.medication_id],
            one.line.days,
        )
        for one in signed
    ]


def _prices(session: Session, medications: Sequence[UUID]) -> Mapping[UUID, int]:
    current = and_(MedicationVersion.medication_id == Medication.id, MedicationVersion.n == Medication.latest)
    rows = session.execute(
        select(Medication.id, MedicationVersion.content)
        .join(MedicationVersion, current)
        .where(Medication.id.in_(medications))
    )
    return {medication_id: Product.model_validate(content).price_fen for medication_id, content in rows}


def holidays(session: Session) -> rules.Holiday:
    """Which days are public holidays; a year that is not known yet has none."""
    known = calendar(session)

    def is_one(day: date) -> bool:
        try:
            return known.day(day).kind is DayKind.HOLIDAY
        except UnknownYear:
            return False

    return is_one
