"""What a doctor writes before it is signed: lines by product, reasons, how long it is good. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from prescriptions.formulary.knowledge import Knowledge
from prescriptions.formulary.queries import Entry
from prescriptions.rules import Context, Line, Order, propose
from prescriptions.writing.refusals import NoDose, TooManyLines

LINES = 5  # 处方管理办法 art. 6: at most five medicines
REASON = 200  # characters
VALID_DAYS = 3  # at most (art. 18)

Reason = Annotated[str, Field(max_length=REASON)]


class DraftLine(BaseModel):
    """One medicine, by its product's code; amounts as in a Line (rules/order.py)."""

    model_config = ConfigDict(frozen=True)

    code: str
    dose: int = Field(ge=1, le=1_000_000)
    times: int = Field(ge=1, le=24)
    interval: int = Field(ge=1, le=72)
    days: int = Field(ge=1, le=180)
    rule: str = ""

    def line(self, entry: Entry) -> Line:
        """As the dose rules see it."""
        return Line(entry.product, self.dose, self.times, self.interval, self.days, self.rule, entry.verified)


class Draft(BaseModel):
    """The whole of it. ``reasons`` by the key of the finding that asks for one; ``valid_days``: today counts as one."""

    model_config = ConfigDict(frozen=True)

    lines: tuple[DraftLine, ...] = Field((), max_length=LINES)
    reasons: dict[str, Reason] = Field(default_factory=dict)
    emergency: bool = False
    valid_days: int = Field(1, ge=1, le=VALID_DAYS)
    validity_reason: Reason = ""


def with_medicine(draft: Draft, entry: Entry, context: Context, known: Knowledge) -> Draft:
    """One more medicine in the dose that its rules propose. One that stands there already stays as it is.

    Raises TooManyLines, NoDose when nothing can be proposed for this child.
    """
    if entry.product.code in {line.code for line in draft.lines}:
        return draft
    if len(draft.lines) >= LINES:
        raise TooManyLines(limit=LINES)
    proposal = propose(entry.product, context.child, context.today, known)
    if proposal is None:
        raise NoDose
    made = DraftLine(
        code=entry.product.code,
        dose=proposal.dose,
        times=proposal.times,
        interval=proposal.interval,
        days=proposal.days,
        rule=proposal.rule,
    )
    return draft.model_copy(update={"lines": (*draft.lines, made)})


def without(draft: Draft, code: str) -> Draft:
    """One medicine less."""
    return draft.model_copy(update={"lines": tuple(line for line in draft.lines if line.code != code)})


def order(draft: Draft, entries: Mapping[str, Entry]) -> Order:
    """The order as the rules check it; lines whose product is not prescribed any more are left out (``unknown``)."""
    lines = tuple(line.line(entries[line.code]) for line in draft.lines if line.code in entries)
    return Order(lines, draft.emergency, draft.reasons)


def unknown(draft: Draft, entries: Mapping[str, Entry]) -> Sequence[str]:
    """The codes of lines whose product is out of use."""
    return [line.code for line in draft.lines if line.code not in entries]


def settled(draft: Draft, keys: Iterable[str]) -> Draft:
    """The draft with the reasons that something still asks for."""
    asked = set(keys)
    kept = {key: text.strip() for key, text in draft.reasons.items() if key in asked and text.strip()}
    return draft.model_copy(update={"reasons": kept})
