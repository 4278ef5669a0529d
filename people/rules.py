"""Rules about people: pure functions, no session, no clock."""

from __future__ import annotations

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import date

from people.index import IndexRecord
from people.models import RelatedPerson


@dataclass(frozen=True)
class Proof:
    """What a guardian knows of the child besides the code: full name, birth date, last four digits of the phone."""

    name: str
    birth_date: date
    phone_tail: str


def plain_name(name: str) -> str:
    """A name as it is compared: NFKC, no spaces, one kind of middle dot, no case (``买买提·阿里``)."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if not character.isspace() and character not in "·•・.")


def proves(proof: Proof, record: IndexRecord, *, needs_phone: bool) -> bool:
    """Whether the proof fits the record. Every part is compared whatever the others say, in constant time."""
    name = hmac.compare_digest(plain_name(proof.name).encode(), plain_name(record.name).encode())
    born = hmac.compare_digest(proof.birth_date.isoformat(), record.birth_date.isoformat())
    tails = [hmac.compare_digest(proof.phone_tail.encode(), phone[-4:].encode()) for phone in record.phones]
    return name and born and (any(tails) or not needs_phone)


def may_freeze(mine: RelatedPerson, other: RelatedPerson) -> bool:
    """Whether the guardian of ``mine`` may pause ``other``: only guardians of the same child who came later."""
    return other.patient_id == mine.patient_id and other.bound_at > mine.bound_at
