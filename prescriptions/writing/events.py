"""What happens to a prescription. Facts about one prescription are handled one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class PrescriptionSubmitted(Fact, order="prescription_id"):
    """The doctor has signed it; a pharmacist is to review it."""

    prescription_id: UUID


@dataclass(frozen=True)
class PrescriptionApproved(Fact, order="prescription_id"):
    """A pharmacist has accepted it: the family can order."""

    prescription_id: UUID


@dataclass(frozen=True)
class PrescriptionRejected(Fact, order="prescription_id"):
    """A pharmacist has sent it back to the doctor, with reasons."""

    prescription_id: UUID


@dataclass(frozen=True)
class PrescriptionExpiring(Fact, order="prescription_id"):
    """It will not be good for much longer, and nobody has reviewed or ordered it."""

    prescription_id: UUID


@dataclass(frozen=True)
class PrescriptionCancelled(Fact, order="prescription_id"):
    """The doctor has withdrawn it, or its time was over before anybody reviewed it."""

    prescription_id: UUID
